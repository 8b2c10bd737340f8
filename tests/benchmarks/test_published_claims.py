"""What the rows show of a claim, by difference and standard error, and at equal forgetting where it is a condition."""

import pytest

from unlearn_core.benchmarks.published_claims import Claim, compare_means, published_claims
from unlearn_core.benchmarks.result_rows import Row

PRESETS = {"NegGrad": "neggrad", "ADV": "adv", "ADV+IMP": "bundled"}


def row(method: str, preset: str, request: str, seed: int = 0, **figures: float) -> Row:
    own = {"forget_train_after": "", "retain_test_after": "", "distance_after": ""}
    named = {"method": method, "preset": preset, "request": request, "seed": str(seed)}
    return own | named | {name: str(value) for name, value in figures.items()}


def l2ul(retain: dict[str, list[float]], left: dict[str, float], request: str = "200-pictures") -> list[Row]:
    return [
        row("l2ul", PRESETS[name], request, seed, retain_test_after=value, forget_train_after=left[name])
        for name, values in retain.items()
        for seed, value in enumerate(values)
    ]


def claim(rows: list[Row], begins: str) -> Claim:
    return next(one for one in published_claims(rows) if one.words.startswith(begins))


NONE_LEFT = dict.fromkeys(PRESETS, 0.0)


def test_at_equal_forgetting_the_difference_decides() -> None:
    rows = l2ul({"ADV": [0.40, 0.41, 0.42], "ADV+IMP": [0.60, 0.62, 0.61], "NegGrad": [0.395, 0.42, 0.40]}, NONE_LEFT)
    better = claim(rows, "L2UL, 200 images: ADV+IMP retains more than ADV")
    assert better.finding == "holds"
    assert better.figures == "ADV+IMP 61.0 ± 1.0, 3 runs; ADV 41.0 ± 1.0, 3 runs; difference 20.0"
    assert claim(rows, "L2UL, 200 images: ADV retains more than NegGrad").finding == "not shown"


def test_whoever_forgets_less_retains_more_so_nothing_is_shown() -> None:
    rows = l2ul({"ADV": [0.3, 0.3], "ADV+IMP": [0.6, 0.6]}, {"ADV": 0.028, "ADV+IMP": 0.268})
    found = claim(rows, "L2UL, 200 images: ADV+IMP")
    assert found.finding == "not shown"
    assert "still classified correctly are 26.8 % by ADV+IMP and 2.8 % by ADV" in str(found)


def test_one_run_has_no_spread_and_no_run_is_not_measured() -> None:
    rows = l2ul({"ADV": [0.3], "ADV+IMP": [0.6]}, NONE_LEFT, "16-pictures")
    assert claim(rows, "L2UL, 16 images: ADV+IMP").finding == "not shown"
    assert {one.finding for one in published_claims([])} == {"not measured"}


@pytest.mark.parametrize(
    ("better", "worse", "finding"),
    [
        ([2.0, 2.1, 1.9], [1.0, 1.1, 0.9], "holds"),
        ([1.0, 1.1, 0.9], [2.0, 2.1, 1.9], "does not hold"),
        ([1.0, 1.2, 0.9], [1.1, 0.8, 1.0], "not shown"),
        ([1.0, 1.0], [0.0, 0.0], "holds"),
        ([0.0, 0.0], [1.0, 1.0], "does not hold"),
        ([1.0, 1.0], [1.0, 1.0], "not shown"),
        ([5.0], [1.0, 1.0], "not shown"),
    ],
)
def test_means_are_compared_by_their_standard_error(better: list[float], worse: list[float], finding: str) -> None:
    assert compare_means(better, worse)[0] == finding


def test_a_smaller_distance_is_better() -> None:
    rows = [
        row("reinit", preset, "cat", seed, distance_after=value)
        for preset, values in (("bundled", (0.10, 0.11, 0.10)), ("one-cycle", (0.20, 0.21, 0.19)))
        for seed, value in enumerate(values)
    ]
    assert claim(rows, "Three cycles").finding == "holds"
    swapped = [one | {"preset": {"bundled": "one-cycle", "one-cycle": "bundled"}[one["preset"]]} for one in rows]
    assert claim(swapped, "Three cycles").finding == "does not hold"


def test_unsir_and_unbounded() -> None:
    def unsir(forget: float, below: float) -> list[Row]:
        return [
            row("unsir", "bundled", name, 0, forget_test_after=forget, retain_test_gold=0.85 + place / 500)
            | {"retain_test_after": str(0.85 - below)}
            for place, name in enumerate(("cat", "dog", "ship"))
        ]

    assert claim(unsir(0.0, 0.01), "UNSIR").finding == "holds"
    assert claim(unsir(0.2, 0.01), "UNSIR").finding == "does not hold"
    assert claim(unsir(0.0, 0.2), "UNSIR").finding == "does not hold"
    once = [row("neggrad", "unbounded", "16-pictures", retain_test_after=0.4)]
    assert claim(once, "NegGrad without").finding == "not shown", "one run"
