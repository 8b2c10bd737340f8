"""Golds as a page deals with them: what one costs here, and how it is asked for."""

from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.report import Report, gold_title
from unlearn_core.domain.run import GoldSpec, Priority
from unlearn_core.store.golds import Golds
from unlearn_core.store.home import home
from unlearn_core.ui import process, studio, words


def lacking(report: Report) -> GoldSpec | None:
    """The gold that this report has not got yet: the first, then a second that tells how far two golds are apart.

    None where it has both, and where none can be defined: a run that goes on from another one forgot more than its own
    request says, and of a classifier without a recipe nobody knows how to train it again.
    """
    if report.spec.start is not None or report.classifier.recipe is None:
        return None
    wanted = (number for number, model in enumerate(("gold", "twin")) if model not in report.evaluations)
    number = next(wanted, None)
    return None if number is None else GoldSpec(request=report.spec.request, seed=number)


def cost(report: Report) -> str:
    """What a gold of this report takes: "about 8 minutes on this CPU", by golds or runs of this very classifier."""
    pace = studio.seconds_per_picture(report.classifier.id, "gold", "unlearn")
    passes = report.classifier.trained_by.epochs * len(report.split.retain_train)
    return f"{words.about(passes * pace.seconds)} {pace.where}"


def is_there(spec: GoldSpec) -> bool:
    """Whether this gold was trained since the report was made."""
    return Golds(home()).is_there(spec.request, spec.seed)


def is_begun(spec: GoldSpec) -> bool:
    """Whether its training was stopped, and goes on from there."""
    return Golds(home()).is_begun(spec.request, spec.seed)


def order(spec: GoldSpec, dataset: DatasetCard) -> int:
    """Asks for a gold, behind everything that people wait for; the run that makes it, whoever asked first."""
    number = studio.store().order(spec, title=gold_title(spec, dataset), priority=Priority.BACKGROUND).run
    process.see_to_it()
    return number
