"""RESULTS.md from made-up rows: figures, deviations, missing runs."""

import argparse
from pathlib import Path
from typing import Any

import pytest

from unlearn_core.benchmarks import csv_tables, results, results_findings, results_page, tradeoff_plot
from unlearn_core.benchmarks.csv_tables import Tables
from unlearn_core.benchmarks.reproduction.l2ul import l2ul_plot
from unlearn_core.benchmarks.reproduction.unsir import noise_plot
from unlearn_core.benchmarks.results import COLUMNS, benchmark_cases
from unlearn_core.cli import results as verb
from unlearn_core.data import datasets
from unlearn_core.domain.errors import DivergedError

PAGE, WORKS = "docs/reproduction.md", ("docs/unsir.md", "docs/l2ul.md")


def row(method: str, request: str, *, preset: str = "bundled", seed: int = 0, **figures: object) -> dict[str, str]:
    sets = {f"{name}_{model}": "0.5" for name in results.SETS for model in ("before", "after", "gold")}
    if "pictures" in request:
        sets = {name: value for name, value in sets.items() if not name.startswith("forget_test")} | {
            f"forget_test_{model}": "" for model in ("before", "after", "gold")
        }
    own = {"method": method, "preset": preset, "request": request, "seed": seed, "key": f"{method}{request}{seed}"}
    rest = {"distance_before": 0.3, "distance_after": 0.1, "passes": 1000, "seconds": 2.5, "device": "CPU, 2 threads"}
    return dict.fromkeys(COLUMNS, "") | {name: str(value) for name, value in (sets | own | rest | figures).items()}


def test_seeds_become_mean_and_deviation_and_the_fastest_says_the_seconds() -> None:
    rows = [
        row("unsir", "cat", seed=seed, retain_test_after=value, seconds=seconds)
        for seed, (value, seconds) in enumerate(((0.80, 9.0), (0.82, 2.5), (0.84, 4.0)))
    ]
    text = results_page.render(Tables(rows), [])
    assert "| UNSIR | 3 | 50.0 ± 0.0 | 50.0 ± 0.0 | 50.0 ± 0.0 | 82.0 ± 2.0 | 0.100 ± 0.000 | 2.5 | 1,000 |" in text


def test_what_was_not_run_or_diverged_is_said() -> None:
    rows = [row("unsir", "cat"), row("finetune", "cat", error="The loss is no longer a number.")]
    missing = [case for case in benchmark_cases() if (case.method, case.request) == ("ssd", "cat")]
    text = results_page.render(Tables(rows), missing)
    assert "| Fine-tune | 1 | diverged |" in text
    assert "| not run |" in text


def test_an_outdated_row_keeps_its_figures_and_is_marked() -> None:
    rows = [row("unsir", "cat", seed=seed) for seed in (0, 1)] + [row("finetune", "cat")]
    text = results_page.render(Tables(rows), [], {rows[1]["key"]})
    assert "| UNSIR (outdated) | 2 | 50.0" in text
    assert "| Fine-tune | 1 | 50.0" in text
    assert "* 1 of 3 rows are *outdated*: " in text
    assert "outdated" not in results_page.render(Tables(rows), [])


def test_a_class_whose_row_is_outdated_is_marked() -> None:
    names = datasets.card("cifar10-sample").classes
    rows = [row("unsir", name, preset=preset) for name in names for preset in ("bundled", "no-noise")]
    for one in rows:
        one["key"] += one["preset"]
    text = results_page.by_class(rows, {"unsirship0no-noise"})
    assert "| ship (outdated) |" in text and "| truck |" in text
    assert "**mean of ten** (outdated)" in text


