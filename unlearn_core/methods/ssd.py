"""SSD: dampen the weights that matter more for the forgotten pictures than for all (Foster et al., AAAI 2024).

Idea. A weight's importance is the mean over batches of the squared gradient of the batch's loss. Where that of the
forgotten pictures exceeds alpha times that of all pictures, the weight is multiplied by lambda I_D / I_f, at most 1
(equations 3 and 4). Nothing is trained.

Cost. One pass over all pictures and one over the forgotten ones.

When it fails. Mostly, for single pictures: their weights are everyone's weights. The result falls off a cliff as alpha
gets smaller, and where the cliff is differs from request to request. What is dampened is not mended.

Where official code differs: it fills batches in the data's order, for whole classes sorted by class. Batches are then
of one class each, and I_f / I_D cannot exceed N / N_f, which is 10 for one class of ten. Here all pictures are
shuffled. Its last short batch counts more, since squared means of fewer pictures are larger; here all batches have one
size, and where fewer pictures are forgotten than a batch holds, both importances take batches of that size. It divides
everywhere; here only where I_f > 0. Without labels (LFSSD) the loss is the squared length of the answers, and the
importance the gradient's size. Batches of 1 give the Fisher information.

Beyond the paper: a share of weights can be given in place of alpha, which then is what lets so many pass (as in the
adaptive SSD of Schoepf et al. 2024, whose formula for the share is not used here); and several forgotten classes are
dampened one after the other, each by its own importance, since their mixture stands out from all pictures far less.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.domain.method import DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.batches import steps_in_epoch, to_floats
from unlearn_core.training.importance import batch_gradients, share_by_layer, weights_by_layer
from unlearn_core.training.problem import ImageSubset, Problem

Importance = dict[str, Tensor]
TINY = 1e-30
"""What stands for an importance of 0 below a line."""


class Hyperparameters(BaseHyperparameters):
    """SSD's hyper-parameters; symbols as in the paper."""

    share: float = hyperparameter(
        0.005,
        low=0.0,
        high=0.2,
        step=0.001,
        title="Share of weights",
        explain="Dampens this share of all weights for each class, whatever the threshold would be; 0 goes by that.",
    )
    alpha: float = hyperparameter(
        10.0,
        low=0.5,
        high=500.0,
        scale="log",
        title="Threshold",
        symbol="α",
        explain="How many times as important for the forgotten pictures as for all a weight must be to be dampened, "
        "where no share is given.",
    )
    dampening: float = hyperparameter(
        1.0,
        low=0.01,
        high=10.0,
        scale="log",
        title="Dampening",
        symbol="λ",
        explain="How much is left of a dampened weight: smaller values leave less.",
    )
    label_free: bool = hyperparameter(
        False,
        title="Without labels",
        explain="Takes importance from the length of the net's answers, so that no label is needed.",
    )
    batch: int = hyperparameter(
        64,
        low=1,
        high=512,
        title="Batch",
        unit="pictures",
        explain="Pictures whose mean gradient is squared; with 1 it is the Fisher information, and very slow.",
        advanced=True,
    )


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Dampens weights of `problem.net`; changes nothing where no weight passes the threshold."""
    gone, size = problem.forget, _batch(params, problem.sizes)
    everything = ImageSubset(gone.images, gone.labels, torch.cat([problem.retain.rows, gone.rows]))
    groups = [gone.select_classes(torch.tensor([own], device=problem.device)) for own in problem.forgotten_classes] or [
        gone
    ]
    whole, part = _batches_each(params, problem.sizes)
    tracker.plan(**{"importance for all": whole, "importance for the forgotten": part * len(groups)})
    tracker.phase("importance for all")
    of_all = _importance(
        problem.model, full_batches(everything, size, whole, problem.random_generator("all")), params, tracker
    )
    tracker.phase("importance for the forgotten")
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
    facts = {"layers": list(layers), "weights": weights_by_layer(touched, layers), "share": share}
    tracker.save_artifact("dampened", torch.tensor(share_by_layer(touched, layers)), **facts)


def _importance(
    model: nn.Module, batches: Iterator[tuple[Tensor, Tensor]], params: Hyperparameters, tracker: Tracker
) -> Importance:
    score, measure = (_length, torch.abs) if params.label_free else (F.cross_entropy, torch.square)
    return batch_gradients(model, tracker.iterate(batches), score=score, measure=measure)


def threshold(of_all: Importance, of_forgotten: Importance, share: float) -> float:
    """The alpha that so large a share (0 to 1) of all weights passes."""
    ratios = [theirs / of_all[name].clamp_min(TINY) for name, theirs in of_forgotten.items()]
    ranked = torch.cat([ratio.flatten() for ratio in ratios]).sort(descending=True).values
    return ranked[min(int(len(ranked) * share), len(ranked) - 1)].item()


@torch.no_grad()
def dampen(
    model: nn.Module, of_all: Importance, of_forgotten: Importance, *, alpha: float, dampening: float
) -> dict[str, Tensor]:
    """Multiplies the chosen weights by min(lambda I_D / I_f, 1), and returns which ones those were."""
    chosen = {
        name: (theirs > alpha * of_all[name]) & (theirs > 0)  # The second where both are 0 and alpha is anything.
        for name, theirs in of_forgotten.items()
    }
    for name, weight in model.named_parameters():
        where = chosen[name]
        weight[where] *= (dampening * of_all[name][where] / of_forgotten[name][where]).clamp_max(1)
    return chosen


def full_batches(
    pool: ImageSubset, size: int, count: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """So many batches of one size: all pictures shuffled, and from the first again where they are too few."""
    order = pool.rows[torch.randperm(len(pool), generator=generator).to(pool.rows.device)]
    for rows in order.repeat(-(-size * count // len(pool)))[: size * count].split(size):
        yield to_floats(pool.images[rows]), pool.labels[rows]


def _length(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean squared L2 length of the answers (B, C); labels play no part."""
    return logits.square().sum(1).mean()


