"""The playground's runs: the lab's own methods on points, recorded without a change, in a bounded time."""

from pathlib import Path

import numpy as np
import pytest
import torch

from unlearn_core.data import playground_points
from unlearn_core.domain.errors import CancelledError, InvalidRequestError, NotSupportedError
from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetImages, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.results.boundary_frames import GRID_SIZE
from unlearn_core.domain.results.point_runs import MAX_DRAWN, DrawnPoint, PointsSpec
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.engine.job import JobContext
from unlearn_core.engine.jobs.playground_run import run_points
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.playground import boundary_recorder, point_models, point_settings
from unlearn_core.engine.playground.point_models import make_frames
from unlearn_core.engine.setup import build_problem, resolve_run
from unlearn_core.methods import methods
from unlearn_core.store.files import playground_results
from unlearn_core.training import evaluate
from unlearn_core.training.seeding import seeded

NOON, SOME = ForgetClasses(classes=(1,)), ForgetImages(images=tuple(range(0, 60, 2)))
REQUESTS: list[tuple[str, Forget]] = [
    (name, forget) for name, method in methods().items() for forget in (NOON, SOME) if forget.kind in method.supports
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> ModelCache:
    torch.set_num_threads(1)
    return ModelCache("cpu", tmp_path_factory.mktemp("home"))


def spec(name: str, forget: Forget, **values: object) -> PointsSpec:
    params = point_settings.start_values(methods()[name], forget.kind).updated(dict(values)).model_dump()
    return PointsSpec(part="unlearn", dataset="moons", forget=forget, method=name, params=params)


def drawn(count: int = 12) -> tuple[DrawnPoint, ...]:
    rng = np.random.default_rng(0)
    return tuple(
        DrawnPoint(int(x + 140 * label), int(y), label) for label in (0, 1) for x, y in rng.uniform(20, 90, (count, 2))
    )


QUICK = {("unsir", NOON), ("l2ul", SOME), ("fisher", NOON), ("ssd", SOME), ("reinit", NOON)}


@pytest.mark.parametrize(
    ("name", "forget"),
    [
        pytest.param(*one, marks=() if one in QUICK else pytest.mark.slow, id=f"{one[0]}-{one[1].kind}")
        for one in REQUESTS
    ],
)
def test_each_method_runs_as_in_the_lab_and_is_recorded(name: str, forget: Forget, cache: ModelCache) -> None:
    own = spec(name, forget)
    frames = make_frames(own, cache, NullListener())
    assert not frames.note
    assert 2 <= len(frames.steps) < 2 * boundary_recorder.FRAMES + 12
    assert list(frames.steps) == sorted(frames.steps)
    assert frames.phases[0] == "before"
    # The same run of the lab, which records nothing, ends with the same model.
    card = point_models.classifier_of("moons")
    request = ForgetRequest(classifier=card.id, dataset="moons", forget=forget)
    resolved = resolve_run(UnlearnSpec(request=request, method=name, params=own.params), cache)
    problem = build_problem(resolved, cache)
    with seeded(0, "noise"):
        resolved.method.forget(problem, resolved.params, NullTracker())
    expected = torch.from_numpy(evaluate.logits(problem.model, boundary_recorder.grid_points())).log_softmax(1)
    found = frames.log_probabilities()[-1].reshape(4, -1).T
    assert np.abs(found - expected.numpy().clip(-8, 0)).max() < 0.07
    split, labels = resolved.split, cache.dataset("moons").labels.numpy()
    rows = split.forget_test if len(split.forget_test) else split.forget_train
    right = (
        evaluate.logits(problem.model, cache.dataset("moons").images[torch.from_numpy(rows)]).argmax(1) == labels[rows]
    )
    assert frames.forget[-1] == right.sum() and frames.forget_points == len(rows)


def test_the_same_spec_gives_the_same_frames(cache: ModelCache) -> None:
    one, other = (make_frames(spec("l2ul", SOME), cache, NullListener()) for _ in range(2))
    assert one.model_copy(update={"seconds": 0.0}) == other.model_copy(update={"seconds": 0.0})


def test_points_that_a_method_makes_move_from_frame_to_frame(cache: ModelCache) -> None:
    noise = make_frames(spec("unsir", NOON, noise_pictures=32), cache, NullListener()).made
    adversarial = make_frames(spec("l2ul", SOME), cache, NullListener()).made
    for made, phase in ((noise, "noise"), (adversarial, "attack")):
        assert len(made) > 3
        assert {one.phase for one in made} == {phase}
        assert made[0].places != made[-1].places
        assert [one.frame for one in made] == sorted({one.frame for one in made})


def test_a_bundled_retrained_model_is_taken_and_another_one_is_trained(cache: ModelCache) -> None:
    bundled = make_frames(spec("unsir", NOON).retrained, cache, NullListener())
    assert (bundled.forget[-1], len(bundled.steps)) == (0, 1)
    trained = make_frames(spec("l2ul", SOME).retrained, cache, NullListener())
    assert trained.forget_points == 30 and trained.retain[-1] > 0.9 * trained.retain_points


def test_drawn_points_have_a_classifier_of_their_own_which_is_kept(cache: ModelCache) -> None:
    own = PointsSpec(part="unlearn", dataset="", drawn=drawn(), forget=ForgetImages(images=(0, 1)), method="finetune")
    before = make_frames(own.original, cache, NullListener())
    assert before.classes == 2 and before.retain[-1] == 24
    file = playground_results.weights_path(cache.data_dir, own.original)
    written = file.stat().st_mtime_ns
    frames = make_frames(own, cache, NullListener())
    assert file.stat().st_mtime_ns == written
    assert (frames.log_probabilities()[0] == before.log_probabilities()[0]).all()
    assert make_frames(own.retrained, cache, NullListener()).forget_points == 2


def test_drawn_points_join_a_data_set(cache: ModelCache) -> None:
    extra = (DrawnPoint(128, 128, 3), DrawnPoint(130, 128, 3))
    card, points = playground_points.load_points(PointsSpec(part="train", dataset="moons", drawn=extra))
    assert card.train == points.train == 1202 and card.classes[3] == "night"
    assert points.images[1200, 0, 0].tolist() == [128, 128, 0] and points.labels[1200] == 3
    assert len(points.labels) == card.train + card.val + card.test


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"forget": None}, "Nothing is selected"),
        ({"forget": ForgetClasses(classes=(0, 1, 2, 3))}, "retain at least one class"),
        ({"forget": ForgetClasses(classes=(9,))}, "has no class 9"),
        ({"forget": ForgetImages(images=tuple(range(1200)))}, "retain at least one"),
        ({"dataset": "cifar10-sample"}, "no data set of points"),
        ({"dataset": "", "drawn": ()}, "Draw at least"),
        ({"drawn": (DrawnPoint(300, 0, 0),)}, "outside of the plane"),
        ({"drawn": (DrawnPoint(0, 0, 7),)}, "class that does not exist"),
        ({"dataset": "", "drawn": (DrawnPoint(0, 0, 0),) * 5}, "Draw at least"),
    ],
)
def test_what_cannot_be_run_is_said(changed: dict, words: str, cache: ModelCache) -> None:
    with pytest.raises(InvalidRequestError, match=words):
        make_frames(spec("finetune", NOON).model_copy(update=changed), cache, NullListener())


