"""MSG: the smallest gradients are re-initialised, the others are damped, and both sets count in the score."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.methods.small_problem import tiny_problem, tiny_spec
from unlearn_core.domain.method import DataAccess
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.methods import msg
from unlearn_core.methods.msg import METHOD, Hyperparameters

CONVOLUTIONS = ("stem.0.weight", "body.0.weight", "shortcut.0.weight")


def test_the_score_is_kept_less_forgotten() -> None:
    _, problem = tiny_problem(tiny_spec("msg", kind="images"))
    sides = msg._sides(problem, Hyperparameters())
    assert [len(side) for side in sides] == [15, 15]
    found = msg._score(problem, sides, NullTracker())
    assert tuple(found) == CONVOLUTIONS
    net = problem.model.eval()
    loss = sum(
        sign * F.cross_entropy(net(side.tensors()[0]), side.tensors()[1], reduction="sum")
        for sign, side in zip((1, -1), sides, strict=True)
    )
    assert isinstance(loss, torch.Tensor)
    for name, slope in zip(found, torch.autograd.grad(loss, [net.get_parameter(name) for name in found]), strict=True):
        assert torch.allclose(found[name], slope, rtol=1e-3, atol=1e-4), name
    alone = msg._score(problem, sides[:1], NullTracker())
    assert not torch.allclose(alone["stem.0.weight"], found["stem.0.weight"], atol=1e-3)


def test_layers_are_all_that_multiply_but_the_head() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 4), nn.Linear(4, 2))
    assert tuple(msg._layers(net, ("4",))) == ("0.weight", "3.weight")


def test_the_mask_is_a_ranking_by_size_layer_by_layer() -> None:
    masks = msg._smallest({"a": torch.tensor([[-5.0, 0.1], [2.0, -0.2]]), "b": torch.tensor([100.0, -90.0])}, 0.5)
    assert masks["a"].tolist() == [[False, True], [False, True]] and masks["b"].tolist() == [False, True]
    assert (
        not msg._smallest({"a": torch.ones(3)}, 0.0)["a"].any() and msg._smallest({"a": torch.ones(3)}, 1.0)["a"].all()
    )


def test_weights_that_were_not_redrawn_are_held() -> None:
    layout, problem = tiny_problem(tiny_spec("msg", hold=0.0, weight_decay=0.0, share=0.3, epochs=1))
    masks = msg._smallest(msg._score(problem, msg._sides(problem, Hyperparameters()), NullTracker()), 0.3)
    layout.method.forget(problem, layout.params, NullTracker())
    for name in CONVOLUTIONS:
        now, before = problem.model.get_parameter(name), problem.original_model.get_parameter(name)
        assert now[~masks[name]].equal(before[~masks[name]])
        assert (now != before).sum() == masks[name].sum() == round(0.3 * now.numel())
    assert not problem.model.get_parameter("head.weight").equal(problem.original_model.get_parameter("head.weight"))
    assert not any(weight._backward_hooks for weight in problem.model.parameters())


def test_a_held_weight_gets_its_share_of_the_gradient() -> None:
    """After one plain step the held weights moved by a tenth of what they move when nothing is held."""
    moves = []
    for hold in (1.0, 0.1):
        knobs = {"share": 0.0, "hold": hold, "epochs": 1, "batch": 512, "momentum": 0.0, "weight_decay": 0.0}
        layout, problem = tiny_problem(tiny_spec("msg", **knobs))
        layout.method.forget(problem, layout.params, NullTracker())
        moves.append(
            problem.model.get_parameter("body.0.weight") - problem.original_model.get_parameter("body.0.weight")
        )
    assert moves[0].abs().max() > 1e-4
    assert torch.allclose(moves[1], 0.1 * moves[0], rtol=1e-3, atol=1e-6)


def test_what_is_redrawn_gets_the_architectures_own_fresh_values() -> None:
    layout, problem = tiny_problem(tiny_spec("msg", share=1.0, lr=1e-5, epochs=1))
    layout.method.forget(problem, layout.params, NullTracker())
    for name in CONVOLUTIONS:
        assert torch.allclose(problem.model.get_parameter(name), problem.fresh_model().get_parameter(name), atol=1e-3)


@pytest.mark.parametrize(
    ("peak", "rates"), [(0.5, [0.5, 1.0, 0.5]), (0.0, [0.75, 0.5, 0.25]), (1.0, [0.25, 0.5, 0.75])]
)
def test_the_rate_rises_and_falls(peak: float, rates: list[float]) -> None:
    assert [msg._slope(at, peak) for at in (0.25, 0.5, 0.75)] == pytest.approx(rates)


def test_forget_images_are_seen_only_for_the_score() -> None:
    assert METHOD.needs(Hyperparameters()) == DataAccess(forget=True, retain=True)
    assert METHOD.needs(Hyperparameters(score="kept")) == DataAccess(forget=False, retain=True)
    layout, problem = tiny_problem(tiny_spec("msg", kind="images", epochs=1))
    modes: list[tuple[bool, int]] = []
    problem.model.register_forward_pre_hook(lambda net, inputs: modes.append((net.training, len(inputs[0]))))
    layout.method.forget(problem, layout.params, NullTracker())
    assert isinstance(problem.model, nn.Module)
    assert sum(size for training, size in modes if training) == len(problem.retain)
    assert sum(size for training, size in modes if not training) == 30
