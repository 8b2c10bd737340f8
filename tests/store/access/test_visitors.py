"""Who a browser is: signed ids, one-time codes, names, and the owner of what was there before."""

import os
import stat
import threading
import time
from pathlib import Path

import pytest

from tests.store.former import home as former_home
from tests.store.former import unpacked
from tests.store.specs import spec, sql
from unlearn_core.domain.errors import InvalidCodeError, NotAllowedError, NotFoundError
from unlearn_core.store.access import identity_key as keys
from unlearn_core.store.access import visitor_store as visitors
from unlearn_core.store.access.actor import OPERATOR, Actor
from unlearn_core.store.access.identity_key import IdentityKey, identity_key, new_owner
from unlearn_core.store.queue.run_store import RunStore

__all__ = ["former_home", "unpacked"]

ANN, BEN = Actor("a" * 20), Actor("b" * 20)


@pytest.fixture(autouse=True)
def _fresh_keys() -> None:
    identity_key.cache_clear()


def test_the_key_is_made_once_and_readable_for_its_user_only(home: Path) -> None:
    file = home / "identity" / "key"
    signed = identity_key(home).sign(ANN.id)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and file.stat().st_size == 32
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    identity_key.cache_clear()
    assert identity_key(home).owner(signed) == ANN.id, "it holds after a restart"
    assert [path.name for path in file.parent.iterdir()] == ["key"]


