"""Memorisation and entanglement against their plain definitions, and the forget sets that are chosen by them."""

from pathlib import Path

import numpy as np
import pytest

from unlearn_core.data import half_models
from unlearn_core.data.half_models import HalfModels, Memorisation, half_members, memorisation
from unlearn_core.probes.common import difficulty


def test_each_pair_of_models_shares_the_images_between_them() -> None:
    members = half_members(101, 6)
    assert members.shape == (6, 101) and (members[::2] ^ members[1::2]).all()
    assert set(members.sum(1)) == {50, 51}
    assert np.array_equal(half_members(101, 3), members[:3]), "more models leave the first ones as they were"
    assert (members[0] != members[2]).any()


def test_memorisation_is_the_difference_of_two_shares() -> None:
    members, rng = half_members(40, 8), np.random.default_rng(0)
    correct, probability = rng.random((8, 40)) < 0.6, rng.random((8, 40))
    known = memorisation(correct, probability, members)
    for image in range(40):
        trained = [correct[k, image] for k in range(8) if members[k, image]]
        others = [correct[k, image] for k in range(8) if not members[k, image]]
        assert known.score[image] == pytest.approx(sum(trained) / 4 - sum(others) / 4, abs=1e-6)
        shares = [(sum(side) + 1) / 6 for side in (trained, others)]
        error = sum(share * (1 - share) / 6 for share in shares) ** 0.5
        assert known.error[image] == pytest.approx(error, abs=1e-6)
        unseen = np.mean([probability[k, image] for k in range(8) if not members[k, image]])
        assert known.unseen[image] == pytest.approx(unseen, abs=1e-6)


def test_an_image_that_only_its_own_models_know_has_memorisation_1() -> None:
    members = half_members(10, 16)
    known = memorisation(members, np.where(members, 0.9, 0.1), members)
    assert known.score.tolist() == [1.0] * 10 and known.unseen == pytest.approx([0.1] * 10)
    assert known.error == pytest.approx([(2 * 0.9 * 0.1 / 10) ** 0.5] * 10, abs=1e-6)


def plain_score(features: np.ndarray, forget: list[int]) -> float:
    """The entanglement score as it is written in the paper."""
    chosen = np.isin(np.arange(len(features)), forget)
    own, other = features[chosen], features[~chosen]
    spread = sum(np.mean([np.sum((f - side.mean(0)) ** 2) for f in side]) for side in (own, other))
    apart = sum(np.sum((side.mean(0) - features.mean(0)) ** 2) for side in (own, other))
    return float(spread / (apart / 2))


@pytest.mark.parametrize("forget", [[0], [3, 17, 29], list(range(25))])
def test_the_entanglement_score_is_that_of_the_paper(forget: list[int]) -> None:
    features = np.random.default_rng(1).normal(3, 2, (60, 5))
    own = difficulty.entanglement_score(features, np.array(forget))
    assert own == pytest.approx(plain_score(features, forget), rel=1e-9)


def test_a_set_apart_is_less_entangled_than_random_ones() -> None:
    features = np.random.default_rng(2).normal(size=(200, 3))
    features[:20] += 10
    found = difficulty.entanglement(features, np.arange(20))
    low, median, high = found.random
    assert found.score == difficulty.entanglement_score(features, np.arange(20)) < low < median < high
    assert difficulty.entanglement(features, np.arange(20)) == found, "the same random sets every time"


def test_equal_features_have_no_score() -> None:
    assert np.isnan(difficulty.entanglement_score(np.ones((6, 2)), np.array([1])))


def test_each_entangled_image_brings_the_mean_nearest_to_that_of_all() -> None:
    features = np.random.default_rng(4).normal(2, 1, (50, 3))
    found = difficulty.entangled_set(features, 8)
    for place in range(8):
        others = [image for image in range(50) if image not in found[:place]]
        means = [features[[*found[:place], image]].mean(0) for image in others]
        assert found[place] == others[int(np.argmin([np.linalg.norm(mean - features.mean(0)) for mean in means]))]
    entanglement = difficulty.entanglement(features, found)
    assert entanglement.score > entanglement.random[2], "more entangled than random sets"


KNOWN = Memorisation(np.array([0, 1, -0.5, 0, 1, 0.25]), np.full(6, 0.1), np.array([0.2, 0.1, 0.5, 0.9, 0.3, 0.6]))


def test_easy_and_memorised_images_are_ordered_by_their_score_then_by_models_without_them() -> None:
    assert difficulty.memorised_order("easy", KNOWN).tolist() == [3, 0, 5, 2, 4, 1]
    assert difficulty.memorised_order("memorised", KNOWN).tolist() == [1, 4, 5, 0, 3, 2]


def test_every_image_is_in_one_third() -> None:
    score = np.linspace(-1, 1, 31).repeat(2)
    bounds = difficulty.thirds(score)
    groups = difficulty.in_thirds(score, bounds)
    assert (np.stack(list(groups.values())).sum(0) == 1).all()
    assert [int(own.sum()) for own in groups.values()] == [22, 20, 20]
    assert score[groups["low"]].max() <= bounds[0] < score[groups["middle"]].min()
    assert not any(own.any() for own in list(difficulty.in_thirds(np.array([2.0]), (2, 3)).values())[1:])


def test_outputs_are_stored_within_a_sixteenth(tmp_path: Path) -> None:
    rng, labels = np.random.default_rng(3), np.arange(37) % 5
    confidence = rng.normal(0, 5, (6, 37)).clip(-16, 15.875).astype(np.float32)
    written = HalfModels(confidence, rng.random((6, 37)) < 0.5, "{}")
    half_models.write(tmp_path / "record.npz", written, labels)
    read = half_models.read(tmp_path / "record.npz", labels)
    assert read is not None and read.made_with == "{}" and read.num_models == 6
    assert np.abs(read.confidence - confidence).max() <= 1 / 16
    assert np.array_equal(read.correct, written.correct)
    beyond = written._replace(confidence=np.full((6, 37), 99, np.float32))
    half_models.write(tmp_path / "record.npz", beyond, labels)
    read = half_models.read(tmp_path / "record.npz", labels)
    assert read is not None and set(read.confidence.ravel().tolist()) == {15.875}


def test_a_file_of_other_images_or_a_damaged_one_is_no_file(tmp_path: Path) -> None:
    labels, path = np.arange(8) % 2, tmp_path / "record.npz"
    assert half_models.read(path, labels) is None
    half_models.write(path, HalfModels(np.zeros((2, 8), np.float32), np.ones((2, 8), bool), "{}"), labels)
    assert half_models.read(path, labels) is not None and half_models.read(path, 1 - labels) is None
    path.write_bytes(path.read_bytes()[:200])
    assert half_models.read(path, labels) is None
