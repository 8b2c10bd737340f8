"""Finished runs of methods that were never run, for the comparison of all methods."""

from datetime import UTC, datetime

from unlearn_core.charts.comparison import method_results
from unlearn_core.charts.comparison.method_results import MethodResults
from unlearn_core.domain.forget_request import ForgetClasses, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.results.metrics import Bounds, DistanceMetrics, JobSeconds, RunMetrics, VerdictMetrics
from unlearn_core.domain.results.privacy import AttackMetrics
from unlearn_core.domain.run import Priority, Run, RunState

REQUEST = ForgetRequest(classifier="tiny", dataset="shapes", forget=ForgetClasses(classes=(0,)))
GOLD, BEFORE = (0.0, 0.9), (0.8, 0.91)
TITLES = ("SCRUB", "UNSIR", "Fine-tune", "Re-initialise small gradients (MSG)")


def metrics(forget: float, retain: float, *, gold: bool = True, intervals: bool = True) -> RunMetrics:
    """The metrics of a run that ended with these accuracies."""
    known = {"before": BEFORE, "after": (forget, retain)} | ({"gold": GOLD} if gold else {})
    found = RunMetrics(
        accuracy={name: {"forget_test": own[0], "retain_test": own[1]} for name, own in known.items()},
        seconds=JobSeconds(total=9.0, forget=2.0, search=1.5),
        verdict=VerdictMetrics(forget="partly", retain="retained"),
    )
    if gold:
        far = DistanceMetrics(before=0.5, after=forget / 2 + abs(retain - GOLD[1]))
        found = found.updated(RunMetrics(distance={"test": far}))
    if intervals:
        sets = ("forget_test", "retain_test")
        bounds = {
            name: {key: Bounds(max(0.0, value - 0.02), value + 0.02) for key, value in zip(sets, own, strict=True)}
            for name, own in known.items()
        }
        found = found.updated(RunMetrics(intervals=bounds))
    return found


def run(number: int, found: RunMetrics) -> Run:
    """A finished run with these metrics."""
    return Run(
        id=number,
        spec=UnlearnSpec(request=REQUEST, method="any", params={}),
        title="Forget discs",
        state=RunState.DONE,
        owner="local",
        priority=Priority.SWEEP,
        group=None,
        parent=None,
        note="",
        device="cpu",
        attempt=1,
        created=datetime(2026, 1, 1, tzinfo=UTC),
        started=None,
        finished=None,
        error=None,
        progress=None,
        metrics=found,
        cancelling=False,
    )


def compared(count: int = 4, *, gold: bool = True, intervals: bool = True) -> MethodResults:
    """The results of so many methods, of which the last is the closest to gold."""
    runs = {
        TITLES[at % 4] + str(at // 4 or ""): run(
            10 + at, metrics(0.3 - 0.3 * at / count, 0.8 + 0.08 * at / count, gold=gold, intervals=intervals)
        )
        for at in range(count)
    }
    attack = AttackMetrics(auc=0.55, low=0.5, high=0.6, true_positive_rate=0.02)
    models = ("before", "after", *(("gold",) if gold else ()))
    attacks = {own.id: dict.fromkeys(models, attack) for own in list(runs.values())[:-1]}
    gold_run = run(99, RunMetrics(seconds=JobSeconds(total=30.0))) if gold else None
    return method_results.method_results(runs, attacks, forgotten="discs", noun="image", gold_run=gold_run)