def test_processes_that_start_together_agree_on_one_key(home: Path) -> None:
    found: list[bytes] = []
    (home / "identity").mkdir()
    threads = [
        threading.Thread(target=lambda: found.append(keys._read_or_make(home / "identity" / "key"))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16 and len(set(found)) == 1


def test_a_damaged_key_is_replaced(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    signed = identity_key(home).sign(ANN.id)
    (home / "identity" / "key").write_bytes(b"short")
    identity_key.cache_clear()
    assert identity_key(home).owner(signed) is None and "damaged" in caplog.text
    assert identity_key(home).owner(identity_key(home).sign(ANN.id)) == ANN.id


def test_where_nothing_can_be_written_the_key_lasts_as_long_as_the_process(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (home / "identity").write_text("a file where the folder belongs")
    signed = identity_key(home).sign(ANN.id)
    assert identity_key(home).owner(signed) == ANN.id and "No key can be kept" in caplog.text
    assert not identity_key(home).claim_operator()


HOSTILE = [
    None,
    "",
    ".",
    "local",
    "local.",
    "local." + "0" * 40,
    "a" * 20 + "." + "0" * 40,
    "a" * 1_000_000,
    "a" * 20 + "." + "b" * 1_000_000,
    "../../etc/passwd.x",
    "\0.\0",
    "é" * 20 + ".é",
    "\ud800",
    "local\n.x",
    object(),
]


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: ascii(value)[:20])
def test_a_hostile_cookie_is_nobodys(home: Path, value: object) -> None:
    assert identity_key(home).owner(value) is None


def test_a_cookie_is_neither_another_visitors_nor_another_folders(home: Path, tmp_path: Path) -> None:
    key, other = identity_key(home), identity_key(tmp_path / "other")
    _, _, signature = key.sign(ANN.id).partition(".")
    assert key.owner(f"{BEN.id}.{signature}") is None and key.owner(f"{OPERATOR.id}.{signature}") is None
    assert key.cookie != other.cookie and other.owner(key.sign(ANN.id)) is None
    assert key.owner(key.sign(new_owner())) and new_owner() != new_owner()


def test_a_ticket_is_for_one_browser_and_a_minute(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = identity_key(home)
    ticket = key.ticket(BEN.id, ANN.id)
    assert key.accept_ticket(ticket, BEN.id) == ANN.id
    assert key.accept_ticket(ticket, "c" * 20) is None, "a link with it does nothing in another browser"
    assert key.accept_ticket(ticket.replace(ANN.id, OPERATOR.id), BEN.id) is None
    for wrong in ("", "a.b.c.d", f"{ANN.id}.9999999999.", "x" * 100_000, f"{ANN.id}.é.é"):
        assert key.accept_ticket(wrong, BEN.id) is None
    now = time.time()
    monkeypatch.setattr(keys.time, "time", lambda: now + keys.TICKET_SECONDS + 2)
    assert key.accept_ticket(ticket, BEN.id) is None


def test_the_operator_is_claimed_once(home: Path) -> None:
    assert identity_key(home).claim_operator() and not identity_key(home).claim_operator()
    assert not IdentityKey(home / "identity", os.urandom(32)).claim_operator()


def test_a_code_works_once_and_however_it_is_typed(home: Path) -> None:
    store = RunStore(home)
    code = store.acting_as(ANN).visitors.make_code()
    assert code not in str(sql(home, "SELECT * FROM move_code")), "the database does not hold it"
    ben = store.acting_as(BEN).visitors
    assert ben.redeem(f" {code.replace('-', ' ').lower()} ") == ANN
    with pytest.raises(InvalidCodeError, match="used already"):
        ben.redeem(code)


def test_where_people_sign_in_there_are_no_codes(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RunStore(home)
    code = store.acting_as(ANN).visitors.make_code()
    monkeypatch.setenv("UNLEARN_SIGN_IN", "required")
    with pytest.raises(InvalidCodeError, match="there are no codes"):
        store.acting_as(BEN).visitors.redeem(code)
    with pytest.raises(InvalidCodeError, match="there are no codes"):
        store.visitors.make_code()


def test_a_new_code_replaces_the_last_one_and_old_ones_are_not_taken(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = RunStore(home).acting_as(ANN).visitors
    first, second = ann.make_code(), ann.make_code()
    with pytest.raises(InvalidCodeError):
        ann.redeem(first)
    now = time.time()
    monkeypatch.setattr(visitors.time, "time", lambda: now + 60 * visitors.CODE_MINUTES + 1)
    with pytest.raises(InvalidCodeError, match="older than 10 minutes"):
        ann.redeem(second)


def test_guesses_are_limited_for_all_together(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RunStore(home)
    code = store.acting_as(ANN).visitors.make_code()
    for number in range(visitors.MOST_GUESSES):
        with pytest.raises(InvalidCodeError, match="not known"):
            store.acting_as(Actor(f"{number:020}")).visitors.redeem("AAAA-AAAA")
    with pytest.raises(InvalidCodeError, match="Wait a minute"):
        store.acting_as(BEN).visitors.redeem(code)
    now = time.time()
    monkeypatch.setattr(visitors.time, "time", lambda: now + 61)
    assert store.acting_as(BEN).visitors.redeem(code) == ANN


def test_a_name_is_one_plain_line(home: Path) -> None:
    store = RunStore(home)
    ann = store.acting_as(ANN).visitors
    assert ann.name() == "Visitor AAAA" and store.visitors.name() == "Operator"
    assert ann.rename("  Table\n4 \u202e\0") == "Table 4"
    assert len(ann.rename("x" * 1000)) == 40
    assert store.acting_as(BEN).visitors.labels([ANN.id, BEN.id]) == {ANN.id: "x" * 40, BEN.id: "Visitor BBBB"}
    assert ann.rename("") == "Visitor AAAA"


def test_a_refusal_says_whose_it_is(home: Path) -> None:
    store = RunStore(home)
    store.acting_as(ANN).visitors.rename("Table 4")
    number = store.acting_as(ANN).submit(spec(), title="")
    with pytest.raises(NotAllowedError, match=f"Run {number} belongs to Table 4: only they, or the operator"):
        store.acting_as(BEN).cancel(number)


def test_the_operator_lists_everybody(home: Path) -> None:
    store = RunStore(home)
    store.acting_as(BEN).submit(spec(), title="")
    store.acting_as(ANN).visitors.rename("Table 4")
    assert store.visitors.list() == [(BEN.id, "Visitor BBBB", 1), (ANN.id, "Table 4", 0)]


def test_everything_of_an_older_folder_is_the_operators(former_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RunStore(former_home)
    runs, ann = store.list_runs(), store.acting_as(ANN)
    assert runs and {run.owner for run in runs} == {OPERATOR.id} and not any(run.shared for run in runs)
    assert sql(former_home, "SELECT version_num FROM alembic_version") >= [("0006",)]
    assert list(former_home.glob("lab.before-*.db")), "a copy of the older database stays"
    assert [run.id for run in ann.list_runs()] == [run.id for run in runs], "everybody reads them where it is open"
    done = next(run.id for run in runs if run.state.is_finished)
    with pytest.raises(NotAllowedError, match="belongs to Operator"):
        ann.delete(done)
    monkeypatch.setenv("UNLEARN_SHARING", "private")
    assert not ann.list_runs() and not ann.sweeps.list_recent() and ann.items.readable() == frozenset()
    with pytest.raises(NotFoundError):
        ann.get(done)
    store.share(done)
    assert RunStore(former_home).acting_as(ANN).get(done).shared
    store.delete(done)
