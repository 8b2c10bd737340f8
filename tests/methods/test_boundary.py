"""Boundary unlearning: targets are never the own class, and widening leaves no trace in the model's shape."""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.methods.artifact_recorder import ArtifactRecorder
from tests.methods.small_problem import tiny_problem, tiny_spec
from unlearn_core.domain.errors import CancelledError, NotSupportedError
from unlearn_core.domain.forget_request import ForgetClasses
from unlearn_core.domain.method import DataAccess
from unlearn_core.domain.results.method_artifacts import NearestClasses
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.methods import boundary
from unlearn_core.training.evaluate import accuracy
from unlearn_core.training.problem import Problem


class Keeping(ArtifactRecorder):
    def __init__(self, limit: int = 10_000) -> None:
        super().__init__()
        self.steps, self.limit = 0, limit

    def iterate(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            if self.steps == self.limit:
                raise CancelledError("enough")
            self.steps += 1
            yield item


def _laid_out(*classes: int, **knobs: Any) -> tuple[Problem, boundary.Hyperparameters]:
    spec = tiny_spec("boundary", **knobs)
    wish = ForgetClasses(classes=classes or (1,))
    spec = spec.model_copy(update={"request": spec.request.model_copy(update={"forget": wish})})
    layout, problem = tiny_problem(spec)
    assert isinstance(layout.params, boundary.Hyperparameters)
    return problem, layout.params


@pytest.mark.parametrize("attack", ["fgsm", "pgd"])
@pytest.mark.parametrize("radius", [0.005, 0.3])
@pytest.mark.parametrize("classes", [(1,), (0, 2)])
def test_targets_are_kept_classes_also_where_the_attack_fails(
    attack: str, radius: float, classes: tuple[int, ...]
) -> None:
    problem, knobs = _laid_out(*classes, attack=attack, radius=radius)
    track = Keeping()
    nearest = boundary._nearest(problem, knobs, track)
    targets = nearest.labels[problem.forget.rows]
    assert torch.isin(targets, problem.retained_classes).all()
    saved = track[NearestClasses]
    assert saved.counts.tolist() == targets.bincount(minlength=4).tolist()
    assert saved.success_rate < 0.9 if radius < 0.01 else saved.success_rate > 0.3
    assert torch.equal(nearest.rows, problem.forget.rows)


def test_the_next_best_class_by_hand() -> None:
    answers = torch.tensor([[5.0, 1.0, 4.0, 3.0], [5.0, 1.0, 4.0, 3.0], [0.0, 9.0, 8.0, 7.0]])
    own = torch.tensor([0, 1, 1])
    assert boundary.nearest_retained(answers, own, torch.tensor([0, 2, 3])).tolist() == [2, 0, 2]
    assert boundary.nearest_retained(answers, own, torch.tensor([3])).tolist() == [3, 3, 3]


@pytest.mark.parametrize("attack", ["fgsm", "pgd"])
def test_the_attack_stays_within_its_radius_and_hurts(attack: str) -> None:
    problem, knobs = _laid_out(attack=attack, radius=0.05, attack_step=0.02)
    pictures, labels = problem.forget.tensors()
    moved = pictures
    for _ in range(1 if attack == "fgsm" else 5):
        moved = boundary.attack_once(problem.original_model, moved, pictures, labels, knobs)
    assert (moved - pictures).abs().max() <= 0.05 + 1e-6
    assert moved.min() >= 0 and moved.max() <= 1
    with torch.no_grad():
        before, after = (F.cross_entropy(problem.original_model(each), labels) for each in (pictures, moved))
    assert after > before + 0.05


@pytest.mark.parametrize("way", ["shrink", "expand"])
def test_it_forgets_the_class_and_keeps_the_shape_of_the_model(way: str) -> None:
    problem, knobs = _laid_out(way=way, lr=0.02, epochs=10, batch=32, frozen_norm=True)
    shapes = {name: tensor.shape for name, tensor in problem.model.state_dict().items()}
    boundary.forget(problem, knobs, NullTracker())
    assert {name: tensor.shape for name, tensor in problem.model.state_dict().items()} == shapes
    assert not problem.model.get_submodule("head")._forward_pre_hooks
    before = accuracy(problem.original_model, *problem.forget.tensors())
    assert accuracy(problem.model, *problem.forget.tensors()) < before - 0.5
    assert problem.model(problem.forget.tensors()[0][:2]).shape == (2, 4)


def test_expanding_is_training_a_widened_head_and_cutting_it_off() -> None:
    """The same two steps with a real head of five rows, in float32, end in the same weights."""
    problem, knobs = _laid_out(way="expand", lr=0.05, epochs=1, batch=50, frozen_norm=True)
    by_hand = deepcopy(problem.model).eval()
    head = by_hand.get_submodule("head")
    assert isinstance(head, nn.Linear)
    row, offset = boundary.extra_row(head, problem.random_generator("extra row"))
    wide = nn.Linear(12, 5)
    with torch.no_grad():
        wide.weight.copy_(torch.cat([head.weight, row]))
        wide.bias.copy_(torch.cat([head.bias, offset]))
    by_hand.head = wide
    optimiser = torch.optim.SGD(by_hand.parameters(), 0.05, knobs.momentum)
    for pictures, labels in problem.forget.batches(50, problem.random_generator("epoch", 0), augment=False):
        optimiser.zero_grad()
        F.cross_entropy(by_hand(pictures), torch.full_like(labels, 4)).backward()
        optimiser.step()
    start = problem.original_model.get_parameter("head.weight")
    boundary.forget(problem, knobs, NullTracker())
    for name, cut in (("head.weight", wide.weight[:4]), ("head.bias", wide.bias[:4])):
        moved = problem.model.get_parameter(name) - cut
        assert moved.abs().max() < 0.02 * (wide.weight[:4] - start).abs().max(), "bfloat16 against float32"
    deep = problem.model.get_parameter("body.0.weight") - by_hand.get_parameter("body.0.weight")
    assert (
        deep.norm()
        < 0.05 * (by_hand.get_parameter("body.0.weight") - problem.original_model.get_parameter("body.0.weight")).norm()
    )


def test_the_extra_row_is_drawn_as_xavier_draws() -> None:
    head = nn.Linear(400, 9)
    row, offset = boundary.extra_row(head, torch.Generator().manual_seed(0))
    bound = (6 / (400 + 10)) ** 0.5
    assert row.shape == (1, 400) and offset.tolist() == [0.0]
    assert 0.95 * bound < row.abs().max() <= bound
    assert row.std().item() == pytest.approx(bound / 3**0.5, rel=0.1)


def test_a_cancelled_expansion_leaves_no_hook() -> None:
    problem, knobs = _laid_out(way="expand")
    with pytest.raises(CancelledError):
        boundary.forget(problem, knobs, Keeping(limit=2))
    assert not problem.model.get_submodule("head")._forward_pre_hooks


def test_a_head_that_cannot_be_widened_is_refused() -> None:
    problem, knobs = _laid_out(way="expand")
    roles = problem.classifier.roles.model_copy(update={"head": ("body",)})
    odd = replace(problem, classifier=problem.classifier.model_copy(update={"roles": roles}))
    with pytest.raises(NotSupportedError, match="shrink"):
        boundary.forget(odd, knobs, NullTracker())


@pytest.mark.parametrize(
    ("way", "attack", "passes"), [("shrink", "fgsm", 6), ("shrink", "pgd", 9), ("expand", "pgd", 5)]
)
def test_cost_follows_the_way_and_the_attack(way: str, attack: str, passes: int) -> None:
    problem, knobs = _laid_out(way=way, attack=attack, attack_steps=4, epochs=5)
    assert boundary._images_processed(knobs, problem.sizes) == passes * 100
    track = Keeping()
    boundary.forget(problem, knobs, track)
    assert track.steps == passes * problem.forget.num_batches(knobs.batch)
    assert boundary.METHOD.needs(knobs) == DataAccess(forget=True, retain=False)
