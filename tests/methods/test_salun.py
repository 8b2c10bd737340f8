"""SalUn's mask is a ranking of all weights together, and what it masks does not move by a single bit."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.methods.artifact_recorder import ArtifactRecorder
from tests.methods.small_problem import tiny_problem, tiny_spec
from unlearn_core.domain.results.method_artifacts import SaliencyMask
from unlearn_core.methods import salun
from unlearn_core.training.evaluate import accuracy
from unlearn_core.training.problem import Problem


def _forgotten(kind: str = "classes", **knobs: Any) -> tuple[Problem, ArtifactRecorder]:
    layout, problem = tiny_problem(tiny_spec("salun", kind=kind, **knobs))
    track = ArtifactRecorder()
    layout.method.forget(problem, layout.params, track)
    return problem, track


def _mask_by_hand(problem: Problem, share: float, batch: int) -> dict[str, Tensor]:
    """|sum of the gradients of -CE over batches|, in eval mode, ranked by one plain sort over all weights."""
    net = problem.original_model.eval().requires_grad_(True)
    net.zero_grad()
    for pictures, labels in problem.forget.batches(batch, problem.random_generator("saliency"), augment=False):
        (-F.cross_entropy(net(pictures), labels)).backward()
    everything = [(name, weight) for name, weight in net.named_parameters()]
    ranked = sorted(
        (-abs(number), place)
        for place, number in enumerate(
            number for _, weight in everything if weight.grad is not None for number in weight.grad.flatten().tolist()
        )
    )
    chosen = {place for _, place in ranked[: int(len(ranked) * share)]}
    masks, at = {}, 0
    for name, weight in everything:
        own = torch.tensor([place in chosen for place in range(at, at + weight.numel())])
        masks[name], at = own.view(weight.shape), at + weight.numel()
    net.requires_grad_(False)
    return masks


@pytest.mark.parametrize("kind", ["classes", "images"])
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_masked_weights_are_bit_identical_and_the_others_move(kind: str, share: float) -> None:
    hard = {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01, "epochs": 2, "batch": 48}
    problem, _ = _forgotten(kind, share=share, **hard)
    mask = _mask_by_hand(problem, share, batch=48)
    before = dict(problem.original_model.named_parameters())
    moved = {name: weight.detach() != before[name] for name, weight in problem.model.named_parameters()}
    for name, free in mask.items():
        assert not moved[name][~free].any(), f"{name} is masked there"
    free = torch.cat([free.flatten() for free in mask.values()])
    assert free.sum() == int(len(free) * share)
    assert torch.cat([each.flatten() for each in moved.values()])[free].float().mean() > 0.99


def test_statistics_of_batch_norm_are_not_masked() -> None:
    problem, _ = _forgotten(share=0.0, epochs=1)
    pairs = zip(problem.model.parameters(), problem.original_model.parameters(), strict=True)
    assert all(torch.equal(after, before) for after, before in pairs)
    pairs = zip(problem.model.buffers(), problem.original_model.buffers(), strict=True)
    assert not all(torch.equal(after, before) for after, before in pairs)


def test_momentum_of_masked_weights_is_taken_away() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    held = salun.MaskedParameter(weight, torch.tensor([True, False]), weight.detach().clone())
    optimiser = torch.optim.SGD([weight], 0.1, momentum=0.9, weight_decay=0.1)
    for _ in range(2):
        optimiser.zero_grad()
        weight.sum().backward()
        optimiser.step()
        salun.restore_masked([held], optimiser)
    assert weight[1].item() == 2.0
    speed = optimiser.state[weight]["momentum_buffer"]
    assert speed[1] == 0 and speed[0] != 0
    # theta = 1; v = 1 + .1; theta = .89; v = .9 * 1.1 + 1.089 = 2.079; theta = .6821.
    assert weight[0].item() == pytest.approx(0.6821)


def test_of_equals_the_first_are_taken() -> None:
    saliency = {"a": torch.tensor([[1.0, 3.0], [1.0, 1.0]]), "b": torch.tensor([1.0, 2.0])}
    mask = salun.top_mask(saliency, 4 / 6)
    assert mask["a"].tolist() == [[True, True], [True, False]]
    assert mask["b"].tolist() == [False, True]
    assert not any(part.any() for part in salun.top_mask(saliency, 0.0).values())
    assert all(part.all() for part in salun.top_mask(saliency, 1.0).values())


def test_the_report_gets_the_share_of_each_layer() -> None:
    problem, track = _forgotten(share=0.3, batch=64, epochs=1)
    saved = track[SaliencyMask]
    assert list(saved.layers) == ["stem", "body", "shortcut", "head"] and saved.share == 0.3
    mask = _mask_by_hand(problem, 0.3, batch=64)
    for layer, share in zip(saved.layers, saved.shares, strict=True):
        own = torch.cat([free.flatten() for name, free in mask.items() if name.startswith(f"{layer}.")])
        assert share == pytest.approx(own.float().mean().item())


def test_forget_images_come_first_where_they_are_not_mixed() -> None:
    layout, problem = tiny_problem(tiny_spec("salun", mixed=False, augment=False, batch=64, epochs=1))
    assert isinstance(layout.params, salun.Hyperparameters)
    own = problem.forget.tensors()[0].flatten(1)
    order = [
        bool(near)
        for pictures, _ in salun._batches(problem, layout.params)
        for near in torch.cdist(pictures.flatten(1), own).min(1).values < 0.1
    ]
    assert order == [True] * 100 + [False] * 300


@pytest.mark.parametrize("kind", ["classes", "images"])
def test_labels_are_never_the_own(kind: str) -> None:
    layout, problem = tiny_problem(tiny_spec("salun", kind=kind, mixed=False, augment=False, batch=512, epochs=3))
    assert isinstance(layout.params, salun.Hyperparameters)
    everyone, rows = problem.forget.tensors()[0].flatten(1), problem.forget.rows
    drawn = []
    for pictures, labels in list(salun._batches(problem, layout.params))[::2]:
        order = torch.cdist(everyone, pictures.flatten(1)).argmin(1)
        drawn.append(labels[order])
        assert not (drawn[-1] == problem.forget.labels[rows]).any()
        assert torch.isin(drawn[-1], problem.retained_classes).all()
    assert len(drawn) == 3 and not torch.equal(drawn[0], drawn[1]), "drawn anew"


def test_half_of_the_weights_forget_a_class() -> None:
    problem, _ = _forgotten(share=0.5, lr=0.05, epochs=5, batch=32)
    assert accuracy(problem.model, *problem.forget.tensors()) < 0.15
    assert accuracy(problem.model, *problem.retain.tensors()) > 0.8
