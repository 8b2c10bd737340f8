"""What the rows show of a claim, by difference and standard error, and at equal forgetting where it is a condition."""

from unlearn_core.benchmarks.published_claims import published_claims
from unlearn_core.benchmarks.reproduction.findings import Claim
from unlearn_core.benchmarks.result_rows import Row

PRESETS = {"NegGrad": "neggrad", "ADV": "adv", "ADV+IMP": "bundled"}


def row(method: str, preset: str, request: str, seed: int = 0, **figures: float) -> Row:
    own = {"forget_train_after": "", "retain_test_after": "", "distance_after": "", "passes": "1000"}
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
    said = "ADV+IMP 61.0 ± 1.0, 3 runs; ADV 41.0 ± 1.0, 3 runs; difference 20.0, 90 % interval 18.3 to 21.7"
    assert better.figures == said
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


def course(variant: str, seed: int, points: list[tuple[float, float]]) -> list[Row]:
    run = {"key": f"{variant}{seed}", "preset": PRESETS[variant], "request": "200-pictures", "seed": str(seed)}
    return [
        run | {"step": str(step), "forget_train": str(forget), "retain_test": str(retain)}
        for step, (forget, retain) in enumerate(points)
    ]


def test_along_the_runs_forgetting_is_equal() -> None:
    """ADV+IMP ends far above ADV in both accuracies; at the same forget accuracy it retains more, or less."""

    def courses(imp: float) -> list[Row]:
        found: list[Row] = []
        for seed in range(3):
            found += course("NegGrad", seed, [(1.0, 0.8), (0.0, 0.1 + seed / 100)])
            found += course("ADV", seed, [(1.0, 0.8), (0.2, 0.4 + seed / 100), (0.0, 0.3)])
            found += course("ADV+IMP", seed, [(1.0, 0.8), (0.2, imp + seed / 100)])
        return found

    rows = l2ul({"ADV": [0.3, 0.3], "ADV+IMP": [0.6, 0.6]}, {"ADV": 0.0, "ADV+IMP": 0.2})

    def found(imp: float) -> Claim:
        claims = published_claims(rows, courses(imp))
        return next(one for one in claims if one.id == "l2ul-ADV+IMP-200")

    assert found(0.6).finding == "holds"
    assert "at 50.0 % forget accuracy: ADV+IMP 68.1 ± 0.6, 3 runs; ADV 55.6 ± 0.6, 3 runs" in found(0.6).figures
    assert "at 20.0 % forget accuracy: ADV+IMP 61.0 ± 1.0, 3 runs; ADV 41.0 ± 1.0, 3 runs" in found(0.6).figures
    assert found(0.2).finding == "does not hold"
    assert found(0.4).finding == "not shown"


def test_noise_is_compared_class_by_class() -> None:
    def rows_with(noise: list[float], bare: list[float]) -> list[Row]:
        return [
            row("unsir", preset, name, forget_test_after=value, retain_test_gold=0.8, retain_test_after=0.8)
            for preset, values in (("bundled", noise), ("no-noise", bare))
            for name, value in zip(("cat", "dog", "ship"), values, strict=True)
        ]

    helps = claim(rows_with([0.1, 0.3, 0.5], [0.2, 0.41, 0.6]), "UNSIR forgets more with noise")
    assert helps.finding == "holds", "in every class, although the classes differ"
    assert claim(rows_with([0.2, 0.41, 0.6], [0.1, 0.3, 0.5]), "UNSIR forgets more").finding == "does not hold"
    assert claim(rows_with([0.0, 0.0, 0.01], [0.0] * 3), "UNSIR forgets more").finding == "not shown"


def test_the_factor_over_retraining_is_counted() -> None:
    rows = [row("unsir", "bundled", "cat", passes=1000, forget_test_after=0, retain_test_gold=1, retain_test_after=1)]
    rows += [row("retrain", "bundled", "cat", passes=40000)]
    assert claim(rows, "UNSIR needs fewer").finding == "holds"
    assert claim(rows, "UNSIR needs 154 times").finding == "does not hold"


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
