"""SSD: dampen the weights that matter more for the forget set than for all images (Foster et al., AAAI 2024).

Idea. A weight's importance is the mean over batches of the squared gradient of the batch's loss. Where the importance
for the forget set exceeds alpha times that for all images, the weight is multiplied by lambda I_D / I_f, at most 1
(equations 3 and 4). Nothing is trained.

Cost. One pass over all images and one over the forget set.

When it fails. Mostly for single images, because they share their weights with all other images. Accuracy drops sharply
as alpha gets smaller, and the critical value differs between requests. What is dampened is not repaired.

Source. Foster et al. 2024. The official code fills batches in the data's order, for whole classes sorted by class.
Batches then contain one class each, and I_f / I_D cannot exceed N / N_f, which is 10 for one class of ten; here all
images are shuffled. Its incomplete last batch counts more, since squared means of fewer images are larger; here all
batches have one size, and if the forget set is smaller than a batch, both importances use batches of its size. It
divides everywhere; here only where I_f > 0. Without labels (LFSSD) the loss is the squared length of the outputs, and
the importance the gradient's magnitude. Batches of 1 give the Fisher information.
Beyond the paper, a share of weights can replace alpha, which is then chosen so that this share passes (as in the
adaptive SSD of Schoepf et al. 2024, whose formula for the share is not used here). Several forgotten classes are
dampened one after the other, each by its own importance, since their mixture differs far less from all images.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.domain.method import DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.results.method_artifacts import DampenedWeights
from unlearn_core.domain.tracker import Tracker
from unlearn_core.domain.tuning import Tuning
from unlearn_core.training.batches import steps_in_epoch, to_floats
from unlearn_core.training.importance import batch_gradients, share_by_layer, weights_by_layer
from unlearn_core.training.problem import ImageSubset, Problem

Importance = dict[str, Tensor]
TINY = 1e-30
"""Replaces an importance of 0 in a denominator."""


class Hyperparameters(BaseHyperparameters):
    """The hyperparameters of SSD; symbols as in the paper."""

    share: float = hyperparameter(
        0.005,
        low=0.0,
        high=0.2,
        step=0.001,
        title="Share of weights",
        explain="Dampens this share of all weights for each class and ignores the threshold; 0 uses the threshold.",
    )
    alpha: float = hyperparameter(
        10.0,
        low=0.5,
        high=500.0,
        scale="log",
        title="Threshold",
        symbol="α",
        explain="Dampens weights this many times more important for the forget set than for all images; used if the "
        "share is 0.",
    )
    dampening: float = hyperparameter(
        1.0,
        low=0.01,
        high=10.0,
        scale="log",
        title="Dampening",
        symbol="λ",
        explain="How much remains of a dampened weight: smaller values leave less.",
    )
    label_free: bool = hyperparameter(
        False,
        title="Without labels",
        explain="Computes importance from the length of the model's outputs, so that no labels are needed.",
    )
    batch: int = hyperparameter(
        64,
        low=1,
        high=512,
        title="Batch size",
        unit="images",
        explain="Images whose mean gradient is squared; 1 gives the Fisher information and is very slow.",
        advanced=True,
    )


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Dampen weights of `problem.model`; changes nothing if no weight passes the threshold."""
    forget_set, size = problem.forget, _batch(params, problem.sizes)
    everything = ImageSubset(forget_set.images, forget_set.labels, torch.cat([problem.retain.rows, forget_set.rows]))
    by_class = [
        forget_set.select_classes(torch.tensor([label], device=problem.device)) for label in problem.forgotten_classes
    ]
    groups = by_class or [forget_set]
    whole, part = _batches_each(params, problem.sizes)
    tracker.plan(**{"importance, all images": whole, "importance, forget set": part * len(groups)})
    tracker.phase("importance, all images")
    of_all = _importance(
        problem.model, full_batches(everything, size, whole, problem.random_generator("all")), params, tracker
    )
    tracker.phase("importance, forget set")
    of_groups = [
        _importance(
            problem.model,
            full_batches(group, size, part, problem.random_generator("forgotten", number)),
            params,
            tracker,
        )
        for number, group in enumerate(groups)
    ]
    touched = {name: torch.zeros_like(weight, dtype=torch.bool) for name, weight in problem.model.named_parameters()}
    for theirs in of_groups:
        alpha = threshold(of_all, theirs, params.share) if params.share else params.alpha
        for name, chosen in dampen(problem.model, of_all, theirs, alpha=alpha, dampening=params.dampening).items():
            touched[name] |= chosen
        tracker.log(threshold=alpha)
    layers = problem.classifier.roles.layers
    share = torch.cat([where.flatten() for where in touched.values()]).float().mean().item()
    sizes, shares = weights_by_layer(touched, layers), torch.tensor(share_by_layer(touched, layers)).numpy()
    tracker.save_artifact(DampenedWeights(layers=layers, weights=sizes, share=share, shares=shares))


