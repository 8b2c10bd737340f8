"""Unlearning methods, one per file: a docstring, Hyperparameters, `forget` and METHOD, in that order."""

from collections.abc import Iterable

from unlearn_core.domain.forget_request import Forget, RequestSize
from unlearn_core.domain.method import Method, Preset, ProblemSize
from unlearn_core.domain.params import BaseHyperparameters
from unlearn_core.plugins import cards, lookup

TUNED_CLASSIFIER = "resnet20"
"""The classifier on which the presets `bundled` were tuned: there, `auto` has nothing to find."""

AUTO = "auto"


def methods() -> dict[str, Method]:
    """Every method by its id."""
    return {method.id: method for method in cards("methods", "METHOD")}


def method(name: str) -> Method:
    """One method; raises NotFoundError."""
    return lookup("method", methods(), name)


def hyperparameter_titles(ids: Iterable[str]) -> dict[str, dict[str, str]]:
    """The titles of the hyperparameters of these methods, by name; none of a method that is not installed."""
    known = methods()
    return {
        name: {own: one.title for own, one in known[name].params.hyperparameters().items()} if name in known else {}
        for name in ids
    }


def presets(method: Method, classifier: str) -> dict[str, Preset]:
    """The presets of a method for a classifier, by name; the first is the default.

    For every classifier but `TUNED_CLASSIFIER`, and every method that has something to find, this is `auto`.
    """
    if method.tuning is None or classifier == TUNED_CLASSIFIER:
        return dict(method.presets)
    first = next(iter(method.presets.values()))
    summary = (
        "The run tries several strengths at its start and uses what fits, by validation images. "
        f"Strength: {method.tuning.rule[0].lower()}{method.tuning.rule[1:]}"
    )
    by_size: dict[RequestSize, BaseHyperparameters] = {
        size: _stopping(params) for size, params in first.by_request_size.items()
    }
    return {AUTO: Preset(AUTO, summary, _stopping(first.params), by_size, method.tuning.finds), **method.presets}


def _stopping(params: BaseHyperparameters) -> BaseHyperparameters:
    """The same hyperparameters with early stopping, where the method has it."""
    return params.updated({"early_stop": True}) if "early_stop" in params.hyperparameters() else params


def preset(method: Method, classifier: str, name: str) -> Preset:
    """One preset of a method; "" is the default, and `auto` too where it finds nothing. Raises NotFoundError."""
    known = presets(method, classifier)
    return lookup("preset", known, next(iter(known)) if name in ("", AUTO) else name)


def suited(forget: Forget, sizes: ProblemSize, classifier: str) -> list[Method]:
    """The methods that support a request and, with their default presets, have no caution about its problem."""

    def fits(method: Method) -> bool:
        usual = preset(method, classifier, "")
        return method.caution(usual.for_request(forget), sizes, bool(usual.auto)) is None

    return [method for method in methods().values() if forget.kind in method.supports and fits(method)]
