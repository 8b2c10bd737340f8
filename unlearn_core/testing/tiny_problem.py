"""Problems and contexts on the tiny classifier, which trains in a second, for checks of methods and measurements."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from unlearn_core import plugins
from unlearn_core.data import datasets
from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetImages, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import Evaluation
from unlearn_core.domain.split import make_split
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import ResolvedRun, build_problem, resolve_run
from unlearn_core.methods import method as find_method
from unlearn_core.models import classifiers
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.training import evaluate, weights
from unlearn_core.training.problem import Problem
from unlearn_core.training.seeding import seeded

CLASSIFIER, DATASET = "tiny", "shapes"
PACKAGE = "unlearn_core.testing.tiny"
"""The plug-in package of the tiny classifier and its data set."""
FORGET: dict[str, Forget] = {
    "classes": ForgetClasses(classes=(1,)),
    "images": ForgetImages(images=tuple(range(0, 60, 4))),
}
"""What a method is asked to forget, by kind of request."""


def tiny_spec(method: str, *, kind: str = "classes", seed: int = 0, **params: Any) -> UnlearnSpec:
    """Return a spec on the tiny classifier: the method's first preset with some hyperparameters changed."""
    plugins.add_package(PACKAGE)
    first = next(iter(find_method(method).presets.values())).for_request(FORGET[kind])
    request = ForgetRequest(classifier=CLASSIFIER, dataset=DATASET, forget=FORGET[kind])
    return UnlearnSpec(request=request, method=method, params=first.updated(params).model_dump(), seed=seed)


def tiny_problem(spec: UnlearnSpec) -> tuple[ResolvedRun, Problem]:
    """Return a spec with all that it names, and a fresh Problem of it, on the CPU."""
    plugins.add_package(PACKAGE)
    model_cache = ModelCache("cpu", Path(os.devnull))
    resolved = resolve_run(spec, model_cache)
    return resolved, build_problem(resolved, model_cache)


def tiny_model(seed: int) -> nn.Module:
    """Return the tiny model with random weights and running statistics, in eval mode."""
    plugins.add_package(PACKAGE)
    with seeded(seed, "probes"):
        made = classifiers.build(classifiers.card(CLASSIFIER), datasets.card(DATASET))
        for name, buffer in made.named_buffers():
            if "running_mean" in name:
                buffer.normal_(0, 0.1)
            elif "running_var" in name:
                buffer.uniform_(0.1, 0.3)
    return made.eval()


def tiny_context(*models: str, forget: Forget) -> ProbeContext:
    """Return the input of a measurement: these models of a run, such as "before", each with other random weights."""
    plugins.add_package(PACKAGE)
    data, card = datasets.load(DATASET), datasets.card(DATASET)
    images = torch.from_numpy(data.images)
    made = {model: tiny_model(seed) for seed, model in enumerate(models)}
    request = ForgetRequest(classifier=CLASSIFIER, dataset=DATASET, forget=forget)
    return ProbeContext(
        spec=UnlearnSpec(request=request, method="any", params={}, seed=3),
        classifier=classifiers.card(CLASSIFIER),
        dataset=card,
        images=images,
        labels=data.labels,
        split=make_split(card, data.labels, forget),
        evaluations={
            model: Evaluation(weights.checksum(own), DATASET, evaluate.logits(own, images))
            for model, own in made.items()
            if model != "other"
        },
        models=made,
        forgotten_classes=forget.classes if isinstance(forget, ForgetClasses) else (),
        true_labels=_true_labels(data.labels),
    )


def _true_labels(labels: np.ndarray) -> np.ndarray:
    """Return labels as if those of the first training images of two classes were swapped."""
    true = labels.copy()
    for given, other in ((2, 3), (3, 2)):
        true[np.flatnonzero(labels == given)[:20]] = other
    return true
