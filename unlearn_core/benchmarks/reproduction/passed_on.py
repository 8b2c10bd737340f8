"""Measures why stochastic re-initialisation leaves single images known: what its weights keep, or its teacher says.

The same method with and without each of the two: layers are drawn, or all are re-initialised, so that no weight of the
original is left; and the model learns the original's logits, or labels alone. What a model without old weights knows of
the forget images beyond a retrained one can only come from its teacher.
"""

from collections.abc import Container, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from unlearn_core.benchmarks.csv_tables import MeasuredRow, pending
from unlearn_core.benchmarks.reproduction.run_accuracies import measure_run
from unlearn_core.benchmarks.results import CLASSIFIER
from unlearn_core.benchmarks.row_keys import row_key
from unlearn_core.data import datasets
from unlearn_core.data.standard_requests import standard_requests
from unlearn_core.domain.forget_request import ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.methods import method as find_method
from unlearn_core.models import classifiers
from unlearn_core.probes import probes

SEEDS = range(5)
REQUESTS = {"200-pictures": 200, "16-pictures": 16}
"""The standard requests of single images, and how many they are."""
SETS = ("forget_train", "retain_test")
COLUMNS = ("key", "request", "seed", "layers", "learns", *SETS, *(f"{name}_gold" for name in SETS), "passes", "device")
"""Accuracies as fractions; those with _gold are of the model retrained without the images."""

LAYERS: dict[str, dict[str, Any]] = {
    "drawn": {},
    "all": {
        "cycles": 1, "layers": "100", "epochs": "20", "share": 1.0, "replacement": False, "reset_norm": True,
        "spare_head": False, "spare_shortcuts": False,
    },
}  # fmt: skip
"""Which layers are re-initialised: as many as in the preset `bundled`, or all, with epochs to train them again."""
LEARNS = {"logits": "mse", "labels": "ce"}
"""What the model learns on retained images: the original's logits, or labels."""


class PassedOnCase(NamedTuple):
    """One run: its request, which layers it re-initialises, what it learns, its seed, and its spec."""

    request: str
    layers: str
    learns: str
    seed: int
    spec: UnlearnSpec


@cache
def cases() -> dict[str, PassedOnCase]:
    """Return every run by the key of its row: one seed after another."""
    found = [
        _case(request, layers, learns, seed)
        for seed in SEEDS
        for request in REQUESTS
        for layers in LAYERS
        for learns in LEARNS
    ]
    return {row_key(case.spec, {"accuracy": probes()["accuracy"].revision}): case for case in found}


def measure_missing(known: Container[str], *, seconds: float, device: str, data_dir: Path) -> Iterator[MeasuredRow]:
    """Yield the rows whose keys are not known, one after another, and start none after so many seconds."""
    model_cache = ModelCache(device, data_dir)
    for key, case in pending(cases(), known, seconds=seconds):
        own = {"key": key, "request": case.request, "seed": case.seed, "layers": case.layers, "learns": case.learns}
        yield own | measure_run(case.spec, model_cache, SETS)


def _case(request: str, layers: str, learns: str, seed: int) -> PassedOnCase:
    card, reinit = classifiers.card(CLASSIFIER), find_method("reinit")
    forget = standard_requests(datasets.card(card.dataset))[request]
    params = reinit.presets["bundled"].for_request(forget).updated(LAYERS[layers] | {"loss": LEARNS[learns]})
    asked = ForgetRequest(classifier=card.id, dataset=card.dataset, forget=forget)
    return PassedOnCase(
        request,
        layers,
        learns,
        seed,
        UnlearnSpec(request=asked, method=reinit.id, params=params.model_dump(), seed=seed),
    )
