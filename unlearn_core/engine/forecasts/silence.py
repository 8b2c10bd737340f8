"""How long a run may show no sign of life, by its forecast, before a worker stops it."""

from functools import lru_cache
from pathlib import Path

from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.run import Run
from unlearn_core.engine.forecasts import here
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.models import classifiers
from unlearn_core.store.queue.run_store import RunStore

FACTOR = 2.0
"""How many times as long as the whole run is forecast to take at most."""


def longest_silence(run: Run, model_cache: ModelCache) -> float | None:
    """Return after how many seconds without a sign of life a run is certainly stuck; None before there is a forecast.

    Only jobs of this machine count, since it delays each run: it takes milliseconds.
    """
    if not isinstance(run.spec, UnlearnSpec):
        return None
    try:
        card = classifiers.card(run.spec.request.classifier)
        data = model_cache.dataset(card.dataset)
        work = here.spec_work(run.spec, card, data.card, data.image_dataset.labels)
        store = _store(model_cache.data_dir)
        machine = here.this_machine(store, str(model_cache.device))
        forecast = here.of_run(card, data.card, work, store, machine=machine, only_measured=True)
    except UnlearnError:  # the run itself says what is wrong with it
        return None
    return None if forecast is None else FACTOR * forecast.high


@lru_cache(maxsize=1)
def _store(data_dir: Path) -> RunStore:
    return RunStore(data_dir)
