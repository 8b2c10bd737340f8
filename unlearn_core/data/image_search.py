"""The search among the images of a data set, and their order: by what a classifier makes of each, or by likeness."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

STORED, RANDOM, ALIKE = "stored", "random", "alike"
"""The orders that need no facts: as stored, random, and by likeness to some of the images."""
ORDERS = {
    STORED: "As stored",
    "loss": "Hardest first (loss)",
    "margin": "Smallest margin first",
    "confidence": "Least confident first",
    ALIKE: "Most like the selected first",
    RANDOM: "Random",
}
"""The title of each order by its id."""


class ImageFacts(NamedTuple):
    """What a classifier makes of the images of its data set, each (N,)."""

    predictions: np.ndarray
    """The predicted class of each image, int64."""
    confidence: np.ndarray
    """The probability of the prediction, 0 to 1."""
    loss: np.ndarray
    """The cross entropy of the label, in nats."""
    margin: np.ndarray
    """The logit of the label minus the largest other logit: negative where the prediction is wrong."""


def image_facts(logits: np.ndarray, labels: np.ndarray) -> ImageFacts:
    """Compute the facts from logits (N, C), at least two classes, and labels (N,)."""
    outputs, every = logits.astype(np.float64), np.arange(len(labels))
    outputs -= outputs.max(1, keepdims=True)
    log_probabilities = outputs - np.log(np.exp(outputs).sum(1, keepdims=True))
    of_label = outputs[every, labels]
    others = outputs.copy()
    others[every, labels] = -np.inf
    return ImageFacts(
        predictions=outputs.argmax(1),
        confidence=np.exp(log_probabilities.max(1)),
        loss=-log_probabilities[every, labels],
        margin=of_label - others.max(1),
    )


def ordered(
    images: np.ndarray, order: str, *, facts: ImageFacts | None, likeness: np.ndarray | None = None, seed: int = 0
) -> np.ndarray:
    """Return these images (n,) in one of the `ORDERS`; equal ones stay in their order.

    As they are where the order needs `facts` or `likeness` (N,) that are not there.
    """
    if order == RANDOM:
        return np.random.default_rng(seed).permutation(images)
    if order == ALIKE:
        return images if likeness is None else images[np.argsort(-likeness[images], kind="stable")]
    if order == STORED or facts is None:
        return images
    values = {"loss": -facts.loss, "margin": facts.margin, "confidence": facts.confidence}[order]
    return images[np.argsort(values[images], kind="stable")]


def likeness(features: np.ndarray, chosen: Sequence[int]) -> np.ndarray:
    """Return how like the chosen images each image (N,) is: the cosine of its features and their mean, -1 to 1.

    `features` (N, F) are of length 1 each.
    """
    mean = features[list(chosen)].astype(np.float32).mean(0)
    length = float(np.linalg.norm(mean))
    return features.astype(np.float32) @ (mean / length if length else mean)


def found(
    images: np.ndarray,
    text: str,
    *,
    labels: np.ndarray,
    classes: Sequence[str],
    facts: ImageFacts | None,
    paths: Sequence[str] | None,
) -> np.ndarray:
    """Return those of the images (n,) that a search finds, in their order.

    Numbers and ranges, such as "17, 40-52", find images by their number. Any text finds those whose class,
    prediction or file name contains it; capital letters do not matter.
    """
    wanted = text.strip().casefold()
    if not wanted:
        return images
    of_class = np.array([wanted in name.casefold() for name in classes])
    hit = of_class[labels[images]]
    if facts is not None:
        hit |= of_class[facts.predictions[images]]
    if paths is not None:
        numbers: list[int] = images.tolist()
        hit |= np.array([wanted in paths[image].casefold() for image in numbers], dtype=bool)
    for first, last in _spans(wanted):
        hit |= (images >= first) & (images <= last)
    return images[hit]


def _spans(text: str) -> list[tuple[int, int]]:
    """The numbers of a text such as "17, 40-52" as spans; none if it is anything else."""
    parts = [re.fullmatch(r"(\d{1,9})(?:\s*-\s*(\d{1,9}))?", part.strip(), re.ASCII) for part in text.split(",")]
    return [(int(part[1]), int(part[2] or part[1])) for part in parts if part] if all(parts) else []
