"""L2UL: what is attacked and with what target, what the loss weighs, when it stops, and what it may not touch."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.methods.artifact_recorder import ArtifactRecorder
from tests.methods.small_problem import FORGET, tiny_problem, tiny_spec
from unlearn_core.charts import charts
from unlearn_core.domain.errors import DivergedError
from unlearn_core.domain.forget_request import ForgetClasses, ForgetImages
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.method import DataAccess
from unlearn_core.domain.results.method_artifacts import (
    AdversarialImages,
    AdversarialOriginals,
    AdversarialPredictions,
    StopRule,
    WeightImportance,
)
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.engine.execute import unlearn
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import build_problem, resolve_run
from unlearn_core.methods import l2ul
from unlearn_core.methods.l2ul import Hyperparameters
from unlearn_core.training.evaluate import accuracy, predict
from unlearn_core.training.problem import Problem
from unlearn_core.training.weights import checksum

QUICK = Hyperparameters().model_dump() | {"copies": 4, "attack_steps": 3, "max_steps": 6}
MIXED = ForgetImages(images=tuple(range(40)))
"""Ten images of each of the four classes."""
WILD: dict[str, Any] = {"lr": 0.05, "clip": 0.0, "most": 0.0, "momentum": 0.9, "frozen_norm": False, "max_steps": 100}


class Keeping(ArtifactRecorder):
    def __init__(self) -> None:
        super().__init__()
        self.items = 0
        self.pictures = 0
        self.phases: list[str] = []

    def phase(self, name: str, *, done: int = 0) -> None:
        self.phases.append(name)

    def iterate(self, items: Any) -> Any:
        for item in items:
            self.items += 1
            self.pictures += len(item[0])
            yield item


def _spec(forget: ForgetClasses | ForgetImages = MIXED, **knobs: Any) -> UnlearnSpec:
    spec = tiny_spec("l2ul", kind=forget.kind, **QUICK | knobs)
    return spec.model_copy(update={"request": spec.request.model_copy(update={"forget": forget})})


def _forgotten(forget: ForgetClasses | ForgetImages = MIXED, **knobs: Any) -> tuple[Problem, Keeping]:
    layout, problem = tiny_problem(_spec(forget, **knobs))
    track = Keeping()
    layout.method.forget(problem, layout.params, track)
    return problem, track


def _kept_accuracy(problem: Problem) -> float:
    """On the training images that were not to be forgotten; the method itself is not handed them."""
    pool = problem.forget
    rest = torch.tensor(sorted(set(range(400)) - set(pool.rows.tolist())))
    return accuracy(problem.model, pool.images[rest].permute(0, 3, 1, 2).float() / 255, pool.labels[rest])


def test_adversarials_aim_at_every_other_class_alike() -> None:
    _, track = _forgotten(copies=60, attack_steps=1, max_steps=1, guard="adv")
    labels, targets = track[AdversarialPredictions].classes[:, :2].T
    assert len(labels) == 2400 and (labels != targets).all()
    for own in range(4):
        counts = np.bincount(targets[labels == own], minlength=4)
        assert counts[own] == 0
        assert abs(np.delete(counts, own) - 200).max() < 5 * np.sqrt(200 * 2 / 3)


def test_for_classes_they_aim_at_kept_ones() -> None:
    _, track = _forgotten(ForgetClasses(classes=(1, 3)), attacked=30)
    labels, targets = track[AdversarialPredictions].classes[:, :2].T
    assert len(labels) == 30 * 4
    assert set(labels) == {1, 3} and set(targets) == {0, 2}


def test_what_is_kept_is_what_the_models_say_and_as_near_as_asked() -> None:
    problem, track = _forgotten(radius=2.0, attack_steps=40)
    attack, rows = track[AdversarialPredictions], track[AdversarialImages].rows
    shown, originals = track[AdversarialImages].pixels, track[AdversarialOriginals].pixels
    assert shown.shape == originals.shape == (12, 16, 16, 3) and shown.dtype == originals.dtype == np.uint8
    assert (originals == problem.forget.images[torch.arange(40).repeat_interleave(4)[rows]].numpy()).all()
    pictures = torch.from_numpy(shown).permute(0, 3, 1, 2).float() / 255
    for net, column in ((problem.original_model, 2), (problem.model, 3)):
        assert (predict(net, pictures).numpy() == attack.classes[rows, column]).mean() > 0.8, (
            "but for rounding to bytes"
        )
    away = ((shown.astype(float) - originals) / 255).reshape(12, -1)
    assert np.linalg.norm(away, axis=1).max() <= 2.05
    assert attack.mean_distance <= 2.0 + 1e-4


def test_the_stop_rule_stops_at_once_when_satisfied() -> None:
    problem, track = _forgotten(guard="none", stop_accuracy=1.0)
    assert track.items == 0 and checksum(problem.model) == checksum(problem.original_model)
    assert track[StopRule].done


def test_it_stops_after_the_step_that_reached_the_goal() -> None:
    problem, track = _forgotten(ForgetClasses(classes=(1,)), guard="none", stop_accuracy=0.1, **WILD)
    left = track[StopRule].remaining
    assert left[-1] <= 0.1 < left[:-1].min() and len(left) == 1 + track.items < 101
    assert accuracy(problem.model, *problem.forget.tensors()) == pytest.approx(left[-1])


def test_the_stop_rule_never_looks_at_train_mode() -> None:
    """A model that is right by its batch's own statistics and wrong by the stored ones counts as done."""
    layout, problem = tiny_problem(_spec(FORGET["images"], guard="none"))
    pictures, labels = problem.forget.tensors()
    assert set(labels.tolist()) == {0}
    with torch.no_grad():  # By the stored statistics every image looks the same, and like class 1.
        for name in ("body.1", "shortcut.1"):
            problem.model.get_buffer(f"{name}.running_mean").add_(50)
        problem.model.get_parameter("head.bias").copy_(torch.tensor([0.0, 0.1, 0.0, 0.0]))
        assert (deepcopy(problem.model).train()(pictures).argmax(1) == 0).any()
    problem.model.train()
    track = Keeping()
    layout.method.forget(problem, layout.params, track)
    assert track.items == 0 and track[StopRule].remaining.tolist() == [0.0]


