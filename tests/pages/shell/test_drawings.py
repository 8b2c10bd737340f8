"""What is drawn from reports is drawn once for all visitors, and anew once anything changes that it depends on."""

import io
import threading
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import plotly.io
import pytest
from PIL import Image
from streamlit.runtime.caching import get_data_cache_stats_provider
from streamlit.runtime.stats import CacheStat

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS
from tests.pages.page_asserts import fine
from unlearn_core.charts import charts
from unlearn_core.charts.chart import Chart
from unlearn_core.charts.drawing.heatmap_rows import heatmap_rows
from unlearn_core.charts.drawing.selection import Selection
from unlearn_core.charts.drawing.theme import DARK, LIGHT, THEMES, Theme
from unlearn_core.charts.finished.plain_figure import PlainFigure
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.course import TimingsResult
from unlearn_core.domain.results.explanations import CamResult
from unlearn_core.store.files import reports
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.shell import cache, drawings

REPORT = reports.load_example()
ACCURACY = charts()["accuracy"]


class Counted:
    """A chart that counts how often it is drawn."""

    def __init__(self, chart: Chart = ACCURACY) -> None:
        self.drawn: list[str] = []
        self.chart = replace(chart, figure=self._figure)
        self._original = chart.figure

    def _figure(self, found: list[Report], theme: Theme) -> go.Figure:
        self.drawn.append(theme.name)
        return self._original(found, theme)


@pytest.fixture(autouse=True)
def empty() -> None:
    drawings._once.clear()


def test_a_chart_is_drawn_once_and_sent_as_it_would_be() -> None:
    counted = Counted()
    first, second = (drawings.chart(counted.chart, [REPORT], LIGHT) for _ in range(2))
    assert counted.drawn == ["light"]
    assert second.figure is not first.figure, "no visitor can change what another one sees"
    original = PlainFigure.of(ACCURACY.figure([REPORT], LIGHT))
    assert plotly.io.to_json(second.figure, validate=False) == plotly.io.to_json(original, validate=False)
    assert (second.summary, second.alt) == (ACCURACY.summary(REPORT), ACCURACY.alt_text(REPORT))


def test_another_theme_variant_or_report_is_another_drawing() -> None:
    counted = Counted()
    for theme in THEMES.values():
        drawings.chart(counted.chart, [REPORT], theme)
    drawings.chart(replace(counted.chart, id="accuracy-other"), [REPORT], LIGHT)
    drawings.chart(counted.chart, [REPORT, REPORT], LIGHT)
    assert counted.drawn == ["light", "dark", "light", "light"]


def changed_reports() -> dict[str, Report]:
    """The same run with one thing changed."""
    cam = REPORT.parts[CamResult.part]
    maps = {name: array + (name == "before") for name, array in cam.arrays.items()}
    before = REPORT.evaluations["before"]
    return {
        "part removed": replace(REPORT, parts={name: part for name, part in REPORT.parts.items() if name != "timings"}),
        "facts": REPORT.with_result(REPORT[TimingsResult].model_copy(update={"images": 1})),
        "arrays": replace(REPORT, parts={**REPORT.parts, CamResult.part: cam._replace(arrays=maps)}),
        "model": replace(REPORT, evaluations={**REPORT.evaluations, "before": before._replace(weights="other")}),
        "images of a model": replace(
            REPORT, evaluations={**REPORT.evaluations, "before": before._replace(evaluated=REPORT.labels > 0)}
        ),
        "pending": replace(REPORT, pending=("membership",)),
        "missing": replace(REPORT, missing={**REPORT.missing, "gold": "Not yet."}),
        "labels": replace(REPORT, labels=np.roll(REPORT.labels, 1)),
        "run": replace(REPORT, run=12),
        "seed": replace(REPORT, spec=REPORT.spec.model_copy(update={"seed": 5})),
        "class names": replace(
            REPORT, dataset=REPORT.dataset.model_copy(update={"classes": REPORT.dataset.classes[::-1]})
        ),
    }


@pytest.mark.parametrize("what", list(changed_reports()))
def test_a_report_that_changed_is_drawn_anew(what: str) -> None:
    counted, changed = Counted(), changed_reports()[what]
    for report in (REPORT, changed, REPORT, changed):
        drawings.chart(counted.chart, [report], LIGHT)
    assert len(counted.drawn) == 2


