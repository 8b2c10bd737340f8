"""The difficulty of a request: measured for a run, and forget sets that are chosen by it; models of random halves."""

from pathlib import Path

import numpy as np
import pytest

from tests.methods.small_problem import tiny_spec
from tests.probes.common import half_outputs
from unlearn_core.__main__ import main
from unlearn_core.data import datasets, half_models, user_catalog
from unlearn_core.domain.errors import InvalidRequestError, NotSupportedError
from unlearn_core.domain.jobs import MeasureSpec
from unlearn_core.domain.recipe import Recipe
from unlearn_core.domain.results.predictions import DifficultyResult, Third
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.engine.execute import measure_on_demand, unlearn
from unlearn_core.engine.jobs import difficulty
from unlearn_core.engine.jobs.common import half_training
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.measuring.measure import load_run
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.probes.common.difficulty import entangled_set, entanglement_score
from unlearn_core.store.files import reports


@pytest.fixture(scope="module")
def images_run(model_cache: ModelCache) -> int:
    """A run that forgot single images, in a data folder with outputs of models of random halves."""
    half_outputs.store(model_cache.data_dir)
    done = unlearn(tiny_spec("finetune", kind="images", epochs=1), device="cpu", data_dir=model_cache.data_dir)
    assert done.run is not None
    return done.run


def test_each_third_of_the_forget_images_has_its_scores(images_run: int, model_cache: ModelCache) -> None:
    measure_on_demand(MeasureSpec(run=images_run, what="difficulty"), model_cache, NullListener())
    report = reports.read(model_cache.data_dir, images_run)
    found, forget = report[DifficultyResult], report.split.forget_train
    assert found.images.tolist() == forget.tolist() and found.num_models == half_outputs.NUM_MODELS
    assert found.memorisation[forget % 3 == half_outputs.MEMORISED].tolist() == [1] * 5
    assert found.memorisation[forget % 3 == half_outputs.EASY].tolist() == [0] * 5
    low, high = found.bounds
    inside: dict[Third, np.ndarray] = {
        "low": found.memorisation <= low,
        "middle": (found.memorisation > low) & (found.memorisation <= high),
        "high": found.memorisation > high,
    }
    for third, rows in inside.items():
        assert list(found.thirds[third]) == ["before", "after"]
        for model, score in found.thirds[third].items():
            right = report.evaluations[model].logits[forget].argmax(1) == report.labels[forget]
            assert (score.correct, score.total) == (right[rows].sum(), rows.sum())
    every = np.arange(report.dataset.train)
    features = difficulty.original_features("tiny", every, model_cache, NullTracker())
    assert found.entanglement == pytest.approx(entanglement_score(features, forget))
    assert found.random[0] < found.random[1] < found.random[2]


def test_it_is_measured_again_once_there_is_a_retrained_model(images_run: int, model_cache: ModelCache) -> None:
    loaded = load_run(images_run, model_cache)
    found = difficulty.measure(loaded, 0, model_cache, NullListener())
    assert isinstance(found, DifficultyResult)
    report = loaded.report.with_result(found)
    assert not difficulty.JOB.is_outdated(report)
    evaluations = {**report.evaluations, "gold": report.evaluations["before"]}
    retrained = reports.read(model_cache.data_dir, images_run).with_result(found)
    object.__setattr__(retrained, "evaluations", evaluations)
    assert difficulty.JOB.is_outdated(retrained)


def test_without_such_models_it_says_how_to_make_them(run: int, tmp_path: Path, model_cache: ModelCache) -> None:
    loaded = load_run(run, model_cache)
    user_catalog.set_data_dir(tmp_path)
    reason = difficulty.JOB.why_not(loaded.report)
    assert reason is not None and "`python -m unlearn_core difficulty --dataset shapes`" in reason
    assert difficulty.measure(loaded, 0, model_cache, NullListener()) == reason
    with pytest.raises(NotSupportedError, match="has not been measured"):
        difficulty.forget_set("tiny", "easy", 4, ModelCache("cpu", tmp_path), NullTracker())