@pytest.mark.parametrize("frozen", [True, False])
def test_batch_norm_is_frozen_where_asked(frozen: bool) -> None:
    problem, _ = _forgotten(frozen_norm=frozen)
    pairs = zip(problem.model.named_buffers(), problem.original_model.buffers(), strict=True)
    moved = [name for (name, after), before in pairs if not torch.equal(after, before)]
    assert bool(moved) is not frozen


def test_without_guard_and_stop_rule_it_collapses() -> None:
    before = _kept_accuracy(tiny_problem(_spec())[1])
    wrecked, track = _forgotten(guard="none", stops=False, **WILD)
    assert track.items == 100 and not track[StopRule].done
    assert before > 0.8 and _kept_accuracy(wrecked) < 0.5


def test_what_runs_away_is_reported() -> None:
    with pytest.raises(DivergedError, match="Lower the learning rate"):
        _forgotten(MIXED, guard="none", stops=False, **WILD | {"frozen_norm": True})


@pytest.mark.parametrize("access", [True, False])
def test_needs_are_honest(access: bool) -> None:
    layout, problem = tiny_problem(_spec(retain_access=access))
    assert layout.method.needs(layout.params) == DataAccess(forget=True, retain=access)
    assert (problem.retain_subset is not None) is access
    layout.method.forget(problem, layout.params, NullTracker())


def test_retained_images_help_where_they_may_be_used() -> None:
    hard = WILD | {"max_steps": 40, "stops": False}
    alone, _ = _forgotten(guard="none", **hard)
    helped, _ = _forgotten(guard="none", retain_access=True, **hard)
    assert _kept_accuracy(helped) > _kept_accuracy(alone) + 0.1


