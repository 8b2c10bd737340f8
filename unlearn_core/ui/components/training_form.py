"""Training a classifier here: the form that asks for it, its curve while it goes on, and what came of it."""

from typing import Any

import streamlit as st

from unlearn_core.charts.drawing import epoch_curve
from unlearn_core.charts.drawing.theme import PLOTLY_CONFIG
from unlearn_core.data import datasets
from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.jobs import MAX_NAME_LENGTH, TrainSpec
from unlearn_core.domain.recipe import describe_recipe
from unlearn_core.domain.run import Priority, Run
from unlearn_core.models import bundled_models, classifiers, user_models
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import artifacts
from unlearn_core.ui.components import architecture_picker, chart_card, cost_estimate
from unlearn_core.ui.components import recipe_form as recipes
from unlearn_core.ui.shell import cache, formatting, lifespan, navigation, url_state
from unlearn_core.ui.shell.markdown import escape

PART = "training"
FRESH = "fresh weights"
_FIRST = "first"


def show_form(like: ClassifierCard, key_scope: str = "train") -> None:
    """Architecture, data set, recipe; what it costs; and the button. It begins with those of a classifier."""
    sets = datasets.cards()
    left, right = st.columns(2)
    chosen = architecture_picker.choose(left, like.architecture, key_scope)
    titles = {one.id: one.title for one in sets.values()}
    dataset = architecture_picker.select_by_title(right, "Pictures", titles, like.dataset, key_scope)
    kind = architecture_picker.describe_architecture(
        architecture_picker.architecture_name(chosen, like.architecture, key_scope), sets[dataset]
    )
    if kind is None:
        return
    name = kind.name
    recipe = recipes.recipe_inputs(key_scope, name, kind.recipe, num_images=sets[dataset].train)
    start = _start(key_scope, name)
    called, number = st.columns([2, 1])
    title = called.text_input(
        "What to call it",
        placeholder=f"{kind.title} · {sets[dataset].title}",
        max_chars=MAX_NAME_LENGTH,
        key=f"{key_scope}-name",
    )
    seed = number.number_input("Seed", 0, 999, 0, key=f"{key_scope}-seed")
    st.markdown(f"**What it costs:** {cost_estimate.training_cost(name, dataset, recipe)}.")
    st.caption(
        "It is saved after every epoch and gives way to whatever people wait for, then goes on. What comes of it "
        "stands among the classifiers, with this recipe, so that its golds can be trained."
    )
    if st.button("Train it", type="primary", icon=":material/model_training:", key=f"{key_scope}-go"):
        # Two of torchvision's nets are built otherwise for their published weights than for fresh ones.
        name = start if start and architecture_picker.requires_own_architecture(start) else name
        spec = TrainSpec(architecture=name, dataset=dataset, name=title, recipe=recipe, seed=seed, start=start)
        close_form(key_scope)
        st.switch_page(navigation.page("run"), query_params={"id": str(submit(spec))})


def open_form(dataset: str, key_scope: str = "train") -> None:
    """Opens the form on top of the page Classifier, with these pictures chosen."""
    st.session_state[f"{key_scope}-{_FIRST}"], st.session_state[f"{key_scope}-pictures"] = True, dataset
    url_state.open_page("classifier")


def is_first(key_scope: str = "train") -> bool:
    """Whether somebody has come to the page Classifier only to train one."""
    return bool(st.session_state.get(f"{key_scope}-{_FIRST}"))


def close_form(key_scope: str = "train") -> None:
    """Has the form stand beneath all else again."""
    st.session_state.pop(f"{key_scope}-{_FIRST}", None)


def submit(spec: TrainSpec) -> int:
    """Asks for a training, behind everything that people wait for; the run that makes it."""
    data = datasets.card(spec.dataset)
    title = f"Train {spec.name or f'{architecture_picker.architecture_title(spec.architecture)} · {data.title}'}"
    number = cache.store().submit_unique(spec, title=title, priority=Priority.BACKGROUND).run
    lifespan.ensure_worker()
    return number