def _batch(params: Hyperparameters, sizes: ProblemSize) -> int:
    return min(params.batch, sizes.forget)


def _batches_each(params: Hyperparameters, sizes: ProblemSize) -> tuple[int, int]:
    """How many batches the importance for all takes, and that for each forgotten class (or for all the pictures)."""
    size = _batch(params, sizes)
    own = sizes.forget // max(1, sizes.forgotten_classes)
    return steps_in_epoch(sizes.forget + sizes.retain, size), steps_in_epoch(own, size)


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    whole, part = _batches_each(params, sizes)
    return _batch(params, sizes) * (whole + part * max(1, sizes.forgotten_classes))


METHOD = Method(
    id="ssd",
    title="SSD",
    group="Edit weights",
    summary="dampens weights that serve the forgotten most · trains nothing",
    idea="Finds the weights that matter far more for the forgotten pictures than for all, and makes them **smaller**. "
    "Nothing is trained.",
    failure_modes="Single pictures share their weights with all others: it forgets nothing or breaks a lot. Where the "
    "threshold tips from one to the other differs from request to request, and nothing mends what was broken.",
    paper=Reference(
        "Foster et al., Fast Machine Unlearning without Retraining through Selective Synaptic Dampening, AAAI 2024",
        "https://arxiv.org/abs/2308.07707",
    ),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "A share of weights in place of the paper's threshold, which would have to be found for each class.",
            Hyperparameters(),
            by_request_size={"few pictures": Hyperparameters(share=0.04), "many pictures": Hyperparameters(share=0.01)},
        ),
        "paper": Preset("paper", "The published settings for CIFAR: α = 10, λ = 1.", Hyperparameters(share=0.0)),
        "label-free": Preset(
            "without labels", "The same share, by the length of the answers alone.", Hyperparameters(label_free=True)
        ),
    },
    needs=lambda knobs: DataAccess(forget=True, retain=True),
    images_processed=_images_processed,
    forget=forget,
)
