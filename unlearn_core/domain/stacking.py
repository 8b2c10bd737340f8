"""Stacking: which runs can be trained together on one device as one stack of models."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from unlearn_core.domain.jobs import UnlearnSpec

MAX_STACK = 16
"""Maximum number of stacked runs, so that other runs do not have to wait too long."""

StackableParams = Mapping[str, frozenset[str]]
"""The methods whose runs can be stacked, and the hyperparameters in which these runs may differ."""


def why_specs_not_stackable(specs: Sequence[Any], stackable: StackableParams) -> str | None:
    """Why runs with these specs cannot be stacked, in a sentence; None if they can.

    They may differ in their seeds, and in the hyperparameters that `stackable` has for their method.
    """
    if not specs or not all(isinstance(spec, UnlearnSpec) for spec in specs):
        return "Only unlearning runs can be stacked."
    if any(spec.auto for spec in specs):
        return "A run that finds its own hyperparameters cannot be stacked."
    if any(spec.params.get("early_stop") for spec in specs):
        return "A run that stops early by validation images cannot be stacked."
    method = specs[0].method
    if method not in stackable:
        return f"Runs of {method} cannot be stacked: its file has no `forget_stacked`."
    apart = Counter((spec.method, spec.request.fingerprint(), spec.start) for spec in specs)
    if len(apart) > 1:
        return "Only runs of one method, one request and one starting point can be stacked."
    fixed = {
        tuple((name, value) for name, value in spec.params.items() if name not in stackable[method]) for spec in specs
    }
    if len(fixed) > 1:
        may = ", ".join(sorted(stackable[method]))
        return f"Stacked runs may differ only in these hyperparameters: {may}."
    return None