def test_the_committed_pages_are_what_the_rows_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    committed = {name: (verb.ROOT / name).read_text() for name in ("RESULTS.md", "README.md", PAGE, *WORKS)}
    committed["runs.csv"] = verb.TABLE.read_text()
    (tmp_path / "docs").mkdir()
    for name, text in committed.items():
        (tmp_path / name).write_text("" if name in ("RESULTS.md", PAGE, *WORKS) else text)
    for name, path in (("ROOT", tmp_path), ("TABLE", tmp_path / "runs.csv"), ("PLOT", tmp_path / "plot.svg")):
        monkeypatch.setattr(verb, name, path)
    monkeypatch.setattr(tradeoff_plot, "write_plot", lambda path, rows: None)
    for plot in (noise_plot, l2ul_plot):
        monkeypatch.setattr(plot, "write_plot", lambda path, rows: None)
    assert verb.run(argparse.Namespace(device="cpu", jobs=1, only=None, no_runs=True)) == 0
    for name, text in committed.items():
        assert (tmp_path / name).read_text() == text, f"{name}: write it with `make results ARGS=--no-runs`"


def test_gold_from_other_seeds_stands_first() -> None:
    lines = results_page.render(Tables([row("unsir", "cat"), row("retrain", "cat")]), []).splitlines()
    table = [line.split("|")[1].strip() for line in lines if line.startswith("| ")]
    assert table[table.index("*retrained*") + 1] == "*retrained, other seeds* (Retrain)"


def test_the_limits_stand_at_the_end_of_a_row() -> None:
    text = results_page.render(Tables([row("unsir", "cat", forget_train_after=0.0, forget_test_after=0.0)]), [])
    assert "| 1,000 | met |" in text
    assert "| 1,000 | forgets too little |" in results_page.render(Tables([row("unsir", "cat")]), [])


def test_methods_that_miss_limits_are_listed_with_their_failure_modes() -> None:
    rows = [row("unsir", "cat", forget_train_after=0.0, forget_test_after=0.0)]
    rows += [row("boundary", "cat"), row("scrub", "cat"), row("scrub", "three-classes")]
    rows += [row("l2ul", "16-pictures"), row("l2ul", "16-pictures", preset="adv", retain_test_after=0.1)]
    text = results_findings.failures(rows)
    assert "in 3 of 5 cases" in text
    assert "Of the 2 methods that do, 1 see no" in text
    assert "| Boundary | no | cat: forgets too little |" in text
    assert "| SCRUB | yes | cat: forgets too little; three classes: forgets too little |" in text
    assert "UNSIR" not in text and "L2UL" not in text
    assert results_findings.failures(rows[:1]) == "All presets are within their limits."


def test_ten_classes_make_the_readmes_table() -> None:
    names = datasets.card("cifar10-sample").classes
    rows = [
        row("unsir", name, preset=preset, retain_test_gold=0.9, retain_test_after=0.88 if preset == "bundled" else 0.8)
        for name in names
        for preset in ("bundled", "no-noise")
    ]
    text = results_page.by_class(rows)
    assert "| ship | 50.0 | 50.0 | 50.0 | 50.0 | 88.0 | 80.0 | 90.0 | 2.0 | 10.0 |" in text
    assert "mean of the eight" in text
    assert results_page.by_class(rows[:-1]).startswith("Not measured yet")


def test_a_class_counts_once_however_many_seeds_it_has() -> None:
    names = datasets.card("cifar10-sample").classes
    rows = [row("unsir", name, preset=preset) for name in names for preset in ("bundled", "no-noise")]
    rows += [
        row("unsir", "cat", seed=seed, retain_test_after=0.8, forget_test_after=0.6, retain_test_gold=0.9)
        for seed in (1, 2)
    ]
    text = results_page.by_class(rows)
    assert "| cat | 50.0 | 56.7 | 50.0 | 50.0 | 70.0 | 50.0 | 76.7 | 6.7 | 26.7 |" in text
    assert "| **mean of ten** | 50.0 | 50.7 | 50.0 | 50.0 | 52.0 | 50.0 | 52.7 | 0.7 | 2.7 |" in text
    assert "means over 1 to 3 runs of each class with noise and 1 without" in text
    assert "In the 12 runs with noise at most 60.0 % of a class are left" in text
    assert "is at most 6.7 points below the retrained model's on average over the runs of a class" in text
    assert "and at most 10.0 in one run." in text


