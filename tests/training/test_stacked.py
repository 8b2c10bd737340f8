"""Trials stacked: each ends as it would have ended alone, and what stops one stops no other."""

import contextlib
import time
import weakref
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import torch
from timm.layers.drop import DropPath
from torch import nn
from torchvision.ops import StochasticDepth

from tests.methods.small_problem import tiny_problem, tiny_spec
from unlearn_core.domain.errors import CancelledError, DivergedError, NotSupportedError
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.methods import finetune
from unlearn_core.training import loops, stacked
from unlearn_core.training.problem import Problem
from unlearn_core.training.weights import checksum

KNOBS = [
    {"lr": 0.03},
    {"lr": 0.05, "momentum": 0.0, "weight_decay": 0.0},
    {"lr": 0.04, "momentum": 0.5},
    {"lr": 0.02, "weight_decay": 0.01},
]
CLOSE = 2e-5
"""How far a weight may be from that of the same trial alone after a whole epoch in float32: only rounding differs."""


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training steps in float32: in bfloat16 another order of adding up is seen in the third digit."""
    for module in (stacked, loops):
        monkeypatch.setattr(module, "autocast", lambda device: contextlib.nullcontext())


def trials(*, seeds: Iterable[int] = (0, 1, 2, 3), kind: str = "classes") -> tuple[list[Problem], list[Any]]:
    """Problems and hyperparameters that differ in everything that may differ."""
    specs = [
        tiny_spec("finetune", kind=kind, seed=seed, batch=32, **own) for seed, own in zip(seeds, KNOBS, strict=True)
    ]
    laid = [tiny_problem(spec) for spec in specs]
    return [problem for _, problem in laid], [layout.params for layout, _ in laid]


def alone(problems: list[Problem], knobs: list[Any]) -> None:
    for problem, one in zip(problems, knobs, strict=True):
        finetune.forget(problem, one, NullTracker())


def side_by_side(problems: list[Problem], knobs: list[Any], tracks: list[Any] | None = None) -> list[Any]:
    return finetune.forget_stacked(problems, knobs, tracks or [NullTracker() for _ in problems])


def gap(one: nn.Module, other: nn.Module) -> float:
    """The largest difference of two models' weights and batch-norm statistics."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return max(float((first - second).abs().max()) for first, second in pairs if first.is_floating_point())


@pytest.mark.parametrize("kind", ["classes", "images"])
@pytest.mark.parametrize("seeds", [(0, 1, 2, 3), (5, 5, 5, 5), (1, 1, 2, 2)], ids=["own", "one", "shared"])
def test_each_trial_ends_as_it_would_alone(exact: None, seeds: tuple[int, ...], kind: str) -> None:
    apart, knobs = trials(seeds=seeds, kind=kind)
    alone(apart, knobs)
    together, _ = trials(seeds=seeds, kind=kind)
    assert side_by_side(together, knobs) == [None] * len(KNOBS)
    for one, other in zip(apart, together, strict=True):
        assert gap(one.model, other.model) < CLOSE
        assert gap(other.model, other.original_model) > 100 * CLOSE
        assert checksum(other.original_model) == checksum(one.original_model)
    assert len({checksum(problem.model) for problem in together}) == len(KNOBS)


def test_in_training_precision_it_comes_to_the_same_answers() -> None:
    apart, knobs = trials()
    alone(apart, knobs)
    together, _ = trials()
    side_by_side(together, knobs)
    for one, other in zip(apart, together, strict=True):
        pictures, _ = one.retain.tensors()
        with torch.inference_mode():
            same = one.model.eval()(pictures).argmax(1) == other.model.eval()(pictures).argmax(1)
        assert same.float().mean() > 0.97


def test_every_model_has_its_own_memory_and_parameters_afterwards() -> None:
    problems, knobs = trials()
    before = [list(problem.model.parameters()) for problem in problems]
    side_by_side(problems, knobs)
    for problem, tensors in zip(problems, before, strict=True):
        assert all(one is other for one, other in zip(problem.model.parameters(), tensors, strict=True))
        assert all(one.requires_grad for one in tensors)
    sums = [checksum(problem.model) for problem in problems]
    with torch.no_grad():
        next(problems[0].model.parameters()).zero_()
    assert [checksum(problem.model) for problem in problems[1:]] == sums[1:]


def test_a_tracker_that_looks_sees_the_weights_of_that_moment(exact: None) -> None:
    class Looking(NullTracker):
        def __init__(self, net: nn.Module) -> None:
            self.net, self.seen, self.versions = net, [], set[int]()

        def iterate(self, items: Iterable) -> Iterator:
            for item in items:
                yield item
                self.seen.append(checksum(self.net))
                self.versions.add(sum(tensor._version for tensor in self.net.state_dict(keep_vars=True).values()))

    problems, knobs = trials()
    tracks = [Looking(problem.model) for problem in problems]
    side_by_side(problems, knobs, tracks)
    for problem, track in zip(problems, tracks, strict=True):
        assert len(track.seen) == len(set(track.seen)) == len(track.versions) == problem.retain.num_batches(32)
        assert track.seen[-1] == checksum(problem.model)


