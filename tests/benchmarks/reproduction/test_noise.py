"""What UNSIR's noise does: which runs measure it, and that the figures of RESULTS.md follow from their rows."""

import csv
import re
from collections import defaultdict
from math import isclose, sqrt
from pathlib import Path
from statistics import mean, variance

import pytest

from tests.methods.small_problem import tiny_spec
from unlearn_core.benchmarks.reproduction.unsir import noise_plot, noise_runs, noise_section
from unlearn_core.benchmarks.reproduction.unsir.noise_runs import COLUMNS, NoiseCase
from unlearn_core.charts.measured import noise_levels
from unlearn_core.charts.measured.noise_levels import KINDS, Row
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.installation import ROOT

NAMES = ("cat", "dog", "ship", "truck")


def rows_of(left: dict[str, list[float]], rate: float = 0.001, seed: int = 0) -> list[Row]:
    """Made-up rows: what is left of each class, by kind of noise."""
    return [
        dict.fromkeys(COLUMNS, "")
        | {"key": f"{kind}{name}{rate}{seed}", "noise": kind, "rate": str(rate), "class": name, "seed": str(seed)}
        | {"forget_train": str(value), "retain_test": "0.8", "retain_test_gold": "0.84", "device": "CPU"}
        for kind, values in left.items()
        for name, value in zip(NAMES, values, strict=False)
    ]


HELPS = {"learned": [0.1, 0.1, 0.2, 0.2], "random": [0.2, 0.3, 0.3, 0.4], "none": [0.2, 0.2, 0.3, 0.4]}


def test_every_kind_rate_class_and_seed_is_run_and_a_part_of_them_is_balanced() -> None:
    every = list(noise_runs.cases().values())
    assert len(every) == 3 * 6 * 10 * 3 == noise_section.ALL_RUNS
    assert len({case[:4] for case in every}) == len(every)
    for at in range(0, len(every), 3):
        assert tuple(case.noise for case in every[at : at + 3]) == KINDS
        assert len({case[1:4] for case in every[at : at + 3]}) == 1, "the kinds of a class follow each other"
    assert {case.seed for case in every[:180]} == {0}
    assert {case.rate for case in every[:30]} == {noise_section.GENTLE}
    for case in every:
        assert case.spec.params["impair_lr"] == case.spec.params["repair_lr"] == case.rate
        assert case.spec.params.get("noise", "learned") == case.noise
        assert case.spec.params["noise_pictures"] == 256


def test_a_row_is_what_was_measured(tmp_path: Path) -> None:
    spec = tiny_spec("unsir", noise="random", noise_pictures=16)
    row = noise_runs.measure(NoiseCase("random", 0.001, "rows", 0, spec), ModelCache("cpu", tmp_path))
    assert ["key", *row] == [*COLUMNS]
    assert all(0 <= float(row[name]) <= 1 for name in (*noise_runs.SETS, "retain_test_gold"))
    assert float(row["passes"]) > 0


def test_what_was_measured_is_not_measured_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(noise_runs, "measure", lambda case, cache: {"noise": case.noise})
    keys = list(noise_runs.cases())
    rows = noise_runs.measure_missing(keys[1:], seconds=60, device="cpu", data_dir=tmp_path)
    assert list(rows) == [{"key": keys[0], "noise": "learned"}]
    assert not list(noise_runs.measure_missing([], seconds=0, device="cpu", data_dir=tmp_path))


def test_a_class_counts_once_and_only_with_all_kinds_of_noise() -> None:
    again = rows_of({kind: [value + 0.1 for value in values] for kind, values in HELPS.items()}, seed=1)
    (level,) = noise_levels.noise_levels([*rows_of(HELPS), *again[:-1]])
    assert len(level.runs) == 7, "truck with seed 1 has no run without noise"
    assert level.by_class("forget_train", "learned") == pytest.approx({"cat": 15, "dog": 15, "ship": 25, "truck": 20})
    assert level.gaps("forget_train", "learned", "none") == pytest.approx([-10, -10, -10, -20])


