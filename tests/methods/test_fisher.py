"""Fisher forgetting: the information by closed form and by loop, the noise by hand."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.methods.small_problem import tiny_problem, tiny_spec
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.methods import fisher
from unlearn_core.methods.fisher import Hyperparameters
from unlearn_core.training.importance import fisher_diagonal


def test_closed_form_of_a_linear_softmax_model() -> None:
    """F of w_kd is the mean of p_k (1 - p_k) x_d^2, and that of the bias the mean of p_k (1 - p_k)."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 5))
    pictures = torch.rand(37, 3, 2, 2)
    found = fisher_diagonal(net, pictures)
    shares = net(pictures).softmax(1).detach()
    spread = shares * (1 - shares)
    assert torch.allclose(found["1.bias"], spread.mean(0), rtol=1e-5)
    by_hand = torch.einsum("nk,nd->kd", spread, pictures.flatten(1).square()) / 37
    assert torch.allclose(found["1.weight"], by_hand, rtol=1e-5)


def test_all_at_once_equals_one_by_one() -> None:
    _, problem = tiny_problem(tiny_spec("fisher"))
    pictures = problem.retain.tensors()[0][:40]
    items: list[tuple[Tensor, ...]] = []
    found = fisher_diagonal(
        problem.original_model, pictures, progress=lambda parts: (items.append(part) or part for part in parts)
    )
    assert sum(len(item[0]) for item in items) == 40 * 4 and len(items) > 1, "counted once for every class"
    net = problem.model.eval()
    sums = {name: torch.zeros_like(weight) for name, weight in net.named_parameters()}
    for picture in pictures:
        shares = net(picture[None]).softmax(1)[0].detach()
        for label, share in enumerate(shares):
            net.zero_grad()
            F.cross_entropy(net(picture[None]), torch.tensor([label])).backward()
            for name, weight in net.named_parameters():
                assert weight.grad is not None
                sums[name] += share * weight.grad.square()
    for name, total in sums.items():
        assert torch.allclose(found[name], total / 40, rtol=1e-3, atol=1e-8), name


def test_the_information_leaves_the_model_as_it_was() -> None:
    _, problem = tiny_problem(tiny_spec("fisher"))
    problem.model.train()
    before = {name: value.clone() for name, value in problem.model.state_dict().items()}
    fisher_diagonal(problem.model, problem.retain.tensors()[0][:20])
    assert problem.model.training and all(
        value.equal(before[name]) for name, value in problem.model.state_dict().items()
    )
    assert all(weight.grad is None for weight in problem.model.parameters())


def test_variance_by_hand() -> None:
    weight, knobs = torch.ones(2, 2), Hyperparameters(alpha=0.01, cap=1e3, head_cap=1e2)
    information = torch.tensor([[0.1, 0.0], [1.0, 0.5]])  # Inverse: 10, capped at 1000 or 100; 1, 2.
    mean, variance = fisher._blurred(weight, information, knobs, head=False, cleared=())
    assert mean.equal(weight)
    assert variance[0].tolist() == pytest.approx([0.01 * 1010 / 2] * 2)
    assert variance[1].tolist() == pytest.approx([0.015] * 2)
    _, variance = fisher._blurred(weight, information, knobs, head=True, cleared=())
    assert variance[0].tolist() == pytest.approx([10 * 0.01 * 110 / 2] * 2)
    _, variance = fisher._blurred(torch.ones(2), information[1], knobs, head=False, cleared=())
    assert variance.tolist() == pytest.approx([0.1, 0.2])


def test_a_forgotten_row_of_the_head_is_cleared_whatever_alpha() -> None:
    for alpha in (1e-9, 1e-3):
        mean, variance = fisher._blurred(
            torch.ones(4, 3), torch.ones(4, 3), Hyperparameters(alpha=alpha), head=True, cleared=(1, 3)
        )
        assert mean.tolist() == [[1.0] * 3, [0.0] * 3, [1.0] * 3, [0.0] * 3]
        assert variance[1].tolist() == variance[3].tolist() == pytest.approx([1e-3] * 3)
        assert variance[0].tolist() == pytest.approx([10 * alpha] * 3)
    mean, _ = fisher._blurred(torch.ones(4), torch.ones(4), Hyperparameters(clear_rows=False), head=True, cleared=(1,))
    assert mean.all()


def test_only_the_head_by_name_loses_rows_and_statistics_stay() -> None:
    layout, problem = tiny_problem(tiny_spec("fisher", alpha=1e-10))
    layout.method.forget(problem, layout.params, NullTracker())
    before = problem.original_model.state_dict()
    assert float(before["head.weight"][1].abs().max()) > 0.15
    for name, now in problem.model.state_dict().items():
        if "running" in name or "num_batches" in name or "normalise" in name:
            assert now.equal(before[name]), name
        elif name.startswith("head"):
            assert torch.allclose(now[[0, 2, 3]], before[name][[0, 2, 3]], atol=0.01)
            assert float(now[1].abs().max()) < 0.15
        else:
            assert torch.allclose(now, before[name], atol=0.01), name


def test_the_noise_has_the_variance_that_was_asked_for() -> None:
    layout, problem = tiny_problem(tiny_spec("fisher", kind="images", alpha=1e-3, cap=1.0, pictures=10))
    layout.method.forget(problem, layout.params, NullTracker())
    shift = (
        problem.model.get_parameter("body.0.weight") - problem.original_model.get_parameter("body.0.weight")
    ).detach()
    information = fisher_diagonal(
        problem.original_model, problem.retain.sample(10, problem.random_generator("asked")).tensors()[0]
    )
    _, variance = fisher._blurred(
        shift, information["body.0.weight"], Hyperparameters(alpha=1e-3, cap=1.0), head=False, cleared=()
    )
    assert float((shift.square() / variance).mean()) == pytest.approx(1, abs=0.15)
