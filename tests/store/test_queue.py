"""Who is next: one claim a run, priority, fairness, room, and speed at depth."""

import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.store.specs import EVERY, REQUEST, multiply, spec, sql
from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.jobs import ExplainSpec, MeasureSpec, TrainGoldSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import Priority
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.store.queue.scheduling import MAX_PER_OWNER, MAX_TOTAL


@pytest.fixture
def store(home) -> RunStore:
    return RunStore(home)


def served(store: RunStore, seconds: float = 10.0) -> str:
    """Claims and finishes the next run, as if it had taken so long; gives its title."""
    run = store.execution.claim("worker", device="cpu", kinds=EVERY)
    assert run is not None
    store.execution.finish(run.id, run.attempt, metrics=RunMetrics())
    sql(store.data_dir, "UPDATE run SET started = finished - ? WHERE id = ?", seconds, run.id)
    return run.title


def test_several_processes_claim_every_run_once(store, home):
    multiply(home, store.submit(spec(), title="a"), 400, owners=7)
    names = ("a", "b", "c", "d")
    command = [sys.executable, "-m", "tests.store.claim_process", str(home)]
    claimers = [
        subprocess.Popen([*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for name in names
    ]
    for one in claimers:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in claimers:  # all at once
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    shares = [[int(number) for number in one.communicate(timeout=60)[0].split()] for one in claimers]
    assert [one.returncode for one in claimers] == [0, 0, 0, 0]
    assert sum(len(share) > 0 for share in shares) > 1, "they did compete"
    assert sorted(number for share in shares for number in share) == list(range(1, 402))


def test_the_more_urgent_goes_first_then_the_older(store):
    for title, priority in (("c", 2), ("b", 1), ("a", 0), ("a2", 0)):
        store.submit(spec(), title=title, priority=Priority(priority))
    assert [served(store) for _ in range(4)] == ["a", "a2", "b", "c"]


def test_who_comes_with_one_run_does_not_wait_behind_a_flood(store):
    for number in range(5):
        store.submit(spec(), title=f"A{number}", owner="A")
    assert served(store) == "A0"
    store.submit(spec(), title="B", owner="B")
    store.submit(spec(), title="C", owner="C")
    assert [served(store) for _ in range(4)] == ["B", "C", "A1", "A2"]


def test_who_has_a_run_in_hand_waits_for_who_has_none(store):
    store.submit(spec(), title="A0", owner="A")
    store.submit(spec(), title="A1", owner="A")
    store.submit(spec(), title="B0", owner="B")
    titles = [
        run.title for _ in range(3) if (run := store.execution.claim("worker", device="cpu", kinds=EVERY)) is not None
    ]
    assert titles == ["A0", "B0", "A1"]


def test_what_was_served_an_hour_ago_is_forgotten(store):
    store.submit(spec(), title="A0", owner="A")
    served(store, seconds=500.0)
    store.submit(spec(), title="A1", owner="A")
    store.submit(spec(), title="B0", owner="B")
    sql(store.data_dir, "UPDATE run SET started = started - 4000, finished = finished - 4000 WHERE title = 'A0'")
    assert [served(store) for _ in range(2)] == ["A1", "B0"]


def test_a_run_that_gave_way_keeps_its_place(store):
    first, second = (store.submit(spec(), title=title) for title in "ab")
    run = store.execution.claim("worker", device="cpu", kinds=EVERY)
    assert run is not None
    store.execution.requeue(run.id, run.attempt)
    assert [store.queue_position(number) for number in (first, second)] == [0, 1]
    assert served(store) == "a"


def test_positions_are_the_order_in_which_runs_are_served(store):
    for title, owner, priority in (
        ("gold", "A", 2),
        *((f"A{number}", "A", 0) for number in range(4)),
        ("B0", "B", 0),
        ("B1", "B", 0),
        ("C0", "C", 1),
    ):
        store.submit(spec(), title=title, owner=owner, priority=Priority(priority))
    assert served(store) == "A0"
    waiting = store.list_runs(states=("queued",))
    foretold = [run.title for run in sorted(waiting, key=lambda run: store.queue_position(run.id))]
    assert sorted(store.queue_position(run.id) for run in waiting) == list(range(len(waiting)))
    (gold,) = (run.id for run in waiting if run.title == "gold")
    assert [run.title for run in store.runs_ahead(gold).runs] == foretold[:-1]
    assert [served(store) for _ in waiting] == foretold == ["B0", "A1", "B1", "A2", "A3", "C0", "gold"]


def test_who_does_not_wait_has_position_zero(store):
    number = store.submit(spec(), title="a")
    store.execution.claim("worker", device="cpu", kinds=EVERY)
    assert store.queue_position(number) == 0
    assert store.runs_ahead(number).runs == []
    second = store.submit(spec(), title="b")
    assert [run.id for run in store.runs_ahead(second).runs] == [number], "it waits for the running one"


def test_a_full_queue_says_so(store, home):
    for number in range(MAX_PER_OWNER):
        store.submit(spec(), title=str(number), owner="A")
    with pytest.raises(StoreError, match="you have 20 queued runs"):
        store.submit(spec(), title="one more", owner="A")
    store.submit(spec(), title="b", owner="B")
    store.submit(ExplainSpec(run=1, picture=0, target=0), title="look", owner="A")
    multiply(home, 1, MAX_TOTAL - MAX_PER_OWNER - 1, owners=50)
    with pytest.raises(StoreError, match="queue is full: 200 runs are queued"):
        store.submit(spec(), title="one more", owner="somebody else")
    store.submit(MeasureSpec(run=1), title="the lab's own", owner="A")
    store.execution.claim("worker", device="cpu", kinds=EVERY)
    store.submit(TrainGoldSpec(request=REQUEST), title="there is room again", owner="somebody else")


def test_who_asks_for_the_same_shares_one_run(store, home):
    gold = TrainGoldSpec(request=REQUEST)

    def ask(spec=gold, owner: str = "A"):
        return store.submit_unique(spec, title="gold", owner=owner, priority=Priority.BACKGROUND)

    with ThreadPoolExecutor(6) as pool:  # all at once
        asked = list(pool.map(lambda owner: ask(owner=owner), "ABCDEF"))
    (number,) = {one.run for one in asked}
    assert [one.known for one in asked].count(None) == 1
    assert not ask(TrainGoldSpec(request=REQUEST, seed=1)).known, "another seed is another gold"
    run = store.execution.claim("worker", device="cpu", kinds=EVERY)
    assert run is not None
    assert ask() == (number, "unfinished"), "one that is in hand is shared as well"
    store.cancel(number)
    again = ask(owner="B")
    assert not again.known and again.run != number, "what is being stopped brings nothing"
    store.execution.mark_cancelled(number, run.attempt)
    store.cancel(again.run)
    assert not ask().known


def test_a_claim_is_quick_at_a_depth_of_2000(store, home):
    multiply(home, store.submit(spec(), title="a"), 2000, owners=100)
    spent = []
    for _ in range(40):
        began = time.process_time()  # what others do on this machine does not count
        run = store.execution.claim("worker", device="cpu", kinds=EVERY)
        spent.append(time.process_time() - began)
        assert run is not None
        store.execution.finish(run.id, run.attempt, metrics=RunMetrics())
    assert statistics.median(spent) < 0.010
