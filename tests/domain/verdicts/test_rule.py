"""The rule of the verdicts: the words that known examples get, and agreement with a second, plain implementation."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats

from unlearn_core.domain.verdicts.paired_comparison import compare
from unlearn_core.domain.verdicts.report_verdicts import retain_verdict
from unlearn_core.domain.verdicts.rule import (
    TYPICAL_DISAGREEMENT,
    CorrectPredictions,
    ForgetFinding,
    deciding_set,
    judge_forgotten,
    judge_retained,
    more_images,
    relations,
)
from unlearn_core.installation import ASSETS
from unlearn_core.store.files.reports import read_folder


def cells(lost: int, gained: int, both: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    kinds = np.repeat([0, 1, 2, 3], [lost, gained, both, neither])
    return (kinds == 1) | (kinds == 2), (kinds == 0) | (kinds == 2)


@pytest.mark.parametrize(
    ("example", "counts", "finding"),
    [
        ("faces: 12.8 points below retrained, 78 images", (16, 6, 43, 13), "cannot tell"),
        ("ship: 2.5 points below retrained, 1,800 images", (135, 90, 1400, 175), "reduced"),
        ("two images", (1, 0, 1, 0), "cannot tell"),
        ("half of it", (900, 20, 680, 200), "lost"),
        ("as before", (80, 77, 1500, 143), "retained"),
        ("better", (20, 90, 1500, 190), "higher"),
        ("29 equal ones are too few, whatever the interval", (0, 0, 29, 0), "cannot tell"),
    ],
)
def test_examples(example: str, counts: tuple[int, int, int, int], finding: str) -> None:
    after, before = cells(*counts)
    assert judge_retained(CorrectPredictions(after, before, None)).finding == finding, example


def test_nine_classes_are_nine_comparisons() -> None:
    """Deer, 9 points below: alone it would be shown to have lost more than the margin; as the worst of nine, less."""
    deer, others = compare(*cells(24, 6, 138, 32)), compare(*cells(8, 9, 150, 33))
    assert relations([deer]) == ["lost"]
    assert relations([deer, *[others] * 8]) == ["lower", *["unclear"] * 8]


def test_the_retrained_model_decides() -> None:
    after, before = cells(900, 20, 680, 200)
    found = judge_retained(CorrectPredictions(after, before, after))
    assert found.finding == "retained" and found.original.difference < -0.4


def share(correct: int, of: int) -> np.ndarray:
    return np.arange(of) < correct


@pytest.mark.parametrize(
    ("after", "before", "retrained", "finding"),
    [
        (0, 180, 0, "as retrained"),
        (2, 180, 0, "cannot tell"),  # Of 200 images two may be five points.
        (60, 180, 0, "partly"),
        (180, 180, 0, "not"),
        (178, 180, 0, "not"),  # A change that chance explains is none.
        (20, 180, 60, "more than retrained"),
        (100, 100, 100, "cannot tell"),  # The original is like the retrained model.
        (12, 180, 8, "cannot tell"),  # 2 points apart: neither equal nor different.
    ],
)
def test_forgotten(after: int, before: int, retrained: int, finding: ForgetFinding) -> None:
    given = CorrectPredictions(*(share(correct, 200) for correct in (after, before, retrained)))
    assert judge_forgotten({"forget_test": given})["forget_test"].finding == finding


def test_two_images_cannot_tell() -> None:
    given = CorrectPredictions(share(0, 2), share(2, 2), share(0, 2))
    assert judge_forgotten({"forget_test": given})["forget_test"].finding == "cannot tell"


def test_what_is_left_in_one_set_decides_and_else_the_larger_one() -> None:
    def found(test: int, train: int) -> str:
        sets = {
            "forget_train": CorrectPredictions(share(train, 900), share(880, 900), share(0, 900)),
            "forget_test": CorrectPredictions(share(test, 200), share(170, 200), share(0, 200)),
        }
        return deciding_set(judge_forgotten(sets))

    assert found(0, 0) == "forget_train"
    assert found(150, 0) == "forget_test"
    assert found(20, 880) == "forget_train"


def test_without_a_retrained_model_a_class_is_held_against_none_correct() -> None:
    assert (
        judge_forgotten({"s": CorrectPredictions(share(0, 300), share(280, 300), None)})["s"].finding == "as retrained"
    )


def test_more_disagreement_needs_more_images() -> None:
    after, before = cells(10, 10, 60, 20)
    found = judge_retained(CorrectPredictions(after, before, None)).deciding
    assert more_images(found) == 2000
    agreeing = judge_retained(CorrectPredictions(share(9, 10), share(9, 10), None)).deciding
    assert more_images(agreeing) >= 300, "one disagreement is assumed where none was seen"


def plain_relation(lost: int, gained: int, images: int, tests: list[tuple[int, int]]) -> str:
    """The rule once more: by SciPy's tests and a numerical maximum of the likelihood instead of formulas."""

    def score(loss: float, side: int, lost: int, gained: int) -> float:
        def minus_log_likelihood(g: float) -> float:
            shares = np.clip([g + loss, g, 1 - 2 * g - loss], 1e-15, 1)
            return -float(np.dot([lost, gained, images - lost - gained], np.log(shares)))

        bounds = (max(0.0, -loss), (1 - loss) / 2)
        most_likely: Any = optimize.minimize_scalar(
            minus_log_likelihood, bounds=bounds, method="bounded", options={"xatol": 1e-10}
        )
        g = float(most_likely.x)
        error = np.sqrt((2 * g + loss - loss**2) * images)
        away = side * (lost - gained - images * loss)
        return float(stats.norm.sf(np.sign(away) * max(abs(away) - 0.5, 0) / error))

    def adjusted(values: Sequence[float]) -> float:
        """Holm's adjustment of the first."""
        ranked = sorted(values)
        return max(min(1.0, (len(values) - k) * p) for k, p in enumerate(ranked) if p <= values[0])

    if adjusted([score(0.03, 1, *one) for one in tests]) < 0.05:
        return "lost"
    if max(score(0.03, -1, lost, gained), score(-0.03, 1, lost, gained)) < 0.05 and images >= 30:
        return "retained"
    differs = [float(stats.binomtest(one[0], sum(one)).pvalue) if sum(one) else 1.0 for one in tests]
    if adjusted(differs) < 0.05:
        return "reduced" if lost > gained else "higher"
    return "cannot tell"


