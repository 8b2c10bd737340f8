"""The run page in each of its states, and from one to the next."""

import json
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Visit, turn
from tests.pages.finished_runs import CLASS, PICTURES, advance, by_class, by_picture, started
from tests.pages.lab import gallery_steps
from tests.pages.page_asserts import fine, without_words, words
from unlearn_core.charts import charts, section_charts
from unlearn_core.charts.chart import SECTIONS, Section
from unlearn_core.charts.privacy.member_scores import is_member_only_after, list_member_scores, reference_model
from unlearn_core.domain.errors import NotFoundError
from unlearn_core.domain.jobs import ExplainSpec, MeasureSpec, TrainGoldSpec
from unlearn_core.domain.run import Priority, RunState
from unlearn_core.domain.sweeps.sweep import sweep_group
from unlearn_core.engine.execute import execute_job, unlearn
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.store.files import artifacts, reports
from unlearn_core.store.queue.run_store import RunStore


def submitted(store: RunStore, name: str = "discs") -> int:
    return store.submit(by_class(name), title=f"Forget {name} with UNSIR")


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def progress(app: AppTest) -> list[tuple[int, str]]:
    return [(bar.proto.value, bar.proto.text) for bar in app.get("progress")]


def pick(app: AppTest) -> int:
    """Clicks the first image of the gallery, and gives its number."""
    key = f"look-gallery-{CLASS}"
    image = gallery_steps.listed(app, key)[0]
    gallery_steps.pick(app, image, key=key)
    return image


# No run to show.


def test_without_any_run_there_is_a_next_step(visit: Visit) -> None:
    app = fine(visit("run"))
    assert app.title[0].value == "Nothing has been run yet"
    assert "id" not in app.query_params
    app.button(key="to-forget").click().run()
    assert fine(app).title[0].value == "What should it forget?"


@pytest.mark.parametrize("wanted", ["99", "0", "-99", "1e3", "x", "٣", "1" * 40, "<b>"])
def test_an_unknown_run_is_said_to_be_unknown(wanted: str, visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=wanted))
    assert app.title[0].value == "There is no such run"
    assert "History" not in words(app)
    app.button(key="to-history").click().run()
    assert fine(app).title[0].value == "What has been tried?"
    with pytest.raises(NotFoundError):
        done.get(99)


