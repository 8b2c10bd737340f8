"""A report that is not complete: what is there is shown, the rest has its place, and how it ended is said."""

import io
import zipfile

import pytest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS
from tests.pages.lab import gallery_steps
from tests.pages.page_asserts import fine, without_words, words
from tests.pages.report.pending_runs import ALL_PENDING, begin, write
from unlearn_core.charts import charts
from unlearn_core.charts.chart import SECTIONS, Section
from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.report import NOT_YET
from unlearn_core.domain.run import RunState
from unlearn_core.export.archive import build_archive
from unlearn_core.export.evidence.evidence_folder import evidence_files
from unlearn_core.export.model_card import render_model_card
from unlearn_core.export.report_file import report_html
from unlearn_core.probes import probes
from unlearn_core.store.files import reports
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.server.urls import IDS_PARAM


def test_the_verdict_is_shown_and_the_rest_comes_to_it(visit: Visit, done: RunStore) -> None:
    run = begin(done)
    app = fine(visit("run", id=str(run.id)))
    said = words(app)
    assert said.count("-badge[") == 3 and f"Run {run.id} · being measured" in said
    assert "Current stage" not in said and "membership inference may add" in said
    coming = said.split("Still to come:")[1].split("\n")[0]
    assert all(probes()[name].title in coming for name in ("predictions", "confusion", "cam"))
    assert "and 4 more" in coming
    assert charts()["accuracy"].title in said and len(app.get("plotly_chart")) > 0
    assert said.count(NOT_YET) >= 2
    assert app.button(key=f"cancel-{run.id}").label == "Cancel"
    offered = {button.key for button in app.button} | {button.key for button in app.get("download_button")}
    assert not offered & {"compare", "repeat", "get-report"}, "these wait for the whole report"

    assert not app.get("image"), "the heat maps are to come"
    write(done, run.id, ("logits", "timings"))
    app.run()
    coming = words(fine(app)).split("Still to come:")[1].split("\n")[0]
    assert coming.endswith(f"{probes()['logits'].title} and retained training images]")
    assert len(app.get("image")) == 4, "one image as each model sees it"

    write(done, run.id, ())
    done.execution.finish(run.id, run.attempt, metrics=done.get(CLASS).metrics)
    app.run()
    assert "Still to come" not in words(fine(app)) and "finished " in app.caption[0].value
    assert {"compare", "repeat"} <= {button.key for button in app.button}


@pytest.mark.parametrize("tab", [tab for tab in SECTIONS if tab != "Overview"])
def test_every_tab_has_a_place_for_what_is_still_to_come(tab: Section, visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(begin(done).id), tab=tab))
    assert not without_words(app)
    captions = [caption.value for caption in app.caption]
    expected = {"Images": "cam", "Classes": "confusion", "Privacy": "membership", "Inside": "cka"}
    if tab in expected:
        assert charts()[expected[tab]].question in captions and NOT_YET in captions
    assert not any((button.key or "").startswith("measure-") for button in app.button)
    assert not gallery_steps.keys(app)


@pytest.mark.parametrize(
    ("end", "words_of_it"),
    [
        (lambda store, run: store.execution.mark_cancelled(run.id, run.attempt), "was cancelled after its verdict"),
        (lambda store, run: store.execution.fail(run.id, run.attempt, "ValueError: no *room*."), "no \\*room\\*."),
    ],
    ids=["cancelled", "failed"],
)
def test_a_run_that_ends_before_all_is_measured_keeps_its_verdict(
    end, words_of_it, visit: Visit, done: RunStore
) -> None:
    run = begin(done)
    end(done, run)
    app = fine(visit("run", id=str(run.id)))
    said = words(app)
    assert words_of_it in said and "The report is not complete. Not measured:" in said
    assert f"{probes()['logits'].title} and retained training images" in said
    assert said.count("-badge[") == 4 and "Still to come" not in said
    assert "compare" not in {button.key for button in app.button}
    app.button(key="same").click().run()
    assert done.list_runs(limit=1)[0].spec == run.spec and done.list_runs(limit=1)[0].id == run.id + 1


def test_the_live_view_gives_way_to_the_report(visit: Visit, done: RunStore) -> None:
    run = begin(done, ALL_PENDING)
    head = done.data_dir / "runs" / str(run.id) / "report.json"
    head.rename(head.with_suffix(".later"))
    app = fine(visit("run", id=str(run.id)))
    assert "Current stage" in words(app)
    head.with_suffix(".later").rename(head)
    app.run()
    assert "Still to come" in words(fine(app))


def test_other_pages_wait_for_the_whole_report(visit: Visit, done: RunStore) -> None:
    run = begin(done)
    assert f"Run {run.id} is not finished yet" in words(fine(visit("compare", **{IDS_PARAM: f"{CLASS},{run.id}"})))
    assert done.get(run.id).state is RunState.RUNNING


def test_a_file_made_of_it_says_that_it_is_not_complete(done: RunStore) -> None:
    run = begin(done)
    report = reports.read(done.data_dir, run.id)
    page = report_html([report])
    assert "This report is not complete" in page and NOT_YET in page
    assert "Not all was measured yet" in render_model_card(report)
    with zipfile.ZipFile(io.BytesIO(build_archive([report], page=page, weights=[None]))) as file:
        file.extractall(done.data_dir / "elsewhere")
    with pytest.raises(StoreError, match="not complete, so it is no evidence"):
        evidence_files(report, None)
    again = reports.read_folder(done.data_dir / "elsewhere" / "report")
    assert again.pending == report.pending and not again.evaluations["after"].covers(again.split.retain_train)