def test_relabelling_reaches_the_labels_that_were_drawn() -> None:
    problem, track = _forgotten(goal="relabel", guard="none", **WILD | {"max_steps": 400, "lr": 0.03})
    wished = l2ul._aim(problem, "relabel")
    labels, own = wished.labels[wished.rows], problem.forget.labels[problem.forget.rows]
    assert (labels != own).all() and wished.rows.equal(problem.forget.rows)
    assert problem.forget.labels.equal(tiny_problem(_spec())[1].forget.labels), "the data set's labels stay"
    assert track[StopRule].done and track[StopRule].remaining[-1] == 0
    assert predict(problem.model, problem.forget.tensors()[0]).equal(labels)


@pytest.mark.parametrize("forget", [MIXED, ForgetClasses(classes=(1, 3))], ids=["images", "classes"])
def test_the_nearest_label_is_the_likeliest_wrong_one_of_a_retained_class(
    forget: ForgetClasses | ForgetImages,
) -> None:
    problem, track = _forgotten(forget, goal="nearest", guard="none", **WILD | {"max_steps": 400, "lr": 0.03})
    pictures, own = problem.forget.tensors()
    scores = problem.original_model(pictures).detach().numpy()
    wished = []
    for row, label in zip(scores, own.tolist(), strict=True):
        allowed = [number for number in range(4) if number != label and number not in problem.forgotten_classes]
        wished.append(max(allowed, key=lambda number: row[number]))
    assert l2ul._aim(problem, "nearest").tensors()[1].tolist() == wished
    assert track[StopRule].done and track[StopRule].goal == "relabel"
    assert predict(problem.model, pictures).tolist() == wished


def test_each_source_goes_through_the_model_by_itself() -> None:
    layout, problem = tiny_problem(_spec(guard_batch=64, forget_batch=32, retain_access=True, retain_batch=48))
    seen: list[list[int]] = []

    def note(net: torch.nn.Module, inputs: tuple[Tensor]) -> None:
        if net.training:
            seen.append([len(inputs[0])])

    problem.model.register_forward_pre_hook(note)
    layout.method.forget(problem, layout.params, NullTracker())
    sizes = [size for (size,) in seen]
    assert sizes[:6] == [64, 32, 48, 64, 8, 48], "adversarials, forgotten, kept: step after step"
    assert sizes[6] == 32, "the 160 adversarials end with a short batch"


@pytest.mark.parametrize(("ascent", "share"), [(0.0, 8 / 20), (0.3, 0.3)])
@pytest.mark.parametrize("goal", ["misclassify", "relabel"])
def test_the_loss_weighs_as_the_paper_does(ascent: float, share: float, goal: str) -> None:
    """By batch sizes, n_f / (n_a + n_f), or as the hyperparameter says; retained images come on top, unweighted."""
    layout, problem = tiny_problem(_spec(ascent=ascent, goal=goal, most=0.0))
    net, generator = problem.original_model.double(), torch.Generator().manual_seed(0)
    pictures = torch.rand(25, 3, 16, 16, generator=generator).double()
    drawn = torch.randint(0, 4, (25,), generator=generator).split([12, 8, 5])
    labels: dict[str, Tensor] = {"guard": drawn[0], "forget": drawn[1], "retain": drawn[2]}
    knobs = layout.params
    assert isinstance(knobs, l2ul.Hyperparameters)
    loss, error = l2ul._loss(net, pictures, labels, knobs)
    guard, forget, retain = (
        F.cross_entropy(net(part), own) for part, own in zip(pictures.split([12, 8, 5]), labels.values(), strict=True)
    )
    sign = 1 if goal == "relabel" else -1
    assert loss.item() == pytest.approx((sign * share * forget + (1 - share) * guard + retain).item())
    assert error.item() == pytest.approx(forget.item())


