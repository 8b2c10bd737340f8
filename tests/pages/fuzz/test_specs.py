"""Specs from nowhere: refused with a sentence when they are read, queued or begun; nothing outside is written."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from pydantic import ValidationError

from tests.pages.finished_runs import CLASS, by_class, by_picture
from tests.pages.fuzz.hostile import changed, few_and_many, try_all
from tests.pages.fuzz.written_files import written_outside
from unlearn_core.domain.errors import CancelledError, UnlearnError
from unlearn_core.domain.jobs import SPEC_ADAPTER, ExplainSpec, FeaturesSpec, MeasureSpec, TrainGoldSpec
from unlearn_core.domain.sweeps.search_space import SearchRange
from unlearn_core.domain.sweeps.sweep import SweepSpec
from unlearn_core.engine.execute import execute_job
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.store.queue.run_store import RunStore

REQUEST = by_class().request
KNOB = SearchRange(knob="impair_lr", low=0.001, high=0.05, log=True)
SWEEP = SweepSpec(request=REQUEST, method="unsir", params={}, ranges=(KNOB,), objectives=("distance",), trials=4)
JOBS = [
    by_class(),
    by_picture(),
    by_class().model_copy(update={"auto": ("impair_lr",), "start": CLASS}),
    TrainGoldSpec(request=REQUEST, seed=1),
    MeasureSpec(run=CLASS, what="relearn"),
    ExplainSpec(run=CLASS, picture=3, target=1),
    FeaturesSpec(classifier="tiny"),
]


class Stopping(NullListener):
    """Stops a job before its first step, so that nothing is computed."""

    def check(self) -> None:
        raise CancelledError("enough")


def as_json(*specs: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([json.loads(spec.model_dump_json()) for spec in specs])


@few_and_many(quick=40, many=900)
def test_a_job_is_refused_or_can_be_queued_and_begun(examples: int, done: RunStore, home: Path) -> None:
    model_cache = ModelCache("cpu", home)

    def check(value: Any) -> None:
        try:
            spec = SPEC_ADAPTER.validate_json(json.dumps(value))
        except ValidationError:
            return
        with written_outside(home) as outside, suppress(UnlearnError):
            run = done.submit(spec, title="from nowhere")
            try:
                assert done.get(run).spec.kind == spec.kind and done.list_runs(limit=1)
                execute_job(done.get(run), model_cache, Stopping())
            finally:
                done.cancel(run)
                done.delete(run)
        assert not outside

    try_all(examples, check, changed(as_json(*JOBS)))


@few_and_many(quick=20, many=300)
def test_a_sweep_is_refused_or_its_trials_can_be_made(examples: int, home: Path) -> None:
    store = RunStore(home)

    def check(value: Any) -> None:
        try:
            spec = SweepSpec.model_validate_json(json.dumps(value))
        except ValidationError:
            return
        with written_outside(home) as outside, suppress(UnlearnError):
            sweep = store.sweeps.submit(spec, title="from nowhere")
            assert store.sweeps.get(sweep).spec.max_trials >= 1
            for values in spec.ranges[0].grid_values()[:2]:
                spec.run_spec({spec.ranges[0].knob: values})
            store.sweeps.cancel(sweep)
        assert not outside

    try_all(examples, check, changed(as_json(SWEEP)))