def test_without_an_id_the_latest_run_is_shown_and_named_in_the_address(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run"))
    assert app.query_params["id"] == str(PICTURES)
    assert app.title[0].value == "Forget *3 images* with Fine-tune"


def test_without_an_id_cancelled_runs_and_trials_of_a_sweep_are_passed_over(visit: Visit, done: RunStore) -> None:
    done.cancel(submitted(done))
    done.submit(by_class(), title="a trial", group=sweep_group(1))
    assert fine(visit("run")).query_params["id"] == str(PICTURES)


def test_without_an_id_the_run_looked_at_last_comes_back(visit: Visit, done: RunStore) -> None:
    app = visit("run", id=str(CLASS))
    turn(app, "history")
    app.query_params.clear()
    turn(app, "run")
    assert app.query_params["id"] == str(CLASS)
    assert fine(app).title[0].value == "Forget *discs* with UNSIR"


def test_parameters_of_the_lab_do_not_stay_in_the_address(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", classifier="tiny", forget="rows"))
    assert dict(app.query_params) == {"id": str(PICTURES)}


def test_the_run_that_ships_has_an_address(visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "EXAMPLE_DIR", tmp_path / "example")
    unlearn(by_class(), device="cpu", data_dir=tmp_path / "elsewhere", out=tmp_path / "example")
    app = fine(visit("run", id="example"))
    assert app.title[0].value == "Forget *discs* with UNSIR"
    assert app.caption[0].value.startswith("A finished run, bundled with the lab")
    assert "retrained" not in " ".join(labels(app)).lower()
    fine(visit("run", id="example", tab="Images"))


# A run that waits or works.


def test_a_waiting_run_knows_its_place_and_whether_anybody_works(visit: Visit, store: RunStore) -> None:
    first, second = submitted(store, "rows"), submitted(store)
    app = fine(visit("run", id=str(second)))
    assert "Queued: 1 run before this one" in words(app)
    assert [link.proto.label for link in app.get("page_link")][:1] == [f"Run {first}: {store.get(first).title}"]
    assert "No worker is running" in words(app)
    store.execution.worker_heartbeat("w", device="cpu", pid=1, code="c", state="busy")
    app.run()
    assert "as soon as a worker is free" in words(fine(app))
    store.cancel(first)
    app.run()
    assert "Queued: it is next." in words(fine(app))


def test_where_no_worker_is_started_it_is_said_how_to_start_one(visit: Visit, store: RunStore) -> None:
    app = visit("run", id=str(submitted(store)))
    assert "No worker is running" in app.warning[0].value
    assert app.code[0].value == "python -m unlearn_core worker"


def test_a_waiting_run_is_cancelled_at_once(visit: Visit, store: RunStore) -> None:
    number = submitted(store)
    app = visit("run", id=str(number))
    app.button(key=f"cancel-{number}").click().run()
    assert store.get(number).state is RunState.CANCELLED
    assert "stopped before its first step" in words(fine(app))
    assert "Change and run again" in labels(app)


def test_a_running_run_shows_its_real_steps(visit: Visit, store: RunStore) -> None:
    number = submitted(store)
    run = started(store)
    app = fine(visit("run", id=str(number)))
    assert app.caption[0].value.startswith(f"Run {number} · running on CPU · started ")
    assert app.title[0].value == "Forget *discs* with UNSIR"
    assert "estimated once the first steps are done" in words(app)

    advance(store, run, 7)
    app.run()
    assert progress(fine(app)) == [
        (100, "**Noise** · done in 1.9 s"),
        (70, "**Impair** · step 7 of 10 · 812 images/s"),
        (0, "**Repair** · about 3 s"),
    ]
    assert "About 3 s of training left" in words(app)
    assert "retained images but none of the 100 forget images." in words(app)
    assert not without_words(app)

    advance(store, run, 8)
    app.run()
    assert "step 8 of 10" in progress(app)[1][1]


def test_no_time_is_promised_before_enough_steps(visit: Visit, store: RunStore) -> None:
    number = submitted(store)
    run = started(store)
    store.execution.heartbeat(run.id, run.attempt)
    app = visit("run", id=str(number))
    assert not [text for _, text in progress(app) if "about" in text]
    assert "left" not in words(app)


def test_cancelling_is_seen_until_the_worker_has_stopped(visit: Visit, store: RunStore) -> None:
    number = submitted(store)
    run = started(store)
    advance(store, run, 4)
    app = visit("run", id=str(number))
    app.button(key=f"cancel-{number}").click().run()
    assert store.get(number).cancelling
    button = app.button(key=f"cancel-{number}")
    assert (button.label, button.disabled) == ("Cancelling", True)
    store.execution.mark_cancelled(number, run.attempt)
    app.run()
    assert "stopped after 14 of 40 steps" in words(fine(app))


def test_a_failed_run_gives_its_reason_and_can_be_changed_or_repeated(visit: Visit, store: RunStore) -> None:
    number = submitted(store)
    run = started(store)
    app = visit("run", id=str(number))
    store.execution.fail(number, run.attempt, "The loss is no longer a number. Lower the rate, then *run* again.")
    app.run()
    assert "The loss is no longer a number" in words(fine(app))
    assert "\\*run\\*" in words(app)
    app.button(key="same").click().run()
    again = store.list_runs(limit=1)[0]
    assert (again.id, again.spec) == (number + 1, run.spec)
    assert app.query_params["id"] == str(again.id)

    app = visit("run", id=str(number))
    app.button(key="again").click().run()
    assert app.title[0].value == "How should it forget?"
    assert app.query_params["forget"] == "discs"


def test_the_page_of_a_run_that_is_deleted_meanwhile_says_so(visit: Visit, store: RunStore) -> None:
    number = submitted(store)
    app = visit("run", id=str(number))
    store.cancel(number)
    store.delete(number)
    app.run()
    assert fine(app).title[0].value == "There is no such run"


# A run that is done.


def test_a_run_turns_into_its_report(visit: Visit, done: RunStore, home: Path) -> None:
    number = submitted(done)
    run = started(done)
    app = visit("run", id=str(number))
    assert "Current stage" in words(app)
    done.execution.finish(number, run.attempt, metrics=execute_job(run, ModelCache("cpu", home), NullListener()))
    app.run()
    assert charts()["accuracy"].title in words(fine(app))
    assert f"Run {number} · finished " in app.caption[0].value


HEADINGS: dict[Section, set[str]] = {
    "Images": {"Explore any image"},
    "Privacy": {"Forget images by membership probability"},
    "How it went": {"Noise images"},
    "Details": {"Reproduce this run", "All accuracies", "Timings", "Settings"},
}
"""What stands in a section besides its charts."""
OF_THIS_RUN = {"noise"}
"""Optional charts that this run has."""


@pytest.mark.parametrize("tab", SECTIONS)
def test_a_tab_shows_every_chart_of_its_section_and_no_other(tab: Section, visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS), tab=tab))
    shown = [chart for chart in section_charts(tab) if not chart.optional or chart.id in OF_THIS_RUN]
    captions = [caption.value for caption in app.caption]
    assert all(captions.count(chart.question) == 1 for chart in shown), "each question stands once"
    titles = {chart.title for chart in shown}
    assert titles | HEADINGS.get(tab, set()) <= {heading.value for heading in app.header}
    others = {chart.title for chart in charts().values()} - titles
    assert not others & {heading.value for heading in app.header}
    assert not without_words(app)


