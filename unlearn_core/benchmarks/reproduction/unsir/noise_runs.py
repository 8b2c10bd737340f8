"""Measures what UNSIR's noise does: what is left of a class at each learning rate with learned, random and no noise.

The runs of a class and seed see the same retained images in the same order at every rate, and learned and random noise
begin with the same images. So they are compared in pairs.
"""

from collections.abc import Container, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from unlearn_core.benchmarks.csv_tables import MeasuredRow, pending
from unlearn_core.benchmarks.reproduction.run_accuracies import measure_run
from unlearn_core.benchmarks.results import CLASSIFIER, SEEDS
from unlearn_core.benchmarks.row_keys import row_key
from unlearn_core.charts.measured.noise_levels import KINDS
from unlearn_core.data import datasets
from unlearn_core.domain.forget_request import ForgetClasses, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.methods import method as find_method
from unlearn_core.models import classifiers
from unlearn_core.probes import probes

RATES = (0.001, 0.0015, 0.00075, 0.002, 0.0005, 0.003)
"""Learning rates of impair and of repair, the most telling first."""
SETS = ("forget_train", "forget_test", "retain_test")
COLUMNS = ("key", "noise", "rate", "class", "seed", *SETS, "retain_test_gold", "passes", "device")
"""Accuracies as fractions; `retain_test_gold` is that of the model retrained without the class."""


class NoiseCase(NamedTuple):
    """One run: its kind of noise, its learning rate, its class by name, its seed, and its spec."""

    noise: str
    rate: float
    forgotten: str
    seed: int
    spec: UnlearnSpec


@cache
def cases() -> dict[str, NoiseCase]:
    """Return every run by the key of its row: one seed after another, so that those of a seed stop late."""
    card = classifiers.card(CLASSIFIER)
    classes = datasets.card(card.dataset).classes
    found = [
        _case(noise, rate, name, number, seed)
        for seed in SEEDS
        for rate in RATES
        for number, name in enumerate(classes)
        for noise in KINDS
    ]
    return {cache_key(case): case for case in found}


def cache_key(case: NoiseCase) -> str:
    """Return the hash of everything that a row depends on; a change makes it outdated."""
    return row_key(case.spec, {"accuracy": probes()["accuracy"].revision})


def measure_missing(known: Container[str], *, seconds: float, device: str, data_dir: Path) -> Iterator[MeasuredRow]:
    """Yield the rows whose keys are not known, one after another, and start none after so many seconds."""
    model_cache = ModelCache(device, data_dir)
    for key, case in pending(cases(), known, seconds=seconds):
        yield {"key": key, **measure(case, model_cache)}


def measure(case: NoiseCase, model_cache: ModelCache) -> MeasuredRow:
    """Run a case and return its row without the key."""
    own = {"noise": case.noise, "rate": case.rate, "class": case.forgotten, "seed": case.seed}
    measured = measure_run(case.spec, model_cache, SETS)
    return own | {name: measured[name] for name in COLUMNS if name in measured}


def _case(noise: str, rate: float, name: str, number: int, seed: int) -> NoiseCase:
    card, unsir = classifiers.card(CLASSIFIER), find_method("unsir")
    params = unsir.presets["gentle"].params.updated({"impair_lr": rate, "repair_lr": rate, "noise": noise})
    request = ForgetRequest(classifier=card.id, dataset=card.dataset, forget=ForgetClasses(classes=(number,)))
    spec = UnlearnSpec(request=request, method=unsir.id, params=params.model_dump(), seed=seed)
    return NoiseCase(noise, rate, name, seed, spec)
