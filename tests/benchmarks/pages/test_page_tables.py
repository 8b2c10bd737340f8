"""docs/pages.md is made from what was measured, and keeps what was not."""

import pytest

from unlearn_core.benchmarks.pages import page_tables
from unlearn_core.benchmarks.pages.many_viewers import Opened, Watched

WORK = {
    "inside": {"unlearn_core/ui/pages/run/live.py _card": 6, "threading.py run": 8},
    "at": {"json/__init__.py dumps": 6, "re/__init__.py sub": 2},
}
WATCHED = Watched(30, 0.25, 1.5, 0.02, 0.0612, 2.0, 4.3, 0.204, 777.4, 13, WORK)
OPENINGS = {
    "start": {(False, 1): Opened(0.051, 0.06, 18.2, 0.049), (True, 30): Opened(0.5, 0.9, 18.2, 0.06)},
    "history": {(False, 1): Opened(0.1, 0.2, 2_342.0, 0.23)},
}


def test_every_page_has_a_row_with_a_cell_for_each_case() -> None:
    assert page_tables.openings_table(OPENINGS) == [
        "| page | idle, 1 | beside a run, 30 | kB | CPU of the server, s |",
        "|---|---|---|---|---|",
        "| start | 0.05 / 0.06 | 0.50 / 0.90 | 18 | 0.05 |",
        "| history | 0.10 / 0.20 | – | 2,342 | 0.23 |",
    ]


def test_viewers_of_a_run_have_a_row() -> None:
    row = page_tables.watching_table([WATCHED])[-1]
    assert row == "| 30 | 0.25 / 1.50 | 0.02 (0.06) | 2.0 | 4.3 | 20% | 777 | 13 |"


def test_the_profile_has_our_functions_and_where_the_threads_were() -> None:
    rows = page_tables.work_table(WORK)[2:]
    assert rows == [
        "| `ui/pages/run/live.py _card` | 75% | `json/__init__.py dumps` | 75% |",
        "|  |  | `re/__init__.py sub` | 25% |",
    ]


def test_memory_is_judged_from_the_second_minute_on() -> None:
    assert page_tables.growth([100.0] * 12 + [200.0, 210.0]) == pytest.approx(1.05)
    assert page_tables.growth([100.0, 110.0]) == pytest.approx(1.1)


def test_sections_that_were_not_measured_again_are_kept() -> None:
    browser = page_tables.browser_section([page_tables.Wait("to start", 0.21, 0.304)])
    assert browser.endswith("| to start | 0.21 / 0.30 |")
    memory = page_tables.memory_section([700.0, 720.0], 10, 20.0)
    assert "10 visitors opened report after report for 20 minutes" in memory
    text = page_tables.page("Measured here.", 2.34, OPENINGS, [WATCHED], on_request=[browser, memory])
    assert page_tables.former_section(text, page_tables.BROWSER) == browser
    assert page_tables.former_section(text, page_tables.MEMORY) == memory
    assert text.startswith("# How fast the pages are")
    assert "until its first page is complete: 2.3 s." in text
    without = page_tables.page("Measured here.", 2.34, OPENINGS, [WATCHED], on_request=["", ""])
    assert page_tables.former_section(without, page_tables.BROWSER) == ""
    assert without.endswith(" |\n")
