"""Train a classifier: the form, the training curve while it runs, and the result."""

import streamlit as st

from unlearn_core.charts.drawing import epoch_curve
from unlearn_core.charts.drawing.theme import PLOTLY_CONFIG
from unlearn_core.data import datasets
from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.jobs import MAX_NAME_LENGTH, TrainSpec
from unlearn_core.domain.recipe import describe_recipe
from unlearn_core.domain.results.course import TrainingResult
from unlearn_core.domain.results.metrics import SplitAccuracies
from unlearn_core.domain.run import Priority, Run
from unlearn_core.engine.forecasts.here import of_training
from unlearn_core.models import bundled_models, classifiers, user_models
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import artifacts
from unlearn_core.ui.components import architecture_picker, chart_card, cost_estimate
from unlearn_core.ui.components import recipe_form as recipes
from unlearn_core.ui.shell import cache, formatting, lifespan, navigation, url_state
from unlearn_core.ui.shell.markdown import escape

FRESH = "fresh weights"
_FIRST = "first"


def show_form(like: ClassifierCard, key_scope: str = "train") -> None:
    """Show architecture, data set, recipe, cost and button; the defaults are those of the classifier `like`."""
    kind, dataset = architecture_picker.choose_with_dataset(like, key_scope, f"{key_scope}-pictures")
    if kind is None:
        return
    name, data = kind.name, datasets.card(dataset)
    recipe = recipes.recipe_inputs(key_scope, name, kind.recipe, num_images=data.train)
    start = _start(key_scope, name)
    called, number = st.columns([2, 1])
    title = called.text_input(
        "Name",
        placeholder=f"{kind.title} · {data.title}",
        max_chars=MAX_NAME_LENGTH,
        key=f"{key_scope}-name",
    )
    seed = number.number_input("Seed", 0, 999, 0, key=f"{key_scope}-seed")
    forecast = of_training(name, data, recipe, cache.store())
    st.markdown(f"**Estimated cost:** {cost_estimate.in_words(forecast)}.")
    st.caption(
        "It is saved after every epoch, is preempted by runs that people wait for, and resumes. The trained classifier "
        "joins the list with this recipe, so that retrained models can be made for it."
    )
    pressed = st.button("Train", type="primary", icon=":material/model_training:", key=f"{key_scope}-go")
    job = (name, dataset, recipe.model_dump_json(), seed, start)
    if cost_estimate.confirmed(forecast, pressed, job=job, key=f"{key_scope}-go"):
        # Two of torchvision's models are built differently for their published weights than for fresh ones.
        name = start if start and architecture_picker.requires_own_architecture(start) else name
        spec = TrainSpec(architecture=name, dataset=dataset, name=title, recipe=recipe, seed=seed, start=start)
        close_form(key_scope)
        st.switch_page(navigation.page("run"), query_params={"id": str(submit(spec))})


def open_form(dataset: str, key_scope: str = "train") -> None:
    """Open the form at the top of the page Classifier, with this data set selected."""
    st.session_state[f"{key_scope}-{_FIRST}"], st.session_state[f"{key_scope}-pictures"] = True, dataset
    url_state.open_page("classifier")


def is_first(key_scope: str = "train") -> bool:
    """Return whether the visitor has come to the page Classifier only to train one."""
    return bool(st.session_state.get(f"{key_scope}-{_FIRST}"))


def close_form(key_scope: str = "train") -> None:
    """Move the form back below everything else."""
    st.session_state.pop(f"{key_scope}-{_FIRST}", None)


def submit(spec: TrainSpec) -> int:
    """Queue a training with low priority; return its run."""
    data = datasets.card(spec.dataset)
    title = f"Train {spec.name or f'{architecture_picker.architecture_title(spec.architecture)} · {data.title}'}"
    number = cache.store().submit_unique(spec, title=title, priority=Priority.BACKGROUND).run
    lifespan.ensure_worker()
    return number


