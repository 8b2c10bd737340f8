"""A report whose outputs were deleted from the data folder: what was measured is shown, and what is missing is said."""

import shutil

import pytest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS
from tests.pages.page_asserts import fine, words
from unlearn_core.charts.chart import SECTIONS, Section
from unlearn_core.store.files import artifacts
from unlearn_core.store.queue.run_store import RunStore


@pytest.mark.parametrize("tab", SECTIONS)
def test_every_tab_shows_what_was_measured(tab: Section, visit: Visit, done: RunStore) -> None:
    shutil.rmtree(done.data_dir / "evaluations")
    shutil.rmtree(artifacts.run_dir(done.data_dir, CLASS) / "evaluations", ignore_errors=True)
    app = fine(visit("run", id=str(CLASS), tab=tab))
    assert "Its outputs are no longer in the data folder." in words(app)
    if tab in ("Overview", "Classes", "Privacy"):
        assert app.get("plotly_chart")
