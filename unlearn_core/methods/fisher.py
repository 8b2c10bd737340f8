"""Fisher forgetting: noise where the kept pictures do not mind it (Golatkar et al., CVPR 2020, arXiv 1911.04933).

Idea. The Fisher information of the kept pictures says how much each weight matters to them. Add Gaussian noise to
every weight, the more the less it matters: what only the forgotten pictures needed drowns. No training, no labels, no
forgotten picture; for a whole class its row in the head is set to nought.

Cost. One backward pass for every kept picture and class, in float32: as much as an epoch for a tenth of the pictures.

When it fails. Usually. Below some alpha nothing is forgotten, a little above it the net is wrecked: the caps make the
noise nearly the same for all weights that matter little, so kept pictures suffer as soon as forgotten ones do. What a
class loses at a small alpha it loses through the row set to nought, which is no more than hiding an output: the
features still know it. alpha must be tuned by validation accuracy, and each seed draws other noise.

Source: section 5 and the authors' code, from which the caps, the mean over dimension 1, the factor 10 for the head
and for vectors, and the variance 0.0001 of a forgotten row (0.001 after that factor) are taken. The code knows the
head by its size, which other layers may share; here it goes by name. It asks every kept picture; here a sample.
"""

import torch
from torch import Tensor

from unlearn_core.domain.method import DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.importance import fisher_diagonal, images_per_chunk
from unlearn_core.training.problem import Problem

FISHER_FLOOR = 1e-8
"""Added to the information before it is inverted."""
HEAD_NOISE_FACTOR = 10.0
"""How much more variance the head and all vectors (biases, batch norm) get."""
CLEARED_ROW_VARIANCE = 1e-4
"""Variance of a forgotten class's row in the head, before that factor."""


class Hyperparameters(BaseHyperparameters):
    """Fisher forgetting's hyper-parameters; symbols as in the paper."""

    alpha: float = hyperparameter(
        1e-7,
        low=1e-10,
        high=1e-2,
        scale="log",
        title="Strength of the noise",
        symbol="α",
        explain="Variance of the noise where the information is 1; ten times more can be the difference between "
        "nothing forgotten and nothing kept.",
    )
    pictures: int = hyperparameter(
        300,
        low=10,
        high=5000,
        step=10,
        title="Kept pictures asked",
        unit="pictures",
        explain="Random kept pictures that the information is taken from; the paper asks all of them.",
    )
    cap: float = hyperparameter(
        1e3,
        low=1.0,
        high=1e8,
        scale="log",
        title="Most noise a weight",
        explain="The inverse of the information counts for at most this much, before the strength is applied.",
        advanced=True,
    )
    head_cap: float = hyperparameter(
        1e2,
        low=1.0,
        high=1e8,
        scale="log",
        title="Most noise in the head",
        explain="The same for the weights of the last layer.",
        advanced=True,
    )
    clear_rows: bool = hyperparameter(
        True,
        title="Clear forgotten rows",
        explain="Sets the rows of forgotten classes in the last layer to nought and gives them a little noise.",
        advanced=True,
    )


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Adds noise to the weights of `problem.net`."""
    asked = problem.retain.sample(params.pictures, problem.random_generator("asked"))
    tracker.plan(fisher=asked.num_batches(images_per_chunk(problem.original_model, outputs=problem.classes)))
    tracker.phase("fisher")
    fisher = fisher_diagonal(problem.original_model, asked.tensors()[0], progress=tracker.iterate)
    for name, weight in problem.model.named_parameters():
        head = any(f"{name}.".startswith(f"{one}.") for one in problem.classifier.roles.head)
        mean, variance = _blurred(
            weight.detach(), fisher[name], params, head=head, cleared=problem.forgotten_classes if head else ()
        )
        noise = torch.randn(weight.shape, generator=problem.random_generator("noise", name)).to(weight.device)
        weight.data.copy_(mean + variance.sqrt() * noise)


def _blurred(
    weight: Tensor, fisher: Tensor, params: Hyperparameters, *, head: bool, cleared: tuple[int, ...]
) -> tuple[Tensor, Tensor]:
    """Mean and variance of a tensor after forgetting, from its information of the same shape."""
    mean, variance = (
        weight.clone(),
        (fisher + FISHER_FLOOR).reciprocal().clamp_max(params.head_cap if head else params.cap),
    )
    variance = variance * params.alpha
    if weight.dim() > 1:
        variance = variance.mean(1, keepdim=True).expand_as(weight).clone()
    if cleared and params.clear_rows:
        mean[list(cleared)] = 0
        variance[list(cleared)] = CLEARED_ROW_VARIANCE
    return mean, variance * (HEAD_NOISE_FACTOR if head or weight.dim() == 1 else 1)


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    return min(params.pictures, sizes.retain) * sizes.classes


_FOR_IMAGES = Hyperparameters(alpha=5e-7)

METHOD = Method(
    id="fisher",
    title="Fisher forgetting",
    group="Edit weights",
    summary="noise where the rest does not mind · sees no forgotten picture",
    idea="Measures how much each weight matters to the kept pictures (**Fisher information**) and adds noise to all "
    "weights, the more the less they matter. No training; of a whole class the row in the head is cleared.",
    failure_modes="Nearly always: with a little noise only the cleared row forgets, as if an output were hidden, and single "
    "pictures stay; with a little more the whole net is wrecked. Between the two there is no room on a small net.",
    paper=Reference(
        "Golatkar et al., Eternal Sunshine of the Spotless Net, CVPR 2020", "https://arxiv.org/abs/1911.04933"
    ),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "As much noise as the kept pictures bear: a class goes with its cleared row, single pictures hardly go.",
            Hyperparameters(),
            by_request_size={"few pictures": _FOR_IMAGES, "many pictures": _FOR_IMAGES},
        ),
        "no-clearing": Preset(
            "rows left",
            "The same with no row cleared: shows that a class goes by that alone.",
            Hyperparameters(clear_rows=False),
        ),
        "loud": Preset(
            "too much", "Ten times the noise: forgotten and kept are lost together.", Hyperparameters(alpha=1e-5)
        ),
        "paper": Preset(
            "paper",
            "The authors' strength; half of the kept pictures are asked, for want of time.",
            Hyperparameters(alpha=1e-6, pictures=5000),
        ),
    },
    needs=lambda knobs: DataAccess(forget=False, retain=True),
    images_processed=_images_processed,
    forget=forget,
)
