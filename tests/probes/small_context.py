"""Contexts to measure: the tiny model with fresh random weights, on the shapes."""

import numpy as np

from unlearn_core.domain.forget_request import Forget
from unlearn_core.domain.report import Evaluation
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.testing.measurement_contract import CLASS, IMAGES
from unlearn_core.testing.tiny_problem import tiny_context
from unlearn_core.testing.tiny_problem import tiny_model as net

__all__ = ["CLASS", "IMAGES", "answering", "net", "scene"]


def scene(*models: str, forget: Forget = CLASS) -> ProbeContext:
    """A context with these models, each of them different."""
    return tiny_context(*models, forget=forget)


def answering(whole: ProbeContext, answers: dict[str, list[int]], labels: list[int], **sets: list[int]) -> ProbeContext:
    """A context whose models give these predictions for a few images; sets that are not named are empty."""
    split = {name: np.array(sets.get(name, []), np.int64) for name in whole.split._fields}
    evaluations = {
        model: Evaluation(model, "shapes", np.eye(4, dtype=np.float32)[given]) for model, given in answers.items()
    }
    return whole._replace(labels=np.array(labels), split=type(whole.split)(**split), evaluations=evaluations, models={})