def show_curve(run: Run) -> None:
    """The curve of a training in progress: a point an epoch."""
    st.subheader("How it learns", anchor=False)
    if not _curve(run):
        st.caption("The first point comes when the first epoch is over. Only validation pictures are asked.")


def describe_training(spec: TrainSpec) -> str:
    """What a training does, in words."""
    return f"It learns its pictures: {describe_recipe(spec.recipe)}."


def show_result(run: Run, caption: str) -> None:
    """What a training made, and the way on."""
    st.caption(caption)
    st.title(escape(run.title), anchor=False)
    name = run.headline.get("classifier", "")
    card = classifiers.cards().get(name)
    if card is None:
        st.markdown("It was trained, and has been removed since.")
    else:
        accuracy = run.headline.get("accuracies")
        said = (
            "It was trained already, by the same recipe from the same seed."
            if accuracy is None
            else accuracy_sentence(accuracy)
        )
        st.markdown(f"**{escape(card.title)}** stands among the classifiers now. {said}")
        with st.container(horizontal=True):
            if st.button("Make it forget", type="primary", icon=":material/ink_eraser:", key="take-trained"):
                use_classifier(card)
                url_state.open_page("forget")
            if st.button("Look at it", icon=":material/neurology:", key="see-trained"):
                use_classifier(card)
                url_state.open_page("classifier")
    st.subheader("How it learned", anchor=False)
    if not _curve(run):
        st.caption("No curve of it was kept.")


def use_classifier(card: ClassifierCard) -> None:
    """Makes a classifier the session's choice."""
    url_state.change(classifier=card.id, dataset=card.dataset, classes=(), images=(), start=None)


def accuracy_sentence(accuracy: dict[str, Any]) -> str:
    """How often it is right, split by split, as a sentence."""
    shares = [
        f"**{formatting.format_share(accuracy[name])}** of the {what} pictures"
        for name, what in (("train", "training"), ("val", "validation"), ("test", "unseen test"))
        if accuracy[name] is not None
    ]
    return f"It names {', '.join(shares[:-1])} and {shares[-1]} rightly." if len(shares) > 1 else ""


def is_partial(spec: TrainSpec) -> bool:
    """Whether a training was stopped, and goes on from there."""
    return (user_models.training_state_dir(spec.fingerprint()) / "state.pt").exists()


def _start(key_scope: str, name: str) -> str | None:
    """With which weights it begins: fresh ones, those of a classifier of the same kind, or published ones."""
    able = {
        one.id: one.title
        for one in classifiers.cards().values()
        if one.architecture == name and bundled_models.find_bundled(one.id, None, one.seed) is not None
    }
    public = architecture_picker.published_weights(name)
    able |= {one: f"{one} (published, {'on this machine' if here else 'to be downloaded'})" for one, here in public}
    if not able:
        return None
    names = {FRESH: FRESH} | able
    picked = st.selectbox(
        "Begin with",
        list(names),
        format_func=names.__getitem__,
        key=f"{key_scope}-start-{name}",
        help="Beginning with a trained net is fine-tuning: its last layer is replaced, all else goes on from there.",
    )
    if not dict(public).get(picked, True):
        st.caption(
            f"The weights {escape(picked)} are not on this machine. The run downloads them first; where it cannot, it "
            "ends at once and says which file to put where."
        )
    return None if picked == FRESH else picked


def _curve(run: Run) -> bool:
    part = artifacts.read_part(artifacts.run_dir(open_data_dir(), run.id), PART)
    if part is None or not part.arrays:
        return False
    said = epoch_curve.summary(part)
    st.plotly_chart(
        epoch_curve.figure(part, chart_card.current_theme()),
        theme=None,
        key=f"schooling-{run.id}",
        height=epoch_curve.HEIGHT,
        config=PLOTLY_CONFIG,
        alt=f"Two lines by epoch, training loss and accuracy on validation pictures. {said}",
    )
    st.caption(said)
    return True
