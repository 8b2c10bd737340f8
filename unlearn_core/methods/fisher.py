"""Fisher forgetting: noise on weights that the retain set does not need (Golatkar et al., CVPR 2020, 1911.04933).

Idea. The Fisher information on the retain set measures how much each weight matters to it. Add Gaussian noise to every
weight, more where it matters less, so that information needed only for the forget set is destroyed. It needs no
training, no labels and no forget images; for a whole class its row in the head is set to zero.

Cost. One backward pass for every sampled retained image and class, in float32: with ten classes, a tenth of the retain
set costs as much as an epoch.

When it fails. Usually. Below some alpha nothing is forgotten, a little above it the model is destroyed: the caps make
the noise nearly equal for all weights that matter little, so the retain set suffers as soon as the forget set does.
What a class loses at a small alpha comes from the zeroed row, which is no more than hiding an output: the features
still contain the class. alpha must be tuned by validation accuracy, and each seed draws different noise.

Source. Section 5 and the authors' code, from which we take the caps, the mean over dimension 1, the factor 10 for the
head and for vectors, and the variance 0.0001 of a forgotten row (0.001 after that factor). The code identifies the head
by its size, which other layers may share; here it is identified by name. The code uses every retained image; here a
sample.
"""

import torch
from torch import Tensor

from unlearn_core.domain.method import ETERNAL_SUNSHINE, DataAccess, Method, Preset, ProblemSize
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.tracker import Tracker
from unlearn_core.domain.tuning import Tuning
from unlearn_core.training.importance import fisher_diagonal, images_per_chunk
from unlearn_core.training.problem import Problem

FISHER_FLOOR = 1e-8
"""Added to the information before inversion."""
HEAD_NOISE_FACTOR = 10.0
"""Factor on the variance of the head and of all vectors (biases, batch norm)."""
CLEARED_ROW_VARIANCE = 1e-4
"""Variance of a forgotten class's row in the head, before that factor."""


class Hyperparameters(BaseHyperparameters):
    """The hyperparameters of Fisher forgetting; symbols as in the paper."""

    alpha: float = hyperparameter(
        1e-7,
        low=1e-10,
        high=1e-2,
        scale="log",
        title="Noise strength",
        symbol="α",
        explain="Variance of the noise where the information is 1; a factor of ten can separate no forgetting from a "
        "destroyed model.",
    )
    pictures: int = hyperparameter(
        300,
        low=10,
        high=5000,
        step=10,
        title="Retained images used",
        unit="images",
        explain="Random retained images for estimating the information; the paper uses all of them.",
    )
    cap: float = hyperparameter(
        1e3,
        low=1.0,
        high=1e8,
        scale="log",
        title="Noise cap",
        explain="Upper limit for the inverse of the information, before it is multiplied by the strength.",
        advanced=True,
    )
    head_cap: float = hyperparameter(
        1e2,
        low=1.0,
        high=1e8,
        scale="log",
        title="Noise cap, head",
        explain="The same for the weights of the last layer.",
        advanced=True,
    )
    clear_rows: bool = hyperparameter(
        True,
        title="Clear forgotten rows",
        explain="Sets the rows of forgotten classes in the last layer to zero, plus a little noise.",
        advanced=True,
    )


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Add noise to the weights of `problem.model`."""
    sample = problem.retain.sample(params.pictures, problem.random_generator("asked"))
    tracker.plan(fisher=sample.num_batches(images_per_chunk(problem.original_model, outputs=problem.classes)))
    tracker.phase("fisher")
    fisher = fisher_diagonal(problem.original_model, sample.tensors()[0], progress=tracker.iterate)
    for name, weight in problem.model.named_parameters():
        head = any(f"{name}.".startswith(f"{one}.") for one in problem.classifier.roles.head)
        mean, variance = _blurred(
            weight.detach(), fisher[name], params, head=head, cleared=problem.forgotten_classes if head else ()
        )
        noise = torch.randn(weight.shape, generator=problem.random_generator("noise", name)).to(weight.device)
        with torch.no_grad():
            weight.copy_(mean + variance.sqrt() * noise)


def _blurred(
    weight: Tensor, fisher: Tensor, params: Hyperparameters, *, head: bool, cleared: tuple[int, ...]
) -> tuple[Tensor, Tensor]:
    """Mean and variance of a weight tensor after forgetting, from its Fisher information of the same shape."""
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


def _at_strength(params: Hyperparameters, sizes: ProblemSize, strength: float) -> dict[str, float]:
    return {"alpha": params.alpha * strength}


_FOR_IMAGES = Hyperparameters(alpha=5e-7)

METHOD = Method(
    id="fisher",
    title="Fisher forgetting",
    group="Edit weights",
    summary="add noise to weights the retain set does not need · needs no forget data",
    idea="Measures how much each weight matters to the retain set (**Fisher information**) and adds noise to all "
    "weights, more where they matter less. No training; for a whole class its row in the head is cleared.",
    failure_modes="Nearly always. With little noise only the cleared row forgets, which only hides an output, and "
    "single images remain; with slightly more noise the whole model is destroyed. On small models no setting works "
    "well.",
    paper=ETERNAL_SUNSHINE,
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "As much noise as the retain set tolerates: a class is forgotten by its cleared row, single images hardly.",
            Hyperparameters(),
            by_request_size={"few pictures": _FOR_IMAGES, "many pictures": _FOR_IMAGES},
        ),
        "no-clearing": Preset(
            "no clearing",
            "The same without clearing rows: shows that this alone forgets a class.",
            Hyperparameters(clear_rows=False),
        ),
        "loud": Preset(
            "too much",
            "Ten times the noise: forget and retain accuracy are lost together.",
            Hyperparameters(alpha=1e-5),
        ),
        "paper": Preset(
            "paper",
            "The authors' strength; half of the retained images are used, to save time.",
            Hyperparameters(alpha=1e-6, pictures=5000),
        ),
    },
    needs=lambda params: DataAccess(forget=False, retain=True),
    images_processed=_images_processed,
    tuning=Tuning(
        finds=("alpha",),
        values=_at_strength,
        rule="The strength of the noise.",
    ),
    forget=forget,
)
