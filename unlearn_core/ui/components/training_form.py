"""Training a classifier here: the form that asks for it, its curve while it goes on, and what came of it."""

from typing import Any

import streamlit as st

from unlearn_core.charts.drawing import epoch_curve
from unlearn_core.charts.drawing.theme import CONFIG
from unlearn_core.data import datasets
from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.jobs import LONGEST_NAME, TrainSpec
from unlearn_core.domain.recipe import in_words
from unlearn_core.domain.run import Priority, Run
from unlearn_core.models import bundled_models, classifiers, user_models
from unlearn_core.store.data_folder import home
from unlearn_core.store.files import artifacts
from unlearn_core.ui.components import architecture_picker, chart_card, effort
from unlearn_core.ui.components import recipe_form as recipes
from unlearn_core.ui.shell import cache, formatting, lifespan, navigation, url_state
from unlearn_core.ui.shell.markdown import escape

PART = "training"
FRESH = "fresh weights"
_FIRST = "first"


def form(like: ClassifierCard, place: str = "train") -> None:
    """Architecture, data set, recipe; what it costs; and the button. It begins with those of a classifier."""
    sets = datasets.cards()
    left, right = st.columns(2)
    chosen = architecture_picker.choose(left, like.architecture, place)
    titles = {one.id: one.title for one in sets.values()}
    dataset = architecture_picker.which(right, "Pictures", titles, like.dataset, place)
    kind = architecture_picker.described(architecture_picker.named(chosen, like.architecture, place), sets[dataset])
    if kind is None:
        return
    name = kind.name
    recipe = recipes.choose(place, name, kind.recipe, pictures=sets[dataset].train)
    start = _start(place, name)
    called, number = st.columns([2, 1])
    title = called.text_input(
        "What to call it",
        placeholder=f"{kind.title} · {sets[dataset].title}",
        max_chars=LONGEST_NAME,
        key=f"{place}-name",
    )
    seed = number.number_input("Seed", 0, 999, 0, key=f"{place}-seed")
    st.markdown(f"**What it costs:** {effort.of(name, dataset, recipe)}.")
    st.caption(
        "It is saved after every epoch and gives way to whatever people wait for, then goes on. What comes of it "
        "stands among the classifiers, with this recipe, so that its golds can be trained."
    )
    if st.button("Train it", type="primary", icon=":material/model_training:", key=f"{place}-go"):
        # Two of torchvision's nets are built otherwise for their published weights than for fresh ones.
        name = start if start and architecture_picker.goes_with(start) else name
        spec = TrainSpec(architecture=name, dataset=dataset, name=title, recipe=recipe, seed=seed, start=start)
        put_back(place)
        st.switch_page(navigation.page("run"), query_params={"id": str(order(spec))})


def begin(dataset: str, place: str = "train") -> None:
    """Opens the form on top of the page Classifier, with these pictures chosen."""
    st.session_state[f"{place}-{_FIRST}"], st.session_state[f"{place}-pictures"] = True, dataset
    url_state.go("classifier")


def is_first(place: str = "train") -> bool:
    """Whether somebody has come to the page Classifier only to train one."""
    return bool(st.session_state.get(f"{place}-{_FIRST}"))


def put_back(place: str = "train") -> None:
    """Has the form stand beneath all else again."""
    st.session_state.pop(f"{place}-{_FIRST}", None)


def order(spec: TrainSpec) -> int:
    """Asks for a training, behind everything that people wait for; the run that makes it."""
    data = datasets.card(spec.dataset)
    title = f"Train {spec.name or f'{architecture_picker.title(spec.architecture)} · {data.title}'}"
    number = cache.store().order(spec, title=title, priority=Priority.BACKGROUND).run
    lifespan.see_to_it()
    return number


def live(run: Run) -> None:
    """The curve of a training in progress: a point an epoch."""
    st.subheader("How it learns", anchor=False)
    if not _curve(run):
        st.caption("The first point comes when the first epoch is over. Only validation pictures are asked.")


def doing(spec: TrainSpec) -> str:
    """What a training does, in words."""
    return f"It learns its pictures: {in_words(spec.recipe)}."


def done(run: Run, caption: str) -> None:
    """What a training made, and the way on."""
    st.caption(caption)
    st.title(escape(run.title), anchor=False)
    name = run.headline.get("classifier", "")
    card = classifiers.cards().get(name)
    if card is None:
        st.markdown("It was trained, and has been removed since.")
    else:
        accuracy = run.headline.get("accuracies")
        said = "It was trained already, by the same recipe from the same seed." if accuracy is None else good(accuracy)
        st.markdown(f"**{escape(card.title)}** stands among the classifiers now. {said}")
        with st.container(horizontal=True):
            if st.button("Make it forget", type="primary", icon=":material/ink_eraser:", key="take-trained"):
                take(card)
                url_state.go("forget")
            if st.button("Look at it", icon=":material/neurology:", key="see-trained"):
                take(card)
                url_state.go("classifier")
    st.subheader("How it learned", anchor=False)
    if not _curve(run):
        st.caption("No curve of it was kept.")


def take(card: ClassifierCard) -> None:
    """Makes a classifier the session's choice."""
    url_state.change(classifier=card.id, dataset=card.dataset, classes=(), images=(), start=None)


def good(accuracy: dict[str, Any]) -> str:
    """How often it is right, split by split, as a sentence."""
    shares = [
        f"**{formatting.share(accuracy[name])}** of the {what} pictures"
        for name, what in (("train", "training"), ("val", "validation"), ("test", "unseen test"))
        if accuracy[name] is not None
    ]
    return f"It names {', '.join(shares[:-1])} and {shares[-1]} rightly." if len(shares) > 1 else ""


def is_begun(spec: TrainSpec) -> bool:
    """Whether a training was stopped, and goes on from there."""
    return (user_models.making(spec.fingerprint()) / "state.pt").exists()


def _start(place: str, name: str) -> str | None:
    """With which weights it begins: fresh ones, those of a classifier of the same kind, or published ones."""
    able = {
        one.id: one.title
        for one in classifiers.cards().values()
        if one.architecture == name and bundled_models.find(one.id, None, one.seed) is not None
    }
    public = architecture_picker.published(name)
    able |= {one: f"{one} (published, {'on this machine' if here else 'to be downloaded'})" for one, here in public}
    if not able:
        return None
    names = {FRESH: FRESH} | able
    picked = st.selectbox(
        "Begin with",
        list(names),
        format_func=names.__getitem__,
        key=f"{place}-start-{name}",
        help="Beginning with a trained net is fine-tuning: its last layer is replaced, all else goes on from there.",
    )
    if not dict(public).get(picked, True):
        st.caption(
            f"The weights {escape(picked)} are not on this machine. The run downloads them first; where it cannot, it "
            "ends at once and says which file to put where."
        )
    return None if picked == FRESH else picked


def _curve(run: Run) -> bool:
    part = artifacts.read_part(artifacts.folder_of(home(), run.id), PART)
    if part is None or not part.arrays:
        return False
    said = epoch_curve.sentence(part)
    st.plotly_chart(
        epoch_curve.figure(part, chart_card.theme()),
        theme=None,
        key=f"schooling-{run.id}",
        height=epoch_curve.HEIGHT,
        config=CONFIG,
        alt=f"Two lines by epoch, training loss and accuracy on validation pictures. {said}",
    )
    st.caption(said)
    return True
