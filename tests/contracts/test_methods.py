"""Every method keeps the contract of a method; run the tests of one with `-k its_id`."""

import json
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest
import torch

from tests.contracts import fixed_runs
from tests.methods.small_problem import FORGET, tiny_problem, tiny_spec
from unlearn_core.domain.errors import CancelledError, UndeclaredDataAccessError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.methods import methods
from unlearn_core.plugins import discover
from unlearn_core.training import loops, stacked
from unlearn_core.training.weights import checksum

METHODS = methods()
CASES = [(name, kind) for name, method in METHODS.items() for kind in sorted(method.supports)]
each_method = pytest.mark.parametrize("name", METHODS)
each_case = pytest.mark.parametrize(("name", "kind"), CASES)


class Counting(NullTracker):
    """Remembers the plan, counts steps, and cancels after so many."""

    def __init__(self, limit: int | None = None) -> None:
        self.planned: dict[str, int] = {}
        self.steps, self.limit = 0, limit

    def plan(self, **steps: int) -> None:
        self.planned = steps

    def iterate(self, items: Iterable) -> Iterator:
        for item in items:
            if self.steps == self.limit:
                raise CancelledError("enough")
            self.steps += 1
            yield item


@each_method
def test_the_card_is_complete(name: str) -> None:
    method, module = METHODS[name], discover("methods")[name]
    assert method.id == name == module.__name__.rsplit(".", 1)[1]
    assert all(
        [
            method.title,
            method.group,
            method.summary,
            method.idea,
            method.failure_modes,
            method.paper.url,
            module.__doc__,
        ]
    )
    assert method.supports <= set(FORGET) and method.supports
    assert method.presets
    for preset in method.presets.values():
        assert all(isinstance(params, method.params) for params in (preset.params, *preset.by_request_size.values()))
        assert preset.title and preset.summary.endswith(".")


@each_method
def test_every_hyperparameter_is_explained(name: str) -> None:
    for info in METHODS[name].params.hyperparameters().values():
        assert info.title and info.explain.endswith("."), info
        if info.kind in ("int", "float"):
            assert info.low is not None and info.high is not None, info
            assert info.low <= info.default <= info.high, info
            assert info.scale == "linear" or info.low > 0, info


@each_case
def test_a_spec_survives_json(name: str, kind: str) -> None:
    spec = tiny_spec(name, kind=kind)
    again = UnlearnSpec.model_validate(json.loads(spec.model_dump_json()))
    assert again == spec and again.fingerprint() == spec.fingerprint()


@each_case
def test_same_seed_same_weights_and_the_original_untouched(name: str, kind: str) -> None:
    sums = []
    for _ in range(2):
        layout, problem = tiny_problem(tiny_spec(name, kind=kind, seed=3))
        before, keys = checksum(problem.original_model), list(problem.model.state_dict())
        track = Counting()
        layout.method.forget(problem, layout.params, track)
        assert checksum(problem.original_model) == before != checksum(problem.model)
        assert list(problem.model.state_dict()) == keys
        assert all(torch.isfinite(tensor).all() for tensor in problem.model.state_dict().values())
        planned = sum(track.planned.values())
        assert 0 < track.steps <= planned, "the plan is what was done"
        assert track.steps == planned or layout.method.may_stop_early
        sums.append(checksum(problem.model))
    assert sums[0] == sums[1]


@each_method
def test_other_weights_mean_another_revision(name: str) -> None:
    runs = fixed_runs.recorded(name)
    assert runs, (
        f"Of {METHODS[name].title} at this revision ({fixed_runs.revision(name)}) no fixed runs are recorded. "
        "Record them with `python -m tests.contracts.fixed_runs`, and commit fixed_runs.json."
    )
    for run in runs:
        found = fixed_runs.norms_of(tiny_spec(name, kind=run["kind"], **run["params"]))
        assert not fixed_runs.differing(found, run["norms"]), (
            f"{METHODS[name].title} gives other weights than when its fixed runs were recorded ({run['kind']}, "
            f"{run['params']}). If that is meant, raise `revision` in its METHOD (where all methods change, REVISION "
            "in training/__init__.py), and record it with `python -m tests.contracts.fixed_runs`."
        )


@each_case
def test_cancel_is_honoured_within_one_step(name: str, kind: str) -> None:
    layout, problem = tiny_problem(tiny_spec(name, kind=kind))
    track = Counting(limit=2)
    with pytest.raises(CancelledError):
        layout.method.forget(problem, layout.params, track)
    assert track.steps == 2


@each_case
def test_needs_are_honest(name: str, kind: str) -> None:
    """A method can access only the data that it declared; accessing more would have raised in the runs above."""
    layout, problem = tiny_problem(tiny_spec(name, kind=kind))
    needs = layout.method.needs(layout.params)
    for needed, side in zip(needs, needs._fields, strict=True):
        if needed:
            assert len(getattr(problem, side))
        else:
            with pytest.raises(UndeclaredDataAccessError):
                getattr(problem, side)


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if method.forget_stacked])
def test_stacked_trials_end_as_each_would_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (stacked, loops, discover("methods")[name]):
        if hasattr(module, "autocast"):  # In bfloat16 another order of adding up is seen in the third digit.
            monkeypatch.setattr(module, "autocast", lambda device: nullcontext())
    method = METHODS[name]
    assert method.forget_stacked is not None and method.stackable_params
    known = method.params.hyperparameters()
    assert all(known[knob].kind == "float" for knob in method.stackable_params), (
        "what is not continuous cannot differ in a stack"
    )
    # A hundredth and half a hundredth of the way up, where a rounding error does not grow.
    ends = {
        knob: (float(known[knob].low or 0), float(known[knob].high or 0)) for knob in sorted(method.stackable_params)
    }
    turned: list[dict[str, Any]] = [
        {knob: low + share * (high - low) for knob, (low, high) in ends.items()} for share in (0.01, 0.005)
    ]
    specs = [tiny_spec(name, seed=5, **turned[0]), tiny_spec(name, seed=6, **turned[1])]
    apart, together = ([tiny_problem(spec) for spec in specs] for _ in range(2))
    for layout, problem in apart:
        method.forget(problem, layout.params, Counting())
    tracks = [Counting() for _ in together]
    knobs = [layout.params for layout, _ in together]
    assert method.forget_stacked([problem for _, problem in together], knobs, tracks) == [None, None]
    for (_, one), (_, other), track in zip(apart, together, tracks, strict=True):
        assert 0 < track.steps <= sum(track.planned.values())
        for key, tensor in one.model.state_dict().items():
            assert torch.allclose(tensor.float(), other.model.state_dict()[key].float(), atol=1e-4), key


@each_case
def test_images_processed_are_counted(name: str, kind: str) -> None:
    layout, problem = tiny_problem(tiny_spec(name, kind=kind))
    seen = 0

    class CountingImages(Counting):
        def iterate(self, items: Iterable) -> Iterator:
            nonlocal seen
            for item in super().iterate(items):
                seen += len(item[0])
                yield item

    layout.method.forget(problem, layout.params, CountingImages())
    said = layout.method.images_processed(layout.params, problem.sizes)
    assert seen == said or (layout.method.may_stop_early and seen <= said)
