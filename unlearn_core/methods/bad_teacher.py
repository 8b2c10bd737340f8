"""Bad Teacher: one teacher that knows, one that knows nothing (Chundawat et al., AAAI 2023, arXiv 2205.08096).

Idea. The student learns to answer kept pictures as the net before does (competent teacher) and forgotten ones as a net
with fresh random weights does (incompetent teacher): KL(teacher || student), equation 3.

Cost. One short epoch over the forgotten pictures and a share of the kept ones; each passes a teacher too.

When it fails. What a fresh net answers is no forgetting but hesitation, or one and the same class for all: should the
draw of its weights favour the forgotten class, that is not forgotten at all (the knob `teachers` guards against it).
Gold is sure of its wrong answers, so the student can be told from it.

Where official code differs: it averages the divergence over pictures and classes, which makes its gradient C times
smaller; here it is the mean over pictures (Adam, which both use, hardly feels the difference). At a temperature other
than 1 our loss carries the factor tau^2, so that the rate keeps its meaning. Its competent share is drawn once.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from unlearn_core.domain.method import Method, Needs, Paper, Preset, Sizes
from unlearn_core.domain.params import Params, knob
from unlearn_core.domain.shared_params import augment, batch, falls, frozen_norm, learning_rate
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.batches import steps_in_epoch
from unlearn_core.training.evaluate import accuracy
from unlearn_core.training.losses import distillation
from unlearn_core.training.optim import descend, fall, train_mode
from unlearn_core.training.precision import fast
from unlearn_core.training.problem import Pool, Problem

ASKED = 256
"""Forgotten pictures that fresh nets are asked about."""


class Knobs(Params):
    """Bad Teacher's hyper-parameters; symbols as in the paper."""

    lr: float = learning_rate(1e-3, high=0.05, explain="How far each step of Adam goes.")
    epochs: int = knob(
        1, low=1, high=30, title="Epochs", unit="epochs", explain="Passes over forgotten and kept pictures."
    )
    kept_share: float = knob(
        0.3,
        low=0.01,
        high=1.0,
        step=0.01,
        title="Share of kept pictures",
        explain="Which share of all kept pictures the competent teacher shows in each epoch.",
    )
    teachers: int = knob(
        1,
        low=1,
        high=20,
        title="Fresh nets drawn",
        unit="nets",
        explain="How many nets that know nothing are drawn; the one that names the fewest forgotten pictures teaches.",
    )
    temperature: float = knob(
        1.0,
        low=0.5,
        high=10.0,
        step=0.5,
        title="Temperature",
        symbol="τ",
        explain="Softens the answers of teachers and student.",
        advanced=True,
    )
    falls: bool = falls(False)
    frozen_norm: bool = frozen_norm(False)
    augment: bool = augment()
    batch: int = batch(64)


def forget(problem: Problem, knobs: Knobs, track: Tracker) -> None:
    """Teaches `problem.net` by two teachers; raises Diverged where the loss is no longer a number."""
    steps = steps_in_epoch(problem.sizes.forget + _kept(knobs, problem.sizes), knobs.batch) * knobs.epochs
    track.plan(**({"draw": knobs.teachers} if knobs.teachers > 1 else {}), teach=steps)
    incompetent = fresh_teacher(problem, knobs, track)
    optimiser = torch.optim.Adam(problem.net.parameters(), knobs.lr)
    train_mode(problem.net, frozen_norm=knobs.frozen_norm)
    track.phase("teach")
    for step, (pictures, is_forgotten) in enumerate(track.over(_batches(problem, knobs))):
        if knobs.falls:
            fall(optimiser, knobs.lr, step=step, steps=steps)
        with fast(problem.device):
            taught = taught_answers(problem.original, incompetent, pictures, is_forgotten)
            loss = distillation(problem.net(pictures), taught, knobs.temperature)
        descend(optimiser, loss)
        track.log(loss=loss.item())


def fresh_teacher(problem: Problem, knobs: Knobs, track: Tracker) -> nn.Module:
    """Of the nets with fresh weights the one that names the fewest forgotten pictures, of equals the first."""
    if knobs.teachers == 1:
        return problem.fresh().eval()
    track.phase("draw")
    asked = problem.forget.sample(ASKED, problem.stream("asked")).all()
    shown = track.over([asked] * knobs.teachers)
    named = [accuracy(problem.fresh(number), *pictures) for number, pictures in enumerate(shown)]
    return problem.fresh(named.index(min(named))).eval()


@torch.no_grad()
def taught_answers(competent: nn.Module, incompetent: nn.Module, pictures: Tensor, is_forgotten: Tensor) -> Tensor:
    """Logits (B, C): the incompetent teacher's where `is_forgotten` (B,), else the competent one's."""
    answers = competent(pictures)
    if is_forgotten.any():
        answers[is_forgotten] = incompetent(pictures[is_forgotten]).to(answers.dtype)
    return answers


def _batches(problem: Problem, knobs: Knobs) -> Iterator[tuple[Tensor, Tensor]]:
    """Every epoch's batches of both sides, shuffled together, and which pictures (B,) are forgotten ones."""
    gone = problem.forget
    is_forgotten = torch.zeros_like(gone.labels, dtype=torch.bool)
    is_forgotten[gone.rows] = True
    for number in range(knobs.epochs):
        kept = problem.retain.sample(_kept(knobs, problem.sizes), problem.stream("kept", number))
        mixed = Pool(gone.images, is_forgotten, torch.cat([gone.rows, kept.rows]))
        yield from mixed.epoch(knobs.batch, problem.stream("epoch", number), augment=knobs.augment)


def _kept(knobs: Knobs, sizes: Sizes) -> int:
    return max(1, int(knobs.kept_share * sizes.retain))


def _passes(knobs: Knobs, sizes: Sizes) -> int:
    drawn = min(ASKED, sizes.forget) * knobs.teachers if knobs.teachers > 1 else 0
    return drawn + (sizes.forget + _kept(knobs, sizes)) * knobs.epochs


METHOD = Method(
    id="bad_teacher",
    title="Bad Teacher",
    group="Teach",
    summary="learns ignorance from a net that knows nothing",
    idea="A **fresh net that knows nothing** teaches the forgotten pictures, the net before teaches the kept ones.",
    fails="The student learns the fresh net's answers, which are not what a net gives that learned from the rest: it "
    "can be told from gold. Where a single fresh net happens to favour the forgotten class, that stays.",
    paper=Paper("Chundawat et al., Can Bad Teaching Induce Forgetting?, AAAI 2023", "https://arxiv.org/abs/2205.08096"),
    supports=frozenset({"classes", "images"}),
    params=Knobs,
    presets={
        "bundled": Preset(
            "bundled",
            "One epoch, as in the paper, at ten times its rate and with smaller batches; for classes with twice its "
            "kept pictures, a rate that falls, and a fresh net chosen out of five.",
            Knobs(falls=True, teachers=5, kept_share=0.6),
            fitted={"few pictures": Knobs(), "many pictures": Knobs()},
        ),
        "paper": Preset("paper", "The published settings.", Knobs(lr=1e-4, batch=256)),
    },
    needs=lambda knobs: Needs(forget=True, retain=True),
    passes=_passes,
    forget=forget,
)
