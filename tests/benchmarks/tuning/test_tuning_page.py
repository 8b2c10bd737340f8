"""docs/tuning.md from made-up rows: whether each preset was the best, and what is not measured."""

from unlearn_core.benchmarks.tuning import page, trials

OWN = {key: one for key, one in trials.trials_by_key().items() if (one.method, one.request) == ("ssd", "airplane")}


def said(objectives: dict[str, str]) -> str:
    rows = {key: {"objective": objectives.get(trial.label, "")} for key, trial in OWN.items()}
    return next(line for line in page.tuning_page(rows).splitlines() if line.startswith("| SSD | airplane |"))


def test_the_preset_is_the_best_or_not() -> None:
    half, double = (trial.label for trial in [*OWN.values()][1:])
    best = said({"preset": "0.80", half: "0.70", double: "0.75"})
    assert best == f"| SSD | airplane | 3 of 3 | 80.0 | 75.0 (`{double}`) | yes |"
    assert said({"preset": "0.70", half: "0.80"}).endswith(f"| no: `{half}` is 10.0 points better |")
    assert said({"preset": "0.79", half: "0.80"}).endswith(f"| no: `{half}` is 1.0 points better, within chance |")
    assert said({half: "0.80"}).endswith("| no: the preset diverges |")


def test_what_is_not_measured_is_listed_with_its_command() -> None:
    text = page.tuning_page({})
    assert f"Measured are 0 of {len(trials.trials_by_key())} trials." in text
    assert "* SSD, 12 trials: `python -m unlearn_core tune --only ssd`" in text
    assert "| SSD | airplane | 0 of 3 | | | not measured |" in text
    everything = {key: {"objective": "0.5"} for key in trials.trials_by_key()}
    assert "Not measured" not in page.tuning_page(everything)
