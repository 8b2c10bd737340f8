"""SSD: dampen the weights that matter more for the forgotten pictures than for all (Foster et al., AAAI 2024).

Idea. A weight's importance is the mean over batches of the squared gradient of the batch's loss. Where that of the
forgotten pictures exceeds alpha times that of all pictures, the weight is multiplied by lambda I_D / I_f, at most 1
(equations 3 and 4). Nothing is trained.

Cost. One pass over all pictures and one over the forgotten ones.

When it fails. Often, for single pictures: their weights are everyone's weights. The result falls off a cliff as alpha
gets smaller, and where the cliff is differs from request to request. What is dampened is not mended.

Where official code differs: it fills batches in the data's order, for whole classes sorted by class. Batches are then
of one class each, and I_f / I_D cannot exceed N / N_f, which is 10 for one class of ten. Here all pictures are
shuffled. Its last short batch counts more, since squared means of fewer pictures are larger; here a short batch is
filled up from the first pictures, and where fewer pictures are forgotten than a batch holds, both importances take
batches of that size. It divides everywhere; here only where I_f > 0. Without labels (LFSSD, Foster et al. 2024b) the
loss is the squared length of the answers, and importance the gradient's size. Batches of 1 give the Fisher information.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.domain.method import Method, Needs, Paper, Preset, Sizes
from unlearn_core.domain.params import Params, knob
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.batches import steps_in_epoch, to_floats
from unlearn_core.training.importance import batch_gradients, share_by_layer, weights_by_layer
from unlearn_core.training.problem import Pool, Problem

Importance = dict[str, Tensor]


class Knobs(Params):
    """SSD's hyper-parameters; symbols as in the paper."""

    alpha: float = knob(
        10.0,
        low=0.5,
        high=500.0,
        scale="log",
        title="Threshold",
        symbol="α",
        explain="How many times as important for the forgotten pictures as for all a weight must be to be dampened.",
    )
    dampening: float = knob(
        1.0,
        low=0.01,
        high=10.0,
        scale="log",
        title="Dampening",
        symbol="λ",
        explain="How much is left of a dampened weight: smaller values leave less.",
    )
    label_free: bool = knob(
        False,
        title="Without labels",
        explain="Takes importance from the length of the net's answers, so that no label is needed.",
    )
    batch: int = knob(
        64,
        low=1,
        high=512,
        title="Batch",
        unit="pictures",
        explain="Pictures whose mean gradient is squared; with 1 it is the Fisher information, and very slow.",
        advanced=True,
    )


def forget(problem: Problem, knobs: Knobs, track: Tracker) -> None:
    """Dampens weights of `problem.net`; changes nothing where no weight passes the threshold."""
    gone = problem.forget
    everything = Pool(gone.images, gone.labels, torch.cat([problem.retain.rows, gone.rows]))
    size = _batch(knobs, problem.sizes)
    names = ("importance for all", "importance for the forgotten")
    track.plan(**{name: pool.steps(size) for name, pool in zip(names, (everything, gone), strict=True)})
    found = []
    for name, pool in zip(names, (everything, gone), strict=True):
        track.phase(name)
        batches = track.over(full_batches(pool, size, problem.stream(name)))
        if knobs.label_free:
            found.append(batch_gradients(problem.net, batches, score=_length, measure=torch.abs))
        else:
            found.append(batch_gradients(problem.net, batches, score=F.cross_entropy, measure=torch.square))
    chosen = dampen(problem.net, *found, alpha=knobs.alpha, dampening=knobs.dampening)
    layers = problem.card.roles.layers
    share = torch.cat([where.flatten() for where in chosen.values()]).float().mean().item()
    facts = {"layers": list(layers), "weights": weights_by_layer(chosen, layers), "share": share}
    track.keep("dampened", torch.tensor(share_by_layer(chosen, layers)), **facts)


@torch.no_grad()
def dampen(
    net: nn.Module, of_all: Importance, of_forgotten: Importance, *, alpha: float, dampening: float
) -> dict[str, Tensor]:
    """Multiplies the chosen weights by min(lambda I_D / I_f, 1), and returns which ones those were."""
    chosen = {
        name: (theirs > alpha * of_all[name]) & (theirs > 0)  # The second where both are 0 and alpha is anything.
        for name, theirs in of_forgotten.items()
    }
    for name, weight in net.named_parameters():
        where = chosen[name]
        weight[where] *= (dampening * of_all[name][where] / of_forgotten[name][where]).clamp_max(1)
    return chosen


def full_batches(pool: Pool, size: int, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """All pictures once, shuffled, in batches of one size: the last one is filled up from the first pictures."""
    order = pool.rows[torch.randperm(len(pool), generator=generator).to(pool.rows.device)]
    for rows in torch.cat([order, order[: -len(order) % size]]).split(size):
        yield to_floats(pool.images[rows]), pool.labels[rows]


def _length(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean squared L2 length of the answers (B, C); labels play no part."""
    return logits.square().sum(1).mean()


def _batch(knobs: Knobs, sizes: Sizes) -> int:
    return min(knobs.batch, sizes.forget)


def _passes(knobs: Knobs, sizes: Sizes) -> int:
    size = _batch(knobs, sizes)
    return size * sum(steps_in_epoch(count, size) for count in (sizes.forget + sizes.retain, sizes.forget))


METHOD = Method(
    id="ssd",
    title="SSD",
    group="Edit weights",
    summary="dampens weights that serve the forgotten most · trains nothing",
    idea="Finds the weights that matter far more for the forgotten pictures than for all, and makes them **smaller**. "
    "Nothing is trained.",
    fails="Single pictures share their weights with all others: it forgets nothing or breaks a lot. Where the "
    "threshold tips from one to the other differs from request to request, and nothing mends what was broken.",
    paper=Paper(
        "Foster et al., Fast Machine Unlearning without Retraining through Selective Synaptic Dampening, AAAI 2024",
        "https://arxiv.org/abs/2308.07707",
    ),
    supports=frozenset({"classes", "images"}),
    params=Knobs,
    presets={
        "bundled": Preset("bundled", "The paper's idea with a threshold tuned for the bundled classifier.", Knobs()),
        "paper": Preset("paper", "The published settings for CIFAR: α = 10, λ = 1.", Knobs()),
        "label-free": Preset(
            "without labels", "The same from the length of the answers alone.", Knobs(label_free=True)
        ),
    },
    needs=lambda knobs: Needs(forget=True, retain=True),
    passes=_passes,
    forget=forget,
)
