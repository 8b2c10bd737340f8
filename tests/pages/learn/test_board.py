"""The class board: what a room expects is counted once a visitor, shown when asked for, and its runs join it."""

from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Visit
from tests.pages.page_asserts import fine, without_words, words
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.room import room_link


def expect(app: AppTest, choice: int) -> AppTest:
    """Answer the question of the third step of the lesson on UNSIR."""
    return fine(app.radio(key="expected-unsir-3").set_value(choice).run())


def test_a_board_is_opened_with_one_click(visit: Visit, store: RunStore) -> None:
    app = fine(visit("board"))
    assert not without_words(app)
    fine(app.button(key="board-open").click().run())
    code = app.query_params["board"]
    assert store.boards.find(code) == code
    assert f"lessons?lesson=retrained-model&board={code}" in app.code[0].value
    assert "0 answers" in words(app) and not without_words(app)


def test_answers_are_counted_and_shown_when_asked_for(visit: Visit, store: RunStore) -> None:
    code = store.boards.open()
    for choice in (0, 1, 1):
        app = fine(visit("lessons", lesson="unsir", step="3", board=code))
        assert f"Class board **{code}**" in words(app)
        expect(app, choice)
    expect(app, 0)  # A second answer of the same visitor changes nothing on the board.
    assert store.boards.choices(code, "unsir", 3) == {0: 1, 1: 2}
    board = fine(visit("board", board=code, lesson="unsir"))
    assert "3 answers" in words(board) and not board.get("plotly_chart")
    fine(board.button_group(key="board-shown").set_value("result").run())
    assert board.query_params["shown"] == "result"
    assert len(board.get("plotly_chart")) == 1 and not without_words(board)
    fine(board.selectbox(key="board-lesson").set_value("l2ul").run())
    assert board.query_params["lesson"] == "l2ul" and "shown" not in board.query_params
    assert "0 answers" in words(board)


def test_a_presented_lesson_counts_the_answers_and_then_shows_them(visit: Visit, store: RunStore) -> None:
    code = store.boards.open()
    for choice in (0, 1, 1):
        expect(fine(visit("lessons", lesson="unsir", step="3", board=code)), choice)
    slide = fine(visit("lessons", lesson="unsir", board=code, present="4"))  # After the title and two steps.
    assert "# 3 answers" in words(slide) and not slide.get("plotly_chart"), "nobody sees the answers of others yet"
    fine(slide.button(key="present-next").click().run())
    assert len(slide.get("plotly_chart")) == 1 and "3 visitors" in words(slide) and not without_words(slide)


def test_the_board_is_presented_without_the_side_menu(visit: Visit, store: RunStore) -> None:
    app = fine(visit("board", board=store.boards.open(), lesson="unsir"))
    fine(app.button(key="board-present").click().run())
    assert app.query_params["present"] == "1" and not app.sidebar.radio and "0 answers" in words(app)
    fine(app.button(key="board-leave-present").click().run())
    assert "present" not in app.query_params and app.query_params["lesson"] == "unsir"


def test_a_visit_follows_the_board_until_it_leaves(visit: Visit, store: RunStore) -> None:
    code = store.boards.open()
    app = fine(visit("lessons", lesson="unsir", step="3", board=code))
    fine(app.button(key="all-lessons").click().run())
    assert code in words(app)
    fine(app.button(key="board-leave").click().run())
    assert code not in words(app)
    app = fine(visit("lessons", lesson="unsir", step="3"))
    expect(app, 1)
    assert store.boards.visitors(code) == 0


def test_its_runs_join_it_once_for_all(visit: Visit, store: RunStore) -> None:
    code = store.boards.open()
    app = fine(visit("lessons", lesson="retrained-model", step="9", board=code))
    app.button(key="lesson-run").click().run()
    app = fine(visit("lessons", lesson="retrained-model", step="9", board=code))
    app.button(key="lesson-run").click().run()
    assert [run.id for run in store.boards.runs(code)] == [1]
    assert all(run.group is None for run in store.list_runs()), "the history shows it by itself"
    assert "1 queued or running" in words(fine(visit("board", board=code)))
    parallel = store.boards.open()
    app = fine(visit("lessons", lesson="retrained-model", step="9", board=parallel))
    app.button(key="lesson-run").click().run()
    assert [run.id for run in store.boards.runs(parallel)] == [1], "another class waits for the same run"


def test_a_board_that_is_gone_is_said_and_costs_nothing(visit: Visit) -> None:
    app = fine(visit("lessons", lesson="unsir", step="3", board="<b>x</b>"))
    assert "no longer exists" in words(app)
    assert "The run shows:" in words(expect(app, 1))
    assert "There is no class board" in words(fine(visit("board", board="ABCDEF")))


def test_a_code_is_typed_as_it_comes(visit: Visit, store: RunStore) -> None:
    code = store.boards.open()
    app = fine(visit("board"))
    app.text_input(key="board-code").set_value(f" {code.lower()}")
    fine(app.button(key="FormSubmitter:board-enter-Go there").click().run())
    assert "0 answers" in words(app)


def test_the_link_of_the_room_is_on_the_same_server() -> None:
    assert (
        room_link.room_link("https://lab.example/unlearn/board?board=A", "ABC234", "unsir")
        == "https://lab.example/unlearn/lessons?lesson=unsir&board=ABC234"
    )
    assert room_link.qr_code("https://lab.example/").startswith("<svg")
