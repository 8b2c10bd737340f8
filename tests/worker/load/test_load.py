"""Three minutes of thirty visitors, and 50 runs in a row; docs/operations.md has ten minutes and 200 runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worker.faults import kills
from tests.worker.load import class_of_thirty, load, runs_in_a_row
from tests.worker.load.process_usage import Usage, UsageLog, not_flat


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_thirty_visitors_meet_no_error_and_memory_is_flat(tmp_path: Path) -> None:
    found = class_of_thirty.session(3, tmp_path)
    assert found["problems"] == []
    count, _, p95, _ = found["actions"]["all"]
    assert count > 250
    runs = found["runs"]
    assert runs["pressed"] > 30 and 1 < runs["made"] <= 10, "each class was forgotten once, for all who asked for it"
    assert found["other_cores"] > load.IDLE or p95 < load.MOST_SECONDS


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_fifty_runs_in_a_row_leave_nothing_and_memory_is_flat(tmp_path: Path) -> None:
    found = runs_in_a_row.session(50, tmp_path)
    assert found["problems"] == []
    assert found["runs"] == 50


def test_the_published_figures_are_those_that_were_measured() -> None:
    rows = load.read_rows()
    assert load.summary(rows) in kills.DOCS.read_text()
    assert [row["problems"] for row in rows.values()] == [[], []]
    assert rows["class"]["other_cores"] > load.IDLE or rows["class"]["actions"]["all"][2] < load.MOST_SECONDS


def test_growth_counts_after_the_warm_up_and_is_named(tmp_path: Path) -> None:
    log = UsageLog(tmp_path)
    for done in range(10):  # Memory grows until half of the time is over, and files after it.
        log.samples["web"].append((done / 10, Usage(500 + 20 * min(done, 5), 40 if done < 7 else 45, 9 + done % 5)))
    found = log.windows(0.5, 2)
    assert found["web"]["memory"] == [600, 600] and found["web"]["files"] == [40, 45]
    assert not_flat(found) == ["files of the web: from 40 to 45"]


def test_the_processes_of_a_data_folder_are_measured(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print(flush=True); input()", "streamlit"]
    with subprocess.Popen(
        command, env=os.environ | {"UNLEARN_HOME": str(tmp_path)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin and process.stdout
        process.stdout.readline()
        log = UsageLog(tmp_path)
        log.sample(1.0)
        process.stdin.close()
    ((done, usage),) = log.samples["web"]
    assert done == 1.0 and 1 < usage.memory < 100 and usage.files >= 3 and usage.threads == 1
    assert list(log.samples) == ["web"]
