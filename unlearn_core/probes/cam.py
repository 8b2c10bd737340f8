"""Grad-CAM: heat maps of the image regions that contribute most to the score of a class.

All models explain the same images for the same class, on one scale. The heat maps of two models are then compared by
cosine similarity, rank correlation and overlap of their strongest regions.

Source: Selvaraju et al., Grad-CAM, ICCV 2017, equations 1 and 2; computed with pytorch-grad-cam.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch

from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.report import MODELS
from unlearn_core.domain.results.explanations import CamResult, ExplainedImage, MapSimilarity
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.split import Split
from unlearn_core.probes.common.class_activation import explain, require_layer
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.heatmap_similarity import similarity
from unlearn_core.probes.common.statistics import explanation
from unlearn_core.training.seeding import random_generator

PER_SIDE = 6
"""How many images of the forget set, and of the retain set, are shown."""
SAMPLE_SIZE = 40
"""How many images per side the similarity of maps is measured on, the shown ones included."""
PAIRS = (("before", "after"), ("gold", "after"), ("before", "gold"))
"""The models whose maps are compared; the third pair is the reference for the first."""


class SampledImage(NamedTuple):
    """An image, by its position in the data set, and the set that it is from."""

    image: int
    set: str


def measure(context: ProbeContext) -> CamResult | str:
    """Return raw maps and predictions of each model for a few images per side, and how similar the maps are.

    Similarities are over up to SAMPLE_SIZE images per side.
    """
    models = [model for model in MODELS if model in context.models and model in context.evaluations]
    sample = sample_images(context.split, context.spec.request.fingerprint())
    rows = np.array([choice.image for choice in sample])
    # For an image of a forgotten class the label is that class; every model must explain the same class.
    targets = context.labels[rows].tolist()
    roles, images = context.classifier.roles, context.images[torch.as_tensor(rows, device=context.images.device)]
    nets = {model: context.models[model] for model in models}
    try:
        layer = require_layer(roles.cam)
        maps = explain(nets, images, targets, layer, prefix_tokens=roles.prefix_tokens)
    except InvalidRequestError as problem:
        return str(problem)
    show = _shown(sample)
    explained = [
        ExplainedImage(
            image=choice.image,
            set=choice.set,
            label=targets[place],
            target=targets[place],
            models={
                model: explanation(context.evaluations[model].logits[choice.image], targets[place], maps[model][place])
                for model in models
            },
        )
        for place, choice in ((place, sample[place]) for place in show)
    ]
    return CamResult(
        images=explained,
        layer=layer,
        similarity=_similarity(sample, maps),
        pixels=images[show].cpu().numpy(),
        maps={model: own[show] for model, own in maps.items()},
    )


def _similarity(sample: Sequence[SampledImage], maps: Mapping[str, np.ndarray]) -> dict[str, dict[str, MapSimilarity]]:
    found: dict[str, dict[str, MapSimilarity]] = {}
    for side in ("forget", "retain"):
        rows = [place for place, choice in enumerate(sample) if choice.set.startswith(side)]
        found[side] = {
            f"{one}-{other}": similarity(maps[one][rows], maps[other][rows])
            for one, other in PAIRS
            if one in maps and other in maps
        }
    return found


def sample_images(split: Split, request: str) -> list[SampledImage]:
    """Return random images per side, the same ones whenever this request is measured.

    They are test images where there are any; where single images are forgotten, they are the forget set itself. The
    first PER_SIDE images of each side are shown.
    """
    choices: list[SampledImage] = []
    for side in ("forget", "retain"):
        name = next(name for name in (f"{side}_test", f"{side}_train") if len(getattr(split, name)))
        rows = getattr(split, name)
        drawn = rows[
            torch.randperm(len(rows), generator=random_generator(0, "cam", request, side))[:SAMPLE_SIZE].numpy()
        ]
        drawn = np.concatenate([np.sort(drawn[:PER_SIDE]), drawn[PER_SIDE:]])
        choices += [SampledImage(int(row), name) for row in drawn]
    return choices


def _shown(sample: Sequence[SampledImage]) -> list[int]:
    """Return the positions in the sample of the shown images."""
    sides = (
        [place for place, choice in enumerate(sample) if choice.set.startswith(side)] for side in ("forget", "retain")
    )
    return [place for side in sides for place in side[:PER_SIDE]]


PROBE = Probe(
    id="cam",
    title="Grad-CAM heat maps",
    question="Which parts of an image support its class, before and after unlearning?",
    caveat="The images are drawn at random. Every model explains the same class: the label of the image, which for a "
    "forgotten image is the forgotten class. Colours share one scale, so a dark map means little evidence for the "
    "class, not that the model ignores the image. A map shows what raises a logit at one layer; it neither proves nor "
    "rules out that information remains.",
    measure=measure,
    needs_all_images=False,
)