def test_the_same_report_read_again_is_not_drawn_again() -> None:
    counted = Counted()
    for report in (
        REPORT,
        reports.load_example(),
        replace(REPORT, parts={name: REPORT.parts[name] for name in sorted(REPORT.parts, reverse=True)}),
    ):
        drawings.chart(counted.chart, [report], LIGHT)
    assert len(counted.drawn) == 1


def test_panels_are_drawn_once_for_all_selections() -> None:
    counted = Counted(charts()["classes"])
    pair = [REPORT, replace(REPORT, run=12)]
    cat = Selection(label="cat")
    plain, selected, again = (
        drawings.chart_per_report(counted.chart, pair, LIGHT, one) for one in (Selection(), cat, cat)
    )
    assert len(counted.drawn) == 1
    shapes = [len(figures[0].to_dict()["layout"].get("shapes", ())) for figures in (plain, selected, again)]
    assert shapes[1] == shapes[2] > shapes[0]
    drawings.chart_per_report(counted.chart, pair, DARK, cat)
    assert len(counted.drawn) == 2


def test_heat_maps_are_blended_once_for_each_result(monkeypatch: pytest.MonkeyPatch) -> None:
    blended: list[CamResult | None] = []
    monkeypatch.setattr(drawings, "heatmap_rows", lambda report, cam: blended.append(cam) or heatmap_rows(report, cam))
    own, one = REPORT[CamResult], REPORT[CamResult].only(0)
    rows = [drawings.heatmaps(REPORT, cam) for cam in (None, None, one, one, own.only(1))]
    assert [len(row) for row in rows] == [len(own.images)] * 2 + [1, 1, 1]
    assert len(blended) == 3
    with Image.open(io.BytesIO(rows[0][0].cells[1].file)) as shown:
        drawn = heatmap_rows(REPORT)[0].cells[1].image
        assert shown.size == drawn.shape[1::-1]
        assert np.abs(np.asarray(shown).astype(int) - drawn).mean() < 2
    pair = [("first", REPORT, one), ("second", REPORT, own.only(1))]
    aligned = [drawings.aligned_heatmaps(found) for found in (pair, pair, pair[::-1])]
    assert aligned[0] == aligned[1] != aligned[2]


def test_visitors_who_come_at_once_wait_for_one_drawing() -> None:
    started, drawn = threading.Barrier(6), []

    def make() -> int:
        drawn.append(threading.get_ident())
        return len(drawn)

    found: list[int] = []

    def visit() -> None:
        started.wait()
        found.append(drawings.once(make, "at once"))

    visitors = [threading.Thread(target=visit) for _ in range(6)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert found == [1] * 6


def held_bytes() -> int:
    """What all drawings take in memory."""
    found = get_data_cache_stats_provider().get_stats()
    every = [one for stats in found.values() for one in stats if isinstance(one, CacheStat)]
    return sum(one.byte_length for one in every if one.cache_name.endswith("._once"))


def test_drawings_take_a_limited_share_of_memory() -> None:
    size = 8 << 20
    for number in range(20):
        drawings.once(lambda: bytes(size), str(number))
        drawings.once(lambda: pytest.fail("what is shown again and again stays"), "0")
    assert 100 << 20 < held_bytes() <= 128 << 20


def test_a_second_visitor_of_a_report_draws_nothing(
    visit: Visit, done: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    keep = PlainFigure.of
    monkeypatch.setattr(PlainFigure, "of", lambda figure: drawn.append("") or keep(figure))
    first = fine(visit("run", id=str(CLASS), tab="Inside"))
    count = len(drawn)
    assert count == len(first.get("plotly_chart")) > 3
    second = fine(visit("run", id=str(CLASS), tab="Inside"))
    assert len(drawn) == count
    assert [one.proto.spec for one in second.get("plotly_chart")] == [
        one.proto.spec for one in first.get("plotly_chart")
    ]
    cache._report.clear()
    reports.write(cache.report(CLASS, ("any",)).with_result(_slower(done)), done.data_dir / "runs" / str(CLASS))
    fine(visit("run", id=str(CLASS), tab="Inside"))
    assert len(drawn) == 2 * count


def _slower(done: RunStore) -> TimingsResult:
    timings = reports.read(done.data_dir, CLASS)[TimingsResult]
    return timings.model_copy(update={"images": timings.images + 1})
