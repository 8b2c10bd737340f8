"""The results of all methods on one forget request: one row for each, with its intervals, and the two references."""

from collections.abc import Mapping, Sequence
from math import inf, isnan, nan
from typing import NamedTuple

import pandas as pd

from unlearn_core.charts.drawing.wording import number, percent, seconds
from unlearn_core.domain.results.metrics import Bounds, RunMetrics
from unlearn_core.domain.results.privacy import AttackMetrics, MembershipResult
from unlearn_core.domain.run import Run

ATTACK = "logistic"
"""The attack of the table, the same for all models: the one that is trained for each of them."""

SETS = {"forget": ("forget_test", "forget_train"), "retain": ("retain_test",)}
"""The images that accuracies refer to: for single images, the forget images themselves."""

MISSING = "–"


class Estimate(NamedTuple):
    """A measured value with the ends of its 95 % interval; these are nan where they are not known."""

    value: float
    low: float = nan
    high: float = nan


class ModelResult(NamedTuple):
    """One row: an unlearned model ("after"), the original ("before") or the retrained one ("gold").

    Accuracies and the AUC of membership inference are from 0 to 1; the distance to the retrained model is in bits.
    `seconds` are those of unlearning or retraining, `search_seconds` those of the search before it.
    """

    title: str
    model: str
    run: int | None = None
    forget: Estimate | None = None
    retain: Estimate | None = None
    attack: Estimate | None = None
    distance: float | None = None
    seconds: float | None = None
    search_seconds: float | None = None
    forget_verdict: str | None = None
    retain_verdict: str | None = None


class MethodResults(NamedTuple):
    """The finished methods, the closest to the retrained model first; gold and before are None without a run.

    `forgotten` is the forget set in words, `noun` what the data set calls an image.
    """

    methods: Sequence[ModelResult]
    gold: ModelResult | None
    before: ModelResult | None
    forgotten: str
    noun: str

    @property
    def references(self) -> list[ModelResult]:
        """The retrained and the original model, as far as they are known."""
        return [one for one in (self.gold, self.before) if one is not None]


def method_results(
    runs: Mapping[str, Run],
    attacks: Mapping[int, Mapping[str, AttackMetrics]],
    *,
    forgotten: str,
    noun: str,
    gold_run: Run | None = None,
) -> MethodResults:
    """Collect the results of finished runs, by the titles of their methods.

    `attacks` has the metrics of the attack on each model, by run; `gold_run` trained the retrained model here.
    """
    found = [
        _result(title, "after", run.metrics, attacks.get(run.id, {}))._replace(run=run.id)
        for title, run in runs.items()
    ]
    # All runs of a request share the references; a run that ended before gold was trained does not have it.
    newest = max(runs.values(), key=lambda run: ("gold" in run.metrics.accuracy, run.id), default=None)
    before = gold = None
    if newest is not None:
        before = _result("Original model", "before", newest.metrics, attacks.get(newest.id, {}))
    if newest is not None and "gold" in newest.metrics.accuracy:
        gold = _result("Retrained model", "gold", newest.metrics, attacks.get(newest.id, {}))
        trained = gold_run.metrics.seconds if gold_run is not None else None
        gold = gold._replace(seconds=trained.total if trained else None)
    ordered = sorted(found, key=lambda one: (inf if one.distance is None else one.distance, one.title))
    return MethodResults(ordered, gold, before, forgotten, noun)


def attacks(result: MembershipResult | None) -> dict[str, AttackMetrics]:
    """The metrics of the table's attack on each model, from the result of membership inference on a run."""
    return {} if result is None else {model: own[ATTACK] for model, own in result.attacks.items() if ATTACK in own}


def _result(title: str, model: str, metrics: RunMetrics, attacks: Mapping[str, AttackMetrics]) -> ModelResult:
    attack, distance = attacks.get(model), (metrics.distance or {}).get("test")
    common = ModelResult(
        title,
        model,
        forget=_accuracy(metrics, model, "forget"),
        retain=_accuracy(metrics, model, "retain"),
        attack=None if attack is None else Estimate(attack.auc, attack.low, attack.high),
    )
    if model == "gold" or distance is None:
        common = common._replace(distance=None)
    else:
        common = common._replace(distance=distance.before if model == "before" else distance.after)
    if model != "after":
        return common
    verdict, spent = metrics.verdict, metrics.seconds
    return common._replace(
        seconds=spent and spent.forget,
        search_seconds=spent and spent.search,
        forget_verdict=verdict and verdict.forget,
        retain_verdict=verdict and verdict.retain,
    )


