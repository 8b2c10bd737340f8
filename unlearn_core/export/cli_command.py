"""The shell commands that reproduce what was done on a page."""

import shlex

from unlearn_core.data.class_lists import format_classes
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.forget_request import ForgetRequest
from unlearn_core.domain.jobs import TrainGoldSpec, UnlearnSpec
from unlearn_core.store.image_lists import format_ranges

PROGRAM = ["python", "-m", "unlearn_core"]


def run_command(spec: UnlearnSpec, card: DatasetCard) -> str:
    """The command that reproduces a run, with every hyperparameter that it does not find itself."""
    words = [*PROGRAM, "run", *_request(spec.request, card), "--method", spec.method]
    words += ["--preset", "auto"] if spec.auto else []
    for name, value in spec.fixed.items():
        words += ["--set", f"{name}={value}"]
    return shlex.join([*words, "--seed", str(spec.seed)])


def gold_command(spec: TrainGoldSpec, card: DatasetCard) -> str:
    """The command that trains a gold model."""
    number = ["--seed", str(spec.seed)] if spec.seed else []
    return shlex.join([*PROGRAM, "gold", *_request(spec.request, card), *number])


def _request(request: ForgetRequest, card: DatasetCard) -> list[str]:
    forget = request.forget
    words = ["--classifier", request.classifier]
    if forget.kind == "classes":
        text = format_classes(forget.classes, card.classes)
        return [*words, f"--forget-classes={text}"] if text.startswith("-") else [*words, "--forget-classes", text]
    return [*words, "--forget-images", format_ranges(forget.images)]