class Stopping(NullTracker):
    """Is asked to stop after so many steps."""

    def __init__(self, after: int) -> None:
        self.after = after

    def iterate(self, items: Iterable) -> Iterator:
        for step, item in enumerate(items):
            if step == self.after:
                raise CancelledError("enough")
            yield item


def test_what_stops_one_stops_no_other(exact: None) -> None:
    apart, knobs = trials()
    alone(apart, knobs)
    together, _ = trials()
    with torch.no_grad():
        next(together[2].model.parameters()).fill_(float("nan"))
    ended = side_by_side(together, knobs, [NullTracker(), Stopping(after=2), NullTracker(), NullTracker()])
    assert [type(end) for end in ended] == [type(None), CancelledError, DivergedError, type(None)]
    assert gap(apart[0].model, together[0].model) < CLOSE
    assert gap(apart[3].model, together[3].model) < CLOSE
    assert gap(apart[1].model, together[1].model) > CLOSE, "it stood still from the third step on"
    assert all(torch.isfinite(tensor).all() for tensor in together[3].model.state_dict().values())


def test_what_a_stopped_trial_shared_is_not_kept_for_it() -> None:
    problems, knobs = trials(seeds=(5, 5, 5, 5))
    alive: list[weakref.ref] = []

    class Counting(NullTracker):
        def iterate(self, items: Iterable) -> Iterator:
            for item in items:
                alive.append(weakref.ref(item[0]))
                yield item
                del item
                assert sum(one() is not None for one in alive) <= 4, "the batch in hand and a few before it"

    ended = side_by_side(problems, knobs, [Counting(), Stopping(after=1), NullTracker(), NullTracker()])
    assert isinstance(ended[1], CancelledError)
    assert len(alive) > 8


def test_when_all_are_stopped_it_is_over() -> None:
    problems, knobs = trials()
    ended = side_by_side(problems, knobs, [Stopping(after=number) for number in (0, 1, 0, 1)])
    assert all(isinstance(end, CancelledError) for end in ended)
    pairs = zip(problems[0].model.parameters(), problems[0].original_model.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs), "not one step was made"


def test_models_that_cannot_be_stacked_are_refused_in_a_sentence() -> None:
    assert "dropout" in (stacked.why_not_stackable(nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.1))) or "")
    assert stacked.why_not_stackable(nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.0))) is None
    for dropped in (StochasticDepth(0.1, "row"), DropPath(0.1)):
        assert "stochastic depth" in (stacked.why_not_stackable(nn.Sequential(nn.Linear(2, 2), dropped)) or "")
    assert stacked.why_not_stackable(nn.Sequential(StochasticDepth(0.0, "row"), DropPath(0.0))) is None
    tied = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    tied[1].weight = tied[0].weight
    assert "shares weights" in (stacked.why_not_stackable(tied) or "")
    with (
        pytest.raises(NotSupportedError, match="different tensor shapes"),
        stacked.stack_models([nn.Linear(2, 2), nn.Linear(2, 3)]),
    ):
        pass


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.device_count(), reason="there is no GPU on this machine")
def test_64_trials_of_the_bundled_model_take_at_most_a_quarter_of_the_time() -> None:
    from unlearn_core.engine.build_spec import run_spec
    from unlearn_core.engine.model_cache import ModelCache
    from unlearn_core.engine.setup import build_problem, resolve_run
    from unlearn_core.store.data_folder import open_data_dir

    warm, spent = ModelCache("cuda:0", open_data_dir()), {}
    rates = [0.001 * 1.08**number for number in range(64)]
    layouts = [
        resolve_run(run_spec("resnet20", method="finetune", classes=["cat"], overrides={"lr": rate}), warm)
        for rate in rates
    ]
    knobs = [layout.params for layout in layouts]
    for way, go in (("alone", alone), ("stacked", side_by_side)):
        go(
            [build_problem(layout, warm) for layout in layouts[:2]], knobs[:2]
        )  # Whatever happens only once has happened.
        problems = [build_problem(layout, warm) for layout in layouts]
        torch.cuda.synchronize()
        began = time.perf_counter()
        go(problems, knobs)
        torch.cuda.synchronize()
        spent[way] = time.perf_counter() - began
    print(f"64 fine-tunings: {spent['alone']:.1f} s one after the other, {spent['stacked']:.1f} s side by side")
    assert spent["stacked"] <= spent["alone"] / 4
