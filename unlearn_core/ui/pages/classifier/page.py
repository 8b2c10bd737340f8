"""Choosing a classifier, and what one should know of it before it forgets."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from unlearn_core.data import datasets, user_catalog
from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.recipe import describe_recipe
from unlearn_core.models import bundled_models, classifiers, user_models
from unlearn_core.store import deletion
from unlearn_core.ui.components import checkpoint_form, gold_actions, point_picker, training_form
from unlearn_core.ui.components.run_plan import RunPlan
from unlearn_core.ui.shell import cache, formatting, run_setup, url_state
from unlearn_core.ui.shell.markdown import escape

MAX_CHIPS = 12
"""Classifiers beyond so many are chosen from a list."""


def choice(plan: RunPlan) -> None:
    """All classifiers as chips; where there is one only, nothing need be chosen and nothing is asked."""
    cards = _ordered()
    if plan.setup.start is not None:
        st.info(
            f"It begins where run {plan.setup.start} ended, so that one request follows another.",
            icon=":material/subdirectory_arrow_right:",
        )
        st.button("Begin with the original", key="from-original", on_click=_begin_afresh)
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
    """Every classifier, one's own first, those of pictures before those of points."""
    mine, data = user_catalog.classifier_cards(), datasets.cards()

    def place(one: tuple[str, ClassifierCard]) -> tuple[object, ...]:
        name, card = one
        return name not in mine, card.dataset in data and data[card.dataset].is_points, card.title

    return dict(sorted(classifiers.cards().items(), key=place))


def _title(cards: Mapping[str, ClassifierCard], name: str) -> str:
    """What a classifier is called among the others: where two have one title, its id stands beside it."""
    if name not in cards:
        return name
    title = cards[name].title
    return title if [card.title for card in cards.values()].count(title) == 1 else f"{title} ({name})"


def facts(plan: RunPlan) -> None:
    """The card: what it is, what it was trained on and how, which golds exist, whose it is."""
    card, data = plan.classifier, plan.dataset
    st.subheader(escape(card.title), anchor=False)
    st.markdown(escape(card.summary))
    _fact("Trained on", f"{escape(data.title)}: {escape(data.summary)}")
    _fact("How", _how(card))
    _fact("Its gold", _golds(card))
    _fact("Source", escape(card.source))
    _fact("Licence", f"{escape(card.licence)} {escape(data.licence)}")
    if user_models.exists(card.id):
        _own(card)


def accuracy(plan: RunPlan) -> None:
    """How often it is right, class by class, on pictures that it has never seen."""
    st.subheader("How good is it before?", anchor=False)
    right = cache.class_accuracies(plan.classifier.id, plan.dataset.id, plan.classifier.seed)
    if right is None:
        st.caption(
            "No trained net of this classifier ships with the lab, so there is nothing to say before it has run."
        )
        return
    whole = sum(right) / len(right)
    best, worst = max(right), min(right)
    names = plan.dataset.classes
    st.markdown(
        f"Right about **{_percent(whole)}** of {plan.dataset.test:,} unseen pictures: most often about "
        f"*{escape(names[right.index(best)])}* ({_percent(best)}), least about *{escape(names[right.index(worst)])}* "
        f"({_percent(worst)})."
    )
    table = pd.DataFrame({"class": names, "right": [round(100 * share) for share in right]})
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        alt="How often the classifier is right about unseen pictures, class by class",
        column_config={
            "class": st.column_config.TextColumn("Class", width="small"),
            "right": st.column_config.ProgressColumn(
                "Right on unseen pictures", format="%d %%", min_value=0, max_value=100
            ),
        },
    )


def samples(plan: RunPlan) -> None:
    """A picture of each class, so that one sees what it was trained on."""
    if plan.dataset.is_points:
        point_picker.show(plan.dataset)
        return
    names = plan.dataset.classes
    shown = names[:20]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    st.image(
        cache.class_samples(plan.dataset.id),
        width="stretch" if len(shown) > 5 else "content",
        alt=f"One training picture of each class: {', '.join(shown)}{more}",
    )
    st.caption(f"One training picture of each class: {escape(', '.join(shown))}{more}.")


def train_first(plan: RunPlan) -> None:
    """Training one, on top of all that is there, for somebody who has come for nothing else."""
    if not training_form.is_first():
        return
    with st.container(border=True, key="train-first-part"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader("Train one here", anchor=False, width="content")
            st.button("Not now", type="tertiary", key="train-not-now", on_click=training_form.close_form)
        training_form.show_form(plan.classifier)
    st.subheader("Or take one that is there", anchor=False)


def own_classifiers(plan: RunPlan) -> None:
    """Classifiers of one's own: trained here, or brought as a file; drawn only when somebody opens the part."""
    st.subheader("Or one of your own", anchor=False)
    if not training_form.is_first():
        title, icon = "Train one here", ":material/model_training:"
        with st.expander(title, icon=icon, key="train-part", on_change="rerun") as part:
            if part.open:
                training_form.show_form(plan.classifier)
    with st.expander("Bring a checkpoint", icon=":material/upload_file:", key="bring-part", on_change="rerun") as part:
        if part.open:
            checkpoint_form.show_form(plan.classifier)


def _own(card: ClassifierCard) -> None:
    """What can be done with a classifier that was trained or brought here: a recipe for gold, and removing it."""
    if card.recipe is None:
        with st.container(border=True):
            gold_actions.confirm_recipe(card)
    with st.popover("Remove this classifier", icon=":material/delete:", type="tertiary"):
        st.markdown(
            f"**{escape(card.title)}** and its golds will be gone for good. Reports of its runs stay readable, but "
            "nothing more can be measured for them."
        )
        if st.button("Remove for good", type="primary", key="remove-classifier"):
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
    """The way on."""
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Next: what to forget", type="primary", key="next"):
            url_state.open_page("forget")


def _fact(name: str, words: str) -> None:
    with st.container(gap=None):
        st.caption(name)
        st.markdown(words)


def _how(card: ClassifierCard) -> str:
    """How it was trained, in words."""
    recipe = card.recipe
    if recipe is None:
        return "Nobody has said how it was trained, so it has no gold: nobody could train it again."
    said = describe_recipe(recipe)
    if not card.original_recipe:
        return f"Nobody knows. Its golds are trained by a recipe that somebody chose: {said}."
    return f"{said}. Seed {card.seed}."


def _golds(card: ClassifierCard) -> str:
    """For which requests the yardstick ships, in words."""
    names = datasets.card(card.dataset).classes
    found = [
        net.forget
        for net in bundled_models.bundled(card.id)
        if net.forget is not None and net.seed == bundled_models.GOLD_SEED_OFFSET
    ]
    there = {wish.classes[0] for wish in found if wish.kind == "classes" and len(wish.classes) == 1}
    if not found:
        return "None yet: results have no yardstick until a gold for their request has been trained, here or elsewhere."
    which = "each class" if len(there) == len(names) else escape(", ".join(names[number] for number in sorted(there)))
    more = len(found) - len(there)
    also = f" and for {formatting.pluralize(more, 'standard request')}" if more else ""
    return (
        f"Ships for {which}{also}: the same net, trained anew by the same recipe without them. "
        "For other requests it can be trained here, in the background."
    )


def _percent(share: float) -> str:
    return f"{round(100 * share)} %"


def _begin_afresh() -> None:
    url_state.change(start=None)


def _use_selected() -> None:
    card = classifiers.card(st.session_state["classifier"])
    url_state.change(classifier=card.id, dataset=card.dataset, classes=(), images=(), start=None)
