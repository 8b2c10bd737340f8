"""Contexts to measure: the tiny model with fresh random weights, on the shapes."""

import numpy as np
import torch
from torch import nn

from unlearn_core.data import datasets
from unlearn_core.domain.forget_request import ForgetClasses, ForgetImages, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import Evaluation
from unlearn_core.domain.split import make_split
from unlearn_core.models import classifiers
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.training import evaluate, weights
from unlearn_core.training.seeding import seeded

CLASS, IMAGES = ForgetClasses(classes=(2,)), ForgetImages(images=(5, 9, 300))


def net(seed: int) -> nn.Module:
    """A tiny model whose batch norm has running statistics, in eval mode."""
    with seeded(seed, "probes"):
        made = classifiers.build(classifiers.card("tiny"), datasets.card("shapes"))
        for name, buffer in made.named_buffers():
            if "running_mean" in name:
                buffer.normal_(0, 0.1)
            elif "running_var" in name:
                buffer.uniform_(0.1, 0.3)
    return made.eval()


def scene(*models: str, forget: ForgetClasses | ForgetImages = CLASS) -> ProbeContext:
    """A context with these models, each of them different."""
    pictures, card = datasets.load("shapes"), datasets.card("shapes")
    images = torch.from_numpy(pictures.images)
    nets = {model: net(seed) for seed, model in enumerate(models)}
    return ProbeContext(
        spec=UnlearnSpec(
            request=ForgetRequest(classifier="tiny", dataset="shapes", forget=forget), method="any", params={}, seed=3
        ),
        classifier=classifiers.card("tiny"),
        dataset=card,
        images=images,
        labels=pictures.labels,
        split=make_split(card, pictures.labels, forget),
        evaluations={
            model: Evaluation(weights.checksum(own), "shapes", evaluate.logits(own, images))
            for model, own in nets.items()
            if model != "other"
        },
        models=nets,
        forgotten_classes=forget.classes if isinstance(forget, ForgetClasses) else (),
    )


def answering(whole: ProbeContext, answers: dict[str, list[int]], labels: list[int], **sets: list[int]) -> ProbeContext:
    """A context whose models give these predictions for a few images; sets that are not named are empty."""
    split = {name: np.array(sets.get(name, []), np.int64) for name in whole.split._fields}
    evaluations = {
        model: Evaluation(model, "shapes", np.eye(4, dtype=np.float32)[given]) for model, given in answers.items()
    }
    return whole._replace(labels=np.array(labels), split=type(whole.split)(**split), evaluations=evaluations, models={})
