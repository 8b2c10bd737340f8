"""Which run did better: agreement with SciPy's McNemar and a second Holm, and what is never compared."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.charts.compared_runs import FORGET, RETAIN, RunPlan, compared_runs
from tests.charts.predictions import first
from unlearn_core.domain.verdicts.paired_comparison import compare_samples
from unlearn_core.domain.verdicts.run_ranking import TIME_FACTOR, rank_runs

METHODS = ("UNSIR", "SSD", "SCRUB")


def plan(method: str = "UNSIR", seed: int = 0, agrees: int = 100, correct: int = 300, **other: object) -> RunPlan:
    return RunPlan(method, seed, first(agrees, FORGET), first(correct, RETAIN), 10.0)._replace(**other)  # type: ignore[arg-type]


def holm_by_hand(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    return [max(min(1.0, (len(values) - rank) * p) for rank, p in enumerate(ordered) if p <= value) for value in values]


def mcnemar(one: np.ndarray, other: np.ndarray) -> float:
    lost, gained = int((one & ~other).sum()), int((other & ~one).sum())
    return float(stats.binomtest(lost, lost + gained).pvalue) if lost + gained else 1.0


@given(seed=st.integers(0, 10_000), count=st.integers(2, 6))
@settings(max_examples=40, deadline=None)
def test_single_runs_are_compared_by_mcnemar_and_holm(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    plans = [
        RunPlan(f"M{n}", 0, rng.random(FORGET) < rng.uniform(0.3, 0.6), rng.random(RETAIN) < rng.uniform(0.7, 0.9), 1.0)
        for n in range(count)
    ]
    found = rank_runs(compared_runs(plans))[:2]
    outcomes = {"forgetting": [one.agrees for one in plans], "retaining": [one.correct for one in plans]}
    keys = [(name, a, b) for name in outcomes for a, b in combinations(range(count), 2)]
    expected = dict(
        zip(keys, holm_by_hand([mcnemar(outcomes[name][a], outcomes[name][b]) for name, a, b in keys]), strict=True)
    )
    for ranking in found:
        assert ranking.tests == len(keys)
        for pair in ranking.pairs:
            (leader,), (other,) = pair.leader, pair.other
            means = [outcomes[ranking.criterion][run].mean() for run in (leader, other)]
            assert means[0] >= means[1]
            p = expected[ranking.criterion, min(leader, other), max(leader, other)]
            assert pair.p == pytest.approx(p)
            assert not pair.is_shown or means[0] > means[1]
            assert pair.is_shown or pair.relation == "equal" or p >= 0.05
        (group,) = ranking.groups
        assert set(group.best) == set(group.sets) - {pair.other for pair in group.pairs if pair.is_shown}
        assert group.sets[0] in group.best, "the first is never behind"


@given(order=st.permutations(range(4)))
@settings(max_examples=10, deadline=None)
def test_the_order_of_the_runs_does_not_matter(order: list[int]) -> None:
    plans = [
        plan(agrees=150),
        plan("SSD", agrees=60, correct=350),
        plan("SSD", seed=1, agrees=61, correct=351),
        plan("X"),
    ]
    reports = compared_runs(plans)

    def winners(shown: Sequence[int]) -> list[set[int]]:
        rankings = rank_runs([reports[place] for place in shown])
        return [{shown[place] for runs in one.winners for place in runs} for one in rankings]

    assert winners(order) == winners(range(4))
    assert winners(range(4))[0] == {0}


def test_lower_accuracy_is_not_closer() -> None:
    """Neither classifies a forget image correctly, but only one does what the retrained model does."""
    forgetting, _, _ = rank_runs(compared_runs([plan(agrees=180), plan("SSD", agrees=20)]))
    assert forgetting.winners == ((0,),)
    assert forgetting.values == (0.9, 0.1)


def test_seeds_count_as_one_run_with_their_spread() -> None:
    alone = rank_runs(compared_runs([plan(agrees=180), plan("SSD", agrees=120)]))[0]
    assert alone.winners == ((0,),)
    forgetting, retaining, time = rank_runs(
        compared_runs([plan(agrees=180), plan(seed=1, agrees=130), plan("SSD", agrees=120)])
    )
    assert forgetting.groups[0].sets == ((0, 1), (2,))
    assert not forgetting.winners, "the two seeds differ by as much as the methods"
    only = rank_runs(compared_runs([plan(agrees=180), plan(seed=1, agrees=20)]))
    assert all(one.is_whole and not one.pairs and not one.winners for one in only), "two seeds: this is chance"
    assert retaining.tests == 2 and not time.winners


def test_what_differs_in_more_than_the_method_is_not_compared() -> None:
    one, other, third = compared_runs(
        [plan(), plan("SSD", agrees=20, classifier="another", seconds=99.0), plan("X", agrees=20)]
    )
    for ranking in rank_runs([one, other]):
        assert (ranking.split_by, ranking.pairs, ranking.winners) == ("classifier", [], ())
    elsewhere = replace(other, classifier=one.classifier, dataset=one.dataset.model_copy(update={"id": "another"}))
    assert {ranking.split_by for ranking in rank_runs([one, elsewhere])} == {"data set"}
    forgetting = rank_runs([one, other, third])[0]
    assert [group.sets for group in forgetting.groups] == [((0,), (2,)), ((1,),)]
    assert forgetting.groups[0].behind == ((2,),) and not forgetting.winners
    newer = {**third.evaluations, "gold": third.evaluations["gold"]._replace(weights="newer")}
    assert rank_runs([one, replace(third, evaluations=newer)])[0].split_by == "retrained model"


@pytest.mark.parametrize(
    ("lacks", "reasons"),
    [
        ("gold", ("no retrained model", None, None)),
        ("after", ("no outputs", "no outputs", None)),
        ("images", ("no images", "no images", None)),
        ("timings", (None, None, "no time")),
    ],
)
def test_what_a_run_lacks_is_the_reason(lacks: str, reasons: tuple[str | None, ...]) -> None:
    whole, other = compared_runs([plan(), plan("SSD", agrees=20)])
    if lacks == "images":
        other = replace(other, split=other.split._replace(forget_train=first(0, 0), retain_test=first(0, 0)))
    elif lacks == "timings":
        other = replace(other, parts={name: part for name, part in other.parts.items() if name != "timings"})
    else:
        other = replace(other, evaluations={name: one for name, one in other.evaluations.items() if name != lacks})
    for ranking, reason in zip(rank_runs([whole, other]), reasons, strict=True):
        assert ranking.missing == (((1, reason),) if reason else ())
        assert not reason or not ranking.winners


def test_other_images_of_the_retain_set_are_independent_samples() -> None:
    one, other = compared_runs([plan(correct=400), plan("SSD", correct=200)])
    fewer = replace(other, split=other.split._replace(retain_test=other.split.retain_test[100:]))
    (pair,) = rank_runs([one, fewer])[1].pairs
    assert not pair.on_same_images and pair.is_shown
    assert pair.comparison is not None and np.isnan(pair.comparison.lost)


def test_independent_samples_agree_with_a_plain_formula() -> None:
    found = compare_samples(first(80, 100), first(180, 200))
    shares = [(81 / 102, 102), (181 / 202, 202)]
    error = np.sqrt(sum(share * (1 - share) / count for share, count in shares))
    assert found.difference == pytest.approx(-0.1)
    assert (found.low, found.high) == pytest.approx((-0.1 - 1.6449 * error, -0.1 + 1.6449 * error), abs=1e-4)
    assert found.p_differs == pytest.approx(2 * stats.norm.sf(0.1 / error))
    assert found.p_below == pytest.approx(stats.norm.cdf((-0.1 + 0.03) / error))
    seeds = compare_samples(np.stack([first(80, 100), first(60, 100)]), first(180, 200))
    assert seeds.high - seeds.low > 3 * (found.high - found.low)
    with pytest.raises(ValueError, match="no images"):
        compare_samples(first(0, 0), first(1, 2))


def test_a_time_must_be_clearly_shorter() -> None:
    near, far = (
        rank_runs(compared_runs([plan(seconds=10.0), plan("SSD", seconds=10.0 * factor)]))[2]
        for factor in (TIME_FACTOR - 0.01, TIME_FACTOR + 0.01)
    )
    assert not near.winners and far.winners == ((0,),)