def _accuracy(metrics: RunMetrics, model: str, side: str) -> Estimate | None:
    known = metrics.accuracy.get(model, {})
    for name in SETS[side]:
        value = known.get(name)
        if value is not None:
            low, high = metrics.intervals.get(model, {}).get(name, Bounds(None, None))
            return Estimate(value, nan if low is None else low, nan if high is None else high)
    return None


def table(results: MethodResults) -> pd.DataFrame:
    """One row per method, then the references: all values as numbers, for a file."""
    rows: list[dict[str, object]] = []
    for one in (*results.methods, *results.references):
        row: dict[str, object] = {"method": one.title, "model": one.model, "run": one.run}
        for name, estimate in (
            ("forget_accuracy", one.forget),
            ("retain_accuracy", one.retain),
            ("membership_auc", one.attack),
        ):
            for part, value in zip(("", "_low", "_high"), estimate or (None, None, None), strict=True):
                row[name + part] = value
        row |= {"distance_bits": one.distance, "seconds": one.seconds, "search_seconds": one.search_seconds}
        rows.append(row | {"forget_verdict": one.forget_verdict, "retain_verdict": one.retain_verdict})
    return pd.DataFrame(rows).astype({"run": "Int64"})


def shown_table(results: MethodResults) -> pd.DataFrame:
    """The same as texts with intervals in brackets, for people."""
    return pd.DataFrame(
        [
            {
                "Method": one.title,
                "Forget accuracy": _share(one.forget),
                "Retain accuracy": _share(one.retain),
                "Membership AUC": _auc(one.attack),
                "Distance": MISSING if one.distance is None else f"{number(one.distance, 3)} bits",
                "Time (+ search)": _time(one),
                "Forgotten": one.forget_verdict or MISSING,
                "Retained": one.retain_verdict or MISSING,
            }
            for one in (*results.methods, *results.references)
        ]
    )


def summary(results: MethodResults) -> str:
    """Which method is closest to the retrained model, with its accuracies beside it."""
    ranked = [one for one in results.methods if one.distance is not None]
    if results.gold is None or not ranked:
        return "There is no retrained model yet, so nothing tells which method is closest to it."
    best = ranked[0]
    return (
        f"Closest to the retrained model, of {len(ranked)} compared with it: {best.title}, at "
        f"{number(best.distance or 0.0, 3)} bits. Its accuracy is {_plain_share(best.forget)} on the forget set and "
        f"{_plain_share(best.retain)} on the retain set; that of the retrained model is "
        f"{_plain_share(results.gold.forget)} and {_plain_share(results.gold.retain)}."
    )


def explanation(results: MethodResults) -> str:
    """What the columns of the table mean, and in which order its rows are."""
    noun = results.noun
    order = "Sorted by the distance to the retrained model." if results.gold else "Sorted by name."
    return (
        f"{order} In brackets: the 95 % interval. Forget accuracy: on test {noun}s of the forgotten classes, or on the "
        f"forget {noun}s themselves where single {noun}s are forgotten. Membership AUC: how well the logistic attack "
        f"recognises forget {noun}s; the aim is the value of the retrained model. Time: of unlearning, plus the search "
        "for hyperparameters. Forgotten and retained: the verdicts of the report."
    )


def caveat(noun: str, *, searched: bool) -> str:
    """What the table and the chart do not show; `searched` says whether the runs found their hyperparameters."""
    found = (
        f"those of the preset `auto`, the result of a short search on training and validation {noun}s"
        if searched
        else "those of each method's preset for this classifier, which were tuned beforehand on a few requests"
    )
    return (
        "**Each method is run once, with one seed.** The intervals (95 %, Wilson for accuracies, bootstrap for "
        f"membership inference) say how much the figures would vary with other test {noun}s, not with another seed, "
        "which can move a method by more than the distance between neighbours: *Repeat* on a report shows by how much. "
        f"Hyperparameters are {found}, so a method may do better with others. A time is that of this one run, on this "
        "machine and beside its other programs, and has no interval."
    )


def _plain_share(estimate: Estimate | None) -> str:
    return MISSING if estimate is None else percent(estimate.value)


def _share(estimate: Estimate | None) -> str:
    if estimate is None or isnan(estimate.low):
        return _plain_share(estimate)
    return f"{percent(estimate.value)} ({100 * estimate.low:.1f}–{100 * estimate.high:.1f})"


def _auc(estimate: Estimate | None) -> str:
    return MISSING if estimate is None else f"{estimate.value:.2f} ({estimate.low:.2f}–{estimate.high:.2f})"


def _time(one: ModelResult) -> str:
    if one.seconds is None:
        return MISSING
    return seconds(one.seconds) + (f" + {seconds(one.search_seconds)}" if one.search_seconds else "")
