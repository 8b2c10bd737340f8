"""Runs side by side: from the history, from an address, and where there is nothing to compare."""

from tests.pages.conftest import Visit
from tests.pages.finished import CLASS, PICTURES
from tests.pages.look import fine, without_words, words
from tests.pages.test_history import tick
from unlearn_core.store.runs import RunStore


def test_without_two_runs_it_says_what_it_takes(visit: Visit, done: RunStore) -> None:
    done.delete(PICTURES)
    assert "it takes two finished runs, and there is one" in words(fine(visit("compare")))
    done.delete(CLASS)
    assert "and there are none" in words(fine(visit("compare")))


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
    assert "These runs forgot different things" in said
    assert "What differs in the settings?" in said
    assert app.dataframe[0].value["setting"].tolist()[:2] == ["Method", "Forgotten"]
    assert list(app.dataframe[1].value.columns) == ["what", "UNSIR", "Fine-tune"]
    assert "**Fine-tune** beside **UNSIR**:" in said
    assert len(app.get("plotly_chart")) >= 6
    assert not without_words(app)


def test_an_address_is_enough_and_what_it_has_wrong_is_said(visit: Visit, done: RunStore) -> None:
    app = fine(visit("compare", ids=f"{CLASS},99,x,{PICTURES}"))
    assert "No finished run has the number 99." in words(app)
    assert app.multiselect(key="compared").value == [CLASS, PICTURES]


def test_a_report_is_the_first_of_those_to_compare(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS)))
    app.button(key="compare").click().run()
    assert fine(app).title[0].value == "Which did better?"
    assert app.multiselect(key="compared").value == [CLASS]


def test_a_run_that_the_list_has_no_room_for_is_compared_too(visit: Visit, done: RunStore, monkeypatch) -> None:
    every = RunStore.list
    monkeypatch.setattr(RunStore, "list", lambda store, **wishes: every(store, **wishes)[:1])
    app = fine(visit("compare", ids=f"{CLASS},{PICTURES}"))
    assert app.multiselect(key="compared").value == [CLASS, PICTURES]
    assert "No finished run" not in words(app)


def test_the_address_follows_the_choice(visit: Visit, done: RunStore) -> None:
    app = fine(visit("compare", ids=str(CLASS)))
    assert "Choose two to four runs" in words(app)
    app.multiselect(key="compared").select(PICTURES).run()
    assert app.query_params["ids"] == f"{CLASS},{PICTURES}"
    assert "What came of it?" in words(fine(app))
    app.multiselect(key="compared").unselect(CLASS).unselect(PICTURES).run()
    assert "ids" not in app.query_params or not app.query_params["ids"]
    assert "Choose two to four runs" in words(fine(app))


def test_a_run_beside_itself_made_again_differs_in_nothing_but_the_seed(visit: Visit, done: RunStore) -> None:
    spec = done.get(CLASS).spec
    again = done.adopt(spec.model_copy(update={"seed": 0}), title="Forget discs with UNSIR", device="cpu")
    assert done.get(again).state.value == "running"
    app = fine(visit("compare", ids=f"{CLASS},{again}"))
    assert f"No finished run has the number {again}." in words(app), "an unfinished one has no report yet"
