"""Repeating a run from its report, seeds that are still going, and what is shown when they are done."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS, started
from tests.pages.page_asserts import fine, without_words, words
from unlearn_core.charts.drawing.seed_statistics import t_interval
from unlearn_core.charts.report import seeds
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.course import SeedsResult
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.domain.run import Priority, RunState
from unlearn_core.store.files import artifacts
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.pages.history import grouping, page, run_table
from unlearn_core.ui.report import repeats
from unlearn_core.ui.shell import cache


def carried_out(store: RunStore, count: int) -> list[int]:
    """So many repeats of the first run, done: its own files stand in for theirs, with other accuracies."""
    made = store.repeats.submit(store.get(CLASS), count)
    carry_out(store, made)
    return made


def carry_out(store: RunStore, made: list[int]) -> None:
    """Do the same with queued repeats."""
    for place, run in enumerate(made, 1):
        claimed = started(store)
        assert claimed.id == run
        folder = artifacts.run_dir(store.data_dir, run)
        shutil.copytree(artifacts.run_dir(store.data_dir, CLASS), folder, dirs_exist_ok=True)
        result = artifacts.read_result(folder, AccuracyResult)
        assert result is not None
        after = result.scores["after"]
        moved = after["retain_test"].model_copy(update={"accuracy": after["retain_test"].accuracy - 0.01 * place})
        scores = {**result.scores, "after": {**after, "retain_test": moved}}
        artifacts.write_result(folder, AccuracyResult(scores=scores))
        own = {
            m: {name: one.accuracy if one.total else None for name, one in sets.items()} for m, sets in scores.items()
        }
        store.execution.finish(run, claimed.attempt, metrics=store.get(CLASS).metrics.updated(RunMetrics(accuracy=own)))


def test_a_seed_that_ends_while_the_page_reads_the_report_is_shown(
    visit: Visit, done: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report is read without it, and the repeats are asked for afterwards: then nothing is left to wait for."""
    read, queued = cache.report, done.repeats.submit(done.get(CLASS), 2)

    def report(*args: Any) -> Report:
        found = read(*args)
        if done.get(queued[-1]).state is RunState.QUEUED:
            carry_out(done, queued)
        return found

    monkeypatch.setattr(cache, "report", report)
    app = fine(visit("run", id=str(CLASS)))
    assert "Over 3 seeds" in words(app)
    assert "seeds are done" not in words(app)


def test_a_report_offers_more_seeds(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS)))
    assert "Repeat the run from other seeds" in words(app)
    app.session_state["repeat menu"] = True
    app.button(key="repeat").click().run()
    assert app.session_state["repeat menu"] is False, "the menu is closed over the verdicts"
    made = [run for run in done.list_runs(kinds=("unlearn",)) if run.group]
    assert {run.priority for run in made} == {Priority.SWEEP}
    assert sorted(run.spec.seed for run in made if isinstance(run.spec, UnlearnSpec)) == [*range(1, len(made) + 1)]
    assert "1 of " in words(fine(app))
    assert "seeds are done" in words(app)
    app.button(key="cancel-repeats").click().run()
    assert {run.state for run in done.list_runs(kinds=("unlearn",)) if run.group} == {RunState.CANCELLED}
    assert "seeds are done" not in words(fine(app.run()))


def test_the_example_cannot_be_repeated(visit: Visit) -> None:
    app = fine(visit("run", id="example"))
    assert "Repeat the run from other seeds" not in words(app)
    assert "Mean over seeds" not in words(app)


def test_one_seed_alone_shows_nothing_of_seeds(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS)))
    assert seeds.CHART.title not in words(app)
    assert "One seed, one classifier" in words(app)


def test_a_report_shows_the_mean_over_its_seeds(visit: Visit, done: RunStore) -> None:
    made = carried_out(done, 2)
    for run in (CLASS, made[-1]):
        app = fine(visit("run", id=str(run)))
        said = words(app)
        assert seeds.CHART.title in said
        assert "one of 3 seeds" in said
        assert "over seeds, not over images" in said
        assert not without_words(app)
    found = cache.report(CLASS, ("any",))
    table = repeats.interval_table(found).set_index("metric")
    first = done.get(CLASS).metrics.first_accuracy("after", "retain_test")
    assert first is not None
    mean = t_interval([first, first - 0.01, first - 0.02])
    assert table.loc["accuracy, retain set, test", "mean"] == f"{100 * mean.mean:.1f}\N{NO-BREAK SPACE}%"
    assert np.isclose(mean.mean, first - 0.01)


