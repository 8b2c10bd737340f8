"""Retrained models (golds) on a page: which one a report lacks, its cost, its recipe, and how to queue it."""

import streamlit as st

from unlearn_core.data import datasets, user_catalog
from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.jobs import TrainGoldSpec
from unlearn_core.domain.report import Report, gold_title
from unlearn_core.domain.run import Priority
from unlearn_core.engine.forecasts.duration import Forecast
from unlearn_core.engine.forecasts.here import of_gold
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files.golds import GoldStore
from unlearn_core.ui.components import recipe_form as recipes
from unlearn_core.ui.shell import cache, lifespan


def missing_gold(report: Report) -> TrainGoldSpec | None:
    """The gold that the report lacks: the first, then a second one that shows how far two golds are apart.

    None if it has both, or if none is defined: a run that starts from another run's model forgot more than its own
    request says, and a classifier without a training recipe cannot be retrained.
    """
    if report.spec.start is not None or current_card(report).recipe is None:
        return None
    wanted = (number for number, model in enumerate(("gold", "twin")) if model not in report.evaluations)
    number = next(wanted, None)
    return None if number is None else TrainGoldSpec(request=report.spec.request, seed=number)


def forecast(card: ClassifierCard, dataset: DatasetCard, retain: int) -> Forecast | None:
    """How long the training of a gold takes on so many images of the retain set."""
    return of_gold(card, dataset, retain, cache.store())


def current_card(report: Report) -> ClassifierCard:
    """The classifier's current card: a recipe may have been confirmed since the report was made."""
    return user_catalog.classifier_cards().get(report.classifier.id, report.classifier)


def needs_recipe(report: Report) -> bool:
    """Whether there is no gold because the classifier has no training recipe."""
    return current_card(report).recipe is None


def confirm_recipe(card: ClassifierCard) -> None:
    """Show a form for the training recipe of a classifier that came without one; it starts with the default recipe."""
    from unlearn_core.ui.components import architecture_picker  # Imports torch, which a report does without.

    st.markdown(
        "**How should its retrained models be trained?** A file of weights does not contain its training recipe. A "
        "model retrained without the forget set needs one: choose a recipe, or keep the architecture's default. "
        "Reports will say that it is not the original's recipe. You can confirm it only once."
    )
    data = datasets.card(card.dataset)
    usual = architecture_picker.default_recipe(card.architecture, data.size)
    recipe = recipes.recipe_inputs(f"confirm-{card.id}", card.architecture, usual, num_images=data.train)
    if st.button("Confirm this recipe for retraining", icon=":material/diamond:", key="confirm-recipe"):
        cache.store().items.set_recipe(card.id, recipe)
        st.rerun()


def exists(spec: TrainGoldSpec) -> bool:
    """Whether this gold is already trained."""
    return GoldStore(open_data_dir()).exists(spec.request, spec.seed)


def is_partial(spec: TrainGoldSpec) -> bool:
    """Whether its training was interrupted and can be resumed."""
    return GoldStore(open_data_dir()).is_partial(spec.request, spec.seed)


def submit(spec: TrainGoldSpec, dataset: DatasetCard) -> int:
    """Queue the training of a gold with low priority and return its run; an unfinished run for it is shared."""
    number = cache.store().submit_unique(spec, title=gold_title(spec, dataset), priority=Priority.BACKGROUND).run
    lifespan.ensure_worker()
    return number