def test_the_losss_gradient_is_right() -> None:
    layout, problem = tiny_problem(_spec(ascent=0.3, most=0.0))
    net = problem.model.double().eval()
    pictures = torch.rand(5, 3, 16, 16, generator=torch.Generator().manual_seed(0)).double()
    labels = {"guard": torch.tensor([0, 1, 2]), "forget": torch.tensor([3, 1])}
    knobs = layout.params
    assert isinstance(knobs, l2ul.Hyperparameters)

    class Loss(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self) -> Tensor:
            return l2ul._loss(self.net, pictures, labels, knobs)[0]

    def value(weight: Tensor, bias: Tensor) -> Tensor:
        return torch.func.functional_call(Loss(), {"net.head.weight": weight, "net.head.bias": bias}, ())

    assert torch.autograd.gradcheck(value, (net.get_parameter("head.weight"), net.get_parameter("head.bias")))


def test_a_firm_hold_keeps_unimportant_weights_and_frees_important_ones() -> None:
    """With a pull that outweighs all else, a weight moves the more the more it mattered."""
    knobs = {"stops": False, "max_steps": 30, "lr": 1e-3, "momentum": 0.0, "clip": 0.0, "weight_decay": 0.0}
    free, _ = _forgotten(guard="adv", **knobs)
    held, _ = _forgotten(guard="adv-imp", hold=500.0, **knobs)

    def moved(problem: Problem) -> Tensor:
        pairs = zip(problem.model.parameters(), problem.original_model.parameters(), strict=True)
        return torch.cat([(after - before).detach().flatten() for after, before in pairs]).abs()

    assert moved(held).median() < 0.5 * moved(free).median()
    problem = tiny_problem(_spec())[1]
    hold = torch.cat(
        [part.flatten() for part in l2ul._weight_strength(problem, problem.forget, NullTracker()).values()]
    )
    ratio = moved(held) / (moved(free) + 1e-9)
    assert ratio[hold < 0.3].median() > 2 * ratio[hold > 0.9].median()


@pytest.mark.parametrize("guard", ["none", "adv", "imp", "adv-imp"])
@pytest.mark.parametrize("forget", [MIXED, ForgetClasses(classes=(1, 3))], ids=["images", "classes"])
def test_passes_are_exact_where_nothing_stops_it(guard: str, forget: ForgetClasses | ForgetImages) -> None:
    knobs = {"guard": guard, "retain_access": guard == "adv", "stops": False, "attacked": 23, "max_steps": 17}
    layout, problem = tiny_problem(_spec(forget, guard_batch=32, forget_batch=48, **knobs))
    track = Keeping()
    layout.method.forget(problem, layout.params, track)
    assert track.pictures == layout.method.images_processed(layout.params, problem.sizes)
    assert (
        track.phases
        == {
            "none": ["forget"],
            "adv": ["attack", "forget"],
            "imp": ["importance", "forget"],
            "adv-imp": ["attack", "importance", "forget"],
        }[guard]
    )


def test_it_goes_on_from_an_earlier_run(home: Path) -> None:
    """The next request starts from what the last one left, and is held to that, not to the classifier as shipped."""
    first = unlearn(_spec(guard="none", stop_accuracy=0.1, **WILD), device="cpu", data_dir=home)
    spec = _spec(ForgetImages(images=tuple(range(40, 60)))).model_copy(update={"start": first.run})
    warm = ModelCache("cpu", home)
    layout = resolve_run(spec, warm)
    problem = build_problem(layout, warm)
    assert checksum(problem.original_model) == first.metrics.weights == checksum(problem.model)
    track = Keeping()
    layout.method.forget(problem, layout.params, track)
    assert checksum(problem.original_model) == first.metrics.weights != checksum(problem.model)
    second = unlearn(spec, device="cpu", data_dir=home)
    assert second.metrics.weights == checksum(problem.model)
    assert (second.report[AdversarialPredictions].classes == track[AdversarialPredictions].classes).all()


def test_a_report_shows_what_it_did(home: Path) -> None:
    report = unlearn(_spec(), device="cpu", data_dir=home).report
    shelf = charts()
    for name in ("adversarials", "importance", "stopped"):
        assert shelf[name].applies(report) is True
        assert shelf[name].summary(report).endswith(".")
        assert len(shelf[name].table([report]))
    importance = report[WeightImportance]
    assert list(importance.layers) == list(report.classifier.roles.layers)
    assert ((importance.means > 0) & (importance.means < 1)).all()
