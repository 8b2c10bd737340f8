"""The ladder in words: our score of every step beside the published one, and whether the two go the same way."""

from collections.abc import Container, Mapping

from unlearn_core.benchmarks.ablation import CEILING, STEPS, AblationStep
from unlearn_core.benchmarks.result_rows import mark

SURE = 2.0
"""So many standard errors apart two scores must be for a direction to be told."""


def ablation_section(rows: Mapping[str, Mapping[str, str]], outdated: Container[str] = ()) -> str:
    """The table and a sentence a step; one that was not measured yet, or whose key is outdated, is marked as such."""
    if CEILING not in rows:
        return "Not measured yet: `python -m unlearn_core ladder` measures it, in hours on a CPU."
    top = rows[CEILING]
    lines = [
        "| step | nets | published | here: score | forgetting (± standard error) | retain | test |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(_line(rows[step.name], step, outdated) if step.name in rows else _not_run(step) for step in STEPS),
        _figures(top, top["step"], ""),
    ]
    words = (
        f"Each step is {top['nets']} nets of the small ResNet-8 from as many seeds, asked to forget 200 pictures, "
        f"scored against {top['nets']} golds as in the NeurIPS challenge of 2023 (published: 512 nets of a ResNet-18 "
        "on faces, so only directions can be compared). The score is forgetting times accuracy on kept training "
        "pictures (*retain*) and on test pictures (*test*), both relative to gold. The last line scores as many other "
        "golds: what perfect unlearning would get, and the ceiling. The standard error is over the pictures; that of "
        f"the nets is not in it. All but NegGrad are settings of stochastic re-initialisation, measured on: "
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
        if abs(ours - theirs) < SURE * error:
            verdict += f", within {SURE:.0f} standard errors, so nothing is shown"
        found.append(
            f"* **{step.name}**, beyond *{step.baseline}*: published {published[step.baseline]:.4f} to "
            f"{step.published_score:.4f}, here {theirs:.4f} to {ours:.4f}: {verdict}."
        )
    return found


def _error(row: Mapping[str, str]) -> float:
    """The standard error of a score: that of its forgetting, times the same two ratios."""
    return float(row["error"]) * float(row["retain"]) * float(row["test"])
