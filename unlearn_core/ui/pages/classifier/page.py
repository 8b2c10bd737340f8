"""The choice of a classifier, its card and accuracy, and the forms to train or upload one."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from unlearn_core.data import datasets, user_catalog
from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.recipe import describe_recipe
from unlearn_core.domain.results.balance import BALANCED_CAVEAT, are_unequal, balanced_accuracy
from unlearn_core.models import bundled_models, classifiers, user_models
from unlearn_core.store import deletion
from unlearn_core.ui.components import gold_actions, point_picker, training_form
from unlearn_core.ui.components.checkpoint import checkpoint_form
from unlearn_core.ui.components.run_plan import RunPlan
from unlearn_core.ui.gallery import likeness
from unlearn_core.ui.shell import cache, formatting, ownership, run_setup, url_state
from unlearn_core.ui.shell.markdown import escape

MAX_CHIPS = 12
"""More classifiers than this are chosen from a list."""


def choice(plan: RunPlan) -> None:
    """Show all classifiers as chips, unless there is only one."""
    cards = _ordered()
    if plan.setup.start is not None:
        st.info(
            f"This starts from the unlearned model of run {plan.setup.start}, so that one request follows another.",
            icon=":material/subdirectory_arrow_right:",
        )
        st.button("Start from the original", key="from-original", on_click=_start_from_original)
    if len(cards) < 2:
        return
    st.session_state["classifier"] = plan.classifier.id
    wiring: dict[str, Any] = {"key": "classifier", "label_visibility": "collapsed", "on_change": _use_selected}
    names = list(cards if plan.classifier.id in cards else [plan.classifier.id, *cards])
    if len(cards) > MAX_CHIPS:
        st.selectbox("Classifier", names, format_func=lambda name: _title(cards, name), **wiring)
    else:
        st.pills("Classifier", names, format_func=lambda name: escape(_title(cards, name)), required=True, **wiring)


def _ordered() -> dict[str, ClassifierCard]:
    """All classifiers: users' own first, those of images before those of points."""
    mine, data = user_catalog.classifier_cards(), datasets.cards()

    def place(one: tuple[str, ClassifierCard]) -> tuple[object, ...]:
        name, card = one
        return name not in mine, card.dataset in data and data[card.dataset].is_points, card.title

    return dict(sorted(classifiers.cards().items(), key=place))


def _title(cards: Mapping[str, ClassifierCard], name: str) -> str:
    """The title of a classifier; if two have the same title, its id is added."""
    if name not in cards:
        return name
    title = cards[name].title
    return title if [card.title for card in cards.values()].count(title) == 1 else f"{title} ({name})"


def facts(plan: RunPlan) -> None:
    """Show the card: what it is, its data set and training, its retrained models, source and licence."""
    card, data = plan.classifier, plan.dataset
    st.header(escape(card.title), anchor=False)
    st.markdown(escape(card.summary))
    _fact("Trained on", f"{escape(data.title)}: {escape(data.summary)}")
    _fact("Training", _how(card))
    _fact("Retrained models", _golds(card))
    _fact("Source", escape(card.source))
    _fact("Licence", escape(" ".join(dict.fromkeys((card.licence, data.licence)))))
    if user_models.exists(card.id):
        _own(card)


def accuracy(plan: RunPlan) -> None:
    """Show its accuracy on test images, in total and per class."""
    st.header("How accurate is it before unlearning?", anchor=False)
    right = cache.class_accuracies(plan.classifier.id, plan.dataset.id, plan.classifier.seed)
    if right is None and bundled_models.find_bundled(plan.classifier.id, None, plan.classifier.seed) is not None:
        likeness.show_outputs(plan.classifier)
        return
    if right is None:
        st.caption(
            "No trained model of this classifier ships with the lab, so its accuracy is unknown until it has run."
        )
        return
    names, counts, known = plan.dataset.classes, cache.test_counts(plan.dataset.id), [r for r in right if r is not None]
    if not known:
        st.caption(f"There are no test {plan.dataset.item_noun}s, so its accuracy on unseen ones is unknown.")
        return
    whole = sum(share * count for share, count in zip(right, counts, strict=True) if share is not None) / sum(counts)
    best, worst = max(known), min(known)
    st.markdown(
        f"It classifies **{_percent(whole)}** of {plan.dataset.test:,} test {plan.dataset.item_noun}s correctly: "
        f"*{escape(names[right.index(best)])}* has the highest accuracy ({_percent(best)}), "
        f"*{escape(names[right.index(worst)])}* the lowest ({_percent(worst)})."
    )
    if are_unequal(counts):
        st.caption(f"Balanced accuracy: {_percent(balanced_accuracy(right) or 0)}. {BALANCED_CAVEAT}")
    table = pd.DataFrame({"class": names, "right": [None if r is None else round(100 * r) for r in right]})
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        alt=f"Accuracy of the classifier on test {plan.dataset.item_noun}s, per class",
        column_config={
            "class": st.column_config.TextColumn("Class", width="small"),
            "right": st.column_config.ProgressColumn("Test accuracy", format="%d %%", min_value=0, max_value=100),
        },
    )


