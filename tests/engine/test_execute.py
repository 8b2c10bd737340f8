"""From a spec to a report, with the tiny classifier: everything is there, nothing is computed twice."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.methods.small_problem import STRONG, tiny_spec
from unlearn_core.data import datasets
from unlearn_core.domain.errors import (
    CancelledError,
    DivergedError,
    InvalidHyperparameterError,
    InvalidRequestError,
    NotFoundError,
    NotSupportedError,
    PreemptedError,
    StoreError,
    UnlearnError,
)
from unlearn_core.domain.forget_request import ForgetImages, ForgetRequest
from unlearn_core.domain.jobs import ExplainSpec, FeaturesSpec, TrainGoldSpec, UnlearnSpec
from unlearn_core.domain.results.course import CurvesResult, TimingsResult
from unlearn_core.domain.results.explanations import CamResult, RegionsResult, SnapshotsResult
from unlearn_core.domain.results.method_artifacts import NoiseErrors, NoiseImages
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.domain.run import CurvePoint, Progress
from unlearn_core.engine import execute
from unlearn_core.engine import setup as problem_module
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.engine.execute import ModelCache, execute_job, unlearn
from unlearn_core.engine.jobs import image_features
from unlearn_core.engine.jobs.image_features import MAX_COMPONENTS
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.measuring import model_features
from unlearn_core.engine.measuring.model_features import head_inputs
from unlearn_core.engine.setup import resolve_run, stored_bytes
from unlearn_core.engine.tracking.snapshot_recorder import CAM_IMAGES, SnapshotRecorder, choose_cam_images
from unlearn_core.methods import method as find_method
from unlearn_core.models import classifiers
from unlearn_core.probes import zrf
from unlearn_core.probes.common.class_activation import explain
from unlearn_core.store.files import artifacts, reports
from unlearn_core.store.files.golds import GoldStore
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.training import evaluate
from unlearn_core.training.problem import Problem


class Listening(NullListener):
    """Records progress; cancels after `stop_at` steps, or yields after a number of epochs."""

    def __init__(self, *, stop_at: int | None = None, epochs: int | None = None) -> None:
        self.heard: list[Progress] = []
        self.points: list[CurvePoint] = []
        self.checks, self.stop_at, self.epochs = 0, stop_at, epochs

    def progress(self, progress: Progress) -> None:
        self.heard.append(progress)

    def point(self, point: CurvePoint) -> None:
        self.points.append(point)

    def check(self) -> None:
        self.checks += 1
        if self.checks == self.stop_at:
            raise CancelledError("no longer wanted")

    def should_yield(self) -> bool:
        self.epochs = None if self.epochs is None else self.epochs - 1
        return self.epochs == 0


def test_a_run_gives_a_whole_report(home: Path) -> None:
    listening = Listening()
    done = unlearn(tiny_spec("unsir", **STRONG), device="cpu", data_dir=home, listener=listening)
    report = done.report
    assert set(report.parts) >= {"accuracy", "logits", "predictions", "layers", "cam", "curves", "snapshots", "timings"}
    assert set(report.evaluations) == {"before", "after", "gold"} and set(report.missing) == {"twin"}
    scores = report[AccuracyResult].scores["after"]
    assert scores["forget_test"].accuracy < 0.2 and scores["retain_test"].accuracy > 0.8
    assert done.metrics.first_accuracy("after", "forget_test") == scores["forget_test"].accuracy
    assert report.forget_set_title == "columns"

    last = listening.heard[-1]
    steps = {phase.name: (phase.done, phase.steps) for phase in last.phases}
    assert set(steps) == {"noise", "impair", "repair"}
    assert all(made == planned > 0 for made, planned in steps.values()), "what was planned was done and shown"
    assert sum(made for made, _ in steps.values()) == report[TimingsResult].steps
    assert [point.step for point in listening.points] == report[CurvesResult].steps.tolist()

    run = RunStore(home).get(done.run or -1)
    assert run.state == "done" and run.title == "Forget columns with UNSIR"
    assert run.metrics.accuracy == done.metrics.accuracy


def test_a_report_reads_back_as_it_was_written(home: Path, tmp_path: Path) -> None:
    done = unlearn(tiny_spec("finetune", kind="images"), device="cpu", data_dir=home, out=tmp_path / "out")
    assert done.run is None and not RunStore(home).list_runs()
    (home / "evaluations").rename(tmp_path / "gone")
    again = reports.read_folder(tmp_path / "out")
    assert again.spec == done.report.spec and again.split.forget_train.tolist() == list(range(0, 60, 4))
    assert not len(again.split.forget_test)
    assert np.array_equal(again.evaluations["after"].logits, done.report.evaluations["after"].logits)
    assert "gold" in again.missing and "gold" not in again.evaluations
    assert done.metrics.accuracy["after"]["forget_test"] is None


def test_a_new_request_evaluates_only_the_model_after_forgetting(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    real, every = evaluate.logits, len(datasets.load("shapes").labels)
    monkeypatch.setattr(evaluate, "logits", lambda net, images: asked.append(len(images)) or real(net, images))
    unlearn(tiny_spec("finetune"), device="cpu", data_dir=home)
    assert sum(asked) == every + zrf.MAX_IMAGES, "probes may ask other nets a few pictures, never all of them"
    unlearn(tiny_spec("finetune"), device="cpu", data_dir=home)
    assert sum(asked) == every + 2 * zrf.MAX_IMAGES, "the same weights are not asked a second time"


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"method": "magic"}, NotFoundError, "no method called 'magic'.*unsir"),
        (
            {"params": {"lr": 99}},
            InvalidHyperparameterError,
            r"Learning rate \(lr\) cannot be 99: it takes a number from 0.0001 to 0.5",
        ),
        ({"params": {"lrr": 1}}, NotFoundError, "no hyperparameter called 'lrr'.*weight_decay"),
        ({"classifier": "vgg"}, NotFoundError, "no classifier called 'vgg'.*resnet20"),
        ({"dataset": "cifar10-sample"}, InvalidRequestError, "trained on shapes"),
        ({"images": (5, 400)}, InvalidRequestError, "no training image 400.*0 to 399"),
        ({"start": 7}, InvalidRequestError, "Run 7.*no stored weights"),
    ],
)
def test_what_cannot_be_done_is_said_and_leaves_no_row(home: Path, change: dict, error: type, words: str) -> None:
    spec = tiny_spec("finetune").model_dump()
    if "images" in change:
        spec["request"]["forget"] = {"kind": "images", "images": change.pop("images")}
    for name in ("classifier", "dataset"):
        if name in change:
            spec["request"][name] = change.pop(name)
    with pytest.raises(error, match=words) as problem:
        unlearn(UnlearnSpec.model_validate(spec | change), device="cpu", data_dir=home)
    assert isinstance(problem.value, UnlearnError)
    assert not RunStore(home).list_runs()


def test_a_disk_without_room_for_what_a_run_stores_is_said_before_it_computes(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tiny_spec("finetune")
    needed = stored_bytes(resolve_run(spec, ModelCache("cpu", home)))
    done = unlearn(spec, device="cpu", data_dir=home)
    folder = artifacts.run_dir(home, done.run or -1)
    outputs = done.report.evaluations["after"].logits
    assert needed <= (folder / artifacts.WEIGHTS_FILE).stat().st_size + outputs.nbytes <= needed + 4_000, "no guess"

    def computes(*_: object) -> None:
        pytest.fail("it computes")

    usage = shutil.disk_usage(home)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=needed - 60_000))
    monkeypatch.setattr(execute.early_stop, "forget", computes)
    with pytest.raises(StoreError, match=rf"This run stores at least {needed / 1e6:.1f} MB .*: 0\.1 MB are missing"):
        unlearn(spec, device="cpu", data_dir=home, out=home / "not" / "yet")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=needed))
    with pytest.raises(pytest.fail.Exception, match="it computes"):
        unlearn(spec, device="cpu", data_dir=home, out=home / "not" / "yet")


def test_a_cancelled_run_leaves_no_report(home: Path, tmp_path: Path) -> None:
    with pytest.raises(CancelledError):
        unlearn(tiny_spec("unsir"), device="cpu", data_dir=home, out=tmp_path / "out", listener=Listening(stop_at=4))
    assert not (tmp_path / "out").exists()


def test_what_ships_is_loaded_in_advance(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = unlearn(tiny_spec("finetune"), device="cpu", data_dir=home)
    store = RunStore(home)
    look = store.get(store.submit(ExplainSpec(run=done.run or -1, picture=3, target=0), title="A look"))
    warm, cards = ModelCache("cpu", home), classifiers.cards()
    warm.prepare()
    assert {"tiny", "resnet20"} <= cards.keys()
    with monkeypatch.context() as locked:
        locked.setattr(datasets, "load", lambda name: pytest.fail(f"{name} is loaded a second time"))
        assert all(len(warm.dataset(card.dataset).labels) for card in cards.values())
        assert all(warm.original(card) is warm.original(card) for card in cards.values())
        execute_job(look, warm, NullListener())
    assert artifacts.read_explanation(home, look.id) is not None
    assert "pytorch_grad_cam" in sys.modules


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_model_that_diverged_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch, value: float) -> None:
    spec, method = tiny_spec("finetune"), find_method("finetune")

    def ruin(problem: Problem, knobs: object, track: object) -> None:
        problem.model.get_parameter("head.weight").data[0, 0] = value

    monkeypatch.setattr(problem_module, "find_method", lambda name: replace(method, forget=ruin))
    with pytest.raises(DivergedError, match=r"not finite \(head.weight .*Lower the learning rate"):
        unlearn(spec, device="cpu", data_dir=home)
    (run,) = RunStore(home).list_runs()
    assert run.state == "failed" and "run it again" in (run.error or "")
    assert not list(artifacts.run_dir(home, run.id).iterdir()), "no probe has looked"


def test_outputs_that_are_not_finite_are_refused_though_the_weights_are_finite(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, method = tiny_spec("finetune"), find_method("finetune")

    def blow_up(problem: Problem, knobs: object, track: object) -> None:
        problem.model.get_parameter("head.weight").data.fill_(3e38)

    monkeypatch.setattr(problem_module, "find_method", lambda name: replace(method, forget=blow_up))
    with pytest.raises(DivergedError, match=r"outputs are not finite for [\d,]+ images"):
        unlearn(spec, device="cpu", data_dir=home)
    assert not list((home / "evaluations").glob("*")), "nobody reads such answers later"


def test_the_curve_ends_with_what_a_method_does_after_its_last_step(home: Path) -> None:
    """Fisher forgetting measures in its steps, and adds its noise after them."""
    report = unlearn(run_spec("mlp-blobs", method="fisher", classes=[1], preset="bundled"), device="cpu").report
    snapshots = report[SnapshotsResult]
    logits = report.evaluations["after"].logits[snapshots.ids]
    np.testing.assert_allclose(snapshots.logits[-1], logits, rtol=0.02, atol=0.2)  # in the precision of training
    assert report[CurvesResult].forget[-1] < report[CurvesResult].forget[0]


def test_a_run_can_go_on_from_an_earlier_one(home: Path) -> None:
    first = unlearn(tiny_spec("unsir"), device="cpu", data_dir=home)
    second = unlearn(tiny_spec("finetune").model_copy(update={"start": first.run}), device="cpu", data_dir=home)
    assert second.report.evaluations["before"].weights == first.metrics.weights
    assert "continues an earlier run" in second.report.missing["gold"]


def test_gold_gives_way_goes_on_bit_equal_and_completes_the_report(home: Path) -> None:
    request = ForgetRequest(classifier="tiny", dataset="shapes", forget=ForgetImages(images=tuple(range(40))))
    spec = tiny_spec("finetune", kind="images").model_copy(update={"request": request})
    waiting = unlearn(spec, device="cpu", data_dir=home)
    assert "no retrained model for this request yet" in waiting.report.missing["gold"]
    gold, store = TrainGoldSpec(request=request), RunStore(home)

    def train(folder: Path, listener: Listening) -> str | None:
        run = RunStore(folder).get(RunStore(folder).submit(gold, title="Gold"))
        return execute_job(run, ModelCache("cpu", folder), listener).gold

    with pytest.raises(PreemptedError):
        train(home, Listening(epochs=2))
    assert GoldStore(home).find(request, 0) is None and (GoldStore(home).folder(request, 0) / "state.pt").exists()
    interrupted, straight = train(home, Listening()), train(home.parent / "other", Listening())
    assert interrupted == straight

    (measure,) = store.list_runs(kinds=("measure",))
    metrics = execute_job(measure, ModelCache("cpu", home), NullListener())
    whole = reports.read(home, waiting.run or -1)
    assert waiting.report[SnapshotsResult].gold_maps is None
    assert whole[SnapshotsResult].gold_maps is not None
    assert metrics.gold == straight == whole.evaluations["gold"].weights
    assert "gold" not in whole.missing and "gold" in whole.parts["accuracy"].facts
    assert set(whole.parts) >= set(waiting.report.parts), "what was recorded during the run is still there"


def test_an_explanation_is_made_for_any_image_and_class(home: Path) -> None:
    done = unlearn(tiny_spec("finetune"), device="cpu", data_dir=home)
    store = RunStore(home)
    look = store.get(store.submit(ExplainSpec(run=done.run or -1, picture=599, target=2), title="Look"))
    execute_job(look, ModelCache("cpu", home), NullListener())
    found = artifacts.read_explanation(home, look.id)
    assert found is not None and set(found.maps) == {"before", "after", "gold"}
    (shown,) = found.images
    assert shown.image == 599 and shown.target == 2 and shown.set == "retain_test"
    spec = ExplainSpec(run=done.run or -1, picture=599, target=2, layer="stem", algorithm="layercam")
    execute_job(store.get(store.submit(spec, title="Look")), ModelCache("cpu", home), NullListener())
    deeper = artifacts.read_explanation(home, look.id + 1)
    assert deeper is not None and (deeper.layer, deeper.algorithm) == ("stem", "layercam")
    assert deeper.maps["after"].shape == (1, 8, 8)


def test_an_uploaded_image_is_explained_for_the_class_that_the_original_model_predicts(home: Path) -> None:
    done = unlearn(tiny_spec("finetune"), device="cpu", data_dir=home)
    name = "a" * 64
    pixels = datasets.load("shapes").images[599]
    (home / "own-images").mkdir()
    (home / "own-images" / name).write_bytes(pixels.tobytes())
    store, cache = RunStore(home), ModelCache("cpu", home)

    def ask(**changes: Any) -> CamResult:
        spec = ExplainSpec(run=done.run or -1, **changes)
        number = store.submit(spec, title="Look")
        execute_job(store.get(number), cache, NullListener())
        found = artifacts.read_explanation(home, number)
        assert found is not None
        return found

    (shown,) = ask(upload=name, algorithm="finercam").images
    known = reports.read(home, done.run or -1).evaluations["before"].logits[599]
    assert (shown.image, shown.label, shown.set, shown.target) == (None, None, "upload", int(known.argmax()))
    assert len(shown.compared) == 3 and shown.target not in shown.compared

    own, same = ask(upload=name, target=shown.target), ask(picture=599, target=shown.target)
    assert own.pixels.shape == (0, *pixels.shape), "the image itself is stored once, so that it can be removed"
    for model, other in same.images[0].models.items():
        assert np.array_equal(own.maps[model], same.maps[model])
        assert own.images[0].models[model].probability == pytest.approx(other.probability, abs=1e-5)
        assert own.images[0].models[model].deletion == other.deletion
    assert same.images[0].models["before"].deletion is not None

    (home / "own-images" / name).unlink()
    with pytest.raises(InvalidRequestError, match=r"no longer stored\. Upload it again"):
        ask(upload=name)


@pytest.mark.parametrize(("layer", "words"), [("head", "gives no map"), ("nowhere", "no layer nowhere")])
def test_a_look_at_a_layer_without_maps_is_refused(home: Path, layer: str, words: str) -> None:
    done = unlearn(tiny_spec("finetune"), device="cpu", data_dir=home)
    spec = ExplainSpec(run=done.run or -1, picture=0, target=2, layer=layer)
    with pytest.raises(InvalidRequestError, match=words):
        execute_job(
            RunStore(home).get(RunStore(home).submit(spec, title="Look")), ModelCache("cpu", home), NullListener()
        )


def test_features_are_stored_once_and_near_images_are_alike(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, models = RunStore(home), ModelCache("cpu", home)
    run = store.get(store.submit(FeaturesSpec(classifier="tiny"), title="Features"))
    listener = Listening()
    execute_job(run, models, listener)
    original = models.original(classifiers.card("tiny"))
    assert original is not None and listener.heard[-1].phases[0].name == "features"
    found = models.evaluations.unit_features(original.weights, "shapes")
    assert found is not None and found.dtype == np.float16 and len(found) == 600 and found.shape[1] <= MAX_COMPONENTS
    assert np.linalg.norm(found.astype(float), axis=1) == pytest.approx(1, abs=5e-3)
    labels = models.dataset("shapes").image_dataset.labels
    alike = found.astype(float) @ found.T
    same = labels[:, None] == labels
    assert alike[same].mean() > alike[~same].mean() + 0.2, "images of a class are alike"
    monkeypatch.setattr(model_features, "head_inputs", lambda *_: pytest.fail("computed a second time"))
    execute_job(run, models, NullListener())


def test_features_are_cancelled_and_need_a_model(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models, spec = ModelCache("cpu", home), FeaturesSpec(classifier="tiny")
    with pytest.raises(CancelledError):
        image_features.store_features(spec, models, Listening(stop_at=1))
    monkeypatch.setattr(models, "original", lambda card: None)
    with pytest.raises(NotSupportedError, match="has no weights here"):
        image_features.store_features(spec, models, NullListener())


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 2, 2), (6, 3, 5)])
def test_features_are_averaged_over_places_and_tokens(shape: tuple[int, ...]) -> None:
    class Head(nn.Module):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return inputs

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = Head()

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.head(torch.ones(shape) * torch.arange(6.0).reshape(6, *([1] * (len(shape) - 1))))

    images = torch.zeros((6, 2, 2, 3), dtype=torch.uint8)
    inputs = head_inputs(Model(), "head", [images])
    assert inputs.tolist() == [[float(number)] * 5 for number in range(6)]


def test_snapshots_and_artifacts_are_stored(home: Path) -> None:
    report = unlearn(tiny_spec("unsir"), device="cpu", data_dir=home).report
    snapshots, ends = report[SnapshotsResult], report[NoiseErrors].ends["1"]
    assert snapshots.logits.shape[1:] == (len(snapshots.ids), 4)
    assert report[NoiseImages].pixels.dtype == np.uint8
    assert ends.after > ends.before


def test_the_curve_moves_with_the_weights(home: Path) -> None:
    """An optimizer whose changes the recorder missed would give a flat curve."""
    curve = unlearn(tiny_spec("unsir", **STRONG), device="cpu", data_dir=home).report[CurvesResult]
    assert curve.forget[0] > 0.9 and curve.forget[-1] < 0.3


@pytest.mark.parametrize("kind", ["classes", "images"])
def test_monitored_are_training_images_of_the_forget_set_and_validation_images(home: Path, kind: str) -> None:
    report = unlearn(tiny_spec("finetune", kind=kind), device="cpu", data_dir=home).report
    snapshots, split = report[SnapshotsResult], report.split
    ids, shown = snapshots.ids, snapshots.shown
    assert set(ids) <= set(split.forget_train) | set(split.forget_val) | set(split.retain_val)
    assert len(set(ids)) == len(ids) == sum(snapshots.set_sizes.values())
    assert snapshots.set_sizes["forget_train"] == min(len(split.forget_train), 30 if kind == "classes" else 80)
    assert len(set(shown)) == CAM_IMAGES and set(shown) <= set(ids)
    assert set(shown[:3]) <= set(split.forget_train) | set(split.forget_val) and shown[3] in split.retain_val


def test_a_single_image_leaves_room_for_retained_ones() -> None:
    sets = {"forget_train": np.array([7]), "forget_val": np.array([], int), "retain_val": np.arange(50, 90)}
    assert choose_cam_images(sets).tolist() == [7, 50, 70, 89]
    assert choose_cam_images({name: np.array([], int) for name in sets}).tolist() == []


def test_maps_are_stored_along_the_way_and_gold_beside_them(home: Path) -> None:
    report = unlearn(tiny_spec("unsir", **STRONG), device="cpu", data_dir=home).report
    snapshots = report[SnapshotsResult]
    count = len(snapshots.steps)
    assert snapshots.maps.shape == (count, CAM_IMAGES, 4, 4) and snapshots.maps.dtype == np.float16
    assert snapshots.phases[0] == "noise" and snapshots.phases[-1] == "repair" and count > 8
    warm = ModelCache("cpu", home)
    layout = resolve_run(report.spec, warm)
    gold = warm.gold(layout.card, report.spec.request, 0)
    assert gold is not None
    pictures = layout.data.images[snapshots.shown]
    assert np.array_equal(snapshots.pixels, pictures.numpy())
    targets = report.labels[snapshots.shown].tolist()
    ends = explain({"before": layout.before.module, "gold": gold.module}, pictures, targets, layout.card.roles.cam)
    assert np.allclose(snapshots.maps[0], ends["before"], rtol=1e-2, atol=1e-2)
    assert snapshots.gold_maps is not None
    assert np.allclose(snapshots.gold_maps, ends["gold"], rtol=1e-2, atol=1e-2)
    assert not np.allclose(snapshots.maps[-1], ends["before"], rtol=1e-2, atol=1e-2)


def test_watching_changes_nothing_that_the_method_does(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = unlearn(tiny_spec("finetune"), device="cpu", data_dir=home).metrics.weights
    monkeypatch.setattr(execute, "_make_recorder", lambda layout, net: None)
    assert unlearn(tiny_spec("finetune"), device="cpu", data_dir=home).metrics.weights == watched


def test_a_model_whose_layer_has_no_maps_is_watched_without(home: Path) -> None:
    spec = tiny_spec("finetune")
    layout = resolve_run(spec, ModelCache("cpu", home))
    sets = {"forget_train": np.arange(4), "forget_val": np.array([], int), "retain_val": np.arange(400, 410)}
    roles = layout.card.roles.model_copy(update={"cam": "head"})
    watch = SnapshotRecorder(layout.before.module, layout.data.images, layout.data.image_dataset.labels, sets, roles)
    sight = watch.capture()
    assert sight.maps.shape == (CAM_IMAGES, 0, 0) and "no map" in watch.no_maps
    assert sight.logits.shape == (14, 4) and 0 <= sight.forget <= 1


def test_snapshots_of_points_have_decision_regions(home: Path) -> None:
    spec = run_spec("mlp-moons", method="neggrad", classes=["dawn"])
    report = unlearn(spec, device="cpu", data_dir=home).report
    snapshots, final = report[SnapshotsResult], report[RegionsResult]
    assert snapshots.regions is not None
    assert snapshots.regions.shape == (len(snapshots.phases), final.grid, final.grid)
    for moment, model in ((0, "before"), (-1, "after")):  # The precision of training moves the edges a little.
        assert (snapshots.regions[moment] == final.predictions[model]).mean() > 0.99
