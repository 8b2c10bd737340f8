"""Features are computed once for each image, and what a run's report gets from them: map and representation."""

from pathlib import Path

import numpy as np
import pytest

from tests.methods.small_problem import tiny_spec
from unlearn_core.domain.errors import CancelledError, DivergedError
from unlearn_core.domain.jobs import FeaturesSpec, MeasureSpec
from unlearn_core.domain.results.features import FeatureMapResult, RepresentationResult
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.engine.execute import measure_on_demand, unlearn
from unlearn_core.engine.jobs import feature_map, image_features, representation
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.measuring import model_features
from unlearn_core.engine.measuring.measure import load_run
from unlearn_core.engine.measuring.model_features import collect_features
from unlearn_core.engine.model_cache import FrozenModel, ModelCache
from unlearn_core.models import classifiers
from unlearn_core.probes.common.feature_map import silhouette
from unlearn_core.store.files import reports

CARD = classifiers.card("tiny")


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images are passed through a model, call by call."""
    counts: list[int] = []
    head_inputs = model_features.head_inputs

    def counted(*args: object) -> object:
        found = head_inputs(*args)  # pyright: ignore[reportArgumentType]
        counts.append(len(found))
        return found

    monkeypatch.setattr(model_features, "head_inputs", counted)
    return counts


def original(models: ModelCache) -> FrozenModel:
    found = models.original(CARD)
    assert found is not None
    return found


def test_only_images_that_nobody_asked_for_are_computed(tmp_path: Path, computed: list[int]) -> None:
    models = ModelCache("cpu", tmp_path)
    same = {"before": original(models), "after": original(models)}
    rows = np.array([40, 3, 17])
    first = collect_features(same, CARD, rows, models, NullTracker())
    assert computed == [3], "two models of equal weights are one"
    assert np.array_equal(first["before"], first["after"]) and first["before"].dtype == np.float32
    more = collect_features(same, CARD, np.array([3, 99, 40]), models, NullTracker())["before"]
    assert computed == [3, 1]
    assert np.array_equal(more[[2, 0]], first["before"][:2])
    image_features.store_features(FeaturesSpec(classifier="tiny"), models, NullListener())
    assert computed == [3, 1, 596], "the likeness of images reads the same store"
    everything = collect_features(same, CARD, np.arange(600), models, NullTracker())["before"]
    assert len(computed) == 3 and np.array_equal(everything[rows], first["before"])


def test_features_that_are_not_finite_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = ModelCache("cpu", tmp_path)
    values = model_features.head_inputs
    monkeypatch.setattr(model_features, "head_inputs", lambda *args: values(*args) * float("inf"))
    with pytest.raises(DivergedError, match="features are not finite for 2 images"):
        collect_features({"before": original(models)}, CARD, np.arange(2), models, NullTracker())


@pytest.fixture(scope="module")
def result(run: int, model_cache: ModelCache) -> FeatureMapResult:
    measure_on_demand(MeasureSpec(run=run, what="feature_map"), model_cache, NullListener())
    return reports.read(model_cache.data_dir, run)[FeatureMapResult]


def test_the_map_is_in_the_report_with_the_numbers_of_all_models(
    result: FeatureMapResult, run: int, model_cache: ModelCache
) -> None:
    report = reports.read(model_cache.data_dir, run)
    assert (result.forget_set, result.retain_set) == ("forget_test", "retain_test")
    assert result.num_forget == min(len(report.split.forget_test), feature_map.MAX_FORGET)
    assert list(result.points) == list(result.models) == ["before", "after", "gold"]
    assert all(points.shape == (len(result.images), 2) for points in result.points.values())
    assert result.models["before"].neighbours_forget == result.models["before"].neighbours_retain == 1
    features = collect_features({"one": original(model_cache)}, CARD, result.images, model_cache, NullTracker())["one"]
    forgotten = np.isin(result.images, report.split.forget_test)
    assert forgotten[: result.num_forget].all() and not forgotten[result.num_forget :].any()
    found = silhouette(features, report.labels[result.images], forgotten)
    assert (result.models["before"].silhouette_forget, result.models["before"].silhouette_retain) == found


def test_three_models_of_equal_weights_have_one_map(
    run: int, model_cache: ModelCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_run(run, model_cache)
    same = dict.fromkeys(("before", "after", "gold"), loaded.after)
    monkeypatch.setattr(feature_map, "collect_models", lambda *_: same)
    found = feature_map.measure(loaded, 0, model_cache, NullListener())
    assert isinstance(found, FeatureMapResult)
    points = np.stack(list(found.points.values()))
    width = np.ptp(points.reshape(-1, 2), axis=0).max()
    assert width > 0 and np.abs(points - points[0]).max() < 0.01 * width


def test_single_images_are_shown_where_they_were_trained_on(model_cache: ModelCache) -> None:
    done = unlearn(tiny_spec("finetune", kind="images", epochs=1), device="cpu", data_dir=model_cache.data_dir)
    assert done.run is not None
    found = feature_map.measure(load_run(done.run, model_cache), 0, model_cache, NullListener())
    assert isinstance(found, FeatureMapResult)
    assert (found.forget_set, found.num_forget) == ("forget_train", 15)
    assert "gold" not in found.models


def test_a_map_of_too_few_images_is_a_sentence(
    run: int, model_cache: ModelCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_map, "MIN_IMAGES", 1_000)
    found = feature_map.measure(load_run(run, model_cache), 0, model_cache, NullListener())
    assert isinstance(found, str) and found.startswith("A map needs at least 1000 images, and there are ")


def test_it_is_cancelled_between_two_steps(run: int, model_cache: ModelCache) -> None:
    class Stops(NullListener):
        def check(self) -> None:
            raise CancelledError("Stopped.")

    with pytest.raises(CancelledError):
        feature_map.measure(load_run(run, model_cache), 0, model_cache, Stops())


@pytest.fixture(scope="module")
def probed(run: int, model_cache: ModelCache) -> RepresentationResult:
    measure_on_demand(MeasureSpec(run=run, what="representation"), model_cache, NullListener())
    return reports.read(model_cache.data_dir, run)[RepresentationResult]


def test_the_representation_of_all_models_is_in_the_report(
    probed: RepresentationResult, run: int, model_cache: ModelCache
) -> None:
    report = reports.read(model_cache.data_dir, run)
    assert list(probed.forget["probe"]) == [name for name in representation.MODELS if name in report.evaluations]
    for model, correct in probed.probe.items():
        assert (probed.forget["probe"][model].correct, probed.forget["probe"][model].total) == (
            correct.sum(),
            len(probed.images),
        )
        own = report.evaluations[model].logits[probed.images].argmax(1) == report.labels[probed.images]
        assert probed.forget["own_layer"][model].correct == own.sum()
    assert probed.forget["probe"]["before"].accuracy > 0.5, "the original distinguishes the class"
    assert probed.retain["neighbours"]["before"].accuracy > 0.5


def test_a_probe_is_evaluated_on_images_that_it_was_not_fitted_to(run: int, model_cache: ModelCache) -> None:
    report = reports.read(model_cache.data_dir, run)
    fitted = representation.fitted_images(report)
    counts = np.bincount(report.labels[fitted])
    assert counts.min() == counts.max() > 0, "as many of each class, the forgotten one too"
    sets, images = representation.forget_images(report.split, fitted)
    assert sets == ("forget_val", "forget_test") and not len(np.intersect1d(images, fitted))
    no_others = report.split._replace(forget_val=images[:0], forget_test=images[:0])
    sets, images = representation.forget_images(no_others, fitted[::2])
    assert sets == ("forget_train",) and len(images) and not len(np.intersect1d(images, fitted[::2]))


def test_single_forget_images_are_not_shown_to_the_probe(model_cache: ModelCache) -> None:
    done = unlearn(tiny_spec("finetune", kind="images", epochs=1), device="cpu", data_dir=model_cache.data_dir)
    assert done.run is not None
    found = representation.measure(load_run(done.run, model_cache), 0, model_cache, NullListener())
    assert isinstance(found, RepresentationResult)
    assert found.images.tolist() == done.report.split.forget_train.tolist()
    assert not len(np.intersect1d(representation.fitted_images(done.report), found.images))


def test_without_images_to_evaluate_on_it_says_so(
    run: int, model_cache: ModelCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(representation, "NUM_EVALUATED", 0)
    found = representation.measure(load_run(run, model_cache), 0, model_cache, NullListener())
    assert found == representation.TOO_FEW
