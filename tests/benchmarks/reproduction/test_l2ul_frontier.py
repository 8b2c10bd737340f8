"""L2UL at equal forgetting: which runs there are, what is recorded of them, and what the committed rows show."""

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pytest
import torch

from tests.methods.artifact_recorder import ArtifactRecorder
from tests.methods.small_problem import tiny_problem, tiny_spec
from unlearn_core.benchmarks import csv_tables
from unlearn_core.benchmarks.reproduction.l2ul import (
    l2ul_comparisons,
    l2ul_draws,
    l2ul_frontier,
    l2ul_plot,
    l2ul_search,
    l2ul_section,
)
from unlearn_core.benchmarks.reproduction.l2ul.l2ul_draws import (
    COLUMNS,
    FRESH_DRAWS,
    REPORTED_DRAWS,
    SEARCH_DRAWS,
    DrawnRun,
)
from unlearn_core.charts.measured.l2ul_courses import GOALS, TABLE, Courses, courses, setting_name
from unlearn_core.domain.results.method_artifacts import StopRule
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import ResolvedRun, build_problem
from unlearn_core.training.evaluate import logits
from unlearn_core.training.problem import Problem

GENTLE: dict[str, Any] = {
    "guard": "adv-imp",
    "copies": 2,
    "attack_steps": 2,
    "max_steps": 40,
    "lr": 0.05,
    "ascent": 0.9,
}


def drawn(goal: str, **changes: Any) -> dict[str, DrawnRun]:
    spec = tiny_spec("l2ul", kind="images", goal=goal, **GENTLE | changes)
    return l2ul_draws.by_key([DrawnRun(goal, spec)])


def read(rows: Sequence[csv_tables.MeasuredRow]) -> Courses:
    """The courses of rows as they come out of the file."""
    return courses([{name: str(value) for name, value in row.items()} for row in rows])


def test_no_image_is_in_two_draws() -> None:
    every = [set(l2ul_draws.drawn_images(draw, 256)) for draw in (*REPORTED_DRAWS, *SEARCH_DRAWS, *FRESH_DRAWS)]
    assert {len(own) for own in every} == {256}
    assert not any(one & other for one, other in combinations(every, 2))
    assert l2ul_draws.drawn_images(3, 16) == l2ul_draws.drawn_images(3, 64)[:16], "a smaller request is a part of it"


def test_results_are_of_other_draws_than_the_search() -> None:
    reported, searched = l2ul_frontier.reported(), l2ul_search.searched()
    assert {run.spec.seed for run in reported.values()} == {*REPORTED_DRAWS, *FRESH_DRAWS}
    presets = {run.setting for run in reported.values() if run.spec.seed in FRESH_DRAWS}
    assert presets == {l2ul_frontier.preset_name(name) for name in l2ul_frontier.PRESETS}
    assert {run.spec.seed for run in searched.values()} == set(SEARCH_DRAWS)
    assert not reported.keys() & searched.keys()


def test_a_run_is_recorded_from_the_original_to_its_end(tmp_path: Path) -> None:
    """Following a run changes nothing in it, and each level is noted once, where it is first reached."""
    ((key, run),) = drawn("nearest").items()
    (rows,) = l2ul_draws.measure_missing({key: run}, (), on_test=True, seconds=60, device="cpu", data_dir=tmp_path)
    assert all(tuple(row) == COLUMNS for row in rows)
    (course,) = read(rows)[run.setting, 15].values()
    resolved, problem = tiny_problem(run.spec)
    recorder = ArtifactRecorder()
    resolved.method.forget(problem, resolved.params, recorder)
    left = recorder[StopRule].remaining
    assert (course.steps, course.done) == (len(left) - 1, recorder[StopRule].done)
    ids = torch.from_numpy(resolved.split.retain_test)
    images, labels = resolved.data.images[ids], resolved.data.labels[ids].numpy()
    assert course.points[-1].retain == pytest.approx(
        (logits(problem.model, images).argmax(1) == labels).mean(), abs=1e-4
    )
    assert course.points[0].forget > course.points[-1].forget
    levels = [row["level"] for row in rows[1:-1]]
    assert levels and levels == sorted(set(levels), reverse=True)
    assert all(float(row["forget_train"]) <= float(row["level"]) for row in rows[1:-1])