def test_forget_sets_are_the_first_of_their_order(images_run: int, model_cache: ModelCache) -> None:
    user_catalog.set_data_dir(model_cache.data_dir)
    easy = difficulty.forget_set("tiny", "easy", 5, model_cache, NullTracker())
    memorised = difficulty.forget_set("tiny", "memorised", 5, model_cache, NullTracker())
    assert {image % 3 for image in easy} == {half_outputs.EASY}
    assert {image % 3 for image in memorised} == {half_outputs.MEMORISED}
    entangled = difficulty.forget_set("tiny", "entangled", 5, model_cache, NullTracker())
    features = difficulty.original_features("tiny", np.arange(400), model_cache, NullTracker())
    assert list(entangled) == sorted(entangled_set(features, 5).tolist())
    with pytest.raises(InvalidRequestError, match="choose 1 to 399 images"):
        difficulty.forget_set("tiny", "easy", 400, model_cache, NullTracker())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recipe of one epoch, as it is."""
    monkeypatch.setattr(half_training, "RECIPE", Recipe(epochs=1, batch=32, peak=0.1, augment="none"))
    monkeypatch.setattr(half_training, "adapt_to_size", lambda recipe, _count: recipe)


def test_models_of_halves_are_added_two_at_a_time(home: Path, quick: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["difficulty", "--dataset", "shapes", "--models", "4", "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "2 of 4 models are trained." in said and "4 of 4 models are trained." in said
    data = datasets.load("shapes")
    labels = data.labels[: data.train]
    first = half_models.load("shapes", labels)
    assert first is not None and first.confidence.shape == (4, 400)
    assert first.correct[first.confidence > 1 / 8].all(), "what has more than half of the probability is predicted"
    assert 0 < first.correct.mean() < 1 and first.confidence.std() > 0
    assert main(["difficulty", "--dataset", "shapes", "--models", "6", "--device", "cpu"]) == 0
    assert "2 of 6" not in (said := capsys.readouterr().out) and "6 of 6 models are trained." in said
    more = half_models.load("shapes", labels)
    assert more is not None and np.array_equal(more.confidence[:4], first.confidence)


def test_models_that_ship_are_not_trained_again(
    home: Path, quick: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped, labels = half_models.bundled_file(tmp_path, "shapes"), datasets.load("shapes").labels[:400]
    assert list(half_training.train_halves("shapes", 4, shipped, "cpu")) == [2, 4]
    monkeypatch.setattr(half_models, "asset_roots", lambda: [tmp_path])
    first = half_models.read(shipped, labels)
    for count, said in ((4, []), (6, ["6 of 6 models are trained."])):
        assert main(["difficulty", "--dataset", "shapes", "--models", str(count), "--device", "cpu"]) == 0
        *lines, last = capsys.readouterr().out.splitlines()
        own = half_models.own_file("shapes")
        assert lines == said and own is not None and str(own) in last
        known = half_models.read(own, labels)
        assert first is not None and known is not None and known.num_models == count
        assert np.array_equal(known.confidence[:4], first.confidence)


def test_models_of_another_recipe_are_trained_anew(home: Path, quick: None) -> None:
    file = half_outputs.store(home)
    assert list(half_training.train_halves("shapes", 4, file, "cpu")) == [2, 4]
    assert list(half_training.train_halves("shapes", 4, file, "cpu")) == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--dataset", "shapes", "--models", "5"], "must be an even number from 4 to 1,000, not 5"),
        (["--dataset", "blobs"], "only measured for images, not for points"),
        (["--dataset", "nothing"], "nothing"),
    ],
)
def test_what_cannot_be_trained_is_a_sentence(
    home: Path, words: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["difficulty", *words, "--device", "cpu"]) == 2
    assert why in capsys.readouterr().err


def test_a_handful_of_images_has_no_halves(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(half_training, "MIN_IMAGES", 401)
    with pytest.raises(NotSupportedError, match="has 400 training images; models of halves need 401"):
        list(half_training.train_halves("shapes", 4, home / "halves.npz", "cpu"))
    assert not (home / "halves.npz").exists()


def test_forget_sets_are_chosen_on_the_command_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    half_outputs.store(home)
    assert main(["gold", "--classifier", "tiny", "--forget-images", "memorised:3", "--yes"]) == 0
    assert "is queued" in capsys.readouterr().out
    assert main(["gold", "--classifier", "tiny", "--forget-images", "easy:", "--yes"]) == 2
    assert "needs a number of images: easy:16." in capsys.readouterr().err
