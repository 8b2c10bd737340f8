"""The section on the ablation: our score of every step beside the published one, and whether the directions agree."""

from collections.abc import Container, Mapping

from unlearn_core.benchmarks.ablation import (
    ACCURACY_WITH_NOISE,
    ACCURACY_WITHOUT_NOISE,
    CEILING,
    NOISE,
    STEPS,
    AblationStep,
)
from unlearn_core.benchmarks.result_rows import mark

CEILING_LABEL = "retrained against retrained models"

MIN_STANDARD_ERRORS = 2.0
"""How many standard errors two scores must differ by for a direction to be conclusive."""


def ablation_section(rows: Mapping[str, Mapping[str, str]], outdated: Container[str] = ()) -> str:
    """Return the table and a sentence per step; steps that are not measured or outdated are marked."""
    if CEILING not in rows:
        return "Not measured yet: `python -m unlearn_core ladder` measures it, in hours on a CPU."
    top = rows[CEILING]
    lines = [
        "| step | models | published | here: score | forgetting (± standard error) | retain | test |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(_line(rows[step.name], step, outdated) if step.name in rows else _not_run(step) for step in STEPS),
        _figures(top, CEILING_LABEL, ""),
    ]
    words = (
        f"The last four steps use input noise of {NOISE}, under which the small original itself falls from "
        f"{ACCURACY_WITHOUT_NOISE:.1%} to {ACCURACY_WITH_NOISE:.1%} accuracy on validation images: what it teaches is "
        "mostly wrong, so these scores say little of the method. "
        f"Each step is {top['nets']} models of the small ResNet-8 from as many seeds that forget 200 images. They are "
        f"scored against {top['nets']} retrained models as in the NeurIPS challenge of 2023 (published: 512 models of "
        "a ResNet-18 on faces, so only directions can be compared). The score is forgetting times accuracy on training "
        "images of the retain set (*retain*) and on test images (*test*), both relative to the retrained models. The "
        "last line scores as many other retrained models: it is what perfect unlearning would get, and the ceiling. "
        "The standard error is over the images; the variation between models is not included. All steps except "
        "NegGrad are settings of stochastic re-initialisation. Measured on: "
        f"{', '.join(sorted({row['device'] for row in rows.values() if row['device']}))}."
    )
    return "\n".join([words, "", *lines, "", *_directions(rows)])


def _line(row: Mapping[str, str], step: AblationStep, outdated: Container[str]) -> str:
    return _figures(row, step.name + mark([row], outdated), f"{step.published_score:.4f}")


def _figures(row: Mapping[str, str], name: str, published: str) -> str:
    forgetting = f"{float(row['forgetting']):.4f} ± {float(row['error']):.4f}"
    ratios = " | ".join(f"{float(row[name]):.3f}" for name in ("retain", "test"))
    return f"| {name} | {row['nets']} | {published} | {float(row['score']):.4f} | {forgetting} | {ratios} |"


def _not_run(step: AblationStep) -> str:
    return f"| {step.name} | not run | {step.published_score:.4f} | | | | |"


def _directions(rows: Mapping[str, Mapping[str, str]]) -> list[str]:
    published = {step.name: step.published_score for step in STEPS}
    found = []
    for step in STEPS:
        if step.baseline is None or not {step.name, step.baseline} <= rows.keys():
            continue
        ours, theirs = (float(rows[name]["score"]) for name in (step.name, step.baseline))
        up = step.published_score > published[step.baseline]
        same = (ours > theirs) == up
        error = (_error(rows[step.name]) ** 2 + _error(rows[step.baseline]) ** 2) ** 0.5
        verdict = "same direction" if same else "**not the same direction**"
        if abs(ours - theirs) < MIN_STANDARD_ERRORS * error:
            verdict += f", within {MIN_STANDARD_ERRORS:.0f} standard errors, so inconclusive"
        found.append(
            f"* **{step.name}**, compared with *{step.baseline}*: published {published[step.baseline]:.4f} to "
            f"{step.published_score:.4f}, here {theirs:.4f} to {ours:.4f}: {verdict}."
        )
    return found


def _error(row: Mapping[str, str]) -> float:
    """Return the standard error of a score: that of its forgetting, times the same two ratios."""
    return float(row["error"]) * float(row["retain"]) * float(row["test"])