def test_the_search_gets_no_test_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ((_, run),) = drawn("nearest").items()
    given: list[int] = []

    def noted(resolved: ResolvedRun, model_cache: ModelCache) -> Problem:
        given.append(len(resolved.data.images))
        return build_problem(resolved, model_cache)

    monkeypatch.setattr(l2ul_draws, "build_problem", noted)
    tuned, tested = (
        l2ul_draws.follow(run.spec, ModelCache("cpu", tmp_path), on_test=on_test) for on_test in (False, True)
    )
    card = tiny_problem(run.spec)[0].data.card
    assert given == [card.train + card.val, card.train + card.val + card.test]
    assert [point.forget for point in tuned.points] == [point.forget for point in tested.points]


def test_a_run_that_diverges_has_its_error(tmp_path: Path) -> None:
    runs = drawn("misclassify", guard="none", lr=0.5, frozen_norm=True, stops=False, max_steps=200)
    (rows,) = l2ul_draws.measure_missing(runs, (), on_test=True, seconds=60, device="cpu", data_dir=tmp_path)
    assert "Lower the learning rate" in str(rows[-1]["error"]) and rows[-1]["retain"] == ""
    ((course,),) = [own.values() for own in read(rows).values()]
    assert course.error and course.points and not course.done


def row(
    setting: str, draw: int, step: int, *, left: float, retain: float, level: str = "", end: bool = False
) -> dict[str, str]:
    every = dict.fromkeys(COLUMNS, "") | {"key": f"{setting} {draw}", "setting": setting}
    every |= {"images": "16", "draw": str(draw), "step": str(step), "level": level, "device": "CPU"}
    every |= {"forget_train": str(left), "retain": str(retain)}
    return every | ({"done": "1", "passes": "100"} if end else {})


def run(goal: str, draw: int, retain: float, *, left: float = 0.0) -> list[dict[str, str]]:
    """A run, of a goal with both safeguards or of a preset, that comes from 1 and 0.9 down to these two accuracies."""
    setting = setting_name(goal, "adv-imp") if goal in GOALS else goal
    return [
        row(setting, draw, 0, left=1.0, retain=0.9),
        row(setting, draw, 5, left=left, retain=retain, level=str(left)),
        row(setting, draw, 5, left=left, retain=retain, end=True),
    ]


def test_settings_are_compared_where_both_forget_equally() -> None:
    """The rival stops with a quarter left in one draw, so both are read off there, on the way."""
    rows = [line for draw, gain in enumerate((0.02, 0.03, 0.04)) for line in run("nearest", draw, 0.7 + gain)]
    rows += [line for draw in (0, 1) for line in run("misclassify", draw, 0.6)]
    rows += run("misclassify", 2, 0.7, left=0.25)
    claims = {claim.id: claim for claim in l2ul_comparisons.own_comparisons(rows)}
    own = claims["l2ul-goal-nearest-misclassify"]
    gaps = [
        100 * (0.75 * gain + 0.25 * 0.9 + 0.75 * 0.7 - rival)
        for gain, rival in ((0.02, 0.675), (0.03, 0.675), (0.04, 0.7))
    ]
    assert f"paired difference {mean(gaps):.1f} ± {stdev(gaps) / 3**0.5:.1f}" in own.figures
    assert own.figures.startswith("at 25 % left") and own.finding == "holds"
    assert claims["l2ul-relabel-adv-imp-adv"].finding == "not measured"


