"""The history as a list: what it says of every run is what the run says, and specs are read once."""

from pathlib import Path

import pytest

from tests.pages.finished_runs import by_class, by_picture
from unlearn_core.domain.jobs import ExplainSpec, TrainGoldSpec
from unlearn_core.domain.run import RunFilter, RunState
from unlearn_core.store.queue import run_listing
from unlearn_core.store.queue.run_store import RunStore

KINDS = ("unlearn", "gold")


@pytest.fixture
def store(home: Path) -> RunStore:
    found = RunStore(home)
    first = found.submit(by_class(), title="Forget discs with UNSIR", owner="ann")
    found.submit(by_picture().model_copy(update={"seed": 4}), title="Forget 3 images", parent=first, group="repeat-1")
    found.submit(TrainGoldSpec(request=by_picture().request), title="Retrain without 3 images")
    found.submit(ExplainSpec(run=first, picture=1, target=0), title="A query")
    found.cancel(first)
    return found


def test_it_says_of_each_run_what_the_run_says(store: RunStore) -> None:
    briefs = store.listing.briefs(kinds=KINDS)
    assert [brief.id for brief in briefs] == [3, 2, 1]
    for brief in briefs:
        run = store.get(brief.id)
        assert (brief.title, brief.state, brief.owner) == (run.title, run.state, run.owner)
        assert (brief.group, brief.parent) == (run.group, run.parent)
        assert brief.when == pytest.approx((run.finished or run.started or run.created).timestamp())
    assert briefs[2].state is RunState.CANCELLED
    assert [(brief.method, brief.classifier, brief.seed) for brief in briefs] == [
        (None, "tiny", 0),
        ("finetune", "tiny", 4),
        ("unsir", "tiny", 0),
    ]


def test_a_filter_and_kinds_select(store: RunStore) -> None:
    assert [one.id for one in store.listing.briefs(kinds=KINDS, matching=RunFilter(owners=("ann",)))] == [1]
    assert [one.id for one in store.listing.briefs(kinds=("gold",))] == [3]


def test_changes_are_seen_and_specs_are_read_once(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.listing.briefs(kinds=KINDS)
    read: list[object] = []
    original = run_listing._subject
    monkeypatch.setattr(run_listing, "_subject", lambda spec: read.append(spec) or original(spec))
    store.cancel(2)
    number = store.submit(by_class(), title="Forget discs with UNSIR")
    briefs = store.listing.briefs(kinds=KINDS)
    assert [brief.state for brief in briefs] == ["queued", "queued", "cancelled", "cancelled"]
    assert len(read) == 1
    store.cancel(number)
    store.delete(number)
    assert len(store.listing.briefs(kinds=KINDS)) == 3


def test_whole_runs_are_read_as_far_as_they_exist(store: RunStore) -> None:
    assert store.listing.runs({1, 3, 99}) == {1: store.get(1), 3: store.get(3)}
