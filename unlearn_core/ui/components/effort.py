"""What a training costs here, said before it is asked for."""

from statistics import median

from unlearn_core.data import datasets
from unlearn_core.domain.jobs import TrainSpec
from unlearn_core.domain.recipe import Recipe
from unlearn_core.domain.run import RunState
from unlearn_core.ui.shell import cache, formatting

REFERENCE_ARCHITECTURE, REFERENCE_SIZE = "resnet20", 32
"""The net and the size of picture whose pace is known before anything has run here."""


def training_cost(architecture: str, dataset: str, recipe: Recipe) -> str:
    """The cost in words: "about 8 minutes on this CPU, counted from trainings that were made here"."""
    card = datasets.card(dataset)
    passes = recipe.epochs * card.train
    device = next((row.device for row in cache.store().workers()), "cpu")
    known = _known(architecture, card.size, device)
    if known is not None:
        return f"{formatting.format_estimate(passes * known)} on this {formatting.device_kind(device)}, as earlier trainings here went"
    if device != "cpu":
        return "not known before a first training on this GPU; the run says it after some steps"
    mine, usual = (
        cache.count_multiplications(architecture, card.size),
        cache.count_multiplications(REFERENCE_ARCHITECTURE, REFERENCE_SIZE),
    )
    if mine is None or usual is None:
        return "not known before a first training here; the run says it after some steps"
    pace = cache.throughput(REFERENCE_ARCHITECTURE, "gold", "unlearn")
    seconds = passes * pace.seconds_per_image * max(mine / usual, 0.02)
    return f"{formatting.format_estimate(seconds)} {pace.device_phrase}, guessed from how much it multiplies beside a ResNet-20"


def _known(architecture: str, size: int, device: str) -> float | None:
    """Seconds a picture in earlier trainings of this architecture, on pictures as large, on this device."""
    found = []
    for run in cache.store().list_runs(kinds=("train",), states=(RunState.DONE,)):
        pace = run.headline.get("seconds_per_picture")
        known = datasets.cards()
        if pace and isinstance(run.spec, TrainSpec) and run.device == device and run.spec.architecture == architecture:
            card = known.get(run.spec.dataset)
            found += [pace] if card is not None and card.size == size else []
    return median(found) if found else None