def test_the_verdict_stands_first_with_what_it_does_not_prove(visit: Visit, done: RunStore) -> None:
    said = words(fine(visit("run", id=str(CLASS))))
    assert said.count("-badge[") == 3
    assert "does not prove" in said
    assert "No warning:" in said or ":material/flag:" in said
    for model in ("before", "after", "retrained"):
        assert f"**{model}**" in said
    assert "There is no retrained model" not in said


def test_a_report_is_handed_on(visit: Visit, done: RunStore) -> None:
    app = visit("run", id=str(CLASS), tab="Details")
    commands = [code.value for code in app.code]
    assert any("--classifier tiny --forget-classes discs --method unsir" in command for command in commands)
    offered = {button.key: button for button in app.get("download_button")}
    assert {"get-weights", "get-spec", "get-figures"} <= offered.keys()
    app.button(key="again").click().run()
    assert fine(app).title[0].value == "How should it forget?"
    assert (app.query_params["classifier"], app.query_params["forget"]) == ("tiny", "discs")


def test_validation_stands_under_details(visit: Visit, done: RunStore) -> None:
    app = visit("run", id=str(CLASS), tab="Details")
    table = app.dataframe[0].value
    assert list(table.columns) == ["set", "before", "after", "retrained", "of"]
    assert list(table["set"])[1] == "forget set, validation"
    assert table.loc[1, "of"] == "20"
    spec = json.loads(app.json[0].value)
    assert spec["method"] == "unsir"


def test_a_report_whose_files_are_gone_says_so(visit: Visit, done: RunStore, home: Path) -> None:
    shutil.rmtree(artifacts.run_dir(home, CLASS))
    app = fine(visit("run", id=str(CLASS)))
    assert "There is no report in" in words(app)
    assert "Run again unchanged" in labels(app)


def test_images_that_are_members_after_and_not_for_gold(visit: Visit, done: RunStore, home: Path) -> None:
    report = reports.read(home, CLASS)
    found, other = list_member_scores(report), reference_model(report)
    only = [one for one in found if is_member_only_after(one, other)]
    app = fine(visit("run", id=str(CLASS), tab="Privacy"))
    gallery, first = f"recognised-{CLASS}", found[0].image
    assert gallery_steps.listed(app, gallery) == [one.image for one in found]
    said = gallery_steps.labels(app, gallery)[0]
    assert f" {first} after " in said and "retrained" in said
    app.segmented_control(key="recognised-which").set_value("only").run()
    shown = gallery_steps.listed(app, gallery) if only else []
    assert shown == [one.image for one in only]
    app.segmented_control(key="recognised-which").set_value("all").run()
    assert app.button(key="recognised-forget").disabled
    fine(gallery_steps.pick(app, first, key=gallery).button(key="recognised-forget").click().run())
    assert app.title[0].value == "What should it forget?" and app.query_params["images"] == str(first)
    former = fine(
        visit("run", id=str(CLASS), tab="Privacy", **{"recognised-which": f"After and not gold: {len(only)}"})
    )
    assert former.session_state["recognised-which"] == "only"
    if not only:
        sentence = "No image is classified as a member only after unlearning, and not for the retrained model."
        assert sentence in words(former)


# The retrained model.


def test_a_missing_gold_can_be_ordered_and_arrives_by_itself(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(PICTURES)))
    assert "There is no retrained model for this request yet" in words(app)
    assert "gold --classifier tiny --forget-images 3,7,11" in [code.value for code in app.code][-1]
    app.button(key="train-gold").click().run()
    (gold,) = done.list_runs(kinds=("gold",))
    assert gold.spec == TrainGoldSpec(request=by_picture().request)
    assert gold.priority is Priority.BACKGROUND
    assert "The retrained model is being trained." in words(fine(app))
    assert "train-gold" not in [button.key for button in app.button]

    run = started(done, kinds=frozenset({"gold"}))
    advance(done, run, 6)
    app.run()
    assert any("step 16 of 40" in text for _, text in progress(app))
    done.execution.fail(run.id, run.attempt, "The disk is full.")
    app.run()
    assert f"run {run.id}, failed: The disk is full" in words(fine(app))


