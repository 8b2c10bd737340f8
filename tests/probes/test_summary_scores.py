"""Summary scores by hand, and the threshold of the attack by trying every one."""

import numpy as np
import pytest

from tests.probes.small_context import IMAGES, answering, scene
from unlearn_core.domain.report import Evaluation
from unlearn_core.domain.results.outputs import SummaryScoresResult
from unlearn_core.probes.summary_scores import PROBE, member_threshold

MODELS = ("before", "after", "gold")


def by_hand() -> SummaryScoresResult:
    """Two forget images, four retained training images and four retained test images of class 0."""
    predictions = {
        "before": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        "after": [1, 1, 0, 0, 0, 1, 0, 0, 1, 1],
        "gold": [0, 1, 0, 0, 0, 0, 0, 0, 0, 1],
    }
    sets = {"forget_train": [0, 1], "retain_train": [2, 3, 4, 5], "retain_test": [6, 7, 8, 9]}
    result = PROBE.measure(answering(scene(*MODELS), predictions, [0] * 10, **sets))
    assert isinstance(result, SummaryScoresResult)
    return result


def test_the_scores_follow_from_the_gaps() -> None:
    result = by_hand()
    # Where every image has the same confidence, the threshold is that confidence, and everything is a member.
    assert result.shares["before"] == {"forget_train": 1, "retain_train": 1, "retain_test": 1, "non_members": 0}
    assert result.shares["after"] == {"forget_train": 0, "retain_train": 0.75, "retain_test": 0.5, "non_members": 1}
    assert result.shares["gold"] == {"forget_train": 0.5, "retain_train": 1, "retain_test": 0.75, "non_members": 0.5}
    assert result.gaps("after") == {
        "forget_train": 0.5,
        "retain_train": 0.25,
        "retain_test": 0.25,
        "non_members": 0.5,
    }
    assert result.tug_of_war("after") == pytest.approx((1 - 0.5) * (1 - 0.25) * (1 - 0.25), abs=1e-12)
    assert result.tug_of_war_mia("after") == pytest.approx((1 - 0.5) * (1 - 0.25) * (1 - 0.25), abs=1e-12)
    assert result.average_gap("after") == pytest.approx((0.5 + 0.25 + 0.25 + 0.5) / 4, abs=1e-12)
    assert (result.tug_of_war("gold"), result.tug_of_war_mia("gold"), result.average_gap("gold")) == (1, 1, 0)


def test_a_plain_implementation_agrees() -> None:
    context = scene(*MODELS, "twin", forget=IMAGES)
    result = PROBE.measure(context)
    assert isinstance(result, SummaryScoresResult) and set(result.shares) == {*MODELS, "twin"}
    for model, evaluation in context.evaluations.items():
        confidence = {}
        for name in ("forget_train", "retain_train", "retain_test"):
            rows = getattr(context.split, name)
            values = []
            for row in rows:
                logits = evaluation.logits[row].astype(float)
                values.append(np.exp(logits[context.labels[row]]) / np.exp(logits).sum())
            confidence[name] = np.array(values)
            correct = [evaluation.logits[row].argmax() == context.labels[row] for row in rows]
            assert result.shares[model][name] == pytest.approx(np.mean(correct), abs=1e-6)
        limit = member_threshold(confidence["retain_train"], confidence["retain_test"])
        share = np.mean([value < limit - 1e-12 for value in confidence["forget_train"]])
        assert result.shares[model]["non_members"] == pytest.approx(share, abs=1e-6)


def test_no_threshold_has_a_larger_balanced_accuracy() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        members, others = rng.beta(4, 2, 17).round(2), rng.beta(2, 2, 11).round(2)

        def balanced(limit: float, ours: np.ndarray = members, theirs: np.ndarray = others) -> float:
            return (float((ours >= limit).mean()) + float((theirs < limit).mean())) / 2

        found = member_threshold(members, others)
        best = max(balanced(limit) for limit in np.linspace(0, 1.01, 1012))
        assert balanced(found) == pytest.approx(best, abs=1e-12)


def test_a_model_that_was_not_evaluated_on_all_images_has_no_scores() -> None:
    context = scene(*MODELS, "twin")
    evaluated = np.ones(len(context.labels), bool)
    evaluated[context.split.retain_train[0]] = False
    twin = context.evaluations["twin"]
    partly = Evaluation(twin.weights, twin.dataset, twin.logits, evaluated)
    result = PROBE.measure(context._replace(evaluations={**context.evaluations, "twin": partly}))
    assert isinstance(result, SummaryScoresResult) and set(result.shares) == set(MODELS)


def test_it_says_why_there_are_none() -> None:
    assert "no retrained model" in str(PROBE.measure(scene("before", "after")))
    context = scene(*MODELS)
    no_test = context._replace(split=context.split._replace(retain_test=context.split.retain_test[:0]))
    assert "no test images" in str(PROBE.measure(no_test))
    after = context.evaluations["after"]
    broken = Evaluation(after.weights, after.dataset, np.full_like(after.logits, np.nan))
    result = PROBE.measure(context._replace(evaluations={**context.evaluations, "after": broken}))
    assert result == "Some outputs of the unlearned model are not finite."
