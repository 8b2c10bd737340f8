"""The shelf of unlearning methods: each file has a docstring, Knobs, `forget` and METHOD, in that order."""

from unlearn_core.domain.method import Method
from unlearn_core.plugins import entry, modules


def methods() -> dict[str, Method]:
    """Every method by its id."""
    return {module.METHOD.id: module.METHOD for module in modules("methods").values()}


def method(name: str) -> Method:
    """One method; raises UnknownName."""
    return entry("method", methods(), name)
