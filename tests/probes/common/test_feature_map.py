"""The map of features: alignment and layout keep what they promise, and its numbers are those of plain definitions."""

import numpy as np
import pytest

from unlearn_core.probes.common.feature_map import (
    COMPONENTS,
    align,
    lay_out,
    nearest,
    shared_neighbours,
    silhouette,
)

RNG = np.random.default_rng(0)
LABELS = np.arange(60) % 4
FORGOTTEN = LABELS == 2


def clustered(features: int = 12, seed: int = 0) -> np.ndarray:
    """Features (60, features) float32 of four classes that overlap a little."""
    rng = np.random.default_rng(seed)
    return (rng.normal(0, 2, (4, features))[LABELS] + rng.normal(0, 1, (60, features))).astype(np.float32)


def rotation(size: int) -> np.ndarray:
    return np.linalg.qr(RNG.normal(size=(size, size)))[0]


def distances(points: np.ndarray) -> np.ndarray:
    return np.array([[np.sqrt(((one - other) ** 2).sum()) for other in points] for one in points.astype(float)])


def test_the_silhouette_is_that_of_its_definition() -> None:
    features = clustered()
    far, found = distances(features), []
    for image, label in enumerate(LABELS):
        own = [far[image, other] for other in range(60) if LABELS[other] == label and other != image]
        others = [np.mean([far[image, other] for other in range(60) if LABELS[other] == one]) for one in range(4)]
        nearest_other = min(mean for one, mean in enumerate(others) if one != label)
        found.append((nearest_other - np.mean(own)) / max(nearest_other, np.mean(own)))
    plain = np.array(found)
    assert silhouette(features, LABELS, FORGOTTEN) == pytest.approx(
        (plain[FORGOTTEN].mean(), plain[~FORGOTTEN].mean()), abs=1e-6
    )


def test_without_two_classes_there_is_no_silhouette() -> None:
    assert np.isnan(silhouette(clustered(), np.zeros(60, int), FORGOTTEN)).all()


def test_neighbours_are_those_of_a_plain_search() -> None:
    features, other = clustered(), clustered(seed=1)
    plain = [
        [sorted((far, at) for at, far in enumerate(row) if at != image)[place][1] for place in range(5)]
        for image, row in enumerate(distances(features))
    ]
    assert nearest(features, 5).tolist() == plain
    shares = [len(set(one) & set(two)) / 5 for one, two in zip(plain, nearest(other, 5).tolist(), strict=True)]
    assert shared_neighbours(nearest(features, 5), nearest(other, 5)) == pytest.approx(shares, abs=1e-6)
    assert shared_neighbours(nearest(features), nearest(features)).tolist() == [1.0] * 60


def test_aligning_keeps_all_distances_up_to_one_scale() -> None:
    features = {"before": clustered(), "after": clustered(seed=1)}
    for model, aligned in align(features, ~FORGOTTEN).items():
        ratio = distances(aligned)[~np.eye(60, dtype=bool)] / distances(features[model])[~np.eye(60, dtype=bool)]
        assert ratio == pytest.approx(ratio[0], rel=1e-5)


def test_features_that_were_turned_moved_and_scaled_are_laid_onto_the_original() -> None:
    features = clustered()
    turned = 3 * features.astype(float) @ rotation(12) + 5
    aligned = align({"before": features, "gold": turned}, ~FORGOTTEN)
    assert aligned["gold"] == pytest.approx(aligned["before"], abs=1e-6)


def test_only_the_first_principal_components_are_laid_out() -> None:
    wide = RNG.normal(size=(60, 80)).astype(np.float32)
    assert align({"before": wide}, ~FORGOTTEN)["before"].shape == (60, COMPONENTS)


def test_models_with_equal_features_have_one_map() -> None:
    features = {model: clustered() for model in ("before", "after", "gold")}
    before, after, gold = lay_out(align(features, ~FORGOTTEN)).values()
    assert np.array_equal(before, after) and np.array_equal(before, gold)
    assert len(np.unique(before, axis=0)) == 60


def test_models_that_differ_by_a_rotation_alone_have_nearly_one_map() -> None:
    features = clustered()
    turned = (features @ rotation(12)).astype(np.float32)
    before, gold = lay_out(align({"before": features, "gold": turned}, ~FORGOTTEN)).values()
    width = np.ptp(np.concatenate([before, gold]), axis=0).max()
    assert np.abs(before - gold).max() < 0.01 * width


def test_the_same_features_give_the_same_map_again() -> None:
    aligned = align({"before": clustered(), "after": clustered(seed=1)}, ~FORGOTTEN)
    first, again = lay_out(aligned), lay_out(aligned)
    assert all(np.array_equal(first[model], again[model]) for model in aligned)
