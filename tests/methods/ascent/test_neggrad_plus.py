"""NegGrad+ weighs two losses, and cycles the forget images beside the retained ones."""

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from tests.methods.small_problem import tiny_problem, tiny_spec
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.methods import neggrad_plus
from unlearn_core.training.evaluate import accuracy
from unlearn_core.training.losses import capped_cross_entropy
from unlearn_core.training.problem import Problem


def _forgotten(**knobs: Any) -> Problem:
    layout, problem = tiny_problem(tiny_spec("neggrad_plus", **knobs))
    layout.method.forget(problem, layout.params, NullTracker())
    return problem


def test_the_loss_and_its_gradient() -> None:
    kept, gone = (torch.randn(5, 4, dtype=torch.float64, requires_grad=True) for _ in range(2))
    own, theirs = torch.tensor([0, 1, 2, 3, 0]), torch.tensor([1, 1, 1, 1, 1])

    def loss(kept: torch.Tensor, gone: torch.Tensor) -> torch.Tensor:
        return neggrad_plus._loss(F.cross_entropy(kept, own), capped_cross_entropy(gone, theirs), 0.7)

    by_hand = 0.7 * F.cross_entropy(kept, own) - 0.3 * F.cross_entropy(gone, theirs)
    assert loss(kept, gone).item() == pytest.approx(by_hand.item())
    assert torch.autograd.gradcheck(loss, (kept, gone))


def test_every_step_has_both_sides_and_none_is_skipped() -> None:
    layout, problem = tiny_problem(
        tiny_spec("neggrad_plus", augment=False, retain_batch=32, forget_batch=48, epochs=2, kept_per_class=50)
    )
    knobs = layout.params
    assert isinstance(knobs, neggrad_plus.Hyperparameters)
    batches = list(neggrad_plus._batches(problem, knobs))
    assert len(batches) == neggrad_plus._steps(knobs, problem.sizes) == 2 * 5
    forgotten = problem.forget.labels[problem.forget.rows].unique()
    for pictures, labels, kept in batches:
        assert not torch.isin(labels[:kept], forgotten).any()
        assert torch.isin(labels[kept:], forgotten).all() and len(labels) > kept
        assert len(pictures) == len(labels)
    assert [kept for _, _, kept in batches[:5]] == [32, 32, 32, 32, 22], "150 kept pictures an epoch"
    gone = [len(labels) - kept for _, labels, kept in batches]
    assert gone == [48, 48, 4] * 3 + [48], "100 forgotten ones, over and over"
    first = torch.cat([pictures[kept:] for pictures, _, kept in batches[:3]]).flatten(1)
    everyone = problem.forget.tensors()[0].flatten(1)
    assert torch.cdist(everyone, first).min(1).values.max() < 0.1, "each one once before the first comes again"


def test_weight_one_is_fine_tuning_and_forgets_less() -> None:
    hard = {"lr": 0.05, "epochs": 4, "retain_batch": 32, "forget_batch": 32, "kept_per_class": 100}
    pushed, tuned = _forgotten(kept_weight=0.8, **hard), _forgotten(kept_weight=1.0, **hard)
    assert accuracy(pushed.model, *pushed.forget.tensors()) < accuracy(tuned.model, *tuned.forget.tensors()) - 0.3
    assert accuracy(pushed.model, *pushed.retain.tensors()) > 0.8


@pytest.mark.parametrize("frozen", [True, False])
def test_batch_norm_is_frozen_where_asked(frozen: bool) -> None:
    problem = _forgotten(frozen_norm=frozen, epochs=1)
    pairs = zip(problem.model.buffers(), problem.original_model.buffers(), strict=True)
    assert all(torch.equal(after, before) for after, before in pairs) is frozen
