"""The command that does on a terminal what a page did."""

import shlex

from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.request import ForgetRequest
from unlearn_core.domain.run import RunSpec
from unlearn_core.store.requests import as_ranges

LAB = ["python", "-m", "unlearn_core"]


def run(spec: RunSpec, card: DatasetCard) -> str:
    """The command that makes a run again, with every knob spelt out."""
    words = [*LAB, "run", *_request(spec.request, card), "--method", spec.method]
    for name, value in spec.params.items():
        words += ["--set", f"{name}={value}"]
    return shlex.join([*words, "--seed", str(spec.seed)])


def gold(request: ForgetRequest, card: DatasetCard) -> str:
    """The command that trains the gold of a request."""
    return shlex.join([*LAB, "gold", *_request(request, card)])


def _request(request: ForgetRequest, card: DatasetCard) -> list[str]:
    forget = request.forget
    words = ["--classifier", request.classifier]
    if forget.kind == "classes":
        return [*words, "--forget-classes", ",".join(card.classes[number] for number in forget.classes)]
    return [*words, "--forget-images", as_ranges(forget.images)]