def samples(plan: RunPlan) -> None:
    """Show a training image of each class, or all points."""
    if plan.dataset.is_points:
        point_picker.show(plan.dataset)
        return
    names = plan.dataset.classes
    shown = names[:20]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    st.image(
        cache.class_samples(plan.dataset.id),
        width="stretch" if len(shown) > 5 else "content",
        alt=f"One training image of each class: {', '.join(shown)}{more}",
    )
    st.caption(f"One training image of each class: {escape(', '.join(shown))}{more}.")


def train_first(plan: RunPlan) -> None:
    """Show the form to train a classifier at the top, for a visitor who came only for that."""
    if not training_form.is_first():
        return
    with st.container(border=True, key="train-first-part"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.header("Train a classifier", anchor=False, width="content")
            st.button("Cancel", type="tertiary", key="train-not-now", on_click=training_form.close_form)
        training_form.show_form(plan.classifier)
    st.header("Or choose an existing one", anchor=False)


def own_classifiers(plan: RunPlan) -> None:
    """Show the forms to train a classifier or upload one; each runs only when its part is open."""
    st.header("Or add your own", anchor=False)
    if not training_form.is_first():
        title, icon = "Train a classifier", ":material/model_training:"
        with st.expander(title, icon=icon, key="train-part", on_change="rerun") as part:
            if part.open:
                training_form.show_form(plan.classifier)
    with st.expander("Upload a checkpoint", icon=":material/upload_file:", key="bring-part", on_change="rerun") as part:
        if part.open:
            checkpoint_form.show_form(plan.classifier)


def _own(card: ClassifierCard) -> None:
    """Show what can be done with a user's classifier: confirm a recipe for retraining, and remove it."""
    refusal = ownership.item_refusal("classifier", card.id)
    if card.recipe is None and refusal is None:
        with st.container(border=True):
            gold_actions.confirm_recipe(card)
    with st.popover(
        "Remove this classifier",
        icon=":material/delete:",
        type="tertiary",
        disabled=refusal is not None,
        help=refusal,
    ):
        st.markdown(
            f"**{escape(card.title)}** and its retrained models will be permanently deleted. Reports of its runs stay "
            "readable, but nothing more can be measured for them."
        )
        if st.button("Remove permanently", type="primary", key="remove-classifier"):
            try:
                deletion.delete_classifier(cache.store(), card.id)
            except UnlearnError as problem:
                st.warning(escape(problem), icon=":material/block:")
            else:
                usual = run_setup.default_setup()
                url_state.change(
                    classifier=usual.classifier, dataset=usual.dataset, classes=usual.classes, images=(), start=None
                )
                st.rerun()


def footer(plan: RunPlan) -> None:
    """Show the button to the next page."""
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Next: what to forget", type="primary", key="next"):
            url_state.open_page("forget")


def _fact(name: str, words: str) -> None:
    with st.container(gap=None):
        st.caption(name)
        st.markdown(words)


def _how(card: ClassifierCard) -> str:
    """Describe how it was trained."""
    recipe = card.recipe
    if recipe is None:
        return "Its training recipe is unknown, so no retrained model can be made."
    described = describe_recipe(recipe)
    if not card.original_recipe:
        return f"Its training recipe is unknown. Its retrained models use a recipe that was chosen here: {described}."
    return f"{described}. Seed {card.seed}."


def _golds(card: ClassifierCard) -> str:
    """Describe for which requests retrained models ship."""
    names = datasets.card(card.dataset).classes
    found = [
        model.forget
        for model in bundled_models.bundled(card.id)
        if model.forget is not None and model.seed == bundled_models.GOLD_SEED_OFFSET
    ]
    there = {forget.classes[0] for forget in found if forget.kind == "classes" and len(forget.classes) == 1}
    if not found:
        return "None yet: results have no reference until a model has been retrained for their request."
    which = "each class" if len(there) == len(names) else escape(", ".join(names[number] for number in sorted(there)))
    more = formatting.pluralize(len(found) - len(there), "standard request") if len(found) > len(there) else ""
    return (
        f"Included for {' and for '.join(filter(None, (which, more)))}: the same architecture, trained by the same "
        "recipe without the forget set. For other requests they can be trained here, in the background."
    )


def _percent(share: float) -> str:
    return f"{round(100 * share)} %"


def _start_from_original() -> None:
    url_state.change(start=None)


def _use_selected() -> None:
    card = classifiers.card(st.session_state["classifier"])
    url_state.change(classifier=card.id, dataset=card.dataset, classes=(), images=(), start=None)
