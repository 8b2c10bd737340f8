"""The section on the ablation: our score of every step beside the published one, and what that shows."""

from collections.abc import Container, Mapping

from unlearn_core.benchmarks.ablation import (
    ACCURACY_WITH_NOISE,
    ACCURACY_WITHOUT_NOISE,
    CEILING,
    NOISE,
    PRINTED_NOISE,
    STEPS,
    AblationStep,
    steps,
)
from unlearn_core.benchmarks.reproduction.findings import Claim, compare_estimates
from unlearn_core.benchmarks.result_rows import mark

CEILING_LABEL = "retrained against retrained models"


def ablation_section(
    rows: Mapping[str, Mapping[str, str]],
    outdated: Container[str] = (),
    printed: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """Return the table and a sentence per step; steps that are not measured or outdated are marked.

    `printed` are the rows with the noise as printed, for which there are only sentences.
    """
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
        f"{noise_sentence()} Each step is {top['nets']} models of the small ResNet-8 from as many seeds that forget "
        f"200 images. They are scored against {top['nets']} retrained models as in the NeurIPS challenge of 2023 "
        "(published: 512 models of a ResNet-18 on faces, so only directions can be compared). The score is forgetting "
        "times accuracy on training images of the retain set (*retain*) and on test images (*test*), both relative to "
        "the retrained models. The last line scores as many other retrained models: it is what perfect unlearning "
        "would get, and the ceiling. "
        "Standard errors and intervals are over the images; the variation between models is not included. All steps "
        "except NegGrad are settings of stochastic re-initialisation. Measured on: "
        f"{', '.join(sorted({row['device'] for row in rows.values() if row['device']}))}."
    )
    claims = [*ladder_claims(rows), *(ladder_claims(printed, PRINTED_NOISE) if printed else ())]
    return "\n".join([words, "", *lines, "", *map(str, claims)])


def _line(row: Mapping[str, str], step: AblationStep, outdated: Container[str]) -> str:
    return _figures(row, step.name + mark([row], outdated), f"{step.published_score:.4f}")


def _figures(row: Mapping[str, str], name: str, published: str) -> str:
    forgetting = f"{float(row['forgetting']):.4f} ± {float(row['error']):.4f}"
    ratios = " | ".join(f"{float(row[name]):.3f}" for name in ("retain", "test"))
    return f"| {name} | {row['nets']} | {published} | {float(row['score']):.4f} | {forgetting} | {ratios} |"


def _not_run(step: AblationStep) -> str:
    return f"| {step.name} | not run | {step.published_score:.4f} | | | | |"


def ladder_claims(rows: Mapping[str, Mapping[str, str]], noise: float = NOISE) -> list[Claim]:
    """Return for every step, and for the whole method against fine-tuning, whether it differs as published.

    With other noise than that of the main table, only steps with noise are compared.
    """
    found = {step.name: step for step in steps(noise)}
    pairs = [(step.name, step, found[step.baseline]) for step in found.values() if step.baseline is not None]
    pairs.append(("whole", [*found.values()][-1], found["fine-tune"]))
    if noise == NOISE:
        return [_claim(f"ladder-{name}", step, other, rows) for name, step, other in pairs]
    noisy = [pair for pair in pairs if pair[1].params["sigma"]]
    claims = [_claim(f"ladder-{noise}-{name}", step, other, rows) for name, step, other in noisy]
    return [claim._replace(words=f"With noise of {noise}: {claim.words}") for claim in claims]


def _claim(name: str, step: AblationStep, other: AblationStep, rows: Mapping[str, Mapping[str, str]]) -> Claim:
    rises = step.published_score > other.published_score
    words = f'"{step.name}" scores {"more" if rises else "less"} than "{other.name}"'
    if not {step.name, other.name} <= rows.keys():
        return Claim(name, words, "not measured", "")
    ours, theirs = (float(rows[one.name]["score"]) for one in (step, other))
    error = (_error(rows[step.name]) ** 2 + _error(rows[other.name]) ** 2) ** 0.5
    finding = compare_estimates(*((ours, theirs) if rises else (theirs, ours)), error=error).finding
    figures = f"published {other.published_score:.4f} to {step.published_score:.4f}, here {theirs:.4f} to {ours:.4f}; "
    figures += compare_estimates(ours, theirs, error=error).text(4)
    if is_ruined(step):
        return Claim(name, words, "not shown", f"{figures}; under this noise the original itself is mostly wrong")
    return Claim(name, words, finding, figures)


def is_ruined(step: AblationStep) -> bool:
    """Return whether a step teaches with noise under which the original itself is mostly wrong."""
    return step.params.get("sigma", 0.0) >= NOISE


def noise_sentence() -> str:
    """Return what the steps with noise rest on."""
    return (
        f"The last four steps use input noise of {NOISE}, under which the small original itself falls from "
        f"{ACCURACY_WITHOUT_NOISE:.1%} to {ACCURACY_WITH_NOISE:.1%} accuracy on validation images: what it teaches is "
        "mostly wrong, so these scores say little of the method."
    )


def _error(row: Mapping[str, str]) -> float:
    """Return the standard error of a score: that of its forgetting, times the same two ratios."""
    return float(row["error"]) * float(row["retain"]) * float(row["test"])
