"""The contract of every measurement, checked on models with random weights."""

import json
from collections.abc import Callable
from functools import cache

import numpy as np

from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetImages
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.result import ReportPart
from unlearn_core.plugins import discover
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.testing.tiny_problem import tiny_context
from unlearn_core.training.weights import checksum

CLASS, IMAGES = ForgetClasses(classes=(2,)), ForgetImages(images=(5, 9, 300))
ALL_MODELS = ("before", "after", "gold", "other")
CASES: dict[str, tuple[tuple[str, ...], Forget]] = {
    "a class": (ALL_MODELS, CLASS),
    "a class, no gold": (("before", "after"), CLASS),
    "images": (("before", "after", "gold"), IMAGES),
    "images, no gold": (("before", "after"), IMAGES),
}
"""The models that exist, and what was forgotten."""


@cache
def _context(case: str) -> ProbeContext:
    models, forget = CASES[case]
    return tiny_context(*models, forget=forget)


def measured(probe: Probe, context: ProbeContext) -> ReportPart | str:
    """Return what a report stores of the measurement, or the reason why there is none."""
    result = probe.measure(context)
    if isinstance(result, str):
        return result
    assert result.part == probe.id, f"The part of {type(result).__name__} must be called {probe.id}."
    return result.to_part()


def _is_finite(facts: object) -> bool:
    try:
        json.dumps(facts, allow_nan=False)
    except ValueError:
        return False
    return True


def check_card(probe: Probe) -> None:
    """The card is complete, and the measurement is found by its id, which is the name of its file."""
    module = discover("probes").get(probe.id)
    assert module is not None and module.PROBE is probe, (
        f"{probe.id} is not found: its file must be {probe.id}.py in a folder `probes` of a plug-in package, which "
        "UNLEARN_PLUGINS or an entry point names."
    )
    assert module.__doc__
    assert probe.title
    assert probe.question.endswith("?")
    assert probe.caveat.endswith(".")


def check_result_is_stored(probe: Probe) -> None:
    """The result is plain JSON and finite arrays, or a sentence that says why there is none."""
    for case in CASES:
        part = measured(probe, _context(case))
        if isinstance(part, str):
            assert part.endswith(".")
            assert case != "a class" or probe.points_only, f"with all models, there is no result: {part}"
            continue
        assert _is_finite(part.facts), "A number is not finite: None, or nan in a `Number`, says that it is undefined."
        for name, array in part.arrays.items():
            assert isinstance(array, np.ndarray), name
            assert array.dtype in (np.uint8, np.float32), name
            assert np.isfinite(array).all(), name
        assert part.facts or part.arrays


def check_gold(probe: Probe) -> None:
    """The result names gold only where there is a retrained model."""
    for case, (models, _) in CASES.items():
        part = measured(probe, _context(case))
        if not isinstance(part, str) and "gold" not in models:
            assert "gold" not in json.dumps(part.facts) + " ".join(part.arrays), case


def check_models_are_unchanged(probe: Probe) -> None:
    """Measuring twice gives the same, and leaves models, data and outputs as they were."""
    if probe.points_only:
        return
    context = _context("a class")
    weights = {model: checksum(own) for model, own in context.models.items()}
    logits = {model: own.logits.copy() for model, own in context.evaluations.items()}
    images, labels = context.images.clone(), context.labels.copy()
    first, second = measured(probe, context), measured(probe, context)
    assert isinstance(first, ReportPart) and isinstance(second, ReportPart)
    assert first.facts == second.facts
    assert first.arrays.keys() == second.arrays.keys()
    assert all(np.array_equal(array, second.arrays[name]) for name, array in first.arrays.items())
    assert {model: checksum(own) for model, own in context.models.items()} == weights
    assert all(np.array_equal(own.logits, logits[model]) for model, own in context.evaluations.items())
    assert context.images.equal(images)
    assert np.array_equal(context.labels, labels)
    for own in context.models.values():
        assert all(not module.training and not module._forward_hooks for module in own.modules())
        assert all(weight.grad is None for weight in own.parameters())


def check_needed_outputs(probe: Probe) -> None:
    """Where the card says that not all images are needed, outputs on retained training images change nothing."""
    if probe.needs_all_images or probe.points_only:
        return
    for case in CASES:
        context = _context(case)
        after = context.evaluations["after"]
        evaluated = np.ones(len(context.labels), bool)
        evaluated[context.split.retain_train] = False
        logits = np.where(evaluated[:, None], after.logits, np.float32(np.nan))
        begun = after._replace(logits=logits, evaluated=evaluated)
        first = measured(probe, context._replace(evaluations={**context.evaluations, "after": begun}))
        whole = measured(probe, context)
        advice = "Set needs_all_images=True: it reads outputs on retained training images."
        if isinstance(first, str) or isinstance(whole, str):
            assert first == whole, advice
            continue
        assert first.facts == whole.facts, advice
        assert all(np.array_equal(array, whole.arrays[name]) for name, array in first.arrays.items()), advice


MEASUREMENT_CHECKS: tuple[Callable[[Probe], None], ...] = (
    check_card,
    check_result_is_stored,
    check_gold,
    check_models_are_unchanged,
    check_needed_outputs,
)


def check_measurement(probe: Probe) -> None:
    """Check a measurement as the tests of this project do. Raises AssertionError."""
    for check in MEASUREMENT_CHECKS:
        check(probe)
