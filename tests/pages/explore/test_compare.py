"""Runs side by side: from the history, from an address, and where there is nothing to compare."""

import json
import shutil

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import ROOT, Visit, turn
from tests.pages.finished_runs import CLASS, PICTURES, by_class, made_again
from tests.pages.lab import gallery_steps
from tests.pages.page_asserts import fine, without_words, words
from tests.pages.test_history import tick
from tests.store.specs import sql
from unlearn_core.charts.text import ranking_words
from unlearn_core.domain.jobs import ExplainSpec, TrainGoldSpec, UnlearnSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.store.files import artifacts, reports, shipped_runs
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.pages.compare import page, run_picker


def test_without_two_runs_of_ones_own_two_that_ship_are_compared(visit: Visit, done: RunStore) -> None:
    assert fine(visit("compare")).multiselect(key="compared").value == []
    done.delete(PICTURES)
    app = fine(visit("compare"))
    shipped = [shipped_runs.named(name).id for name in run_picker.FIRST_COMPARED]
    assert app.multiselect(key="compared").value == shipped
    assert "UNSIR · shipped run 2 forgets most like the retrained model" in words(app)
    app = fine(visit("compare", ids=f"{CLASS},-2"))
    assert app.multiselect(key="compared").value == [CLASS, -2], "own runs and shipped ones go together"


def test_ticked_runs_are_laid_side_by_side(visit: Visit, done: RunStore) -> None:
    app = visit("history")
    assert app.button(key="compare").disabled
    tick(app, done, 1)
    assert app.button(key="compare").disabled, "one alone has nothing to stand beside"
    tick(app, done, 0, 1)
    app.button(key="compare").click().run()
    assert fine(app).title[0].value == "Which did better?"
    assert app.query_params["ids"] == f"{CLASS},{PICTURES}"
    assert app.multiselect(key="compared").value == [CLASS, PICTURES]
    said = words(app)
    assert "These runs have different forget sets" in said
    assert "Settings that differ" in said
    assert table(app, "setting")["setting"].tolist()[:2] == ["Method", "Forget set"]
    assert list(table(app, "metric").columns) == ["metric", "UNSIR", "Fine-tune"]
    assert "**Fine-tune** compared with **UNSIR**:" in said
    assert len(app.get("plotly_chart")) == 3 + 3, "two charts of the first tab, a figure a run; one has no gold"
    assert not without_words(app)


def test_the_page_says_first_who_did_better_and_what_is_chance(visit: Visit, done: RunStore) -> None:
    spec = done.get(CLASS).spec
    assert isinstance(spec, UnlearnSpec)
    other = made_again(done, spec=spec.model_copy(update={"seed": 1}))
    app = fine(visit("compare", ids=f"{CLASS},{other}"))
    said = words(app)
    assert f"UNSIR · runs {CLASS} and {other} differ only in their seed. Two seeds: this is chance." in said
    assert set(table(app, "question")["better"]) == {ranking_words.ONLY_SEEDS}
    assert "Forgetting, retaining and time: chance" in app.main.markdown[0].value, "nothing comes before it"
    app = fine(visit("compare", ids=f"{CLASS},{PICTURES}"))
    winners = table(app, "question")
    for row, criterion in enumerate(("Forgetting", "Retaining", "Time")):
        assert f"{criterion}: {winners['better'][row]}" in words(app), "a card says what its row says"
    assert winners["better"].tolist()[0] == "cannot tell"
    assert "has no retrained model yet" in words(app)
    assert not without_words(app)


def test_a_run_whose_row_is_damaged_is_named_and_the_others_are_compared(visit: Visit, done: RunStore) -> None:
    spec = done.get(CLASS).spec
    assert isinstance(spec, UnlearnSpec)
    other = made_again(done, spec=spec.model_copy(update={"seed": 1}))
    sql(done.data_dir, "UPDATE run SET headline = '{' WHERE id = ?", other)
    app = fine(visit("compare", ids=f"{CLASS},{PICTURES},{other}"))
    assert f"Cannot be read: Run {other}. The page of the run says why." in words(app)
    assert list(table(app, "metric").columns) == ["metric", "UNSIR", "Fine-tune"]


def test_an_address_is_enough_and_what_it_has_wrong_is_said(visit: Visit, done: RunStore) -> None:
    app = fine(visit("compare", ids=f"{CLASS},99,x,{PICTURES}"))
    assert "There is no run 99." in words(app)
    assert app.multiselect(key="compared").value == [CLASS, PICTURES]


def test_a_report_is_the_first_of_those_to_compare(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS)))
    app.button(key="compare").click().run()
    assert fine(app).title[0].value == "Which did better?"
    assert app.multiselect(key="compared").value == [CLASS]