def test_a_seed_that_failed_is_named_and_in_no_mean(visit: Visit, done: RunStore) -> None:
    carried_out(done, 1)
    done.repeats.submit(done.get(CLASS), 1)
    run = started(done)
    done.execution.fail(run.id, run.attempt, "The loss is no longer a *number*.")
    said = words(fine(visit("run", id=str(CLASS))))
    assert (
        f"1 seed failed and is not in the means. Run {run.id} (seed 2): The loss is no longer a \\*number\\*." in said
    )
    assert "one of 2 seeds" in said


def test_seeds_stand_beside_those_of_another_run(visit: Visit, done: RunStore) -> None:
    carried_out(done, 2)
    app = fine(visit("compare", ids="1,2"))
    said = words(app)
    assert seeds.CHART.title in said
    assert "Over 3 seeds" in said
    assert "This run used a single seed." in said
    assert not without_words(app)


def test_seeds_are_one_entry_of_the_history(visit: Visit, done: RunStore) -> None:
    made = carried_out(done, 2)
    app = fine(visit("history"))
    table: Any = app.dataframe[0].value
    assert list(table["run"]) == [f"Run {CLASS}", "Run 2"]
    assert list(table["state"]) == ["● 3 seeds", "● done"]
    figures = [done.get(run).metrics.first_accuracy("after", "retain_test") for run in (CLASS, *made)]
    assert table["retain after"][0] == pytest.approx(100 * np.mean([figure or 0 for figure in figures]))
    tick(app, done, 0)
    assert "**3 runs** will be deleted permanently" in words(app)
    app.button(key="unfold").click().run()
    table = fine(app).dataframe[0].value
    assert list(table["forgotten"]) == ["discs", "↳ seed 0", "↳ seed 1", "↳ seed 2", "3 images"]
    assert list(table["run"])[1:4] == [f"Run {CLASS}", *(f"Run {run}" for run in made)]
    assert table["seed"].fillna(-1).tolist() == [-1, 0, 1, 2, 0]
    for column in ("distance", "seconds"):
        assert table[column][0] == pytest.approx(table[column][1:4].mean()), "the row of a group has the means"


def test_a_group_is_deleted_as_a_whole(visit: Visit, done: RunStore) -> None:
    carried_out(done, 2)
    app = tick(fine(visit("history")), done, 0)
    app.button(key="delete").click().run()
    assert [run.id for run in done.list_runs()] == [2]


def test_a_group_says_how_far_it_is(done: RunStore) -> None:
    first, second = done.repeats.submit(done.get(CLASS), 2)
    assert state(done) == "◔ 1 of 3 seeds"
    done.cancel(first)
    assert state(done) == "◔ 1 of 3 seeds"
    done.cancel(second)
    assert state(done) == "● 1 of 3 seeds, 2 ✕"


def test_trials_of_a_sweep_are_one_entry_without_a_mean(visit: Visit, done: RunStore) -> None:
    spec = done.get(CLASS).spec
    for seed in (5, 6):
        done.submit(spec.model_copy(update={"seed": seed}), title="Forget discs with UNSIR", group="sweep-7")
    table: Any = fine(visit("history")).dataframe[0].value
    assert list(table["run"]) == ["Sweep 7", "Run 2", "Run 1"]
    assert table["state"][0] == "◔ 0 of 2 trials"
    assert table[["retain after", "distance", "seconds", "seed", "preset"]].isna().iloc[0].all()


def test_a_group_of_which_one_is_left_is_a_run_like_any_other(done: RunStore) -> None:
    (run,) = done.repeats.submit(done.get(CLASS), 1)
    (alone,) = grouping.group_runs([one for one in done.listing.briefs(kinds=("unlearn",)) if one.id == run])
    assert not alone.is_group
    assert alone.group is None


def state(store: RunStore) -> str:
    entries = grouping.group_runs(store.listing.briefs(kinds=("unlearn",)))
    return grouping.status_text(next(entry for entry in entries if entry.is_group), run_table.STATES)


def tick(app: AppTest, store: RunStore, *rows: int) -> AppTest:
    """Ticks rows of the folded table, counted from the top."""
    shown = [entry.head for entry in grouping.group_runs(store.listing.briefs(kinds=("unlearn", "gold")))]
    app.session_state[page.table_key(shown)] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    return fine(app.run())


def test_nothing_is_read_twice(done: RunStore, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    carried_out(done, 1)
    cache._store.clear()
    before = cache.report(CLASS, ("any",))
    monkeypatch.setattr(artifacts, "read_part", None)
    again = cache.report(CLASS, ("any",))
    assert len(before[SeedsResult].runs) == 2
    assert again is before
