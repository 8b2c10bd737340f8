"""Golds as a page deals with them: what one costs here, and how it is asked for."""

import streamlit as st

from unlearn_core.data import datasets, user_catalog
from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.jobs import GoldSpec
from unlearn_core.domain.report import Report, gold_title
from unlearn_core.domain.run import Priority
from unlearn_core.models import user_models
from unlearn_core.store.data_folder import home
from unlearn_core.store.files.golds import Golds
from unlearn_core.ui.components import recipe_form as recipes
from unlearn_core.ui.shell import cache, formatting, lifespan


def lacking(report: Report) -> GoldSpec | None:
    """The gold that this report has not got yet: the first, then a second that tells how far two golds are apart.

    None where it has both, and where none can be defined: a run that goes on from another one forgot more than its own
    request says, and of a classifier without a recipe nobody knows how to train it again.
    """
    if report.spec.start is not None or card_of(report).recipe is None:
        return None
    wanted = (number for number, model in enumerate(("gold", "twin")) if model not in report.evaluations)
    number = next(wanted, None)
    return None if number is None else GoldSpec(request=report.spec.request, seed=number)


def cost(report: Report) -> str:
    """What a gold of this report takes: "about 8 minutes on this CPU", by golds or runs of this very classifier."""
    pace = cache.seconds_per_picture(report.classifier.id, "gold", "unlearn")
    passes = card_of(report).trained_by.epochs * len(report.split.retain_train)
    return f"{formatting.about(passes * pace.seconds)} {pace.where}"


def card_of(report: Report) -> ClassifierCard:
    """The classifier's card as it is now: a recipe may have been confirmed since the report was made."""
    return user_catalog.classifier_cards().get(report.classifier.id, report.classifier)


def needs_recipe(report: Report) -> bool:
    """Whether there is no gold because nobody has said how to train this classifier."""
    return card_of(report).recipe is None


def confirm(card: ClassifierCard) -> None:
    """Asks by which recipe golds of a classifier shall be trained that came without one; beginning with the usual."""
    from unlearn_core.ui.components import architecture_picker  # Imports torch, which a report does without.

    st.markdown(
        "**How shall its golds be trained?** A file of weights does not say how it was made. Gold is a net trained "
        "anew without the forgotten pictures, so it needs a recipe: confirm one, the architecture's usual one if "
        "you know no better. Reports will say that it is not the original's. It can be confirmed only once."
    )
    data = datasets.card(card.dataset)
    usual = architecture_picker.usual(card.architecture, data.size)
    recipe = recipes.choose(f"confirm-{card.id}", card.architecture, usual, pictures=data.train)
    if st.button("Confirm this recipe for gold", icon=":material/diamond:", key="confirm-recipe"):
        user_models.confirm(card.id, recipe)
        st.rerun()


def is_there(spec: GoldSpec) -> bool:
    """Whether this gold was trained since the report was made."""
    return Golds(home()).is_there(spec.request, spec.seed)


def is_begun(spec: GoldSpec) -> bool:
    """Whether its training was stopped, and goes on from there."""
    return Golds(home()).is_begun(spec.request, spec.seed)


def order(spec: GoldSpec, dataset: DatasetCard) -> int:
    """Asks for a gold, behind everything that people wait for; the run that makes it, whoever asked first."""
    number = cache.store().order(spec, title=gold_title(spec, dataset), priority=Priority.BACKGROUND).run
    lifespan.see_to_it()
    return number
