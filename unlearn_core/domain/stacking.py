"""Which runs can be made side by side, as one stack of nets on one device."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from unlearn_core.domain.jobs import UnlearnSpec

MAX_STACK = 16
"""Runs that are made side by side at the most: somebody may be waiting behind them."""

StackableParams = Mapping[str, frozenset[str]]
"""The methods whose runs can be made side by side, and the knobs in which these may differ."""


def why_specs_not_stackable(specs: Sequence[Any], stackable: StackableParams) -> str | None:
    """Why runs with these specs cannot be made side by side, in a sentence; None where they can.

    They may differ in their seeds, and in the knobs that `stacks` has for their method.
    """
    if not specs or not all(isinstance(spec, UnlearnSpec) for spec in specs):
        return "Only runs that forget can be made side by side."
    method = specs[0].method
    if method not in stackable:
        return f"{method} cannot be made side by side: its file has no `forget_stacked`."
    apart = Counter((spec.method, spec.request.fingerprint(), spec.start) for spec in specs)
    if len(apart) > 1:
        return "Only runs of one method, one request and one start can be made side by side."
    fixed = {
        tuple((name, value) for name, value in spec.params.items() if name not in stackable[method]) for spec in specs
    }
    if len(fixed) > 1:
        may = ", ".join(sorted(stackable[method]))
        return f"Runs that are made side by side may differ in these knobs only: {may}."
    return None