def _importance(
    model: nn.Module, batches: Iterator[tuple[Tensor, Tensor]], params: Hyperparameters, tracker: Tracker
) -> Importance:
    score, measure = (_length, torch.abs) if params.label_free else (F.cross_entropy, torch.square)
    return batch_gradients(model, tracker.iterate(batches), score=score, measure=measure)


def threshold(of_all: Importance, of_forgotten: Importance, share: float) -> float:
    """The alpha that this share (0 to 1) of all weights passes."""
    ratios = [theirs / of_all[name].clamp_min(TINY) for name, theirs in of_forgotten.items()]
    ranked = torch.cat([ratio.flatten() for ratio in ratios]).sort(descending=True).values
    return ranked[min(int(len(ranked) * share), len(ranked) - 1)].item()


@torch.no_grad()
def dampen(
    model: nn.Module, of_all: Importance, of_forgotten: Importance, *, alpha: float, dampening: float
) -> dict[str, Tensor]:
    """Multiply the chosen weights by min(lambda I_D / I_f, 1); returns masks of the chosen weights."""
    chosen = {
        name: (theirs > alpha * of_all[name]) & (theirs > 0)  # The second for weights where both are 0.
        for name, theirs in of_forgotten.items()
    }
    for name, weight in model.named_parameters():
        where = chosen[name]
        weight[where] *= (dampening * of_all[name][where] / of_forgotten[name][where]).clamp_max(1)
    return chosen


def full_batches(
    pool: ImageSubset, size: int, count: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """`count` batches of one size: all images shuffled, repeated from the first if there are too few."""
    order = pool.rows[torch.randperm(len(pool), generator=generator).to(pool.rows.device)]
    for rows in order.repeat(-(-size * count // len(pool)))[: size * count].split(size):
        yield to_floats(pool.images[rows]), pool.labels[rows]


def _length(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean squared L2 length of the logits (B, C); labels are ignored."""
    return logits.square().sum(1).mean()


def _batch(params: Hyperparameters, sizes: ProblemSize) -> int:
    return min(params.batch, sizes.forget)


def _batches_each(params: Hyperparameters, sizes: ProblemSize) -> tuple[int, int]:
    """The numbers of batches for the importance of all images, and of each forgotten class (or the forget set)."""
    size = _batch(params, sizes)
    own = sizes.forget // max(1, sizes.forgotten_classes)
    return steps_in_epoch(sizes.forget + sizes.retain, size), steps_in_epoch(own, size)


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    whole, part = _batches_each(params, sizes)
    return _batch(params, sizes) * (whole + part * max(1, sizes.forgotten_classes))


def _at_strength(params: Hyperparameters, sizes: ProblemSize, strength: float) -> dict[str, float]:
    return {"share": params.share * strength}


def _caution(params: Hyperparameters, sizes: ProblemSize, searches: bool) -> str | None:
    if searches or not params.share or not (sizes.is_few_images and sizes.shares_features):
        return None
    return (
        "Which share of weights suits a few images differs from request to request. With a fixed share, the retain set "
        "mostly loses more than 5 points."
    )


METHOD = Method(
    id="ssd",
    title="SSD",
    group="Edit weights",
    summary="dampen weights that matter most for the forget set · no training",
    idea="Finds the weights that matter far more for the forget set than for all images, and makes them **smaller**. "
    "Nothing is trained.",
    failure_modes="Single images share their weights with all others, so it forgets nothing or breaks a lot. The "
    "critical threshold differs between requests, and nothing repairs the damage.",
    paper=Reference(
        "Foster et al., Fast Machine Unlearning without Retraining through Selective Synaptic Dampening, AAAI 2024",
        "https://arxiv.org/abs/2308.07707",
    ),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "A share of weights instead of the paper's threshold, which would have to be tuned for each class.",
            Hyperparameters(),
            by_request_size={"few pictures": Hyperparameters(share=0.04), "many pictures": Hyperparameters(share=0.01)},
        ),
        "paper": Preset("paper", "The published settings for CIFAR: α = 10, λ = 1.", Hyperparameters(share=0.0)),
        "label-free": Preset(
            "without labels", "The same share, from the length of the outputs alone.", Hyperparameters(label_free=True)
        ),
    },
    needs=lambda params: DataAccess(forget=True, retain=True),
    images_processed=_images_processed,
    caution=_caution,
    tuning=Tuning(
        finds=("share",),
        values=_at_strength,
        rule="The share of weights that is dampened.",
    ),
    forget=forget,
)
