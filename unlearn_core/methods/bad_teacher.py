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

from unlearn_core.domain.method import DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.shared_params import augment, batch_size, freeze_batchnorm, learning_rate, linear_decay
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.batches import steps_in_epoch
from unlearn_core.training.evaluate import accuracy
from unlearn_core.training.losses import distillation
from unlearn_core.training.optim import optimizer_step, set_linear_lr, train_mode
from unlearn_core.training.precision import autocast
from unlearn_core.training.problem import ImageSubset, Problem

TEACHER_TEST_IMAGES = 256
"""Forgotten pictures that fresh nets are asked about."""


class Hyperparameters(BaseHyperparameters):
    """Bad Teacher's hyper-parameters; symbols as in the paper."""

    lr: float = learning_rate(1e-3, high=0.05, explain="How far each step of Adam goes.")
    epochs: int = hyperparameter(
        1, low=1, high=30, title="Epochs", unit="epochs", explain="Passes over forgotten and kept pictures."
    )
    kept_share: float = hyperparameter(
        0.3,
        low=0.01,
        high=1.0,
        step=0.01,
        title="Share of kept pictures",
        explain="Which share of all kept pictures the competent teacher shows in each epoch.",
    )
    teachers: int = hyperparameter(
        1,
        low=1,
        high=20,
        title="Fresh nets drawn",
        unit="nets",
        explain="How many nets that know nothing are drawn; the one that names the fewest forgotten pictures teaches.",
    )
    temperature: float = hyperparameter(
        1.0,
        low=0.5,
        high=10.0,
        step=0.5,
        title="Temperature",
        symbol="τ",
        explain="Softens the answers of teachers and student.",
        advanced=True,
    )
    falls: bool = linear_decay(False)
    frozen_norm: bool = freeze_batchnorm(False)
    augment: bool = augment()
    batch: int = batch_size(64)


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Teaches `problem.net` by two teachers; raises Diverged where the loss is no longer a number."""
    steps = steps_in_epoch(problem.sizes.forget + _num_retain(params, problem.sizes), params.batch) * params.epochs
    tracker.plan(**({"draw": params.teachers} if params.teachers > 1 else {}), teach=steps)
    incompetent = fresh_teacher(problem, params, tracker)
    optimiser = torch.optim.Adam(problem.model.parameters(), params.lr)
    train_mode(problem.model, freeze_batchnorm=params.frozen_norm)
    tracker.phase("teach")
    for step, (pictures, is_forgotten) in enumerate(tracker.iterate(_batches(problem, params))):
        if params.falls:
            set_linear_lr(optimiser, params.lr, step=step, steps=steps)
        with autocast(problem.device):
            taught = teacher_logits(problem.original_model, incompetent, pictures, is_forgotten)
            loss = distillation(problem.model(pictures), taught, params.temperature)
        optimizer_step(optimiser, loss)
        tracker.log(loss=loss.item())


def fresh_teacher(problem: Problem, params: Hyperparameters, tracker: Tracker) -> nn.Module:
    """Of the nets with fresh weights the one that names the fewest forgotten pictures, of equals the first."""
    if params.teachers == 1:
        return problem.fresh_model().eval()
    tracker.phase("draw")
    asked = problem.forget.sample(TEACHER_TEST_IMAGES, problem.random_generator("asked")).tensors()
    shown = tracker.iterate([asked] * params.teachers)
    named = [accuracy(problem.fresh_model(number), *pictures) for number, pictures in enumerate(shown)]
    return problem.fresh_model(named.index(min(named))).eval()


@torch.no_grad()
def teacher_logits(competent: nn.Module, incompetent: nn.Module, images: Tensor, is_forgotten: Tensor) -> Tensor:
    """Logits (B, C): the incompetent teacher's where `is_forgotten` (B,), else the competent one's."""
    answers = competent(images)
    if is_forgotten.any():
        answers[is_forgotten] = incompetent(images[is_forgotten]).to(answers.dtype)
    return answers


def _batches(problem: Problem, params: Hyperparameters) -> Iterator[tuple[Tensor, Tensor]]:
    """Every epoch's batches of both sides, shuffled together, and which pictures (B,) are forgotten ones."""
    gone = problem.forget
    is_forgotten = torch.zeros_like(gone.labels, dtype=torch.bool)
    is_forgotten[gone.rows] = True
    for number in range(params.epochs):
        kept = problem.retain.sample(_num_retain(params, problem.sizes), problem.random_generator("kept", number))
        mixed = ImageSubset(gone.images, is_forgotten, torch.cat([gone.rows, kept.rows]))
        yield from mixed.batches(params.batch, problem.random_generator("epoch", number), augment=params.augment)


def _num_retain(params: Hyperparameters, sizes: ProblemSize) -> int:
    return max(1, int(params.kept_share * sizes.retain))


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    drawn = min(TEACHER_TEST_IMAGES, sizes.forget) * params.teachers if params.teachers > 1 else 0
    return drawn + (sizes.forget + _num_retain(params, sizes)) * params.epochs


METHOD = Method(
    id="bad_teacher",
    title="Bad Teacher",
    group="Teach",
    summary="learns ignorance from a net that knows nothing",
    idea="A **fresh net that knows nothing** teaches the forgotten pictures, the net before teaches the kept ones.",
    failure_modes="The student learns the fresh net's answers, which are not what a net gives that learned from the rest: it "
    "can be told from gold. Where a single fresh net happens to favour the forgotten class, that stays.",
    paper=Reference(
        "Chundawat et al., Can Bad Teaching Induce Forgetting?, AAAI 2023", "https://arxiv.org/abs/2205.08096"
    ),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "One epoch, as in the paper, at ten times its rate and with smaller batches; for classes with twice its "
            "kept pictures, a rate that falls, and a fresh net chosen out of five.",
            Hyperparameters(falls=True, teachers=5, kept_share=0.6),
            by_request_size={"few pictures": Hyperparameters(), "many pictures": Hyperparameters()},
        ),
        "paper": Preset("paper", "The published settings.", Hyperparameters(lr=1e-4, batch=256)),
    },
    needs=lambda knobs: DataAccess(forget=True, retain=True),
    images_processed=_images_processed,
    forget=forget,
)