def test_gold_that_comes_later_completes_the_report(visit: Visit, done: RunStore, home: Path) -> None:
    app = visit("run", id=str(PICTURES))
    warm = ModelCache("cpu", home)
    done.submit(TrainGoldSpec(request=by_picture().request), title="Gold", priority=Priority.BACKGROUND)
    run = started(done, kinds=frozenset({"gold"}))
    done.execution.finish(run.id, run.attempt, metrics=execute_job(run, warm, NullListener()))
    (measure,) = done.list_runs(kinds=("measure",))
    assert measure.spec == MeasureSpec(run=PICTURES)
    app.run()
    assert "The report is being completed" in words(fine(app))
    assert app.title[0].value == "Forget *3 images* with Fine-tune"
    measure = started(done, kinds=frozenset({"measure"}))
    done.execution.finish(measure.id, measure.attempt, metrics=execute_job(measure, warm, NullListener()))
    app.run()
    said = words(fine(app))
    assert "no retrained model" not in said.lower()
    assert "being completed" not in said

    golds = fine(visit("run", id=str(run.id)))
    assert golds.title[0].value == "Retrain without *3 images*"
    assert f"Run {PICTURES}:" in golds.get("page_link")[0].proto.label
    behind = fine(visit("run", id=str(measure.id)))
    assert behind.title[0].value == "Forget *3 images* with Fine-tune"


# The explanation of an image.


def test_a_click_on_an_image_queues_an_explanation(visit: Visit, done: RunStore, home: Path) -> None:
    app = fine(visit("run", id=str(CLASS), tab="Images"))
    picture = pick(app)
    (asked,) = done.list_runs(kinds=("look",))
    target = reports.read(home, CLASS).labels[picture]
    assert asked.spec == ExplainSpec(run=CLASS, picture=picture, target=int(target))
    assert "Computing" in words(fine(app))
    before = len(app.get("image"))

    run = started(done, kinds=frozenset({"look"}))
    done.execution.finish(run.id, run.attempt, metrics=execute_job(run, ModelCache("cpu", home), NullListener()))
    app.run()
    assert "Computing" not in words(fine(app))
    assert len(app.get("image")) == before + 6

    app.selectbox(key=f"look-target-{picture}").set_value(0).run()
    assert done.list_runs(kinds=("look",))[0].spec == ExplainSpec(run=CLASS, picture=picture, target=0)
    app.selectbox(key=f"look-target-{picture}").set_value(int(target)).run()
    assert len(done.list_runs(kinds=("look",))) == 2


def test_an_explanation_at_another_layer_by_another_algorithm(visit: Visit, done: RunStore, home: Path) -> None:
    app = fine(visit("run", id=str(CLASS), tab="Images"))
    picture = pick(app)
    target = int(reports.read(home, CLASS).labels[picture])
    layers = app.selectbox(key="look-layer")
    assert layers.options == ["stem", "body (default)"], "only layers that have maps are offered"
    layers.set_value("stem").run()
    app.selectbox(key="look-algorithm").set_value("eigencam").run()
    asked = done.list_runs(kinds=("look",))[0]
    assert asked.spec == ExplainSpec(run=CLASS, picture=picture, target=target, layer="stem", algorithm="eigencam")
    while (run := started(done, kinds=frozenset({"look"}))).id != asked.id:
        done.execution.mark_cancelled(run.id, run.attempt)
    done.execution.finish(run.id, run.attempt, metrics=execute_job(run, ModelCache("cpu", home), NullListener()))
    app.run()
    assert "whatever the class" in words(fine(app))


def test_an_explanation_that_fails_says_why_and_is_not_repeated_automatically(visit: Visit, done: RunStore) -> None:
    app = visit("run", id=str(CLASS), tab="Images")
    pick(app)
    run = started(done, kinds=frozenset({"look"}))
    done.execution.fail(run.id, run.attempt, "The weights are gone.")
    app.run()
    app.run()
    assert [element.value for element in app.error] == ["The weights are gone."]
    assert len(done.list_runs(kinds=("look",))) == 1
