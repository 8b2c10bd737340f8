"""What a report hands out as files, and settings that come back in by the history."""

import io
import zipfile
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS, PICTURES
from tests.pages.page_asserts import fine, words
from unlearn_core.__main__ import main
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.store.files import reports
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.shell import cache


def test_a_report_is_handed_out_whole_and_made_once(
    visit: Visit, done: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = fine(visit("run", id=str(CLASS)))
    labels = [button.proto.label for button in app.get("download_button")]
    assert labels[:3] == ["Report as one file (HTML)", "Everything (zip)", "Evidence sheet (zip)"]
    assert "python -m unlearn_core verify FOLDER" in words(app)
    found = cache.report(CLASS, reports.report_version(done.data_dir, CLASS))
    text = cache.html_report(found)
    assert "Did it forget discs?" in text
    with zipfile.ZipFile(io.BytesIO(cache.archive(found))) as file:
        assert file.read("report.html").decode() == text
        assert UnlearnSpec.model_validate_json(file.read("spec.json")) == found.spec
    monkeypatch.setattr("unlearn_core.export.html_report.render_report", None)
    assert cache.html_report(found) == text, "made anew"


def test_the_example_is_handed_out_too(visit: Visit) -> None:
    fine(visit("run", id="example"))
    assert "Did it forget cat?" in cache.html_report(cache.example())


def test_its_evidence_sheet_is_that_of_the_command_line_and_verifies(
    done: RunStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(io.BytesIO(cache.evidence(reports.read(done.data_dir, CLASS)))) as file:
        file.extractall(tmp_path)
    folder = tmp_path / f"evidence-{CLASS}"
    assert main(["verify", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "Nothing differs." in said
    assert "agrees        data/images" in said, "the data set is on this machine"
    assert main(["evidence", str(CLASS), "--out", str(tmp_path / "other")]) == 0
    assert (tmp_path / "other" / "outputs.npz").read_bytes() == (folder / "outputs.npz").read_bytes()


def test_without_all_outputs_there_is_no_evidence_sheet(done: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def script() -> None:
        from tests.pages.finished_runs import CLASS
        from unlearn_core.store.data_folder import open_data_dir
        from unlearn_core.store.files import reports
        from unlearn_core.ui.report import report_downloads

        report_downloads.show(reports.read(open_data_dir(), CLASS))

    monkeypatch.setattr("unlearn_core.ui.report.report_downloads.lost_outputs", lambda report: ["the retrained model"])
    app = fine(AppTest.from_function(script).run())
    states = {one.proto.label: one.proto.disabled for one in app.get("download_button")}
    assert states["Evidence sheet (zip)"]
    assert not states["Everything (zip)"]


def upload(app: AppTest, name: str, data: bytes) -> AppTest:
    kind = "application/zip" if name.endswith("zip") else "application/json"
    return app.file_uploader(key="incoming").upload(name, data, kind).run()


@pytest.mark.parametrize("archived", [False, True])
def test_settings_from_a_file_are_set_up_in_the_lab(visit: Visit, done: RunStore, archived: bool) -> None:
    found = reports.read(done.data_dir, PICTURES)
    data = cache.archive(found) if archived else found.spec.model_dump_json().encode()
    app = upload(fine(visit("history")), "x.zip" if archived else "x.json", data)
    assert fine(app).title[0].value == "How should it forget?"
    assert app.query_params["images"] == "3,7,11"
    assert app.query_params["method"] == "finetune"
    assert len(done.list_runs()) == 2, "nothing is run yet"


def test_they_come_in_where_nothing_was_run_yet(visit: Visit, template) -> None:
    spec = reports.read(template, CLASS).spec
    app = upload(fine(visit("history")), "spec.json", spec.model_dump_json().encode())
    assert fine(app).title[0].value == "How should it forget?"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<script>alert(1)</script>", "neither settings"),
        (b"PK\x03\x04 and nothing else", "cut off"),
        (b'{"request": {"classifier": "tiny"}}', "These are not the settings of a run"),
    ],
)
def test_a_file_that_is_none_is_refused_where_it_was_dropped(
    visit: Visit, store: RunStore, data: bytes, said: str
) -> None:
    app = upload(fine(visit("history")), "x.json", data)
    assert said in words(app)
    assert not app.exception
    assert app.title[0].value == "What has been tried?"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"method": "lost"}, "There is no method called 'lost'"),
        ({"params": {"lost": 1}}, "There is no hyperparameter called 'lost'"),
        ({"params": {"batch": -5}}, "cannot be -5"),
    ],
)
def test_an_unknown_method_or_hyperparameter_is_named(visit: Visit, template, fields: dict, said: str) -> None:
    spec = reports.read(template, CLASS).spec.model_copy(update=fields)
    app = upload(fine(visit("history")), "spec.json", spec.model_dump_json().encode())
    assert said in words(app)
