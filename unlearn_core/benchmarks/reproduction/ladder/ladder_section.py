"""The section on the ladder: every step beside its published score, its noise and the ceiling, and what that shows."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from unlearn_core.benchmarks.csv_tables import Row
from unlearn_core.benchmarks.reproduction.findings import Claim
from unlearn_core.benchmarks.reproduction.ladder import resampling
from unlearn_core.benchmarks.reproduction.ladder.ladder_rows import CEILING
from unlearn_core.benchmarks.reproduction.ladder.setting import (
    NUM_MODELS,
    PRINTED_AS_VARIANCE,
    RATES,
    REPORTED,
    TUNING,
    LadderStep,
    recipe,
    steps,
)

COMMAND = "python -m unlearn_core reproduce --work reinit-ladder"


class StepScore(NamedTuple):
    """A measured row: its score, its factors, its standard error, and the resampled scores (resamples,)."""

    score: float
    forgetting: float
    retain: float
    test: float
    error: float
    rate: str
    resampled: np.ndarray


def step_scores(rows: Sequence[Row]) -> dict[tuple[str, float], StepScore]:
    """Return the measured rows of the results, by step and noise."""
    return {
        (row["step"], float(row["sigma"])): StepScore(
            score=float(row["score"]),
            forgetting=float(row["forgetting"]),
            retain=float(row["retain"]),
            test=float(row["test"]),
            error=float(row["error"]),
            rate=row["rate"],
            resampled=np.array(row["resampled"].split(), float),
        )
        for row in rows
        if row["request"] == REPORTED
    }


def ladder_section(rows: Sequence[Row]) -> str:
    """Return how to read the table, the table, and a sentence per step."""
    known = step_scores(rows)
    if (CEILING, 0.0) not in known:
        tried = sum(row["request"] == TUNING for row in rows)
        so_far = f" Of its rows that choose learning rates, {tried} are there." if tried else ""
        return f"Not measured yet: `{COMMAND}` measures it, in some three CPU hours, an hour at a time.{so_far}"
    sigma, ceiling = noise_of(rows), known[CEILING, 0.0]
    lines = [
        _how_to_read(sigma),
        "",
        f"| step | published | score (± standard error) | share of the ceiling | with noise {PRINTED_AS_VARIANCE:g} | "
        "forgetting | retain | test | learning rate |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
        *(_line(step, known, sigma, ceiling) for step in steps().values()),
        f"| retrained against retrained models | | {_with_error(ceiling)} | 100 % | | {_factors(ceiling)} | |",
    ]
    return "\n".join([*lines, "", *map(str, ladder_claims(rows))])


def ladder_claims(rows: Sequence[Row]) -> list[Claim]:
    """Return for every step with a baseline whether it differs from it as published."""
    known, sigma = step_scores(rows), noise_of(rows)
    return [
        _claim(step, steps()[step.baseline], known, sigma) for step in steps().values() if step.baseline is not None
    ]


def noise_of(rows: Sequence[Row]) -> float:
    """Return the noise that the original tolerates, from the rows that were measured with it; 0.0 without any."""
    noisy = (float(row["sigma"]) for row in rows if row["request"] == TUNING)
    return max(noisy, default=0.0)


def _claim(step: LadderStep, baseline: LadderStep, known: Mapping[tuple[str, float], StepScore], sigma: float) -> Claim:
    assert step.published is not None and baseline.published is not None, "both are steps of the publication"
    rises = step.published > baseline.published
    words = f'On an original that memorises, "{step.name}" scores {"more" if rises else "less"} than "{baseline.name}"'
    name = f"reinit-ladder-{step.name}"
    ours, theirs = (known.get((one.name, sigma * one.is_noisy)) for one in (step, baseline))
    if ours is None or theirs is None:
        return Claim(name, words, "not measured", f"`{COMMAND}`")
    found = resampling.difference(ours.score, ours.resampled, theirs.score, theirs.resampled)
    finding = "not shown" if not found.is_clear else "holds" if (found.value > 0) == rises else "does not hold"
    figures = (
        f"published {baseline.published:.4f} to {step.published:.4f}, here {theirs.score:.4f} to {ours.score:.4f}; "
        f"difference {found.value:+.4f}, standard error {found.error:.4f}"
    )
    return Claim(name, words, finding, figures)


def _line(step: LadderStep, known: Mapping[tuple[str, float], StepScore], sigma: float, ceiling: StepScore) -> str:
    published = "" if step.published is None else f"{step.published:.5g}"
    own, loud = (known.get((step.name, noise * step.is_noisy)) for noise in (sigma, PRINTED_AS_VARIANCE))
    if own is None:
        return f"| {step.name} | {published} | not measured | | | | | | |"
    beside = f"{loud.score:.4f}" if step.is_noisy and loud is not None else ""
    return (
        f"| {step.name} | {published} | {_with_error(own)} | {own.score / ceiling.score:.0%} | {beside} | "
        f"{_factors(own)} | {own.rate} |"
    ).replace("%", " %")


def _with_error(one: StepScore) -> str:
    return f"{one.score:.4f} ± {one.error:.4f}"


def _factors(one: StepScore) -> str:
    return f"{one.forgetting:.4f} | {one.retain:.3f} | {one.test:.3f}"


def _how_to_read(sigma: float) -> str:
    rates = ", ".join(f"{rate:g}" for rate in sorted(RATES))
    return (
        "The original is a ResNet-8 that has memorised its training images "
        f"({recipe().epochs} epochs without augmentation), so that there is something to forget. Each step is "
        f"{NUM_MODELS} models from as many seeds that forget 200 images, scored against {NUM_MODELS} retrained models "
        "as in the NeurIPS challenge of 2023 (published: 512 models of a ResNet-18 on faces, so only directions can be "
        "compared). The last line scores as many other retrained models: the ceiling. "
        f"The noise, {sigma:g}, is the largest that costs the original at most one point of accuracy on validation "
        f"images; the column beside it has {PRINTED_AS_VARIANCE:g}, the other reading of the report. Steps have a "
        f"learning rate of their own, the best of {rates} on another request of 200 images; variants use that of their "
        "step, other methods and the report's algorithms that of their preset. Standard errors are those of "
        f"{resampling.RESAMPLES} resamples of models and images, and a direction is told only beyond "
        f"{resampling.CLEAR:g} of them."
    )
