"""Cost estimates for trainings and ensembles: the images to process, times this machine's seconds per image."""

from statistics import median

from unlearn_core import methods
from unlearn_core.data import datasets
from unlearn_core.domain.jobs import TrainSpec
from unlearn_core.domain.method import ProblemSize
from unlearn_core.domain.recipe import Recipe
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import RunState
from unlearn_core.engine.job import Workload
from unlearn_core.models import ensembles
from unlearn_core.ui.components import run_plan
from unlearn_core.ui.shell import cache, formatting

REFERENCE_ARCHITECTURE, REFERENCE_SIZE = "resnet20", 32
"""The architecture and image size whose cost is known before anything has run here."""


def training_cost(architecture: str, dataset: str, recipe: Recipe) -> str:
    """The cost of a training in words: "about 8 minutes on this CPU, based on earlier trainings here"."""
    card = datasets.card(dataset)
    passes = recipe.epochs * card.train
    device = next((row.device for row in cache.store().workers()), "cpu")
    measured = _past_seconds_per_image(architecture, card.size, device)
    if measured is not None:
        estimate = formatting.format_estimate(passes * measured)
        return f"{estimate} on this {formatting.device_kind(device)}, based on earlier trainings here"
    if device != "cpu":
        return "unknown before the first training on this GPU; the run shows an estimate after some steps"
    cost = cache.forward_cost(architecture, card.size)
    reference = cache.forward_cost(REFERENCE_ARCHITECTURE, REFERENCE_SIZE)
    if cost is None or reference is None:
        return "unknown before the first training here; the run shows an estimate after some steps"
    throughput = cache.throughput(REFERENCE_ARCHITECTURE, "gold", "unlearn")
    seconds = passes * throughput.seconds_per_image * max(cost.relative_to(reference), 0.02)
    return f"{formatting.format_estimate(seconds)} {throughput.device_phrase}, estimated from the size of the model"


def golds_to_train(report: Report, golds: int) -> int:
    """The number of `golds` retrained models that must still be trained at most: the others are bundled."""
    shipped = ensembles.bundled_golds(report.spec.request)
    return max(0, golds - (0 if shipped is None else len(shipped)))


def workload_cost(report: Report, workload: Workload) -> str:
    """The most that a measurement on request costs here, in words, with the training of the models that it needs."""
    passes = workload.trained_images + run_plan.MEASURING_COST * workload.evaluated_images
    if workload.unlearned or workload.golds or workload.originals:
        method, recipe = methods.method(report.spec.method), report.classifier.required_recipe
        sizes = ProblemSize.of(report.split, report.dataset, report.spec.request.forget, recipe)
        golds = golds_to_train(report, workload.golds)
        passes += workload.unlearned * method.images_processed(method.params.parse(report.spec.params), sizes)
        passes += recipe.epochs * (golds * sizes.retain + workload.originals * report.dataset.train)
        passes += (workload.unlearned + golds) * run_plan.MEASURING_COST * len(report.labels)
    throughput = cache.throughput(report.classifier.id, "gold", "unlearn")
    return f"{formatting.format_estimate(passes * throughput.seconds_per_image)} {throughput.device_phrase}"


def _past_seconds_per_image(architecture: str, size: int, device: str) -> float | None:
    """Seconds per image in earlier trainings of this architecture, on images of this size, on this device."""
    cards, found = datasets.cards(), []
    for run in cache.store().list_runs(kinds=("train",), states=(RunState.DONE,)):
        seconds = run.metrics.seconds_per_image
        if not seconds or not isinstance(run.spec, TrainSpec) or run.device != device:
            continue
        card = cards.get(run.spec.dataset)
        if run.spec.architecture == architecture and card is not None and card.size == size:
            found.append(seconds)
    return median(found) if found else None