def test_a_plain_implementation_agrees_on_a_thousand_generated_runs() -> None:
    rng = np.random.default_rng(20261129)
    seen: set[str] = set()
    for _ in range(1000):
        images = int(np.exp(rng.uniform(np.log(2), np.log(2000))))
        skill, drop = rng.uniform(0.4, 0.99), rng.choice([0, 0.01, 0.03, 0.06, 0.3])
        agreement = rng.uniform(0, 0.9)
        common, before, gold = rng.random((3, images))
        before, gold = (np.where(rng.random(images) < agreement, common, own) < skill for own in (before, gold))
        after = before & (rng.random(images) > drop)
        found = judge_retained(CorrectPredictions(after, before, gold))
        tests = [(int((other & ~after).sum()), int((after & ~other).sum())) for other in (gold, before)]
        assert found.finding == plain_relation(*tests[0], images, tests), (found, tests)
        seen.add(found.finding)
    assert seen == {"retained", "reduced", "lost", "higher", "cannot tell"}


def test_the_typical_disagreement_is_that_of_the_bundled_example() -> None:
    found = retain_verdict(read_folder(ASSETS / "example"))
    assert found is not None
    share_apart = (found.deciding.lost + found.deciding.gained) / found.deciding.images
    assert abs(share_apart - TYPICAL_DISAGREEMENT) < 0.01
