"""Progress in words: real steps, and no time that nothing measured supports."""

from datetime import UTC, datetime

import pytest

from unlearn_core.domain.forget_request import ForgetClasses, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import Phase, Priority, Progress, Run, RunState
from unlearn_core.ui.components import time_estimate


def progress(*phases: Phase, doing: str = "impair", speed: float | None = 800.0) -> Progress:
    return Progress(phases, doing, speed)


def run(number: int, *, method: str = "unsir", device: str = "cpu", steps: Progress | None = None) -> Run:
    request = ForgetRequest(classifier="tiny", dataset="shapes", forget=ForgetClasses(classes=(0,)))
    return Run(
        id=number,
        spec=UnlearnSpec(request=request, method=method, params={}),
        title="",
        state=RunState.DONE,
        owner="local",
        priority=Priority.INTERACTIVE,
        group=None,
        parent=None,
        note="",
        device=device,
        attempt=1,
        created=datetime.now(UTC),
        started=None,
        finished=None,
        error=None,
        progress=steps,
        metrics=RunMetrics(),
        cancelling=False,
    )


def test_every_phase_says_where_it_is() -> None:
    shown = time_estimate.phase_progress(
        progress(Phase("noise", 10, 10, 1.9), Phase("impair", 42, 31, 6.2), Phase("repair", 40, 0, 0)), {}
    )
    assert [band.state for band in shown] == ["done", "now", "planned"]
    assert [band.words for band in shown] == ["done in 1.9 s", "step 31 of 42 · 800 images/s", "about 8 s"]
    assert [band.share for band in shown] == [1.0, 31 / 42, 0.0]


def test_a_phase_without_steps_is_not_shown() -> None:
    shown = time_estimate.phase_progress(progress(Phase("noise", 0, 0, 0), Phase("impair", 5, 0, 0)), {})
    assert [band.name for band in shown] == ["impair"]


@pytest.mark.parametrize("done", [0, time_estimate.MIN_STEPS - 1])
def test_too_few_steps_promise_nothing(done: int) -> None:
    early = progress(Phase("impair", 42, done, 0.1 * done), Phase("repair", 40, 0, 0))
    assert time_estimate.remaining(early, {}) is None
    assert time_estimate.phase_progress(early, {})[1].words == "40 steps"


def test_remaining_time_is_steps_by_measured_pace() -> None:
    now = progress(Phase("impair", 30, 10, 5.0), Phase("repair", 40, 0, 0))
    assert time_estimate.remaining(now, {}) == pytest.approx(20 * 0.5 + 40 * 0.5)
    assert time_estimate.remaining(now, {"repair": 0.1}) == pytest.approx(20 * 0.5 + 40 * 0.1)
    assert time_estimate.remaining(progress(Phase("impair", 30, 30, 5.0)), {}) == 0.0


def test_what_earlier_runs_took_counts_only_where_they_are_alike() -> None:
    steps = progress(Phase("impair", 10, 10, 2.0), Phase("repair", 10, 4, 9.0))
    mine = run(9)
    others = [run(1, steps=steps), run(2, method="finetune", steps=steps), run(3, device="cuda:0", steps=steps)]
    assert time_estimate.past_step_times(mine, others) == {"impair": 0.2}
    assert time_estimate.past_step_times(mine, [run(9, steps=steps), run(4)]) == {}


def test_bands_keep_their_widths_while_a_run_goes_on() -> None:
    early = progress(Phase("noise", 10, 0, 0), Phase("impair", 80, 0, 0))
    late = progress(Phase("noise", 10, 10, 9.0), Phase("impair", 80, 70, 1.0))
    assert time_estimate.widths(early, {}) == time_estimate.widths(late, {}) == [time_estimate.MIN_WIDTH, 80 / 90]
    assert time_estimate.widths(early, {"noise": 0.8, "impair": 0.1}) == [0.5, 0.5]


def test_the_whole_is_known_only_from_earlier_runs() -> None:
    planned = progress(Phase("noise", 10, 0, 0), Phase("impair", 80, 0, 0))
    assert time_estimate.total(planned, {"noise": 0.1, "impair": 0.2}) == pytest.approx(17.0)
    assert time_estimate.total(planned, {"noise": 0.1}) is None
    assert time_estimate.total(progress(), {}) is None