def show_curve(run: Run) -> None:
    """Show the curve of a training in progress, with one point per epoch."""
    st.header("Training curve", anchor=False)
    if not _curve(run):
        st.caption("The first point appears after the first epoch. Accuracy is measured on validation images only.")


def describe_training(spec: TrainSpec) -> str:
    """Describe what a training does."""
    return f"Training: {describe_recipe(spec.recipe)}."


def show_result(run: Run, caption: str) -> None:
    """Show the trained classifier, and the next steps."""
    st.caption(caption)
    st.title(escape(run.title), anchor=False)
    card = classifiers.cards().get(run.metrics.classifier or "")
    if card is None:
        st.markdown("It was trained, but has been removed since.")
    else:
        accuracies = run.metrics.accuracies
        sentence = (
            "It had already been trained by the same recipe from the same seed."
            if accuracies is None
            else accuracy_sentence(accuracies)
        )
        st.markdown(f"**{escape(card.title)}** is now in the list of classifiers. {sentence}")
        with st.container(horizontal=True):
            if st.button("Make it forget", type="primary", icon=":material/ink_eraser:", key="take-trained"):
                use_classifier(card)
                url_state.open_page("forget")
            if st.button("Show its card", icon=":material/neurology:", key="see-trained"):
                use_classifier(card)
                url_state.open_page("classifier")
    st.header("Training curve", anchor=False)
    if not _curve(run):
        st.caption("Its training curve was not recorded.")


def use_classifier(card: ClassifierCard) -> None:
    """Select a classifier in this session."""
    url_state.change(classifier=card.id, dataset=card.dataset, classes=(), images=(), start=None)


def accuracy_sentence(accuracies: SplitAccuracies) -> str:
    """A sentence on its accuracy on each split."""
    shares = [
        f"**{formatting.format_share(share)}** of the {what} images"
        for what, share in zip(("training", "validation", "test"), accuracies.by_split.values(), strict=True)
        if share is not None
    ]
    if len(shares) < 2:
        return f"It classifies {''.join(shares)} correctly." if shares else ""
    return f"It classifies {', '.join(shares[:-1])} and {shares[-1]} correctly."


def is_partial(spec: TrainSpec) -> bool:
    """Return whether a training was interrupted and can be resumed."""
    return (user_models.training_state_dir(spec.fingerprint()) / "state.pt").exists()


def _start(key_scope: str, name: str) -> str | None:
    """Show and return the initial weights: fresh, of a classifier with the same architecture, or published."""
    choices = {
        one.id: one.title
        for one in classifiers.cards().values()
        if one.architecture == name and bundled_models.find_bundled(one.id, None, one.seed) is not None
    }
    public = architecture_picker.published_weights(name)
    choices |= {one: f"{one} (published, {'on this machine' if here else 'to be downloaded'})" for one, here in public}
    if not choices:
        return None
    names = {FRESH: FRESH} | choices
    picked = st.selectbox(
        "Initial weights",
        list(names),
        format_func=names.__getitem__,
        key=f"{key_scope}-start-{name}",
        help="Starting from a trained model is fine-tuning: its last layer is replaced, the rest is trained further.",
    )
    if not dict(public).get(picked, True):
        st.caption(
            f"The weights {escape(picked)} are not on this machine. The run downloads them first; if it cannot, it "
            "fails at once and says which file to put where."
        )
    return None if picked == FRESH else picked


def _curve(run: Run) -> bool:
    training = artifacts.read_result(artifacts.run_dir(open_data_dir(), run.id), TrainingResult)
    if training is None:
        return False
    summary = epoch_curve.summary(training)
    st.plotly_chart(
        epoch_curve.figure(training, chart_card.current_theme()),
        theme=None,
        key=f"schooling-{run.id}",
        height=epoch_curve.HEIGHT,
        config=PLOTLY_CONFIG,
        alt=f"Two lines by epoch, training loss and accuracy on validation images. {summary}",
    )
    st.caption(summary)
    return True
