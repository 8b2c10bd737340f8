"""RMIA: by hand, by a plain implementation from the paper, and which images and models it takes."""

from math import exp

import numpy as np
import pytest

from tests.probes.small_context import IMAGES, scene
from unlearn_core.domain.forget_request import ForgetImages
from unlearn_core.domain.report import Evaluation
from unlearn_core.domain.results.outputs import FurtherGolds
from unlearn_core.domain.results.privacy import RmiaResult
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.rmia import PROBE, draw_images, log_relative_likelihood, rmia_scores

MODELS = ("before", "after", "gold", "twin")


def measured(context: ProbeContext) -> RmiaResult:
    result = PROBE.measure(context)
    assert isinstance(result, RmiaResult)
    return result


def plain_score(own: float, others: list[float], population: list[tuple[float, list[float]]]) -> float:
    """The share of z with LR(x, z) >= 1, from p(x | model) and p(x | reference models), with a = 0.3."""

    def prior(values: list[float]) -> float:
        out = sum(values) / len(values)
        return (out + (0.3 * out + 1 - 0.3)) / 2

    found = [own / prior(others) / (z / prior(its)) >= 1 for z, its in population]
    return sum(found) / len(found)


def test_the_score_by_hand() -> None:
    ratio = log_relative_likelihood(np.log([0.9, 0.2]), np.log([[0.5, 0.1], [0.1, 0.1]]))
    assert np.exp(ratio) == pytest.approx([0.9 / 0.545, 0.2 / 0.415], abs=1e-9)
    population = np.log([0.4, 1.6, 2.0])
    assert rmia_scores(ratio, population).tolist() == pytest.approx([2 / 3, 1 / 3], abs=1e-9)
    assert rmia_scores(np.log([0.3, 2.5]), population).tolist() == [0, 1]


def test_images_that_are_all_alike_are_all_at_least_as_likely() -> None:
    same = log_relative_likelihood(np.zeros(3), np.zeros((2, 3)))
    assert same == pytest.approx(0, abs=1e-12) and rmia_scores(same, same).tolist() == [1, 1, 1]
    vanished = log_relative_likelihood(np.full(2, -2000.0), np.full((1, 2), -2000.0))
    assert np.isfinite(vanished).all(), "a probability that is 0 in 64 bits"


def test_a_plain_implementation_agrees() -> None:
    context = scene(*MODELS)
    result = measured(context)
    (members, others), population = draw_images(context)
    logits = {model: own.logits.astype(float) for model, own in context.evaluations.items()}

    def probability(model: str, image: int) -> float:
        powers = [exp(value) for value in logits[model][image]]
        return powers[context.labels[image]] / sum(powers)

    assert result.reference_golds == [1] and list(result.attacked.models) == ["before", "after", "gold"]
    for model, found in result.attacked.models.items():
        its = [(probability(model, image), [probability("twin", image)]) for image in population]
        ours, theirs = (
            [plain_score(probability(model, image), [probability("twin", image)], its) for image in rows]
            for rows in (members, others)
        )
        wins = [(one > other) + 0.5 * (one == other) for one in ours for other in theirs]
        assert found.auc == pytest.approx(sum(wins) / len(wins), abs=1e-6)
        limit = sorted(theirs)[len(theirs) - 1 - len(theirs) // 100]
        assert found.found == pytest.approx(sum(one > limit for one in ours) / len(ours), abs=1e-6)


@pytest.mark.parametrize("forget", [None, ForgetImages(images=tuple(range(0, 200, 5)))], ids=["class", "images"])
def test_members_non_members_and_population_are_different_images_of_the_same_classes(forget) -> None:
    context = scene(*MODELS) if forget is None else scene(*MODELS, forget=forget)
    (members, others), population = draw_images(context)
    labels, split = context.labels, context.split
    assert set(members) <= set(split.forget_train)
    held_out = np.concatenate([split.forget_val, split.forget_test, split.retain_val, split.retain_test])
    assert set(others) | set(population) <= set(held_out) and not set(others) & set(population)
    assert np.bincount(labels[members]).tolist() == np.bincount(labels[others]).tolist()
    classes = np.unique(labels[split.forget_train])
    for label in classes:
        count = int((labels[held_out] == label).sum())
        assert (labels[population] == label).sum() == (count + 1) // 2, "half of each class, rounded up"
    assert set(labels[population]) == set(classes)
    result = measured(context)
    assert (result.attacked.num_members, result.num_population) == (len(members), len(population))
    assert result.curves["after"].shape == result.steps.shape


def further(context: ProbeContext, *numbers: int) -> ProbeContext:
    """The context with outputs of more golds, which are those of the first on other images."""
    rows = np.arange(len(context.labels))
    own = context.evaluations["gold"].logits
    logits = np.stack([np.roll(own, number, 0) for number in numbers]).astype(np.float16)
    return context._replace(further_golds=FurtherGolds(numbers=list(numbers), rows=rows, logits=logits))


def test_all_golds_but_the_first_are_reference_models() -> None:
    alone, two = scene("before", "after", "gold"), scene(*MODELS)
    cases = {
        "one": (alone, [0]),
        "two": (two, [1]),
        "outputs of two more": (further(alone, 1, 2), [1, 2]),
        "a second one, and its outputs": (further(two, 1, 2), [1, 2]),
    }
    for name, (context, numbers) in cases.items():
        result = measured(context)
        assert result.reference_golds == numbers, name
        assert ("gold" in result.attacked.models) == ("after-gold" in result.attacked.differences) == (numbers != [0])


def told(context: ProbeContext, shift: float) -> ProbeContext:
    """The context in which after is the gold, but for a shift of the logit of the true class of members."""
    logits = context.evaluations["gold"].logits.copy()
    rows = context.split.forget_train
    logits[rows, context.labels[rows]] += shift
    after = Evaluation("after", "shapes", logits)
    return context._replace(evaluations={**context.evaluations, "after": after})


def test_it_finds_members_that_are_likelier_than_in_the_retrained_model() -> None:
    context = scene(*MODELS)
    none, more, less = (measured(told(context, shift)).attacked for shift in (0, 4, -4))
    assert none.differences["after-gold"].difference == 0
    assert more.differences["after-gold"].low > 0 > less.differences["after-gold"].high


def test_it_says_why_there_is_no_attack() -> None:
    assert PROBE.measure(scene("before", "after")) == "There is no retrained model to compare with."
    assert "Fewer than 5 forget images" in str(PROBE.measure(scene(*MODELS, forget=IMAGES)))
    context = scene(*MODELS)
    for model, title in (("after", "the unlearned model"), ("twin", "the retrained model")):
        own = context.evaluations[model]
        broken = Evaluation(own.weights, own.dataset, np.full_like(own.logits, np.nan))
        found = PROBE.measure(context._replace(evaluations={**context.evaluations, model: broken}))
        assert found == f"Some outputs of {title} are not finite, so no attack can be evaluated."
