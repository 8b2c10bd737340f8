"""The contract of every method, checked by short runs on the tiny classifier."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from typing import Any, TypeVar
from unittest.mock import patch

import torch

from unlearn_core.domain.errors import CancelledError, UndeclaredDataAccessError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.method import TUNED_ON, Method, ProblemSize
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.plugins import discover
from unlearn_core.testing.tiny_problem import FORGET, tiny_problem, tiny_spec
from unlearn_core.training.weights import checksum

T = TypeVar("T")


class CountingTracker(NullTracker):
    """Remembers the plan, counts steps and images, and cancels after `limit` steps."""

    def __init__(self, limit: int | None = None) -> None:
        self.planned, self.steps, self.images, self.limit = 0, 0, 0, limit

    def plan(self, **steps: int) -> None:
        self.planned = sum(steps.values())

    def iterate(self, items: Iterable[T]) -> Iterator[T]:
        for item in items:
            if self.steps == self.limit:
                raise CancelledError("The check cancels the run.")
            self.steps += 1
            self.images += len(item[0])  # type: ignore[index]
            yield item


def check_card(method: Method) -> None:
    """The card is complete, and the method is found by its id, which is the name of its file."""
    module = discover("methods").get(method.id)
    assert module is not None and module.METHOD is method, (
        f"{method.id} is not found: its file must be {method.id}.py in a folder `methods` of a plug-in package, which "
        "UNLEARN_PLUGINS or an entry point names."
    )
    texts = (method.title, method.group, method.summary, method.idea, method.failure_modes, method.paper.url)
    assert all([*texts, module.__doc__])
    assert method.supports
    assert method.supports <= set(FORGET)
    assert method.presets
    for preset in method.presets.values():
        assert all(isinstance(params, method.params) for params in (preset.params, *preset.by_request_size.values()))
        assert preset.title
        assert preset.summary.endswith(".")


def check_hyperparameters(method: Method) -> None:
    """Every hyperparameter is explained, and its default is in its range."""
    for info in method.params.hyperparameters().values():
        assert info.title, info
        assert info.explain.endswith("."), info
        if info.kind in ("int", "float"):
            assert info.low is not None and info.high is not None, info
            assert info.low <= info.default <= info.high, info
            assert info.scale == "linear" or info.low > 0, info


def check_tuning(method: Method) -> None:
    """The hyperparameters that `auto` finds exist, are all given at each strength, and at 1 are those of the preset."""
    tuning = method.tuning
    if tuning is None:
        return
    assert tuning.rule.endswith(".")
    assert set(tuning.finds) <= set(method.params.hyperparameters())
    first = next(iter(method.presets.values()))
    for params in (first.params, *first.by_request_size.values()):
        given = {*tuning.values(params, TUNED_ON, 1.0), tuning.aim, tuning.batch} - {""}
        assert given == set(tuning.finds), "`values` gives others"
        assert tuning.compensation(params, 1.0) == 1, "a whole try is as strong as the run"
        assert tuning.settings(params, TUNED_ON, 1.0) == params, "where the preset was tuned, strength 1 is the preset"
        assert tuning.settings(params, TUNED_ON, 4.0) != params != tuning.settings(params, TUNED_ON, 0.25)
        assert tuning.settings(params, TUNED_ON, 4.0, only=()) == params
        tuning.settings(params, ProblemSize(1, 1, 1, 1, 2, 40, 64, 1), 1e6)  # The bounds hold for any strength.


def check_spec_is_stored(method: Method) -> None:
    """A spec is the same after a journey through JSON."""
    for kind in method.supports:
        spec = tiny_spec(method.id, kind=kind)
        again = UnlearnSpec.model_validate(json.loads(spec.model_dump_json()))
        assert again == spec
        assert again.fingerprint() == spec.fingerprint()


def check_runs_are_reproducible(method: Method) -> None:
    """The same seed gives the same weights; only `problem.model` changes, by the steps that were announced."""
    for kind in method.supports:
        sums = set[str]()
        for _ in range(2):
            resolved, problem = tiny_problem(tiny_spec(method.id, kind=kind, seed=3))
            before, names = checksum(problem.original_model), list(problem.model.state_dict())
            tracker = CountingTracker()
            method.forget(problem, resolved.params, tracker)
            assert checksum(problem.original_model) == before, "the original model was changed"
            assert checksum(problem.model) != before, "the model was not changed"
            assert list(problem.model.state_dict()) == names
            assert all(torch.isfinite(tensor).all() for tensor in problem.model.state_dict().values())
            assert 0 < tracker.steps <= tracker.planned, "more steps than planned"
            assert tracker.steps == tracker.planned or method.may_stop_early
            processed = method.images_processed(resolved.params, problem.sizes)
            assert tracker.images == processed or (method.may_stop_early and tracker.images <= processed)
            sums.add(checksum(problem.model))
        assert len(sums) == 1, "the same seed gave other weights"


def check_cancelling(method: Method) -> None:
    """A cancelled run stops within one step."""
    for kind in method.supports:
        resolved, problem = tiny_problem(tiny_spec(method.id, kind=kind))
        tracker = CountingTracker(limit=2)
        try:
            method.forget(problem, resolved.params, tracker)
        except CancelledError:
            assert tracker.steps == 2
        else:
            raise AssertionError("the run went on after it was cancelled")


def check_needs(method: Method) -> None:
    """The method can access only the data that `needs` declares; accessing more would fail in the other checks."""
    for kind in method.supports:
        resolved, problem = tiny_problem(tiny_spec(method.id, kind=kind))
        needs = method.needs(resolved.params)
        for is_needed, side in zip(needs, needs._fields, strict=True):
            try:
                is_given = len(getattr(problem, side)) > 0
            except UndeclaredDataAccessError:
                is_given = False
            assert is_given == is_needed, side


def check_stacked_trials(method: Method) -> None:
    """Trials that are trained stacked end as each would alone, except for rounding; if the method can do that."""
    if method.forget_stacked is None:
        return
    known = method.params.hyperparameters()
    assert method.stackable_params
    assert all(known[name].kind == "float" for name in method.stackable_params), "only continuous ones may differ"
    # Near the lower end of their ranges, where a rounding error does not grow.
    ends = {name: (float(known[name].low or 0), float(known[name].high or 0)) for name in method.stackable_params}
    params: list[dict[str, Any]] = [
        {name: low + share * (high - low) for name, (low, high) in ends.items()} for share in (0.01, 0.005)
    ]
    specs = [tiny_spec(method.id, seed=5 + number, **own) for number, own in enumerate(params)]
    alone, stacked = ([tiny_problem(spec) for spec in specs] for _ in range(2))
    trackers = [CountingTracker() for _ in stacked]
    # In bfloat16, another order of addition changes the third digit.
    with patch.object(torch, "autocast", lambda *_, **__: nullcontext()):
        for resolved, problem in alone:
            method.forget(problem, resolved.params, CountingTracker())
        problems, values = [problem for _, problem in stacked], [resolved.params for resolved, _ in stacked]
        assert method.forget_stacked(problems, values, trackers) == [None, None]
    for (_, one), other, tracker in zip(alone, problems, trackers, strict=True):
        assert 0 < tracker.steps <= tracker.planned
        for name, tensor in one.model.state_dict().items():
            assert torch.allclose(tensor.float(), other.model.state_dict()[name].float(), atol=1e-4), name


METHOD_CHECKS: tuple[Callable[[Method], None], ...] = (
    check_card,
    check_hyperparameters,
    check_tuning,
    check_spec_is_stored,
    check_runs_are_reproducible,
    check_cancelling,
    check_needs,
    check_stacked_trials,
)


def check_method(method: Method) -> None:
    """Check a method as the tests of this project do. Raises AssertionError."""
    for check in METHOD_CHECKS:
        check(method)
