"""Stacked runs: each gives the same result as alone, and the reason is given if runs cannot be stacked."""

import contextlib
from pathlib import Path

import numpy as np
import pytest

from tests.methods.small_problem import tiny_spec
from unlearn_core.domain.errors import CancelledError, NotSupportedError, UnlearnError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.results.course import CurvesResult, TimingsResult
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.stacking import why_specs_not_stackable
from unlearn_core.engine.execute import execute_job, run_title
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.stacked_execute import execute_stacked, stackable_params
from unlearn_core.store.files import reports
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.training import loops, stacked

SPECS = [tiny_spec("finetune", seed=seed, lr=rate, batch=64) for seed, rate in ((0, 0.01), (0, 0.04), (1, 0.02))]


class Unwanted(NullListener):
    """Cancels at once."""

    def check(self) -> None:
        raise CancelledError("no longer wanted")


def test_each_run_has_the_report_that_it_would_have_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (stacked, loops):
        monkeypatch.setattr(module, "autocast", lambda device: contextlib.nullcontext())
    store, warm = RunStore(home), ModelCache("cpu", home)
    runs = [
        store.get(store.execution.register_running(spec, title=run_title(spec, warm), device="cpu"))
        for spec in SPECS * 2
    ]
    together = list(execute_stacked(runs[:3], warm, [NullListener()] * 3))
    for run, twin, metrics in zip(runs[:3], runs[3:], together, strict=True):
        alone = execute_job(twin, warm, NullListener())
        assert not isinstance(metrics, UnlearnError)
        assert metrics.to_dict().keys() == alone.to_dict().keys()
        assert metrics.accuracy == alone.accuracy
        assert metrics.seconds_per_image is None, "a share of a stack says nothing of a run's own pace"
        one, other = reports.read(home, run.id), reports.read(home, twin.id)
        assert one.parts.keys() == other.parts.keys()
        gap = one.evaluations["after"].logits - other.evaluations["after"].logits
        assert np.abs(gap).max() < 1e-3
        curves = [each[CurvesResult].retain for each in (one, other)]
        assert np.array_equal(curves[0], curves[1]), "trackers looked at the weights of each moment"
        assert (one[TimingsResult].stack_size, other[TimingsResult].stack_size) == (3, 1)
        assert "together" not in other.parts["timings"].facts, "as in releases without stacks"
        assert one[TimingsResult].steps == other[TimingsResult].steps


def test_a_cancelled_run_stops_no_other(home: Path) -> None:
    store, warm = RunStore(home), ModelCache("cpu", home)
    runs = [store.get(store.execution.register_running(spec, title="x", device="cpu")) for spec in SPECS[:2]]
    first, second = execute_stacked(runs, warm, [Unwanted(), NullListener()])
    assert isinstance(first, CancelledError)
    assert isinstance(second, RunMetrics)
    assert not (home / "runs" / str(runs[0].id) / "report.json").exists()


def test_what_cannot_be_made_side_by_side_is_said(home: Path) -> None:
    able = stackable_params("cuda:0")
    assert stackable_params("cpu") == {}
    assert why_specs_not_stackable(SPECS, able) is None
    assert "no `forget_stacked`" in (why_specs_not_stackable([tiny_spec("unsir")], able) or "")
    assert "one request" in (why_specs_not_stackable([SPECS[0], tiny_spec("finetune", kind="images")], able) or "")
    assert "lr, momentum, weight_decay" in (
        why_specs_not_stackable([SPECS[0], tiny_spec("finetune", batch=32)], able) or ""
    )
    assert "Only unlearning runs" in (why_specs_not_stackable([], able) or "")
    spec: UnlearnSpec = tiny_spec("unsir")
    store = RunStore(home)
    run = store.get(store.execution.register_running(spec, title="x", device="cpu"))
    with pytest.raises(NotSupportedError):
        list(execute_stacked([run], ModelCache("cpu", home), [NullListener()]))
