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

from unlearn_core.domain.method import Method, Needs, Paper, Preset, Sizes
from unlearn_core.domain.params import Params, knob
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.importance import at_once, fisher_diagonal
from unlearn_core.training.problem import Problem

FLOOR = 1e-8
"""Added to the information before it is inverted."""
LOUDER = 10.0
"""How much more variance the head and all vectors (biases, batch norm) get."""
ROW = 1e-4
"""Variance of a forgotten class's row in the head, before that factor."""


class Knobs(Params):
    """Fisher forgetting's hyper-parameters; symbols as in the paper."""

    alpha: float = knob(
        1e-7,
        low=1e-10,
        high=1e-2,
        scale="log",
        title="Strength of the noise",
        symbol="α",
        explain="Variance of the noise where the information is 1; ten times more can be the difference between "
        "nothing forgotten and nothing kept.",
    )
    pictures: int = knob(
        300,
        low=10,
        high=5000,
        step=10,
        title="Kept pictures asked",
        unit="pictures",
        explain="Random kept pictures that the information is taken from; the paper asks all of them.",
    )
    cap: float = knob(
        1e3,
        low=1.0,
        high=1e8,
        scale="log",
        title="Most noise a weight",
        explain="The inverse of the information counts for at most this much, before the strength is applied.",
        advanced=True,
    )
    head_cap: float = knob(
        1e2,
        low=1.0,
        high=1e8,
        scale="log",
        title="Most noise in the head",
        explain="The same for the weights of the last layer.",
        advanced=True,
    )
    clear_rows: bool = knob(
        True,
        title="Clear forgotten rows",
        explain="Sets the rows of forgotten classes in the last layer to nought and gives them a little noise.",
        advanced=True,
    )


def forget(problem: Problem, knobs: Knobs, track: Tracker) -> None:
    """Adds noise to the weights of `problem.net`."""
    asked = problem.retain.sample(knobs.pictures, problem.stream("asked"))
    track.plan(fisher=asked.steps(at_once(problem.original, answers=problem.classes)))
    track.phase("fisher")
    fisher = fisher_diagonal(problem.original, asked.all()[0], over=track.over)
    for name, weight in problem.net.named_parameters():
        head = any(f"{name}.".startswith(f"{one}.") for one in problem.card.roles.head)
        mean, variance = _blurred(
            weight.detach(), fisher[name], knobs, head=head, cleared=problem.forgotten_classes if head else ()
        )
        noise = torch.randn(weight.shape, generator=problem.stream("noise", name)).to(weight.device)
        weight.data.copy_(mean + variance.sqrt() * noise)


def _blurred(
    weight: Tensor, fisher: Tensor, knobs: Knobs, *, head: bool, cleared: tuple[int, ...]
) -> tuple[Tensor, Tensor]:
    """Mean and variance of a tensor after forgetting, from its information of the same shape."""
    mean, variance = weight.clone(), (fisher + FLOOR).reciprocal().clamp_max(knobs.head_cap if head else knobs.cap)
    variance = variance * knobs.alpha
    if weight.dim() > 1:
        variance = variance.mean(1, keepdim=True).expand_as(weight).clone()
    if cleared and knobs.clear_rows:
        mean[list(cleared)] = 0
        variance[list(cleared)] = ROW
    return mean, variance * (LOUDER if head or weight.dim() == 1 else 1)


def _passes(knobs: Knobs, sizes: Sizes) -> int:
    return min(knobs.pictures, sizes.retain) * sizes.classes


_PICTURES = Knobs(alpha=5e-7)

METHOD = Method(
    id="fisher",
    title="Fisher forgetting",
    group="Edit weights",
    summary="noise where the rest does not mind · sees no forgotten picture",
    idea="Measures how much each weight matters to the kept pictures (**Fisher information**) and adds noise to all "
    "weights, the more the less they matter. No training; of a whole class the row in the head is cleared.",
    fails="Nearly always: with a little noise only the cleared row forgets, as if an output were hidden, and single "
    "pictures stay; with a little more the whole net is wrecked. Between the two there is no room on a small net.",
    paper=Paper("Golatkar et al., Eternal Sunshine of the Spotless Net, CVPR 2020", "https://arxiv.org/abs/1911.04933"),
    supports=frozenset({"classes", "images"}),
    params=Knobs,
    presets={
        "bundled": Preset(
            "bundled",
            "As much noise as the kept pictures bear: a class goes with its cleared row, single pictures hardly go.",
            Knobs(),
            fitted={"few pictures": _PICTURES, "many pictures": _PICTURES},
        ),
        "no-clearing": Preset(
            "rows left", "The same with no row cleared: shows that a class goes by that alone.", Knobs(clear_rows=False)
        ),
        "loud": Preset("too much", "Ten times the noise: forgotten and kept are lost together.", Knobs(alpha=1e-5)),
        "paper": Preset(
            "paper",
            "The authors' strength; half of the kept pictures are asked, for want of time.",
            Knobs(alpha=1e-6, pictures=5000),
        ),
    },
    needs=lambda knobs: Needs(forget=False, retain=True),
    passes=_passes,
    forget=forget,
)
