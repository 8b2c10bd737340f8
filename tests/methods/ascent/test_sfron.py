"""SFRon: the coefficients and the mask by hand, the order of its steps, and the whole update beside a plain one."""

import math
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.methods.artifact_recorder import ArtifactRecorder
from tests.methods.plain_update import assert_same_update, by_the_method, double_problem
from tests.methods.small_problem import tiny_problem, tiny_spec
from unlearn_core.domain.results.method_artifacts import ForgetStepMask
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.methods import sfron
from unlearn_core.training.evaluate import accuracy
from unlearn_core.training.problem import Problem


def test_images_that_are_still_recognised_count_more() -> None:
    logits = torch.randn(6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    labels = torch.tensor([0, 1, 2, 3, 0, 1])
    errors = F.cross_entropy(logits, labels, reduction="none")
    share = (1 / errors.detach().sqrt()) / (1 / errors.detach().sqrt()).sum()
    found = sfron.adaptive_loss(logits, labels, 0.5)
    assert found.item() == pytest.approx((share * errors).sum().item())
    slopes, by_hand = (torch.autograd.grad(one, logits)[0] for one in (found, (share * errors).sum()))
    torch.testing.assert_close(slopes, by_hand)
    assert sfron.adaptive_loss(logits, labels, 0.0).item() == pytest.approx(errors.mean().item())


def test_an_image_without_any_error_does_not_hide_the_others() -> None:
    logits = torch.tensor([[200.0, 0.0], [0.1, 0.0]], requires_grad=True)
    loss = sfron.adaptive_loss(logits, torch.tensor([0, 0]), 0.5)
    (slopes,) = torch.autograd.grad(loss, logits)
    assert torch.isfinite(slopes).all() and slopes[1].abs().sum() > 1e-4


def test_a_weight_is_salient_from_the_threshold_on() -> None:
    forgotten, retained = {"a": torch.tensor([1.0, 2.0, 4.0, 0.0])}, {"a": torch.tensor([2.0, 2.0, 1.0, 0.0])}
    assert sfron.salient(forgotten, retained, 1.0)["a"].tolist() == [False, True, True, True]
    assert sfron.salient(forgotten, retained, 3.0)["a"].tolist() == [False, False, True, False]
    assert sfron.salient(forgotten, retained, 0.0)["a"].all()


def test_a_forget_step_comes_before_every_few_repair_steps() -> None:
    spec = tiny_spec("sfron", epochs=2, kept_per_class=50, retain_batch=32, forget_batch=48, forget_every=3)
    layout, problem = tiny_problem(spec)
    assert isinstance(layout.params, sfron.Hyperparameters)
    steps = [(is_ascent, len(images)) for images, _, is_ascent in sfron._batches(problem, layout.params)]
    retained = [(False, 32), (False, 32), (False, 32), (False, 32), (False, 22)] * 2
    forgotten = [(True, 48), (True, 48), (True, 4), (True, 48)]
    assert steps == [one for at in range(4) for one in (forgotten[at], *retained[3 * at : 3 * at + 3])]


def fisher(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> list[Tensor]:
    """`get_weight_saliency_mask` of the code: the mean over batches of the squared gradient."""
    model.eval()
    squares = []
    for images, labels in batches:
        loss = -model(images).log_softmax(1)[range(len(labels)), labels].mean()
        squares.append([slope.square() for slope in torch.autograd.grad(loss, list(model.parameters()))])
    return [torch.stack(own).mean(0) for own in zip(*squares, strict=True)]


def plain_update(problem: Problem, params: Any) -> nn.Module:
    """`get_unlearned_model` of the code, with SGD written out."""
    model = deepcopy(problem.model).requires_grad_()
    size = min(params.forget_batch, len(problem.forget))
    retained = problem.retain.sample(problem.sizes.retain_used(50), problem.random_generator("saliency", "retained"))
    sides = [
        fisher(model, side.batches(size, problem.random_generator("saliency", purpose), augment=False))
        for side, purpose in ((problem.forget, "forget"), (retained, "retain"))
    ]
    masks = [(own + 1e-15) / (other + 1e-15) >= params.threshold for own, other in zip(*sides, strict=True)]
    weights = list(model.parameters())
    speed = [torch.zeros_like(weight) for weight in weights]
    before, model = [weight.detach().clone() for weight in weights], model.train()
    steps, done = list(sfron._batches(problem, params)), 0
    iterations = sum(not is_ascent for _, _, is_ascent in steps)
    for images, labels, is_ascent in steps:
        decay = (1 + math.cos(math.pi * done / iterations)) / 2
        errors = -model(images).log_softmax(1)[range(len(labels)), labels]
        factors = 1 / (errors.detach() ** params.exponent + 1e-15)
        ascent = -params.forget_weight * decay * (factors / factors.sum() * errors * len(images)).mean()
        slopes = torch.autograd.grad(ascent if is_ascent else errors.mean(), weights)
        if is_ascent:
            slopes = [slope * mask for slope, mask in zip(slopes, masks, strict=True)]
            norm = torch.stack([slope.square().sum() for slope in slopes]).sum().sqrt()
            slopes = [slope * min(1.0, params.clip / (float(norm) + 1e-6)) for slope in slopes]
        done += not is_ascent
        with torch.no_grad():
            for at, (weight, slope) in enumerate(zip(weights, slopes, strict=True)):
                speed[at] = params.momentum * speed[at] + slope + params.weight_decay * weight
                weight -= params.lr * decay * speed[at]
                if not is_ascent:
                    weight.copy_((1 - params.slow) * before[at] + params.slow * weight)
                    before[at] = weight.clone()
    return model


@pytest.mark.parametrize("kind", ["classes", "images"])
@pytest.mark.parametrize("values", [{}, {"threshold": 0.0, "exponent": 1.0, "clip": 0.5}, {"slow": 0.5, "clip": 200.0}])
def test_the_update_beside_a_plain_one(kind: str, values: dict[str, Any]) -> None:
    common: dict[str, Any] = {"augment": False, "forget_weight": 5.0, "clip": 2.0, "epochs": 2, "kept_per_class": 50}
    common |= {"retain_batch": 48, "forget_batch": 48, "forget_every": 3}
    spec = tiny_spec("sfron", kind=kind, **common | values)
    problem, params = double_problem(spec)
    assert_same_update(by_the_method(spec), plain_update(problem, params), problem.original_model)


def test_a_class_is_forgotten_and_the_others_are_not() -> None:
    layout, problem = tiny_problem(tiny_spec("sfron", epochs=10, kept_per_class=100, retain_batch=32, forget_batch=32))
    layout.method.forget(problem, layout.params, NullTracker())
    assert accuracy(problem.model, *problem.forget.tensors()) < 0.1
    assert accuracy(problem.model, *problem.retain.tensors()) > 0.9


def test_the_report_gets_the_share_of_each_layer() -> None:
    layout, problem = tiny_problem(tiny_spec("sfron"))
    track = ArtifactRecorder()
    layout.method.forget(problem, layout.params, track)
    saved = track[ForgetStepMask]
    assert list(saved.layers) == ["stem", "body", "shortcut", "head"]
    assert 0 < saved.share < 1 and saved.shares.min() < saved.share < saved.shares.max()
