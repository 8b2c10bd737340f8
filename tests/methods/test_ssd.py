"""SSD against sums by hand: what is important, what is dampened, and by how much."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.methods.artifact_recorder import ArtifactRecorder
from tests.methods.small_problem import tiny_problem, tiny_spec
from unlearn_core.domain.forget_request import ForgetClasses
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.results.method_artifacts import DampenedWeights
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.methods import ssd
from unlearn_core.training.evaluate import accuracy
from unlearn_core.training.importance import batch_gradients, share_by_layer


def _of_classes(*classes: int) -> UnlearnSpec:
    spec = tiny_spec("ssd", share=0.1, batch=64)
    wish = ForgetClasses(classes=classes)
    return spec.model_copy(update={"request": spec.request.model_copy(update={"forget": wish})})


def _toy(*weights: float) -> nn.Module:
    net = nn.Linear(len(weights), 1, bias=False)
    with torch.no_grad():
        net.weight.copy_(torch.tensor([weights]))
    return net


def test_dampening_by_hand() -> None:
    net = _toy(1.0, -2.0, 3.0, 4.0, 5.0)
    of_all = {"weight": torch.tensor([[1.0, 1.0, 1.0, 0.0, 2.0]])}
    of_forgotten = {"weight": torch.tensor([[8.0, 5.0, 1.0, 0.0, 12.0]])}
    chosen = ssd.dampen(net, of_all, of_forgotten, alpha=5.0, dampening=2.0)
    # 8 > 5 and 12 > 10 are chosen; 5 > 5 is not, nor are 1 and 0. 2 * 1 / 8 = 1/4, 2 * 2 / 12 = 1/3.
    assert chosen["weight"].tolist() == [[True, False, False, False, True]]
    assert net.get_parameter("weight").tolist() == [pytest.approx([0.25, -2.0, 3.0, 4.0, 5 / 3])]


def test_nothing_grows_and_nothing_is_divided_by_zero() -> None:
    net = _toy(1.0, 1.0, 1.0)
    of_all = {"weight": torch.tensor([[1.0, 0.0, 0.0]])}
    of_forgotten = {"weight": torch.tensor([[2.0, 3.0, 0.0]])}
    ssd.dampen(net, of_all, of_forgotten, alpha=0.5, dampening=10.0)
    assert net.get_parameter("weight").tolist() == [[1.0, 0.0, 1.0]], "10 * 1 / 2 is cut to 1; 0 / 3; 0 / 0 stays"


def test_importance_is_the_squared_mean_of_each_batch() -> None:
    """Of a line w x with the error (w x - y)^2 / 2: the gradient is (w x - y) x."""
    net = _toy(2.0).double()
    batches = [
        (torch.tensor([[1.0], [2.0]]).double(), torch.tensor([[1.0], [6.0]]).double()),  # 1 and -4: mean -1.5
        (torch.tensor([[3.0], [1.0]]).double(), torch.tensor([[5.0], [2.0]]).double()),  # 3 and 0: mean 1.5
        (torch.tensor([[1.0], [1.0]]).double(), torch.tensor([[0.0], [0.0]]).double()),  # 2 and 2: mean 2
    ]

    def error(answers: Tensor, wanted: Tensor) -> Tensor:
        return (answers - wanted).square().mean() / 2

    squares = batch_gradients(net, batches, score=error, measure=torch.square)
    assert squares["weight"].item() == pytest.approx((2.25 + 2.25 + 4) / 3)
    plain = batch_gradients(net, batches, score=error, measure=lambda slope: slope)
    assert plain["weight"].item() == pytest.approx((-1.5 + 1.5 + 2) / 3)
    sizes = batch_gradients(net, batches, score=error, measure=torch.abs)
    assert sizes["weight"].item() == pytest.approx((1.5 + 1.5 + 2) / 3)


def test_importance_is_taken_in_eval_mode_and_leaves_the_mode() -> None:
    _, problem = tiny_problem(tiny_spec("ssd"))
    net = problem.model.train()
    pictures, labels = problem.forget.tensors()
    found = batch_gradients(net, [(pictures, labels)], score=F.cross_entropy, measure=torch.square)
    assert net.training
    assert all(torch.equal(a, b) for a, b in zip(net.buffers(), problem.original_model.buffers(), strict=True))
    net.eval()
    F.cross_entropy(net(pictures), labels).backward()
    slope = net.get_parameter("head.weight").grad
    assert slope is not None
    torch.testing.assert_close(found["head.weight"], slope.square())


@pytest.mark.parametrize(("kind", "batch"), [("classes", 64), ("images", 64), ("classes", 30)])
def test_all_batches_have_one_size_and_miss_nobody(kind: str, batch: int) -> None:
    layout, problem = tiny_problem(tiny_spec("ssd", kind=kind, batch=batch))
    assert isinstance(layout.params, ssd.Hyperparameters)
    size = ssd._batch(layout.params, problem.sizes)
    assert size == min(batch, len(problem.forget)), "the same for both importances"
    for pool in (problem.forget, problem.retain):
        batches = list(ssd.full_batches(pool, size, pool.num_batches(size), problem.random_generator("x")))
        assert {len(labels) for _, labels in batches} == {size}
        assert len(batches) == pool.num_batches(size)
        seen = torch.cat([pictures for pictures, _ in batches]).flatten(1)
        assert (torch.cdist(pool.tensors()[0].flatten(1), seen).min(1).values < 0.1).all()


def test_a_few_images_are_gone_through_again() -> None:
    _, problem = tiny_problem(tiny_spec("ssd", kind="images"))
    batches = list(ssd.full_batches(problem.forget, 10, 4, problem.random_generator("x")))
    assert [len(labels) for _, labels in batches] == [10] * 4
    seen = torch.cat([pictures for pictures, _ in batches]).flatten(1)
    assert torch.equal(seen[:10], seen[15:25]) and torch.equal(seen[:10], seen[30:])


def test_a_share_is_turned_into_the_threshold_that_lets_it_pass() -> None:
    of_all = {"a": torch.tensor([1.0, 1.0, 0.0, 4.0]), "b": torch.tensor([[2.0]])}
    of_forgotten = {"a": torch.tensor([9.0, 2.0, 0.0, 4.0]), "b": torch.tensor([[10.0]])}
    # The ratios are 9, 2, 0, 1 and 5: with two fifths 9 and 5 pass, and 2 is where the line is.
    assert ssd.threshold(of_all, of_forgotten, 0.4) == 2.0
    assert ssd.threshold(of_all, of_forgotten, 0.0) == 9.0
    layout, problem = tiny_problem(tiny_spec("ssd", share=0.1, alpha=500.0))
    track = ArtifactRecorder()
    layout.method.forget(problem, layout.params, track)
    count = sum(weight.numel() for weight in problem.model.parameters())
    assert track[DampenedWeights].share == pytest.approx(int(0.1 * count) / count)


def test_several_classes_are_dampened_each_by_its_own_importance() -> None:
    """As if one class were forgotten after the other, but with both importances taken from the model before."""
    layout, problem = tiny_problem(_of_classes(1, 3))
    nets = []
    for own in (1, 3):
        pool = problem.forget.select_classes(torch.tensor([own]))
        everyone = problem.retain.rows, problem.forget.rows
        whole = replace(pool, rows=torch.cat(everyone))
        batches = ssd.full_batches(whole, 64, 7, problem.random_generator("all"))
        nets.append((batches, ssd.full_batches(pool, 64, 2, problem.random_generator("forgotten", len(nets)))))
    by_hand = deepcopy(problem.model)
    found = [
        [batch_gradients(problem.model, each, score=F.cross_entropy, measure=torch.square) for each in pair]
        for pair in nets
    ]
    for of_all, theirs in found:
        alpha = ssd.threshold(of_all, theirs, 0.1)
        ssd.dampen(by_hand, of_all, theirs, alpha=alpha, dampening=1.0)
    track = ArtifactRecorder()
    layout.method.forget(problem, layout.params, track)
    for one, other in zip(problem.model.parameters(), by_hand.parameters(), strict=True):
        torch.testing.assert_close(one, other)
    assert 0.1 < track[DampenedWeights].share <= 0.2
    assert layout.method.images_processed(layout.params, problem.sizes) == 64 * (7 + 2 + 2)


def test_without_labels_importance_is_of_the_length_of_the_answers() -> None:
    """|d mean ||f||^2 / d offset| of the head is |mean 2 f|, which knows no label."""
    _, problem = tiny_problem(tiny_spec("ssd"))
    pictures, labels = problem.forget.tensors()
    for given in (labels, (labels + 1) % 4):
        found = batch_gradients(problem.model, [(pictures, given)], score=ssd._length, measure=torch.abs)
        with torch.no_grad():
            answers = problem.original_model(pictures)
        torch.testing.assert_close(found["head.bias"], (2 * answers.mean(0)).abs())


@pytest.mark.parametrize("label_free", [False, True])
def test_a_lower_threshold_dampens_more(label_free: bool) -> None:
    shares = []
    for alpha in (0.5, 2.0, 8.0, 500.0):
        layout, problem = tiny_problem(tiny_spec("ssd", share=0.0, alpha=alpha, label_free=label_free))
        track = ArtifactRecorder()
        layout.method.forget(problem, layout.params, track)
        dampened = track[DampenedWeights]
        before = dict(problem.original_model.named_parameters())
        moved = {name: weight.detach() != before[name] for name, weight in problem.model.named_parameters()}
        assert list(dampened.layers) == ["stem", "body", "shortcut", "head"]
        # A weight of exactly zero, or one multiplied by 1, is chosen and does not move.
        for counted, seen in zip(dampened.shares, share_by_layer(moved, dampened.layers), strict=True):
            assert seen <= counted + 1e-6
        shares.append(dampened.share)
    assert shares == sorted(shares, reverse=True) and shares[0] > 0.1 and shares[-1] < shares[0] / 5


def test_the_forgotten_class_suffers_most_and_nothing_but_weights_changes() -> None:
    layout, problem = tiny_problem(tiny_spec("ssd", share=0.0, alpha=5.0, dampening=1.0, label_free=False))
    layout.method.forget(problem, layout.params, NullTracker())
    assert accuracy(problem.original_model, *problem.forget.tensors()) > 0.9
    assert accuracy(problem.model, *problem.forget.tensors()) < 0.1
    assert accuracy(problem.model, *problem.retain.tensors()) > 0.5, "three classes of four; nothing mends them"
    assert all(
        torch.equal(a, b) for a, b in zip(problem.model.buffers(), problem.original_model.buffers(), strict=True)
    )
