"""Where each model looks: GradCAM of the same pictures, for the same class, on one scale; and how alike maps are.

Source: Selvaraju et al., Grad-CAM, ICCV 2017, equations 1 and 2; the computing is pytorch-grad-cam's.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.measurement import Probe, ReportPart
from unlearn_core.domain.report import MODELS
from unlearn_core.domain.split import Split
from unlearn_core.probes.common.class_activation import explain
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.heatmap_similarity import similarity
from unlearn_core.training.seeding import random_generator

PER_SIDE = 6
"""How many forgotten and how many kept pictures are shown."""
SAMPLE_SIZE = 40
"""Over how many of either side the likeness of maps is measured; those shown are among them."""
PAIRS = (("before", "after"), ("gold", "after"), ("before", "gold"))
"""Whose maps are compared; the third pair is the yardstick of the first."""


class SampledImage(NamedTuple):
    """A picture, by its position in the data set, and the set that it is from."""

    image: int
    set: str


def measure(context: ProbeContext) -> ReportPart | str:
    """Raw maps of a few forgotten and kept pictures for each model, what it says to them, and how alike maps are.

    `similarity` has for the side of the forgotten and of the kept, and for every pair of models such as
    "before-after", what `alike` finds over up to SAMPLE pictures.
    """
    models = [model for model in MODELS if model in context.models and model in context.evaluations]
    sample = sample_images(context.split, context.spec.request.fingerprint())
    rows = np.array([choice.image for choice in sample])
    # The label is the forgotten class for a picture of one, and every model must be asked about the same class.
    targets = context.labels[rows].tolist()
    layer, prefix = context.classifier.roles.cam, context.classifier.roles.prefix_tokens
    pictures = context.images[torch.from_numpy(rows).to(context.images.device)]
    try:
        maps = explain(
            {model: context.models[model] for model in models}, pictures, targets, layer, prefix_tokens=prefix
        )
    except InvalidRequestError as problem:
        return str(problem)
    show = _shown(sample)
    cards = [
        {
            "picture": choice.image,
            "set": choice.set,
            "label": targets[place],
            "target": targets[place],
            "models": {
                model: prediction(context.evaluations[model].logits[choice.image], targets[place])
                | {"peak": float(maps[model][place].max())}
                for model in models
            },
        }
        for place, choice in ((place, sample[place]) for place in show)
    ]
    facts = {"cards": cards, "layer": layer, "similarity": _similarity(sample, maps)}
    return ReportPart(
        facts, {"pictures": pictures[show].cpu().numpy(), **{model: own[show] for model, own in maps.items()}}
    )


def _similarity(sample: Sequence[SampledImage], maps: dict[str, np.ndarray]) -> dict[str, Any]:
    found = {}
    for side in ("forget", "retain"):
        rows = [place for place, choice in enumerate(sample) if choice.set.startswith(side)]
        found[side] = {
            f"{one}-{other}": similarity(maps[one][rows], maps[other][rows])
            for one, other in PAIRS
            if one in maps and other in maps
        }
    return found


def sample_images(split: Split, request: str) -> list[SampledImage]:
    """Some pictures of either side, drawn at random, the same ones whenever this request is measured.

    Test pictures where there are any; where single pictures are forgotten, those themselves. The first PER_SIDE of
    each side are those that are shown.
    """
    choices = []
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
    """The places in the sample of those that are shown."""
    sides = (
        [place for place, choice in enumerate(sample) if choice.set.startswith(side)] for side in ("forget", "retain")
    )
    return [place for side in sides for place in side[:PER_SIDE]]


def prediction(logits: np.ndarray, target: int) -> dict[str, Any]:
    """What a model says to one picture, from its logits (C,): the class, how surely, and how surely the target."""
    shares = np.exp(logits.astype(np.float64) - logits.max())
    shares /= shares.sum()
    said = int(shares.argmax())
    return {"predicted": said, "probability": float(shares[said]), "target_probability": float(shares[target])}


PROBE = Probe(
    id="cam",
    title="Where the model looks",
    question="Which parts of a picture speak for its class, before and after?",
    caveat="The pictures are drawn at random, and the class is the same for every model: the picture's own, which for "
    "a forgotten picture is the forgotten one. Colours share one scale, so a dark map means that little speaks for the "
    "class, not that the model sees nothing. A map shows what raises a logit at one layer; it neither proves nor rules "
    "out that something is remembered.",
    measure=measure,
)