def test_the_section_and_the_plot_can_be_made_from_few_rows(tmp_path: Path) -> None:
    rows = [line for name in (*GOALS, "preset nearest") for line in run(name, 0, 0.8)]
    text = l2ul_section.frontier_section(rows)
    assert "**Presets, 16 images of other draws**" in text and "| preset nearest | 1 | 1 |" in text
    assert "`nearest` 80.0 % (0.0 % left, 1 draws)" in l2ul_section.best_sentence(rows)
    assert "**16 images**" in text and "| nearest label, ADV+IMP | 1 | 1 | 85.0 | 80.0 | 0.0 | 80.0 | 5 | 100 |" in text
    assert "Not measured yet" in l2ul_section.frontier_section([])
    for name in ("one.svg", "two.svg", "few.svg"):
        more = [line for draw in range(1, 1 if name == "few.svg" else 3) for line in run("relabel", draw, 0.7)]
        l2ul_plot.write_plot(tmp_path / name, courses([*rows, *more]))
    drawn_lines = {name: "random label" in (tmp_path / name).read_text() for name in ("one.svg", "few.svg")}
    assert drawn_lines == {"one.svg": True, "few.svg": False}
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


@pytest.mark.parametrize(
    ("path", "runs"), [(TABLE, l2ul_frontier.reported), (csv_tables.L2UL_SEARCH, l2ul_search.searched)]
)
def test_the_committed_rows_are_current(path: Path, runs: Callable[[], Mapping[str, DrawnRun]]) -> None:
    """A change of the method would make them outdated: measure with `python -m unlearn_core reproduce`."""
    assert {line["key"] for line in csv_tables.read_table(path)} <= set(runs())


def test_the_figures_of_the_page_are_those_of_the_table() -> None:
    """Recomputed from the CSV alone: retained at the end, and the paired difference of two goals at 0 % left."""
    with TABLE.open(newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["images"] == "16"]
    ends: dict[str, dict[str, tuple[float, float]]] = {}
    for line in lines:
        ends.setdefault(line["setting"], {})[line["draw"]] = float(line["retain"]), float(line["forget_train"])
    first: dict[str, dict[str, float]] = {}
    for line in lines:
        if float(line["forget_train"]) == 0:
            first.setdefault(line["setting"], {}).setdefault(line["draw"], 100 * float(line["retain"]))
    text = l2ul_section.frontier_section(csv_tables.read_tables().frontier)
    for setting, draws in ends.items():
        kept = [100 * value for value, _ in draws.values()]
        shown = f"{mean(kept):.1f}" + (f" ± {stdev(kept) / len(kept) ** 0.5:.1f}" if len(kept) > 1 else "")
        (cells,) = [part.split(" | ") for part in text.splitlines() if part.startswith(f"| {setting} | {len(kept)} |")][
            :1
        ]
        assert cells[6] == shown, setting
    one, other = (first[setting_name(goal, "adv-imp")] for goal in ("nearest", "misclassify"))
    if one.keys() == other.keys() and len(one) > 1:
        gaps = [one[draw] - other[draw] for draw in one]
        assert f"paired difference {mean(gaps):.1f} ± {stdev(gaps) / len(gaps) ** 0.5:.1f}" in text


def test_the_preset_nearest_leaves_no_image_and_keeps_three_quarters() -> None:
    """On five draws that nothing was searched or compared on; its text says what goals differ by."""
    rows = csv_tables.read_tables().frontier
    own = [line for line in rows if line["setting"] == "preset nearest" and line["done"]]
    assert {int(line["draw"]) for line in own} == set(FRESH_DRAWS)
    assert not any(float(line["forget_train"]) for line in own)
    assert mean(float(line["retain"]) for line in own) >= 0.75
    found = {claim.id: claim.figures for claim in l2ul_comparisons.own_comparisons(rows)}
    (points,) = re.findall(r"paired difference (\S+)", found["l2ul-goal-nearest-misclassify"])
    said = l2ul_draws.method("l2ul").presets["nearest"].summary
    assert f"retains about {float(points):.0f} points more than misclassify" in said
