"""The confusion matrix by hand and against scikit-learn."""

from math import nan

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from tests.probes.small_context import answering, scene
from unlearn_core.domain.results.predictions import ConfusionResult
from unlearn_core.probes.confusion import PROBE, confusion_counts


def test_counts_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    labels, answers = rng.integers(0, 4, (2, 200))
    assert np.array_equal(confusion_counts(labels, answers, 4), confusion_matrix(labels, answers))


def test_only_test_images_count_and_a_class_without_any_has_no_share() -> None:
    answers = {"before": [0, 0, 1, 2, 0], "after": [1, 0, 2, 2, 0]}
    own = answering(scene("before"), answers, [0, 0, 1, 2, 0], retain_train=[0], forget_test=[1, 2], retain_test=[3, 4])
    part = PROBE.measure(own)
    assert isinstance(part, ConfusionResult)
    assert part.matrices["after"].tolist() == [[2, 0, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    assert [one.accuracy for one in part.scores["before"]] == pytest.approx([1.0, 1.0, 1.0, nan], nan_ok=True)
    assert [one.total for one in part.scores["after"]] == [2, 1, 1, 0]
    assert "gold" not in part.scores
