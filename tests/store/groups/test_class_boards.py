"""Class boards: who is counted, which answer counts, and what is deleted."""

import re
import time
from pathlib import Path

import pytest
from sqlalchemy import update

from unlearn_core.domain.errors import StoreError
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.store import class_boards
from unlearn_core.store.db.schema import BOARD
from unlearn_core.store.queue.run_store import RunStore


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path)


@pytest.fixture
def code(store: RunStore) -> str:
    return store.boards.open()


def test_a_code_can_be_typed_in_any_way(store: RunStore, code: str) -> None:
    assert re.fullmatch(f"[{class_boards.LETTERS}]{{6}}", code)
    assert store.boards.find(f" {code[:3].lower()} {code[3:]} ") == code
    for wrong in ("", "AAAAAA", code + "A", code[:-1], "%", "' OR 1=1"):
        assert store.boards.find(wrong) is None


def test_answers_are_counted_and_the_first_of_a_visitor_stays(store: RunStore, code: str) -> None:
    for visitor, choice in (("a", 0), ("b", 2), ("c", 2), ("b", 1)):
        store.boards.answer(code, "unsir", 2, visitor, choice)
    store.boards.answer(code, "unsir", 3, "a", 1)
    store.boards.answer(code, "l2ul", 2, "d", 1)
    assert store.boards.choices(code, "unsir", 2) == {0: 1, 2: 2}
    assert store.boards.choices(code, "unsir", 3) == {1: 1}
    assert store.boards.visitors(code) == 4
    assert store.boards.visitors(store.boards.open()) == 0


def test_an_answer_to_a_board_that_is_gone_is_no_error(store: RunStore) -> None:
    assert not store.boards.answer("AAAAAA", "unsir", 1, "a", 0)
    assert not store.boards.choices("AAAAAA", "unsir", 1)


def test_no_more_visitors_are_counted_than_a_hall_holds(
    store: RunStore, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(class_boards, "MOST_VISITORS", 2)
    assert [store.boards.answer(code, "unsir", 1, visitor, 0) for visitor in "abc"] == [True, True, False]
    assert store.boards.answer(code, "unsir", 1, "a", 1), "who is counted stays so"
    assert store.boards.visitors(code) == 2


def test_old_boards_are_deleted_with_their_answers(store: RunStore, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store.boards.answer(code, "unsir", 1, "a", 0)
    long_ago = time.time() - (class_boards.DAYS + 1) * 86_400
    with store._database.writing() as connection:
        connection.execute(update(BOARD).values(created=long_ago))
    new = store.boards.open()
    assert store.boards.find(code) is None and store.boards.find(new) == new
    assert not store.boards.choices(code, "unsir", 1)
    monkeypatch.setattr(class_boards, "MOST_BOARDS", 1)
    with pytest.raises(StoreError, match="There are 1 class boards already"):
        store.boards.open()


def test_its_runs_are_those_that_were_added(store: RunStore, code: str) -> None:
    spec = run_spec("tiny", method="finetune", classes=[0])
    mine, other = [store.submit(spec, title="x") for _ in range(2)], store.submit(spec, title="y")
    for run in mine:
        store.boards.add_run(code, run)
    store.boards.add_run("AAAAAA", other)
    assert [run.id for run in store.boards.runs(code)] == mine[::-1]
    store.cancel(mine[0])
    store.delete(mine[0])
    assert [run.id for run in store.boards.runs(code)] == mine[1:]
