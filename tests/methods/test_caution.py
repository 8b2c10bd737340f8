"""Cautions: which runs are expected to fail, and which methods are offered instead."""

from collections.abc import Mapping
from typing import Any

import pytest

from unlearn_core import methods
from unlearn_core.domain.forget_request import ForgetClasses, ForgetImages
from unlearn_core.domain.method import TUNED_ON, ProblemSize
from unlearn_core.methods import TUNED_CLASSIFIER

CLASS, FEW_IMAGES = TUNED_ON, TUNED_ON._replace(forget=16, forgotten_classes=0)
MANY_IMAGES, PERCEPTRON = FEW_IMAGES._replace(forget=200), CLASS._replace(layers=2)


@pytest.mark.parametrize(
    ("name", "changes", "sizes", "searches", "words"),
    [
        ("boundary", {}, CLASS, True, "nothing protects the features"),
        ("boundary", {}, PERCEPTRON, True, None),
        ("neggrad", {}, CLASS, False, "nothing protects the features"),
        ("neggrad", {}, FEW_IMAGES, False, None),
        ("neggrad", {}, PERCEPTRON, True, None),
        ("l2ul", {"frozen_norm": True}, CLASS, False, "grows without bound"),
        ("l2ul", {"frozen_norm": True, "most": 2.0}, CLASS, False, "do not follow the weights"),
        ("l2ul", {"frozen_norm": True, "goal": "relabel"}, CLASS, False, "do not follow the weights"),
        ("l2ul", {"frozen_norm": True}, PERCEPTRON, False, None),
        ("l2ul", {}, FEW_IMAGES, False, "no retained images"),
        ("l2ul", {"retain_access": True}, FEW_IMAGES, False, None),
        ("l2ul", {}, CLASS, False, None),
        ("ssd", {"share": 0.04}, FEW_IMAGES, False, "fixed share"),
        ("ssd", {"share": 0.04}, FEW_IMAGES, True, None),
        ("ssd", {"share": 0.04}, MANY_IMAGES, False, None),
        ("ssd", {"share": 0.0}, FEW_IMAGES, False, None),
        ("cfk", {"layers": 3}, FEW_IMAGES, False, "fresh layers"),
        ("cfk", {"layers": 3}, FEW_IMAGES, True, None),
        ("cfk", {"layers": 2}, FEW_IMAGES, False, None),
        ("cfk", {"layers": 3, "mode": "continue"}, FEW_IMAGES, False, None),
        ("delete", {"frozen_norm": True}, CLASS, False, "frozen batch norm"),
        ("delete", {"frozen_norm": True}, CLASS, True, None),
        ("delete", {"frozen_norm": True, "lr": 1e-4}, CLASS, False, None),
        ("delete", {"frozen_norm": True}, PERCEPTRON, False, None),
        ("delete", {}, CLASS, False, None),
        ("sfron", {"clip": 7.0}, FEW_IMAGES, False, "a clipping of 2 or more"),
        ("sfron", {"clip": 7.0}, FEW_IMAGES, True, None),
        ("sfron", {"clip": 7.0}, CLASS, False, None),
        ("sfron", {}, MANY_IMAGES, False, "a weight of 25 or less"),
        ("sfron", {"forget_weight": 500.0}, MANY_IMAGES, False, None),
        ("reinit", {"layers": "0"}, CLASS, False, "No layer is re-initialised"),
        ("reinit", {"layers": "0,1"}, CLASS, False, None),
        ("finetune", {}, FEW_IMAGES, False, None),
    ],
)
def test_a_run_that_is_expected_to_fail_says_why(
    name: str, changes: Mapping[str, Any], sizes: ProblemSize, searches: bool, words: str | None
) -> None:
    method = methods.method(name)
    said = method.caution(method.params().updated(dict(changes)), sizes, searches)
    assert (said is None) if words is None else (said is not None and words in said and said.endswith("."))


def test_the_methods_that_are_offered_support_the_request_and_have_no_caution() -> None:
    images = ForgetImages(images=tuple(range(16)))
    offered = {method.id for method in methods.suited(images, FEW_IMAGES, TUNED_CLASSIFIER)}
    assert {"finetune", "scrub", "salun"} <= offered
    assert not offered & {"unsir", "boundary", "l2ul", "ssd", "cfk"}
    searched = {method.id for method in methods.suited(images, FEW_IMAGES._replace(layers=4), "resnet8")}
    assert searched - offered == {"ssd", "cfk"}, "a search finds settings where fixed ones fail"
    points = {method.id for method in methods.suited(ForgetClasses(classes=(0,)), PERCEPTRON, "mlp-moons")}
    assert {"boundary", "neggrad", "unsir"} <= points