def test_a_run_that_the_list_has_no_room_for_is_compared_too(visit: Visit, done: RunStore, monkeypatch) -> None:
    every = RunStore.list_runs
    monkeypatch.setattr(RunStore, "list_runs", lambda store, **options: every(store, **options)[:1])
    app = fine(visit("compare", ids=f"{CLASS},{PICTURES}"))
    assert app.multiselect(key="compared").value == [CLASS, PICTURES]
    assert "There is no run" not in words(app)


def test_the_address_follows_the_choice(visit: Visit, done: RunStore) -> None:
    app = fine(visit("compare", ids=str(CLASS)))
    assert "Choose two to six runs" in words(app)
    app.multiselect(key="compared").select(PICTURES).run()
    assert app.query_params["ids"] == f"{CLASS},{PICTURES}"
    assert "Results" in words(fine(app))
    app.multiselect(key="compared").unselect(CLASS).unselect(PICTURES).run()
    assert "ids" not in app.query_params or not app.query_params["ids"]
    assert "Choose two to six runs" in words(fine(app))


def test_the_way_back_to_a_comparison_leads_to_the_runs_that_were_compared(visit: Visit, done: RunStore) -> None:
    app = fine(visit("compare", ids=f"{CLASS},{PICTURES}"))
    fine(turn(app, "datasets"))
    app.query_params.clear()  # Streamlit may leave an address with the next page's parameters in the history.
    app.query_params["dataset"] = "cifar10-sample"
    fine(turn(app, "compare"))
    assert app.query_params["ids"] == f"{CLASS},{PICTURES}"
    assert app.multiselect(key="compared").value == [CLASS, PICTURES]


def test_a_run_that_is_not_over_cannot_be_compared_yet(visit: Visit, done: RunStore) -> None:
    again = done.execution.register_running(done.get(CLASS).spec, title="Forget discs with UNSIR", device="cpu")
    app = fine(visit("compare", ids=f"{CLASS},{again}"))
    assert f"Run {again} is not finished yet" in words(app)
    assert "No other run has the same forget request" in words(app)


def test_why_a_run_cannot_be_compared_is_said_of_each(visit: Visit, done: RunStore) -> None:
    spec = done.get(CLASS).spec
    failed, stopped = (
        done.execution.register_running(spec, title="Forget discs with UNSIR", device="cpu") for _ in range(2)
    )
    done.execution.fail(failed, 1, "The loss is no longer a number.")
    done.execution.mark_cancelled(stopped, 1)
    gold = done.execution.register_running(
        TrainGoldSpec(request=by_class().request), title="Gold without discs", device="cpu"
    )
    app = fine(visit("compare", ids=f"{failed},{stopped},{gold},{CLASS},{PICTURES}"))
    said = words(app)
    assert f"Run {failed} failed and has no report. The loss is no longer a number." in said
    assert f"Run {stopped} was cancelled, so it has no report." in said
    assert f"Run {gold} (Gold without discs) is not an unlearning run" in said.replace("\\", "")
    assert app.multiselect(key="compared").value == [CLASS, PICTURES]
    done.delete(PICTURES)
    app = fine(visit("compare", ids=f"{failed},{CLASS}"))
    assert app.multiselect(key="compared").value == [CLASS]
    assert "failed and has no report" in words(app)


def test_more_than_six_are_left_out_with_a_word(visit: Visit, done: RunStore) -> None:
    again = [made_again(done) for _ in range(6)]
    app = fine(visit("compare", ids=",".join(map(str, [CLASS, *again]))))
    assert app.multiselect(key="compared").value == [CLASS, *again[:5]]
    assert f"left out: {again[5]}." in words(app)
    assert len(app.get("plotly_chart")) == 3 + 2 * 6
    assert "have the same settings and the same seed: what differs is chance." in words(app)
    assert not without_words(app)


def test_a_lone_run_is_offered_those_that_forgot_the_same(visit: Visit, done: RunStore) -> None:
    again = made_again(done)
    app = fine(visit("compare", ids=str(CLASS)))
    app.button(key=f"add-{again}").click().run()
    assert app.query_params["ids"] == f"{CLASS},{again}"
    assert "Results" in words(fine(app))
    assert "None: these runs have the same settings." in words(app)