def test_the_plot_is_the_same_for_the_same_rows(tmp_path: Path) -> None:
    rows = [row("unsir", "cat"), row("finetune", "16-pictures")]
    for name in ("one.svg", "two.svg"):
        tradeoff_plot.write_plot(tmp_path / name, rows)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_only_what_is_missing_is_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The command measures the cases without a row, writes each when it is done, and resumes after an interruption."""
    (tmp_path / "docs").mkdir()
    readme = tmp_path / "README.md"
    readme.write_text("above\n<!-- results -->\nold\n<!-- /results -->\nbelow\n")
    for name, path in (("ROOT", tmp_path), ("TABLE", tmp_path / "runs.csv"), ("PLOT", tmp_path / "plot.svg")):
        monkeypatch.setattr(verb, name, path)
    for plot in (noise_plot, l2ul_plot):
        monkeypatch.setattr(plot, "write_plot", lambda path, rows: None)
    chosen = [case for case in benchmark_cases() if case.method == "finetune"][:3]
    monkeypatch.setattr(results, "benchmark_cases", lambda: chosen)
    asked: list[int] = []

    def measured(todo: list[results.BenchmarkCase], **how: Any) -> Any:
        asked.append(len(todo))
        for number, case in enumerate(todo):
            if len(asked) == 1 and number == 1:
                raise DivergedError("the power went off")
            yield row(case.method, case.request, seed=case.seed) | {"key": results.cache_key(case.spec)}

    monkeypatch.setattr(results, "measure_all", measured)
    args = argparse.Namespace(device="cpu", jobs=1, only=None, no_runs=False)
    with pytest.raises(DivergedError):
        verb.run(args)
    assert verb.run(args) == 0
    assert verb.run(args) == 0
    assert asked == [3, 2, 0]
    monkeypatch.setattr(results, "cache_key", lambda spec: f"revised {spec.seed}{spec.request.fingerprint()}")
    assert verb.run(argparse.Namespace(device="cpu", jobs=1, only=None, no_runs=True)) == 0
    assert "3 of 3 rows are *outdated*" in (tmp_path / "RESULTS.md").read_text(), "kept, and marked"
    assert verb.run(args) == 0
    assert asked == [3, 2, 0, 0, 3]
    assert "outdated" not in (tmp_path / "RESULTS.md").read_text()
    assert len(csv_tables.read_rows(tmp_path / "runs.csv", "key")) == 3
    assert readme.read_text().startswith("above\n<!-- results -->\n") and readme.read_text().endswith("below\n")
    assert (tmp_path / "RESULTS.md").read_text().startswith("# Results")


def test_privacy_stands_beside_accuracies_that_look_alike() -> None:
    assert (
        "Not measured yet"
        in results_page.render(Tables([row("unsir", "cat")]), []).split("broken privacy")[1].split("##")[0]
    )
    figures = {"leak_before": 0.1, "leak_gold": 0.02, "forget_test_after": 0}
    rows = [
        row(name, "cat", seed=seed, leak_after=leak, privacy_after=privacy, **figures)
        for name, leak, privacy in (("unsir", 0.03, 0.97), ("random_labels", 0.4, 0.3))
        for seed in range(2)
    ]
    rows.append(row("ssd", "cat", leak_after=0.45, privacy_after=0.1, **figures))  # One run is not told as the worst.
    text = results_page.render(Tables(rows), []).split("broken privacy")[1].split("##")[0]
    assert "| *retrained* |  | 50.0 | 50.0 | 50.0 | 0.02 | 1.00 |" in text
    assert text.index("| UNSIR | 2 | 50.0 | 0.0 | 50.0 | 0.03 | 0.97") < text.index(
        "| Random labels | 2 | 50.0 | 0.0 |"
    )
    assert "| SSD | 1 | 50.0" in text
    assert "among them UNSIR has a privacy of 0.97 and Random labels one of 0.30" in text