def test_a_learning_rate_at_which_classes_are_missing_does_not_count() -> None:
    part = [row for row in rows_of(HELPS, 0.002) if row["class"] != "cat"]
    assert [level.rate for level in noise_levels.noise_levels([*rows_of(HELPS), *part])] == [0.001]
    assert [level.rate for level in noise_levels.noise_levels(part)] == [0.002]


def test_the_section_says_what_was_shown() -> None:
    words = {one.id: one.finding for one in noise_section.noise_claims(rows_of(HELPS))}
    assert words == {"unsir-learned-none": "holds", "unsir-learned-random": "holds"}
    assert noise_section.rates_that_matter(rows_of(HELPS)) == [0.001]
    assert noise_section.noise_sentence(rows_of(HELPS)).startswith(
        "Learned noise is shown to forget more than none at learning rate 0.001."
    )
    assert "Measured are 12 of 540 runs" in noise_section.noise_section(rows_of(HELPS))
    same = dict.fromkeys(KINDS, HELPS["none"])
    assert {one.finding for one in noise_section.noise_claims(rows_of(same))} == {"not shown"}
    assert "at no learning rate that was measured" in noise_section.noise_sentence(rows_of(same))


def test_without_rows_it_is_said_how_to_measure() -> None:
    assert noise_section.noise_section([]).startswith("Not measured yet: `python -m unlearn_core reproduce")
    assert noise_section.noise_sentence([]) == ""
    assert {one.finding for one in noise_section.noise_claims([])} == {"not measured"}


def test_the_plot_is_the_same_for_the_same_rows(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        noise_plot.write_plot(tmp_path / name, [*rows_of(HELPS), *rows_of(HELPS, 0.002)])
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_an_independent_computation_gives_the_figures_of_the_page() -> None:
    """From the file alone, with the formulas written out: means, standard errors, paired differences and counts."""
    with noise_levels.TABLE.open() as file:
        left = {
            (float(row["rate"]), row["class"], row["seed"], row["noise"]): 100 * float(row["forget_train"])
            for row in csv.DictReader(file)
        }
    section = (ROOT / "RESULTS.md").read_text().split("## What UNSIR's noise does")[1].split("\n## ")[0]
    lines = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in section.splitlines()
        if re.match(r"\| 0\.0\d+", line)
    ]
    whole = {run[:3] for run in left if all((*run[:3], kind) in left for kind in KINDS)}
    classes = {rate: len({name for at, name, _ in whole if at == rate}) for rate, *_ in whole}
    assert [float(line[0]) for line in lines] == sorted(rate for rate, count in classes.items() if count == 10)
    for rate, count, *cells in lines:
        by_class: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        runs = sorted(one for one in whole if one[0] == float(rate))
        for _, name, seed in runs:
            for kind in KINDS:
                by_class[name][kind].append(left[float(rate), name, seed, kind])
        means = {kind: [mean(own[kind]) for own in by_class.values()] for kind in KINDS}
        assert int(count) == len(runs)
        for kind, cell in zip(KINDS, cells, strict=False):
            assert_says(cell, means[kind])
        for kind, cell in zip(("learned", "random"), cells[3:], strict=False):
            gaps = [one - two for one, two in zip(means[kind], means["none"], strict=True)]
            assert_says(cell, gaps)
            assert cell.endswith(f"lower in {sum(gap < 0 for gap in gaps)} of {len(gaps)}")


def assert_says(cell: str, values: list[float]) -> None:
    """A cell says the mean of these values and its standard error, to the first digit."""
    told = [float(number) for number in re.findall(r"-?\d+\.\d+", cell)[:2]]
    assert isclose(told[0], mean(values), abs_tol=0.0501)
    assert isclose(told[1], sqrt(variance(values) / len(values)), abs_tol=0.0501)