def test_a_class_a_layer_and_an_image_are_highlighted_and_kept_in_the_url(visit: Visit, done: RunStore) -> None:
    app = fine(visit("compare", ids=f"{CLASS},{PICTURES}", tab="Classes"))
    app.selectbox(key="focus-class").select("discs").run()
    assert app.query_params["class"] == "discs"
    shown = table(app, "selected")
    assert shown["selected"].tolist() == ["discs: accuracy, test", "discs: mostly predicted as"]
    assert all("→" in cell for cell in shown.iloc[0, 1:]), "one column a run"
    assert all(len(one["shapes"]) == 1 for one in _layouts(app, "compare-classes"))
    app.selectbox(key="focus-layer").select(app.selectbox(key="focus-layer").options[0]).run()
    app.number_input(key="focus-picture").set_value(7).run()
    fresh = fine(visit("compare", **dict(app.query_params)))
    for key in ("focus-class", "focus-layer"):
        assert fresh.selectbox(key=key).value == app.selectbox(key=key).value
    assert fresh.number_input(key="focus-picture").value == 7
    assert table(fresh, "selected")["selected"].tolist()[-1] == "image 7: membership probability"
    fresh.selectbox(key="focus-class").set_value(None).run()
    assert "class" not in fresh.query_params


def test_what_cannot_be_followed_is_named(visit: Visit, done: RunStore) -> None:
    wrong = {"class": "unicorn", "layer": "x", "picture": "-1"}
    app = fine(visit("compare", ids=f"{CLASS},{PICTURES}", **wrong))
    said = words(app)
    assert "a class named 'unicorn'" in said
    assert "a layer named 'x'" in said
    assert "no image '-1'" in said
    assert app.number_input(key="focus-picture").value is None


def test_an_image_is_explained_for_every_run_at_once(visit: Visit, done: RunStore) -> None:
    app = fine(visit("compare", ids=f"{CLASS},{PICTURES}", tab="Images"))
    assert "until you choose one" in words(app)
    shown = len(app.get("image"))
    kept = set(done_cards(done))
    gallery = f"look-gallery-{CLASS}"
    picture = next(image for image in gallery_steps.listed(app, gallery) if image not in kept)
    gallery_steps.pick(app, picture, key=gallery)
    assert app.query_params["picture"] == str(picture)
    looks = [run.spec for run in done.list_runs(kinds=("look",)) if isinstance(run.spec, ExplainSpec)]
    assert {look.run for look in looks if look.picture == picture} == {CLASS, PICTURES}
    assert "computing…" in words(fine(app))
    assert len(app.get("image")) < shown + 24
    app.run()
    assert len(done.list_runs(kinds=("look",))) == len(looks), "a question is asked once"


def test_each_tab_draws_a_figure_a_run(visit: Visit, done: RunStore) -> None:
    for tab, charts in page.compared_charts().items():
        app = fine(visit("compare", ids=f"{CLASS},{PICTURES}", tab=tab, **{"class": "discs", "picture": "3"}))
        keys = [one.proto.id for one in app.get("plotly_chart")]
        assert len(keys) >= 1, tab
        assert len(app.header) >= 3 + len(charts), tab
        assert not without_words(app), tab


def table(app: AppTest, column: str) -> pd.DataFrame:
    """The table on the page whose first column has this name."""
    return next(one.value for one in app.dataframe if one.value.columns[0] == column)


def done_cards(store: RunStore) -> list[int]:
    """The images whose heat maps are in the reports, so that none needs to be computed."""
    found = [artifacts.read_explanation(store.data_dir, run) for run in (CLASS, PICTURES)]
    return [shown.image for cam in found if cam for shown in cam.images if shown.image is not None]


def _layouts(app: AppTest, key: str) -> list[dict]:
    """The layouts of the figures whose keys begin so."""
    found = [one for one in app.get("plotly_chart") if key in one.proto.id]
    return [json.loads(one.proto.spec)["layout"] for one in found]


@pytest.mark.parametrize("tab", page.compared_charts())
def test_a_run_of_another_classifier_on_other_data_stands_beside_with_a_warning(
    visit: Visit, done: RunStore, tab: str
) -> None:
    example = reports.load_example()
    other = done.execution.register_running(example.spec, title="Forget cat with UNSIR", device="cpu")
    shutil.copytree(ROOT / "assets" / "example", done.data_dir / "runs" / str(other), dirs_exist_ok=True)
    done.execution.finish(other, 1, metrics=RunMetrics())
    link = {"class": "cat", "picture": "11174", "layer": "stage2.0"}
    app = fine(visit("compare", ids=f"{CLASS},{other}", tab=tab, **link))
    said = words(app)
    assert "These runs use different data sets" in said
    assert "different data set, so no difference is computed." in said
    followed = table(app, "selected")
    assert followed.iloc[0, 1] == "–" and "→" in followed.iloc[0, 2], "the other one's data have no such class"
    if tab == "Images":
        assert "its data set has no such image" in said
    assert not without_words(app)


def test_a_report_leads_to_all_methods_on_its_request(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS)))
    app.button(key="all-methods").click().run()
    assert app.query_params == {"classifier": "tiny", "forget": "discs"}
