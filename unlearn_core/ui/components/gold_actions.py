"""Golds as a page deals with them: what one costs here, and how it is asked for."""

import streamlit as st

from unlearn_core.data import datasets, user_catalog
from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.jobs import TrainGoldSpec
from unlearn_core.domain.report import Report, gold_title
from unlearn_core.domain.run import Priority
from unlearn_core.models import user_models
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files.golds import GoldStore
from unlearn_core.ui.components import recipe_form as recipes
from unlearn_core.ui.shell import cache, formatting, lifespan


def missing_gold(report: Report) -> TrainGoldSpec | None:
    """The gold that this report has not got yet: the first, then a second that tells how far two golds are apart.

    None where it has both, and where none can be defined: a run that goes on from another one forgot more than its own
    request says, and of a classifier without a recipe nobody knows how to train it again.
    """
    if report.spec.start is not None or current_card(report).recipe is None:
        return None
    wanted = (number for number, model in enumerate(("gold", "twin")) if model not in report.evaluations)
    number = next(wanted, None)
    return None if number is None else TrainGoldSpec(request=report.spec.request, seed=number)


def cost(report: Report) -> str:
    """What a gold of this report takes: "about 8 minutes on this CPU", by golds or runs of this very classifier."""
    pace = cache.throughput(report.classifier.id, "gold", "unlearn")
    passes = current_card(report).required_recipe.epochs * len(report.split.retain_train)
    return f"{formatting.format_estimate(passes * pace.seconds_per_image)} {pace.device_phrase}"


def current_card(report: Report) -> ClassifierCard:
    """The classifier's card as it is now: a recipe may have been confirmed since the report was made."""
    return user_catalog.classifier_cards().get(report.classifier.id, report.classifier)


def needs_recipe(report: Report) -> bool:
    """Whether there is no gold because nobody has said how to train this classifier."""
    return current_card(report).recipe is None


def confirm_recipe(card: ClassifierCard) -> None:
    """Asks by which recipe golds of a classifier shall be trained that came without one; beginning with the usual."""
    from unlearn_core.ui.components import architecture_picker  # Imports torch, which a report does without.

    st.markdown(
        "**How shall its golds be trained?** A file of weights does not say how it was made. Gold is a net trained "
        "anew without the forgotten pictures, so it needs a recipe: confirm one, the architecture's usual one if "
        "you know no better. Reports will say that it is not the original's. It can be confirmed only once."
    )
    data = datasets.card(card.dataset)
    usual = architecture_picker.default_recipe(card.architecture, data.size)
    recipe = recipes.recipe_inputs(f"confirm-{card.id}", card.architecture, usual, num_images=data.train)
    if st.button("Confirm this recipe for gold", icon=":material/diamond:", key="confirm-recipe"):
        user_models.set_recipe(card.id, recipe)
        st.rerun()


def exists(spec: TrainGoldSpec) -> bool:
    """Whether this gold was trained since the report was made."""
    return GoldStore(open_data_dir()).exists(spec.request, spec.seed)


def is_partial(spec: TrainGoldSpec) -> bool:
    """Whether its training was stopped, and goes on from there."""
    return GoldStore(open_data_dir()).is_partial(spec.request, spec.seed)


def submit(spec: TrainGoldSpec, dataset: DatasetCard) -> int:
    """Asks for a gold, behind everything that people wait for; the run that makes it, whoever asked first."""
    number = cache.store().submit_unique(spec, title=gold_title(spec, dataset), priority=Priority.BACKGROUND).run
    lifespan.ensure_worker()
    return number
