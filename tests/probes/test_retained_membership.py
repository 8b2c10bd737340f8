"""Membership of retained images: who is a member, what is found, and which images are found in one model only."""

import numpy as np
import pytest

from tests.probes.small_context import IMAGES, scene
from unlearn_core.domain.report import Evaluation
from unlearn_core.domain.results.privacy import RetainedMembershipResult
from unlearn_core.probes.common.attack_curves import MatchedImages, attacked_side
from unlearn_core.probes.retained_membership import PROBE

MODELS = ("before", "after", "gold")


def measured(**changes: object) -> RetainedMembershipResult:
    result = PROBE.measure(scene(*MODELS)._replace(**changes))
    assert isinstance(result, RetainedMembershipResult)
    return result


def test_members_are_training_images_with_others_of_their_class() -> None:
    context, result = scene(*MODELS, "twin"), measured()
    labels, split = context.labels, context.split
    for side, held_out in (("retain", (split.retain_val, split.retain_test)), ("forget", split[2::2])):
        inside, outside = (
            np.bincount(labels[rows], minlength=labels.max() + 1)
            for rows in (getattr(split, f"{side}_train"), np.concatenate(held_out))
        )
        assert result.sides[side].num_members == np.minimum(inside, outside).sum()
        assert list(result.sides[side].models) == list(MODELS)
        assert result.curves[f"{side}_after"].shape == result.steps[side].shape
    single = PROBE.measure(scene(*MODELS, forget=IMAGES))
    assert isinstance(single, RetainedMembershipResult) and set(single.sides) <= {"retain", "forget"}


def test_who_is_found_in_one_model_only_is_counted() -> None:
    others = np.arange(200.0)
    before, after = np.full(10, 150.0), np.full(10, 150.0)
    before[:2], after[1:5] = 300, 300
    scores = {"before": before, "after": after, "gold": after}
    found = attacked_side({model: MatchedImages(np.tile(own, 20), others) for model, own in scores.items()})
    assert found.num_false_positives == 2
    assert found.models["after"].found == pytest.approx(0.4) and found.models["before"].found == pytest.approx(0.2)
    change, gold = found.differences["after-before"], found.differences["after-gold"]
    assert (change.newly_found, change.no_longer_found) == (60, 20)
    assert (gold.newly_found, gold.no_longer_found, gold.difference) == (0, 0, 0)
    by_hand = [np.mean([float(value > other) + 0.5 * (value == other) for other in others]) for value in (150.0, 300.0)]
    assert change.difference == pytest.approx(0.2 * (by_hand[1] - by_hand[0]), abs=1e-6)


def test_it_says_why_nothing_was_attacked() -> None:
    context = scene(*MODELS)
    few = context.split._replace(retain_train=context.split.retain_train[:3])
    assert "Fewer than 5 retained images" in str(PROBE.measure(context._replace(split=few)))
    after = context.evaluations["after"]
    broken = Evaluation(after.weights, after.dataset, np.full_like(after.logits, np.nan))
    partly = Evaluation(after.weights, after.dataset, after.logits, np.zeros(len(after.logits), bool))
    for evaluation, words in ((broken, "unlearned model are not finite"), (partly, "Not all of these images")):
        assert words in str(PROBE.measure(context._replace(evaluations={**context.evaluations, "after": evaluation})))
