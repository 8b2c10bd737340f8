"""What a measurement that needs many nets costs: counted in pictures that are seen, at this machine's pace."""

from unlearn_core import methods
from unlearn_core.domain.forget_request import ForgetClasses
from unlearn_core.domain.method import ProblemSize
from unlearn_core.domain.report import Report
from unlearn_core.models import ensembles
from unlearn_core.ui.components import run_plan
from unlearn_core.ui.shell import cache, formatting


def no_gold_reason(report: Report) -> str | None:
    """Why no golds can be had to compare with; None where they can."""
    if report.spec.start is not None or report.classifier.recipe is None:
        return "There is no gold for this run, so there is nothing that many nets of it could be compared with."
    return None


def golds_to_train(report: Report, golds: int) -> int:
    """How many of so many golds must be trained at the most: the others ship."""
    shipped = ensembles.bundled_golds(report.spec.request)
    return max(0, golds - (0 if shipped is None else len(shipped)))


def ensemble_cost(report: Report, *, unlearned: int, golds: int, originals: int = 0) -> str:
    """In words what it takes at the most to make so many nets by the run's settings, and train the others first."""
    method, split, wish = methods.method(report.spec.method), report.split, report.spec.request.forget
    recipe, classes = report.classifier.required_recipe, len(report.dataset.classes)
    gone = len(wish.classes) if isinstance(wish, ForgetClasses) else 0
    sizes = ProblemSize(
        forget=len(split.forget_train),
        retain=len(split.retain_train),
        forgotten_classes=gone,
        retained_classes=classes - gone,
        classes=classes,
        epochs=recipe.epochs,
        batch=recipe.batch,
    )
    golds = golds_to_train(report, golds)
    passes = unlearned * method.images_processed(method.params.parse(report.spec.params), sizes)
    passes += recipe.epochs * (golds * sizes.retain + originals * report.dataset.train)
    passes += (unlearned + golds) * run_plan.MEASURING_COST * len(report.labels)
    speed = cache.throughput(report.classifier.id, "gold", "unlearn")
    return f"{formatting.format_estimate(passes * speed.seconds_per_image)} {speed.device_phrase}"
