"""The next trial: chosen by Optuna from our own rows alone, the same whoever asks."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from math import log10

import pytest

from tests.domain.test_sweep import spec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import RunState
from unlearn_core.domain.sweeps.sweep import SweepSpec, Trial
from unlearn_core.worker.sampler import importance, suggest

RANGES = [
    {"knob": "impair_lr", "low": 0.0001, "high": 0.05, "log": True},
    {"knob": "kept_per_class", "low": 50, "high": 1000, "step": 50, "whole": True},
    {"knob": "augment", "values": [False, True]},
    {"knob": "noise_weight", "low": 0.0, "high": 0.9, "step": 0.3},
]
SAMPLERS = ("grid", "random", "tpe", "nsga2")


def wide(sampler: str, **changes) -> SweepSpec:
    return spec(**{"ranges": RANGES, "sampler": sampler, "trials": 40} | changes)


def carried_out(number: int, params: dict, attributes: dict, *, state: RunState = RunState.DONE, **more) -> Trial:
    """A trial that is over: the rate alone decides, and 0.005 is best. Its rows have been through the database."""
    miss = abs(log10(params["impair_lr"] / 0.005)) / 2
    metrics = RunMetrics(accuracy={"after": {"forget_val": min(1.0, miss), "retain_val": max(0.0, 1 - miss)}})
    kept = json.loads(json.dumps([params, attributes]))
    done = Trial(number, number + 1, kept[0], kept[1], None, state, None, metrics, 0.0, 1.0)
    return done._replace(**more)


def played(wanted: SweepSpec, count: int, *, fate: Callable[[int], dict] = lambda number: {}) -> list[Trial]:
    trials: list[Trial] = []
    for _ in range(count):
        asked = suggest(wanted, trials)
        trials.append(carried_out(*asked, **fate(asked.number)))
    return trials


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_trial_keeps_to_its_ranges_and_is_the_same_whoever_asks(sampler: str) -> None:
    wanted = wide(sampler)
    trials = played(wanted, 14)
    assert [trial.number for trial in trials] == list(range(14))
    for trial in trials:
        assert 0.0001 <= trial.params["impair_lr"] <= 0.05
        assert trial.params["kept_per_class"] in range(50, 1001, 50)
        assert isinstance(trial.params["kept_per_class"], int)
        assert trial.params["augment"] in (True, False)
        assert round(trial.params["noise_weight"], 6) in (0.0, 0.3, 0.6, 0.9)
    assert len({json.dumps(trial.params) for trial in trials}) == 14, "none was tried twice"
    assert suggest(wanted, trials) == suggest(wanted, list(trials)), "asked again after a death, it is the same trial"
    assert played(wanted, 14) == trials
    assert played(wide(sampler, seed=1), 14) != trials


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_whatever_becomes_of_a_trial_there_is_a_next_one(sampler: str) -> None:
    fates = [
        {"state": RunState.FAILED},
        {"state": RunState.CANCELLED},
        {"state": RunState.CANCELLED, "stopped": "hopeless"},
        {"state": None, "run": None},
        {"state": RunState.RUNNING},
        {"state": RunState.QUEUED},
        {"metrics": RunMetrics()},
        {},
    ]
    for objectives in (["forget"], ["forget", "retain"]):
        trials = played(wide(sampler, objectives=objectives), 24, fate=lambda number: fates[number % len(fates)])
        assert len(trials) == 24
    without = [trial for trial in trials if trial.number != 5]
    assert suggest(wide(sampler), without).number == 24


def test_a_grid_tries_every_point_once_also_where_a_number_was_taken_back() -> None:
    ranges = [RANGES[2], {"knob": "impair_lr", "low": 0.001, "high": 0.01, "log": True, "points": 4}]
    wanted = wide("grid", ranges=ranges)
    trials = played(wanted, 8)
    points = {(trial.params["augment"], trial.params["impair_lr"]) for trial in trials}
    assert len(points) == wanted.max_trials == 8
    gap = trials[:3] + trials[4:6]
    while len({(trial.params["augment"], trial.params["impair_lr"]) for trial in gap}) < 8:
        gap.append(carried_out(*suggest(wanted, gap)))
        assert len(gap) <= 8


def test_tpe_and_nsga2_learn_where_random_does_not() -> None:
    def missed(sampler: str) -> float:
        late = [one for seed in range(3) for one in played(wide(sampler, objectives=["forget"], seed=seed), 36)[-12:]]
        return sum(trial.metrics.accuracy["after"]["forget_val"] or 0 for trial in late) / len(late)

    assert missed("tpe") < missed("random") / 2
    assert missed("nsga2") < missed("random")


def test_it_is_said_which_knob_matters() -> None:
    trials = played(wide("random", trials=60), 40)
    found = importance(wide("random"), trials)
    assert found.keys() == {"forget", "retain"}
    for shares in found.values():
        assert max(shares, key=lambda knob: shares[knob]) == "impair_lr"
        assert sum(shares.values()) == pytest.approx(1)
    assert importance(wide("random"), trials[:7]) == {}
    assert importance(spec(), trials) == {}, "one knob has nothing to be weighed against"


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_asking_takes_at_most_50_ms_a_trial(sampler: str) -> None:
    wanted = wide(sampler, trials=100)
    trials = played(wanted, 60)
    spans = []
    for at in range(20, 60, 2):
        began = time.process_time()
        suggest(wanted, trials[:at])
        spans.append(time.process_time() - began)
    middle = sorted(spans)[len(spans) // 2]
    print(f"{sampler}: {1000 * middle:.1f} ms a trial")
    assert middle < 0.05


def test_a_worker_that_serves_no_sweep_loads_no_optuna() -> None:
    program = (
        "import sys\nfrom unlearn_core.worker import device_supervisor, sweep_scheduler\n"
        "assert 'optuna' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
