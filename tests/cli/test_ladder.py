"""The section on the ablation, from made-up rows."""

from unlearn_core.benchmarks import ablation_section
from unlearn_core.benchmarks.ablation import CEILING, PRINTED_NOISE, STEPS
from unlearn_core.benchmarks.ablation_section import CEILING_LABEL, ladder_claims


def rows(**scores: float) -> dict[str, dict[str, str]]:
    """Rows in which every step scores as published, except for those given by position."""
    found = {}
    for place, step in enumerate(STEPS):
        score = scores.get(f"step{place}", step.published_score)
        found[step.name] = row(step.name, score)
    return found | {CEILING: row(CEILING, 0.2)}


def row(name: str, score: float) -> dict[str, str]:
    figures = {"forgetting": score, "error": 0.0001, "retain": 1, "test": 1, "score": score}
    return {"key": f"key of {name}", "step": name, "nets": "64", "device": "CPU"} | {
        key: str(value) for key, value in figures.items()
    }


def test_without_rows_it_is_said_how_to_measure() -> None:
    assert ablation_section.ablation_section({}).startswith("Not measured yet: `python -m unlearn_core ladder`")


def test_every_step_has_a_line_and_a_direction() -> None:
    text = ablation_section.ablation_section(rows())
    assert "| three cycles | 64 | 0.0856 | 0.0856 | 0.0856 ± 0.0001 | 1.000 | 1.000 |" in text
    assert f"| {CEILING_LABEL} | 64 |  | 0.2000 |" in text
    assert text.count("**: holds (published") == len(STEPS) - 5, "all but those with noise"


def test_another_direction_and_one_within_the_error_are_said() -> None:
    text = ablation_section.ablation_section(rows(step2=0.0400, step3=0.0400))
    assert (
        '* **"+ random re-initialisation" scores more than "fine-tune"**: does not hold (published 0.0496 to 0.0617, '
        "here 0.0496 to 0.0400; difference -0.0096, 90 % interval -0.0098 to -0.0094)." in text
    )
    assert '* **"Fisher-chosen instead" scores less than "+ random re-initialisation"**: not shown' in text


def test_noise_that_ruins_the_original_shows_nothing() -> None:
    """The first sentence says so, and neither direction of such a step is a finding."""
    text = ablation_section.ablation_section(rows())
    assert text.startswith("The last four steps use input noise of 0.1, under which the small original itself falls ")
    found = {claim.id: claim.finding for claim in ladder_claims(rows())}
    assert {name for name, finding in found.items() if finding == "not shown"} == {
        *(f"ladder-{step.name}" for step in STEPS[4:]),
        "ladder-whole",
    }


def test_the_noise_as_printed_has_findings_of_its_own() -> None:
    text = ablation_section.ablation_section(rows(), printed=rows())
    assert '* **With noise of 0.01: "three cycles" scores more than "MSE instead of CE"**: holds (' in text
    assert {claim.finding for claim in ladder_claims({}, PRINTED_NOISE)} == {"not measured"}
    assert {claim.finding for claim in ladder_claims(rows(), PRINTED_NOISE)} == {"holds"}


def test_a_step_whose_key_is_outdated_is_marked() -> None:
    text = ablation_section.ablation_section(rows(), {"key of three cycles"})
    assert "| three cycles (outdated) | 64 | 0.0856 |" in text
    assert text.count("outdated") == 1


def test_a_step_that_was_not_measured_is_marked_and_nothing_is_said_of_its_direction() -> None:
    some = rows()
    del some["three cycles"]
    text = ablation_section.ablation_section(some)
    assert "| three cycles | not run | 0.0856 | | | | |" in text
    found = {claim.id: claim.finding for claim in ladder_claims(some)}
    unknown = {"ladder-three cycles", "ladder-without head and shortcuts"}
    assert {name for name, finding in found.items() if finding == "not measured"} == unknown, "and the step beyond it"
