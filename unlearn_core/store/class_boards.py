"""Class boards: the answers and runs of everybody in a room who follows one link, counted without names."""

import secrets
import time
from collections import Counter

from sqlalchemy import Connection, delete, func, insert, select

from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.run import Run
from unlearn_core.store.access.rules import Access
from unlearn_core.store.db import rows
from unlearn_core.store.db.database import Database
from unlearn_core.store.db.schema import ANSWER, BOARD, BOARD_RUN, RUN

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""What codes are made of: no letter that is read as a digit from the back row."""
CODE_LENGTH = 6

DAYS = 30
"""Boards are deleted after so many days, when a new one is opened."""
MOST_VISITORS, MOST_BOARDS, MOST_RUNS = 500, 1_000, 200
"""The most visitors and runs that one board counts, and the most boards of a data folder."""


class ClassBoards:
    """The class boards of one data folder."""

    def __init__(self, database: Database, access: Access) -> None:
        self._database, self._access = database, access

    def open(self) -> str:
        """Open a board and return its code, and delete those that are too old.

        Raises StoreError if there are too many.
        """
        code, now = "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH)), time.time()
        with self._database.writing() as connection:
            connection.execute(delete(BOARD).where(BOARD.c.created < now - DAYS * 86_400))
            if connection.execute(select(func.count()).select_from(BOARD)).scalar_one() >= MOST_BOARDS:
                raise StoreError(f"There are {MOST_BOARDS:,} class boards already: use one of them.")
            connection.execute(insert(BOARD).values(code=code, created=now))
        return code

    def find(self, text: str) -> str | None:
        """Return the code of a board as somebody typed it; None if there is none, or none any more."""
        code = "".join(text.upper().split())
        with self._database.reading() as connection:
            found = connection.execute(select(BOARD.c.code).where(BOARD.c.code == code)).first()
        return None if found is None else code

    def answer(self, code: str, lesson: str, step: int, visitor: str, choice: int) -> bool:
        """Count what a visitor expects; of several answers to one question the first, since the result follows it.

        Returns whether the visitor is counted: not on a board that is gone, or that has as many as it counts.
        """
        key = {"board": code, "lesson": lesson, "step": step, "visitor": visitor}
        with self._database.writing() as connection:
            known = select(ANSWER.c.choice).where(*(ANSWER.c[name] == value for name, value in key.items()))
            is_board = connection.execute(select(BOARD.c.code).where(BOARD.c.code == code)).first()
            if is_board is None:
                return False
            if connection.execute(known).first() is None:
                if _visitors(connection, code) >= MOST_VISITORS:
                    return False
                connection.execute(insert(ANSWER).values(**key, choice=choice))
            return True

    def choices(self, code: str, lesson: str, step: int) -> Counter[int]:
        """Return how often each choice of a question was expected."""
        mine = (ANSWER.c.board == code, ANSWER.c.lesson == lesson, ANSWER.c.step == step)
        counted = select(ANSWER.c.choice, func.count().label("given")).where(*mine).group_by(ANSWER.c.choice)
        with self._database.reading() as connection:
            return Counter({row.choice: row.given for row in connection.execute(counted)})

    def visitors(self, code: str) -> int:
        """Return how many visitors have answered a question."""
        with self._database.reading() as connection:
            return _visitors(connection, code)

    def add_run(self, code: str, run: int) -> None:
        """Add a run to a board, once for all who wait for it; a board that is gone has no runs."""
        with self._database.writing() as connection:
            self._access.joined_row(connection, run)
            known = select(BOARD_RUN.c.run).where(BOARD_RUN.c.run == run, BOARD_RUN.c.board == code)
            is_board = connection.execute(select(BOARD.c.code).where(BOARD.c.code == code)).first()
            if is_board is not None and connection.execute(known).first() is None:
                connection.execute(insert(BOARD_RUN).values(run=run, board=code))

    def runs(self, code: str) -> list[Run]:
        """Return the unlearning runs of a board, the newest first: whoever follows a board shows them there."""
        mine = select(RUN).join(BOARD_RUN, BOARD_RUN.c.run == RUN.c.id).where(BOARD_RUN.c.board == code)
        mine = mine.order_by(RUN.c.id.desc()).limit(MOST_RUNS)
        with self._database.reading() as connection:
            return rows.to_runs(connection.execute(mine))


def _visitors(connection: Connection, code: str) -> int:
    counted = select(func.count(ANSWER.c.visitor.distinct())).where(ANSWER.c.board == code)
    return connection.execute(counted).scalar_one()
