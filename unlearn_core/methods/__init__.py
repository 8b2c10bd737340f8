"""Unlearning methods, one per file: a docstring, Hyperparameters, `forget` and METHOD, in that order."""

from unlearn_core.domain.method import Method
from unlearn_core.plugins import cards, lookup


def methods() -> dict[str, Method]:
    """Every method by its id."""
    return {method.id: method for method in cards("methods", "METHOD")}


def method(name: str) -> Method:
    """One method; raises NotFoundError."""
    return lookup("method", methods(), name)
