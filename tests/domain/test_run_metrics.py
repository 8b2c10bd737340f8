"""The summary metrics of a job: stored as releases stored them, merged, and read."""

import json
import sqlite3
from contextlib import closing
from math import nan
from multiprocessing import Pipe
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.store.former import home, unpacked
from unlearn_core.domain.results.metrics import Bounds, DistanceMetrics, JobSeconds, RunMetrics, summary_metrics
from unlearn_core.domain.results.outputs import DistanceResult
from unlearn_core.domain.results.predictions import AccuracyResult, DistanceToGold, Score

__all__ = ["home", "unpacked"]


def test_metrics_of_a_former_release_are_stored_as_they_were(home: Path) -> None:
    with closing(sqlite3.connect(home / "lab.db")) as connection:
        texts = [text for (text,) in connection.execute("SELECT headline FROM run")]
    assert len({*texts}) > 5
    parent, child = Pipe()
    for text in texts:
        metrics = RunMetrics.from_json(text)
        assert metrics.to_json() == text and not metrics.model_extra
        child.send(metrics)
        assert parent.recv() == metrics, "a child process sends them so"


def test_what_another_release_stored_is_kept() -> None:
    text = '{"gold": null, "from the future": {"a": [1, 2]}}'
    assert RunMetrics.from_json(text).to_json() == text
    merged = RunMetrics.from_json(text).updated(RunMetrics(gold="abc"))
    assert merged.to_dict() == {"gold": "abc", "from the future": {"a": [1, 2]}}


def test_damaged_metrics_are_refused() -> None:
    with pytest.raises(ValidationError):
        RunMetrics.from_json('{"accuracy": {"after": 0.5}}')
    with pytest.raises(TypeError, match="not JSON serializable"):
        RunMetrics.model_validate({"odd": object()}).to_json()


def test_only_what_is_set_is_stored_and_replaces_what_was_known() -> None:
    first = RunMetrics(weights="c0ffee", seconds=JobSeconds(total=2.0), relearn=None)
    assert json.loads(first.to_json()) == {"seconds": {"total": 2.0}, "weights": "c0ffee", "relearn": None}
    again = first.updated(RunMetrics(seconds=JobSeconds(total=3.0, forget=1.0)))
    assert again == RunMetrics(weights="c0ffee", seconds=JobSeconds(total=3.0, forget=1.0), relearn=None)


def test_accuracies_and_distances_are_found_by_their_names() -> None:
    metrics = RunMetrics(
        accuracy={"after": {"forget_val": None, "forget_train": 0.0, "retain_val": 0.9}},
        distance={"val": DistanceMetrics(before=0.4, after=0.1)},
    )
    assert metrics.first_accuracy("after", "forget_val", "forget_train", "retain_val") == 0.0
    assert metrics.first_accuracy("after", "forget_val") is None
    assert metrics.first_accuracy("gold", "retain_val") is None
    assert (metrics.distance_to_gold("val"), metrics.distance_to_gold("test")) == (0.1, None)
    assert RunMetrics().distance_to_gold("val") is None


def test_what_is_undefined_is_null() -> None:
    score = Score(correct=3, total=4, accuracy=0.75, low=0.3, high=0.9)
    nothing = Score(correct=0, total=0, accuracy=nan, low=nan, high=nan)
    metrics = summary_metrics(
        {"after": "c0ffee"},
        AccuracyResult(scores={"after": {"forget_test": nothing, "retain_test": score}}),
        DistanceResult(sets={}, overall={"val": DistanceToGold(before=0.4, after=0.1, between_golds=nan)}),
        None,
    )
    assert metrics.to_dict() == {
        "accuracy": {"after": {"forget_test": None, "retain_test": 0.75}},
        "intervals": {"after": {"forget_test": Bounds(None, None), "retain_test": Bounds(0.3, 0.9)}},
        "evaluations": {"after": "c0ffee"},
        "gold": None,
        "distance": {"val": {"before": 0.4, "after": 0.1, "spread": None}},
        "privacy": None,
        "privacy_val": None,
    }
    assert "[null, null]" in metrics.to_json()
