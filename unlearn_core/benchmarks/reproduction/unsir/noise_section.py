"""The section on UNSIR's noise: what is left of a class at each learning rate, and what that shows."""

from collections.abc import Container, Sequence

from scipy import stats  # pyright: ignore[reportMissingTypeStubs] -- SciPy has no types.

from unlearn_core.benchmarks.reproduction.findings import Claim, Difference, compare_pairs
from unlearn_core.benchmarks.reproduction.unsir.noise_runs import RATES
from unlearn_core.benchmarks.result_rows import mark
from unlearn_core.benchmarks.results import SEEDS
from unlearn_core.charts.drawing.wording import join_words
from unlearn_core.charts.measured.noise_levels import KIND_LABELS, KINDS, Estimate, NoiseLevel, Row, noise_levels

COMMAND = "python -m unlearn_core reproduce --work unsir-noise"
GENTLE = 0.001
"""The rate of the preset `gentle`."""
ALL_RUNS = 10 * len(SEEDS) * len(RATES) * len(KINDS)


def noise_section(rows: Sequence[Row], outdated: Container[str] = (), *, root: str = "") -> str:
    """Return how to read the table of all learning rates, the table, and what it shows.

    `root` leads from the page to the root of the repository.
    """
    if not noise_levels(rows):
        return f"Not measured yet: `{COMMAND}` measures it, in three CPU hours."
    lines = [
        _how_to_read(rows, root),
        "",
        "| learning rate | runs of each kind | left: learned noise | random noise | no noise | learned minus none | "
        "random minus none | retained: learned noise | no noise | learned minus none | retrained |",
        "|---:|---:|---:|---:|---:|---|---|---:|---:|---|---:|",
    ]
    lines += [_line(level, outdated) for level in noise_levels(rows)]
    return "\n".join([*lines, "", *map(str, noise_claims(rows))])


def noise_sentence(rows: Sequence[Row]) -> str:
    """Return where the noise matters: the rates, and the figures at that of the preset `gentle`; "" without runs."""
    own = _gentle(rows)
    if own is None:
        return ""
    left = {kind: f"{own.estimate('forget_train', kind).value:.1f} %" for kind in KINDS}
    rates = rates_that_matter(rows)
    listed = join_words([f"{rate:g}" for rate in rates], len(RATES)) if rates else ""
    where = f"at learning rate{'s' * (len(rates) > 1)} {listed}" if rates else "at no learning rate that was measured"
    return (
        f"Learned noise is shown to forget more than none {where}. At {GENTLE:g}, the rate of the preset `gentle`, "
        f"{left['learned']} of the training images of a class are left with learned noise, {left['random']} with "
        f"random noise and {left['none']} without."
    )


def noise_claims(rows: Sequence[Row]) -> list[Claim]:
    """Return whether learned noise forgets more than none, and more than random noise."""
    own = _gentle(rows)
    claims: list[Claim] = []
    for other in ("none", "random"):
        words = (
            f"UNSIR at learning rates of {GENTLE:g} forgets more with learned noise than with {KIND_LABELS[other]} "
            "(forget accuracy on training images, %)"
        )
        claim = f"unsir-learned-{other}", words
        if own is None:
            claims.append(Claim(*claim, "not measured", ""))
            continue
        left = "; ".join(f"{KIND_LABELS[name]} {own.estimate('forget_train', name)}" for name in ("learned", other))
        difference, gaps = _less_left(own, other), own.gaps("forget_train", "learned", other)
        figures = f"{left}, {len(own.runs)} runs of {len(gaps)} classes each; {difference.text(1)}; less is left in "
        claims.append(Claim(*claim, difference.finding, f"{figures}{_count(gaps)} classes"))
    return claims


def rates_that_matter(rows: Sequence[Row]) -> list[float]:
    """Return the rates at which learned noise is shown to leave less of the class than no noise."""
    return [level.rate for level in noise_levels(rows) if _less_left(level, "none").finding == "holds"]


def runs_sentence(rows: Sequence[Row]) -> str:
    """Return how many of all runs were measured, and the command that measures the others."""
    if len(rows) == ALL_RUNS:
        return f"All {ALL_RUNS} runs were measured."
    return (
        f"Measured are {len(rows)} of {ALL_RUNS} runs; `{COMMAND}` measures the others. A learning rate at which not "
        "all classes were run yet is left out."
    )


def _gentle(rows: Sequence[Row]) -> NoiseLevel | None:
    return next((level for level in noise_levels(rows) if level.rate == GENTLE), None)


def _less_left(level: NoiseLevel, other: str) -> Difference:
    """Return whether learned noise is shown to leave less of a class than another kind, and how much less."""
    pairs = (level.by_class("forget_train", noise) for noise in (other, "learned"))
    return compare_pairs(*(list(values.values()) for values in pairs))


def _how_to_read(rows: Sequence[Row], root: str) -> str:
    """Return what was run, and what the columns mean."""
    device = " and ".join(sorted({row["device"] for row in rows}))
    return (
        "UNSIR on each of the ten classes with the preset `gentle` (400 retained images per class, 256 noise images) "
        "at several learning rates, the same in impair and in repair. *Left* is accuracy on the training images of the "
        "forgotten class, *retained* that on the test images of the others, in per cent. *Learned* noise maximises the "
        "loss; *random* noise is the same images before they are learned. Figures are means over classes ± standard "
        f"errors. A class counts once, with the mean of its seeds ({SEEDS[0]} to {SEEDS[-1]}, as far as they were "
        "run). Differences are paired by class, with the p-value of a paired t-test (two-sided). *Retrained* are the "
        "models retrained without the class. Each run is a row of "
        f"[unsir_noise.csv]({root}assets/results/unsir_noise.csv). Measured on: {device}. {runs_sentence(rows)}"
    )


def _line(level: NoiseLevel, outdated: Container[str]) -> str:
    left = {other: level.gaps("forget_train", other, "none") for other in ("learned", "random")}
    cells = [
        f"{level.rate:g}{mark([row for kinds in level.runs.values() for row in kinds.values()], outdated)}",
        f"{len(level.runs)}",
        *(str(level.estimate("forget_train", kind)) for kind in KINDS),
        *(f"{_paired(gaps)}, lower in {_count(gaps)}" for gaps in left.values()),
        *(str(level.estimate("retain_test", kind)) for kind in ("learned", "none")),
        _paired(level.gaps("retain_test", "learned", "none")),
        f"{level.estimate('retain_test_gold', 'none').value:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def _paired(gaps: Sequence[float]) -> str:
    """Return the mean of paired differences, its standard error, and the p-value where they vary."""
    if len({*gaps}) < 2:
        return f"{Estimate.of(gaps)}"
    p = float(stats.ttest_1samp(gaps, 0.0).pvalue)  # pyright: ignore
    return f"{Estimate.of(gaps)}, p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}"


def _count(gaps: Sequence[float]) -> str:
    """Return in how many classes a difference is below zero."""
    return f"{sum(gap < 0 for gap in gaps)} of {len(gaps)}"
