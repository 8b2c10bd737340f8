"""Confidence figures against values computed by hand."""

import numpy as np
import pytest

from unlearn_core.domain.results.logit_statistics import logit_statistics
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.logits import measure


def test_figures_by_hand() -> None:
    # Softmax of the first row: 1/6, 2/6, 3/6.
    logits = np.log(np.array([[1.0, 2.0, 3.0], [1.0, 1.0, 1.0]]))
    found = logit_statistics(logits, np.array([1, 0]))
    assert found["true"] == pytest.approx([np.log(2), 0])
    assert found["top"] == pytest.approx([np.log(3), 0])
    assert found["margin"] == pytest.approx([np.log(2) - np.log(3), 0])
    first = -(np.log(1 / 6) / 6 + np.log(2 / 6) * 2 / 6 + np.log(3 / 6) * 3 / 6)
    assert found["entropy"] == pytest.approx([first, np.log(3)])


def test_a_right_answer_leads_by_its_distance_to_the_runner_up() -> None:
    assert logit_statistics(np.array([[5.0, 2.0, -1.0]]), np.array([0]))["margin"] == pytest.approx([3.0])


def test_huge_logits_stay_finite() -> None:
    found = logit_statistics(np.array([[3e4, -3e4, 0.0]], np.float32), np.array([1]))
    assert found["entropy"] == pytest.approx([0.0])
    assert found["margin"] == pytest.approx([-6e4])


def test_every_model_has_its_own_figures_in_the_data_sets_order(whole: ProbeContext) -> None:
    result = measure(whole)
    for values in (result.true_logit, result.top_logit, result.margin, result.entropy):
        assert set(values) == {"before", "after", "gold"}
    for model in ("before", "after", "gold"):
        answers = whole.evaluations[model].logits
        right = answers.argmax(1) == whole.labels
        assert np.array_equal(result.margin[model] > 0, right)
        assert 0 < right.sum() < len(right)
        assert np.array_equal(result.true_logit[model], answers[np.arange(len(answers)), whole.labels])
