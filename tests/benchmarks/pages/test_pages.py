"""The real server with many visitors: how fast it answers, how late updates come, and that it grows by nothing."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from unlearn_core.benchmarks.pages import bench_pages, in_browser, page_tables
from unlearn_core.benchmarks.pages.example_data import REPORTS, ExampleData
from unlearn_core.benchmarks.pages.many_viewers import open_page, open_repeatedly, wander, watch_page
from unlearn_core.benchmarks.pages.web_server import WebServer
from unlearn_core.domain.sweeps.sweep import SweepState
from unlearn_core.store.files import reports

CLASS = 30
"""Viewers of one run."""
MINUTES = 6.0
"""How long memory is watched."""


@pytest.fixture
def data(tmp_path: Path) -> ExampleData:
    return ExampleData(tmp_path)


@pytest.fixture
def server(data: ExampleData, tmp_path: Path) -> Iterator[WebServer]:
    """A server that has shown its pages once, and starts no worker."""
    with WebServer(tmp_path, worker="none") as started:
        for page in ("", "method?forget=cat", "run?id=1"):
            open_page(started, page, 2)
        yield started


def test_the_example_data_are_runs_reports_and_a_sweep(data: ExampleData, tmp_path: Path) -> None:
    data.add_runs(20)
    sweep = data.add_sweep(5)
    runs = data.store.list_runs()
    assert len(runs) == REPORTS + 20 + 5
    assert len({run.metrics.first_accuracy("after", "retain_test") for run in runs}) > 20, "each has its own numbers"
    assert reports.read(tmp_path, REPORTS).method == "UNSIR"
    assert data.store.sweeps.get(sweep).state is SweepState.DONE
    assert [trial.number for trial in data.store.sweeps.trials(sweep)] == list(range(5))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_pages_are_measured_and_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "pages.md"
    monkeypatch.setattr("sys.argv", ["bench-pages", "--quick", "--trials", "20", "--out", str(out)])
    assert bench_pages.main() == 0
    text = out.read_text()
    for row in ("| start | ", "| method | ", "| report | ", "| history, 500 runs | ", "| 5 | "):
        assert row in text
    assert "`ui/pages/run/live.py _card`" in text


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_thirty_viewers_of_one_run(data: ExampleData, tmp_path: Path) -> None:
    with WebServer(tmp_path) as server:
        open_page(server, "run?id=1", 2)
        with bench_pages.run_in_progress(data.store) as run:
            page = f"run?id={run}"
            open_page(server, page, 2)
            found = watch_page(server, page, CLASS, 15.0)
    print(found._replace(work={}))
    assert found.opened_largest < 3.0
    assert found.update_p95 < 1.0
    assert found.cpu_share < 0.5
    assert found.interval > 1.0, "the more watch, the less often each asks"


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="open files are counted in /dev/fd")
def test_fifty_visits_leave_no_open_files(server: WebServer) -> None:
    before = server.report()["files"]
    open_repeatedly(server, "method?forget=cat", 50)
    assert server.report()["files"] <= before + 6, "two scripts may still be stopping"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_memory_is_level_while_visitors_open_report_after_report(server: WebServer) -> None:
    pages = [f"run?id={number}" for number in range(1, REPORTS + 1)]
    found = wander(server, pages, bench_pages.WANDERERS, 60 * MINUTES)
    print([round(value) for value in found], os.getloadavg())
    assert len(found) > 20
    assert page_tables.growth(found) < 1.1


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(in_browser.chromium() is None, reason="needs a Chromium")
def test_pages_are_measured_in_a_browser(data: ExampleData, tmp_path: Path) -> None:
    """How long they may take on idle cores is in docs/pages.md: here other tests may run beside it."""
    with WebServer(tmp_path, worker="none") as server:
        waits = in_browser.measure(server, {"start": "", "datasets": in_browser.ELSEWHERE, "report": "run?id=1"})
    assert [one.action for one in waits] == ["to start", "to report", "a changed hyperparameter"]
    assert all(0 < one.median <= one.largest < 20 for one in waits)
