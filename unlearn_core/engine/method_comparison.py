"""Which runs compare all methods on one forget request: one for each method, with the preset `auto`."""

from collections.abc import Collection
from typing import NamedTuple

from unlearn_core import methods
from unlearn_core.data import datasets
from unlearn_core.domain.forget_request import ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.method import cannot_forget
from unlearn_core.engine.build_spec import request_spec

RETRAIN = "retrain"
"""The method that trains a retrained model from another seed: the reference, and no approximation of it."""


class MethodComparison(NamedTuple):
    """The specs to run and the reasons why other methods are left out, both by the method's id."""

    specs: dict[str, UnlearnSpec]
    left_out: dict[str, str]


def compare_methods(
    request: ForgetRequest, *, seed: int = 0, start: int | None = None, only: Collection[str] = ()
) -> MethodComparison:
    """Return the comparison of all methods, or `only` of some, on a request. Raises NotFoundError for an unknown id."""
    comparison, kind = MethodComparison({}, {}), request.forget.kind
    noun = datasets.card(request.dataset).item_noun
    for method in [methods.method(name) for name in only] or methods.methods().values():
        if method.id == RETRAIN:
            comparison.left_out[method.id] = (
                f"{method.title} makes a retrained model, which the others are compared with."
            )
        elif kind not in method.supports:
            comparison.left_out[method.id] = cannot_forget(method, kind, noun)
        else:
            comparison.specs[method.id] = request_spec(request, method, preset=methods.AUTO, seed=seed, start=start)
    return comparison
