"""Fixed small runs of every method on the tiny classifier, and how far their weights went when they were recorded.

`python -m tests.contracts.fixed_runs` records in fixed_runs.json what is missing there: methods that are new, or whose
revision (or that of training) was raised. What is recorded is never changed. A run stands there with its
hyperparameters, so that another preset is not another revision: a row's spec says that already.
"""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from tests.methods.small_problem import FORGET, tiny_problem, tiny_spec
from unlearn_core import training
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.methods import methods

FILE = Path(__file__).with_suffix(".json")
TOLERANCE = 1e-4
"""Relative and absolute; rounding differs by processor."""
STEPS = 60
"""Longer runs are not recorded: what rounding does grows with each step."""
ROUNDING = 1e-6
"""Weights that begin so far off, ten times what rounding does, must end within a tenth of the tolerance; so must two
threads."""
SHIFTS = 5
"""How often that is tried, each time with other shifts."""

Norms = dict[str, list[float]]
"""For each tensor of the state dict its norm, and that of its difference from the original."""


class TooLong(Exception):
    """More steps than a fixed run may have."""


class Few(NullTracker):
    """Counts steps, and ends a run that is too long."""

    def __init__(self) -> None:
        self.steps = 0

    def iterate(self, items: Iterable) -> Iterator:
        for item in items:
            self.steps += 1
            if self.steps > STEPS:
                raise TooLong
            yield item


def revision(name: str) -> dict[str, int]:
    """What a record of this method is for."""
    return {"method": methods()[name].revision, "training": training.REVISION}


def recorded(name: str) -> list[dict[str, Any]]:
    """The runs of a method's revision, each with kind, params and norms; none where that one was not recorded."""
    every = json.loads(FILE.read_text()) if FILE.exists() else {}
    own = every.get(name, {"revision": None})
    return own["runs"] if own["revision"] == revision(name) else []


def norms_of(spec: UnlearnSpec, *, threads: int = 1, shift: int = 0) -> Norms:
    """What a run makes of the tiny classifier in float32; but for 0, each `shift` rounds otherwise."""
    threads_here, noise = torch.get_num_threads(), torch.Generator().manual_seed(shift)
    torch.set_num_threads(threads)
    try:
        layout, problem = tiny_problem(spec)
        with torch.no_grad():
            for one, other in zip(problem.model.parameters(), problem.original_model.parameters(), strict=True):
                one *= 1 + bool(shift) * ROUNDING * torch.randn(one.shape, generator=noise)
                other.copy_(one)
        # In bfloat16 another order of adding up is seen in the third digit.
        with patch.object(torch, "autocast", lambda *given, **named: nullcontext()):
            layout.method.forget(problem, layout.params, Few())
    finally:
        torch.set_num_threads(threads_here)
    before = problem.original_model.state_dict()
    return {
        name: [float(tensor.norm()), float((tensor - before[name]).norm())]
        for name, tensor in problem.model.state_dict().items()
        if tensor.is_floating_point()
    }


def differing(found: Norms, wanted: Norms, tolerance: float = TOLERANCE) -> list[str]:
    """The tensors whose norms are others, beyond the tolerance."""
    if found.keys() != wanted.keys():
        return sorted(found.keys() ^ wanted.keys())
    return [
        name
        for name in found
        if any(
            not abs(one - other) <= tolerance * (1 + abs(other))
            for one, other in zip(found[name], wanted[name], strict=True)
        )
    ]


def record(name: str) -> list[dict[str, Any]]:
    """Runs a method anew: with its first preset for each kind of request, with its other presets for one."""
    method, runs = methods()[name], []
    kinds = sorted(method.supports)
    for preset, kind in ((preset, kind) for preset in method.presets for kind in kinds):
        if kind != kinds[0] and preset != next(iter(method.presets)):
            continue
        params = method.presets[preset].for_request(FORGET[kind]).model_dump()
        spec = tiny_spec(name, kind=kind, **params)
        try:
            norms = norms_of(spec)
            again = [norms_of(spec, threads=2), *(norms_of(spec, shift=number + 1) for number in range(SHIFTS))]
            if any(differing(one, norms, TOLERANCE / 10) for one in again):
                print(f"{name}, preset {preset}, {kind}: left out, since rounding would be seen.")
                continue
        except TooLong:
            print(f"{name}, preset {preset}, {kind}: left out, since it has more than {STEPS} steps.")
            continue
        short = {tensor: [float(f"{one:.6g}") for one in both] for tensor, both in norms.items()}
        runs.append({"kind": kind, "params": params, "norms": short})
    assert runs, f"No preset of {name} makes a run that can be recorded: choose other hyperparameters here."
    return runs


def main() -> None:
    every = {name: {"revision": revision(name), "runs": recorded(name) or record(name)} for name in sorted(methods())}
    lines = ",\n".join(
        f'{json.dumps(name)}: {{"revision": {json.dumps(one["revision"])}, "runs": [\n'
        + ",\n".join(json.dumps(run, separators=(",", ":")) for run in one["runs"])
        + "\n]}"
        for name, one in every.items()
    )
    FILE.write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    os.environ["UNLEARN_PLUGINS"] = "unlearn_core.testing.tiny"
    main()