def test_a_method_for_classes_refuses_points(cache: ModelCache) -> None:
    with pytest.raises(NotSupportedError, match="cannot forget"):
        make_frames(spec("unsir", NOON).model_copy(update={"forget": SOME}), cache, NullListener())


def test_more_drawn_points_than_allowed_are_no_spec() -> None:
    with pytest.raises(ValueError, match="at most"):
        PointsSpec(part="train", dataset="", drawn=(DrawnPoint(0, 0, 0),) * (MAX_DRAWN + 1))


def test_a_run_that_takes_too_long_ends_with_a_sentence(cache: ModelCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boundary_recorder, "MAX_SECONDS", 0.0)
    with pytest.raises(InvalidRequestError, match="choose fewer epochs"):
        make_frames(spec("finetune", NOON), cache, NullListener())


def test_a_run_that_diverges_shows_its_frames_until_then(cache: ModelCache) -> None:
    wild = spec("l2ul", SOME, lr=0.5, most=0.0, ascent=1.0, clip=0.0, stops=False)
    frames = make_frames(wild, cache, NullListener())
    assert "no longer a number" in frames.note
    assert np.isfinite(frames.log_probabilities()).all()


def test_a_cancelled_run_ends(cache: ModelCache) -> None:
    class Cancels(NullListener):
        def check(self) -> None:
            raise CancelledError("This run was cancelled.")

    with pytest.raises(CancelledError):
        make_frames(spec("finetune", NOON), cache, Cancels())


def test_a_job_stores_its_frames_once(cache: ModelCache, tmp_path: Path) -> None:
    own, context = spec("finetune", NOON, lr=0.05), JobContext(cache, NullListener(), tmp_path)
    run_points(own, context)
    found = playground_results.find(cache.data_dir, own)
    run_points(own, context)
    assert found is not None and playground_results.find(cache.data_dir, own) == found
    assert '"steps":[0' in found.decode().replace(" ", "") and GRID_SIZE == 40
