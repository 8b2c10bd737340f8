"""The median rule: a trial is stopped if it is behind at the same step, by more than chance, in every objective."""

from unlearn_core.domain.run import CurvePoint
from unlearn_core.domain.sweeps.pruning import MIN_FINISHED_TRIALS, GoldAccuracy, pruning_reason


def curve(*phases: tuple[str, list[tuple[int, float, float]]]) -> list[CurvePoint]:
    """Points (step in all, forget, retain) phase by phase; a step takes a second."""
    return [
        CurvePoint(step, float(step), name, forget, keep) for name, points in phases for step, forget, keep in points
    ]


IMPAIR = ("impair", [(0, 0.9, 0.9), (10, 0.2, 0.4)])
GOOD = curve(IMPAIR, ("repair", [(10, 0.2, 0.4), (20, 0.05, 0.85)]))
FINISHED = [GOOD] * MIN_FINISHED_TRIALS


def test_a_trial_that_keeps_up_goes_on() -> None:
    for end in (5, 10):
        assert pruning_reason(["retain"], curve(("impair", [(0, 0.9, 0.9), (end, 0.2, 0.6)])), FINISHED) is None


def test_a_trial_that_is_far_behind_is_stopped_and_it_is_said_where() -> None:
    behind = curve(("impair", [(0, 0.9, 0.9), (10, 0.9, 0.1)]))
    said = pruning_reason(["retain"], behind, FINISHED)
    assert said == (
        "Stopped early at step 10 of impair: its retain accuracy was lower than the median of "
        f"{MIN_FINISHED_TRIALS} finished trials."
    )
    assert pruning_reason(["retain", "forget"], behind, FINISHED)


def test_chance_is_no_reason() -> None:
    assert pruning_reason(["retain"], curve(("impair", [(0, 0.9, 0.9), (10, 0.2, 0.31)])), FINISHED) is None
    assert pruning_reason(["retain"], curve(("impair", [(0, 0.9, 0.9), (10, 0.2, 0.29)])), FINISHED)


def test_phases_are_not_compared_with_one_another() -> None:
    impaired = curve(("impair", [(0, 0.9, 0.9), (10, 0.2, 0.38)]))
    assert pruning_reason(["retain"], impaired, FINISHED) is None, "though all of the finished ones have 0.85 by then"
    elsewhere = [curve(("repair", [(0, 0.5, 0.9), (20, 0.1, 0.9)]))] * MIN_FINISHED_TRIALS
    assert pruning_reason(["retain"], impaired, elsewhere) is None, "no other trial was ever in that phase"
    assert pruning_reason(["retain"], curve(IMPAIR, ("repair", [(10, 0.2, 0.0)])), FINISHED) is None, (
        "it has just begun"
    )


def test_the_step_is_counted_within_the_phase() -> None:
    longer = curve(("impair", [(0, 0.9, 0.9), (30, 0.2, 0.4)]), ("repair", [(30, 0.2, 0.4), (35, 0.2, 0.42)]))
    assert pruning_reason(["retain"], longer, FINISHED) is not None, "half-way through repair the others were at 0.625"
    assert pruning_reason(["retain"], curve(("impair", [(0, 0.9, 0.9), (11, 0.2, 0.0)])), FINISHED) is None, (
        "none came so far"
    )


def test_it_must_be_behind_in_every_objective() -> None:
    kept_less = curve(("impair", [(0, 0.9, 0.9), (10, 0.2, 0.1)]))
    assert pruning_reason(["retain", "forget"], kept_less, FINISHED) is None
    slow = [point._replace(seconds=2 * point.seconds) for point in kept_less]
    assert pruning_reason(["retain", "seconds"], slow, FINISHED)
    assert pruning_reason(["retain", "seconds"], kept_less, FINISHED) is None


def test_distance_is_judged_by_gold_s_accuracies_where_they_are_known() -> None:
    far = curve(("impair", [(0, 0.9, 0.9), (10, 0.9, 0.4)]))
    assert pruning_reason(["distance"], far, FINISHED) is None
    assert pruning_reason(["distance"], far, FINISHED, gold=GoldAccuracy(0.0, 0.85))
    assert pruning_reason(["privacy"], far, FINISHED, gold=GoldAccuracy(0.9, 0.4)) is None, "it is where gold is"


def test_without_enough_finished_trials_none_is_stopped() -> None:
    behind = curve(("impair", [(0, 0.9, 0.9), (10, 0.9, 0.0)]))
    assert pruning_reason(["retain"], behind, FINISHED[1:]) is None
    assert pruning_reason(["retain"], [], FINISHED) is None
