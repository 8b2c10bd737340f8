"""UNSIR: error-maximising noise, impair and repair (Tarun et al., TNNLS 2023, arXiv 2111.08947).

Idea. Learn noise images that maximise the model's loss for the class to forget; train briefly on these, labelled as
that class and mixed with retained images (impair); then on retained images only (repair). Forget images are never used:
"zero glance".

Cost. Two short epochs over a subset of the retain set, and a few steps per class for the noise.

When it fails. A part of the class is left if the learning rates are low; high rates cost accuracy on the retained
classes. At rates that leave nothing, training without the class forgets it alone, and the noise adds nothing:
RESULTS.md has the rates. Noise labelled as the class also trains its output, so for some classes more is left with it
than without. It cannot forget single images.

Source. Tarun et al. 2023. The authors' notebook takes the loop's length from the number of channels, so that it uses
three noise images repeatedly; it labels the noise of every class with class 0; it learns the noise with batch norm in
train mode. Here all noise images are used, each with its own label, learned against the model in eval mode. As in the
notebook, the noise is applied after the model's normalisation layer. Its L2 weight is scaled by the image size, so that
lambda = 0.1 means the same at any size as at 32 pixels.
"""

import math
from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from unlearn_core.domain.method import TUNED_ON, DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.results.method_artifacts import NoiseError, NoiseErrors, NoiseImages
from unlearn_core.domain.shared_params import augment, batch_size, early_stop
from unlearn_core.domain.tracker import Tracker
from unlearn_core.domain.tuning import Tuning, epochs_for
from unlearn_core.training.batches import crop_and_flip, to_floats
from unlearn_core.training.loops import fit
from unlearn_core.training.optim import linear_schedule
from unlearn_core.training.precision import autocast
from unlearn_core.training.problem import ImageSubset, Problem

SAVED_IMAGES = 24
"""Noise images of each class that are stored for the report."""


_rate = partial(hyperparameter, low=1e-4, high=0.05, scale="log")
_fine = partial(hyperparameter, advanced=True)


class Hyperparameters(BaseHyperparameters):
    """The hyperparameters of UNSIR; symbols as in the paper."""

    impair_lr: float = _rate(
        0.002,
        title="Impair: learning rate",
        symbol="η₁",
        explain="Strength of the impair phase. Too low: the class returns in repair; too high: other classes suffer.",
    )
    repair_lr: float = _rate(
        0.0025,
        title="Repair: learning rate",
        symbol="η₂",
        explain="How fast the retained classes recover; since only they are shown, a higher rate also forgets more.",
    )
    kept_per_class: int = hyperparameter(
        500,
        low=50,
        high=1000,
        step=50,
        title="Retained images per class",
        unit="images",
        symbol="|D_sub|",
        explain="Training images of every retained class that are used in impair and repair.",
    )
    noise_pictures: int = hyperparameter(
        32,
        low=0,
        high=512,
        step=16,
        title="Noise images",
        unit="per class",
        symbol="B",
        explain="Noise images for each forgotten class; 0 shows the result without noise.",
    )
    noise: str = hyperparameter(
        "learned",
        choices=("learned", "random", "none"),
        title="Noise",
        explain="Learned noise maximises the model's loss for the class; random noise is the same before it is "
        "learned, and none trains on retained images alone: with both one sees what the noise does.",
        came_later=True,
    )
    noise_steps: int = _fine(
        20,
        low=1,
        high=100,
        title="Noise: steps",
        unit="steps",
        explain="Steps of Adam that increase the loss of the noise for its class.",
    )
    noise_lr: float = _fine(
        0.1, low=0.005, high=1.0, scale="log", title="Noise: learning rate", explain="Step size for learning the noise."
    )
    noise_weight: float = _fine(
        0.1,
        low=0.001,
        high=1.0,
        scale="log",
        title="Noise: L2 weight",
        symbol="λ",
        explain="L2 penalty on the noise; large values prevent it from increasing the loss at all.",
    )
    noise_repeats: int = _fine(
        1,
        low=1,
        high=40,
        title="Impair: noise repeats",
        unit="times",
        explain="How often each noise image is shown per impair epoch.",
    )
    impair_epochs: int = _fine(
        1, low=0, high=5, title="Impair: epochs", unit="epochs", explain="Passes over retained images and noise."
    )
    repair_epochs: int = _fine(
        1, low=0, high=5, title="Repair: epochs", unit="epochs", explain="Passes over retained images only."
    )
    repair_falls: bool = _fine(
        True,
        title="Repair: linear decay",
        explain="Decays the repair rate linearly to 0, which gains one or two points of accuracy.",
    )
    augment: bool = augment()
    batch: int = batch_size(64)
    early_stop: bool = early_stop()


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Make `problem.model` forget its `forgotten_classes`; raises DivergedError if the loss is not finite."""
    retained = problem.retain.sample_per_class(params.kept_per_class, problem.random_generator("kept pictures"))
    classes = problem.forgotten_classes if params.noise_pictures and params.noise != "none" else ()
    count = params.noise_pictures * len(classes) * params.noise_repeats
    impair_steps = -(-(len(retained) + count) // params.batch) * params.impair_epochs
    repair_steps = retained.num_batches(params.batch) * params.repair_epochs
    is_learned = bool(classes) and params.noise == "learned"
    noise_plan = {"noise": params.noise_steps * len(classes)} if is_learned else {}
    tracker.plan(**noise_plan, impair=impair_steps, repair=repair_steps)

    noise, labels = torch.empty(0, *problem.image_shape, device=problem.device), problem.retain.labels[:0]
    if classes:
        starts = [_random_noise(problem, params, own) for own in classes]
        noise = _learn_noise(problem, params, tracker, classes, starts) if is_learned else torch.cat(starts)
        noise = _to_pixel_values(problem, noise)
        labels = torch.tensor(classes, device=problem.device).repeat_interleave(params.noise_pictures)
    noise, labels = noise.repeat(params.noise_repeats, 1, 1, 1), labels.repeat(params.noise_repeats)
    impair = (
        batch
        for number in range(params.impair_epochs)
        for batch in _mixed_epoch(
            retained, noise, labels, params=params, generator=problem.random_generator("impair", number)
        )
    )
    repair = problem.epochs(
        retained, range(params.repair_epochs), params.batch, augment=params.augment, purpose="repair"
    )
    problem.model.train()
    if params.impair_epochs:
        tracker.phase("impair")
        _train(problem, impair, tracker, lr=params.impair_lr)
    if params.repair_epochs:
        tracker.phase("repair")
        _train(problem, repair, tracker, lr=params.repair_lr, falls_over=repair_steps if params.repair_falls else None)


def _random_noise(problem: Problem, params: Hyperparameters, own: int) -> Tensor:
    """The noise of a class (n, 3, H, W) before it is learned, normalised: a standard normal distribution."""
    start = torch.randn(params.noise_pictures, *problem.image_shape, generator=problem.random_generator("noise", own))
    return start.to(problem.device, memory_format=torch.channels_last)


def _to_pixel_values(problem: Problem, noise: Tensor) -> Tensor:
    """Normalised noise in pixel values, not bounded to [0, 1]: the model's first layer normalises its input."""
    mean, std = (
        torch.tensor(values, device=problem.device).view(1, 3, 1, 1)
        for values in (problem.classifier.mean, problem.classifier.std)
    )
    return noise * std + mean


def _learn_noise(
    problem: Problem, params: Hyperparameters, tracker: Tracker, classes: tuple[int, ...], starts: list[Tensor]
) -> Tensor:
    """Learned noise (n, 3, H, W) of all classes, normalised: equation 3 of the paper."""
    tracker.phase("noise")
    weight = params.noise_weight * 3072 / math.prod(problem.image_shape)
    learned: list[Tensor] = []
    traces: list[list[float]] = []
    for own, start in zip(classes, starts, strict=True):
        noise = start.requires_grad_()
        label = torch.full((len(noise),), own, device=problem.device)
        optimizer = torch.optim.Adam([noise], params.noise_lr)
        trace = list[float]()
        for _ in tracker.iterate((noise, step) for step in range(params.noise_steps)):
            error = _error(problem, noise, label)
            loss = weight * noise.square().sum((1, 2, 3)).mean() - error
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            trace.append(error.item())
            tracker.log(noise_error=trace[-1])
        learned.append(noise.detach())
        with torch.no_grad():
            traces.append([*trace, _error(problem, learned[-1], label).item()])
    _save(problem, params, tracker, classes, learned, traces)
    return torch.cat(learned)


def _error(problem: Problem, noise: Tensor, label: Tensor) -> Tensor:
    """The original model's loss on normalised noise with this label (n,)."""
    with autocast(problem.device):
        return F.cross_entropy(problem.original_model(_to_pixel_values(problem, noise)), label)


def _save(
    problem: Problem,
    params: Hyperparameters,
    tracker: Tracker,
    classes: tuple[int, ...],
    learned: list[Tensor],
    traces: list[list[float]],
) -> None:
    """Store the first images of each class, and the errors on the noise at every step, for the report."""
    images = _to_pixel_values(problem, torch.cat([part[:SAVED_IMAGES] for part in learned]))
    pixels = images.clamp(0, 1).mul(255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    each = min(SAVED_IMAGES, params.noise_pictures)
    ends = {str(own): NoiseError(before=trace[0], after=trace[-1]) for own, trace in zip(classes, traces, strict=True)}
    tracker.save_artifact(NoiseImages(classes=classes, images_per_class=each, pixels=pixels))
    tracker.save_artifact(NoiseErrors(classes=classes, ends=ends, errors=torch.tensor(traces).T.numpy()))


def _mixed_epoch(
    retained: ImageSubset, noise: Tensor, noise_labels: Tensor, *, params: Hyperparameters, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """One shuffled pass over retained images and noise together; the noise is not augmented."""
    order = torch.randperm(len(retained) + len(noise), generator=generator).to(noise.device)
    for chosen in order.split(params.batch):
        rows = retained.rows[chosen[chosen < len(retained)]]
        own = chosen[chosen >= len(retained)] - len(retained)
        real = crop_and_flip(retained.images, rows, generator) if params.augment else retained.images[rows]
        mixed = torch.cat([to_floats(real), noise[own]]).contiguous(memory_format=torch.channels_last)
        yield mixed, torch.cat([retained.labels[rows], noise_labels[own]])


def _train(
    problem: Problem,
    batches: Iterator[tuple[Tensor, Tensor]],
    tracker: Tracker,
    *,
    lr: float,
    falls_over: int | None = None,
) -> None:
    """Adam on cross-entropy over the batches; the rate decays linearly over `falls_over` steps, or stays constant."""
    optimizer = torch.optim.Adam(problem.model.parameters(), lr, fused=True)
    fit(problem, batches, optimizer, tracker, lr_schedule=linear_schedule(lr, falls_over) if falls_over else None)


GENTLE = Hyperparameters(impair_lr=0.001, repair_lr=0.001, kept_per_class=400, noise_pictures=256, noise_steps=20)
"""Learning rates at which something of the class is left, so that it is seen what the noise does."""


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    retained = sizes.retain_used(params.kept_per_class)
    noise = params.noise_pictures * sizes.forgotten_classes if params.noise != "none" else 0
    impair = (retained + noise * params.noise_repeats) * params.impair_epochs
    learning = noise * params.noise_steps if params.noise == "learned" else 0
    return learning + impair + retained * params.repair_epochs


def _at_strength(params: Hyperparameters, sizes: ProblemSize, strength: float) -> dict[str, float]:
    images, tuned_on = (one.retain_used(params.kept_per_class) for one in (sizes, TUNED_ON))
    return {
        "impair_lr": params.impair_lr * strength,
        "repair_lr": params.repair_lr * strength,
        "impair_epochs": epochs_for(
            params.impair_epochs, params.batch, images=images, tuned_on=tuned_on, classes=sizes.classes
        ),
        "repair_epochs": epochs_for(
            params.repair_epochs, params.batch, images=images, tuned_on=tuned_on, classes=sizes.classes
        ),
    }


METHOD = Method(
    id="unsir",
    title="UNSIR",
    group="Perturb and repair",
    summary="learn noise, impair, repair · needs no forget data",
    idea="Learns noise that maximises the model's loss for the class, trains the model on this noise labelled *as* the "
    "class (**impair**), then trains briefly on the retain set (**repair**).",
    failure_modes="At low learning rates a part of the class is left; high rates cost accuracy on other classes. At "
    "rates that leave nothing (preset `bundled`) training without the class forgets it alone, and the noise "
    "makes no difference; at lower ones it does (preset `gentle`). It cannot forget single images.",
    paper=Reference(
        "Tarun et al., Fast Yet Effective Machine Unlearning, TNNLS 2023", "https://arxiv.org/abs/2111.08947"
    ),
    supports=frozenset({"classes"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "Tuned for the bundled classifier on airplane and dog, on validation images. At its learning rates the "
            "noise makes no difference.",
            Hyperparameters(),
        ),
        "no-noise": Preset(
            "no noise", "The same without noise images: shows their effect.", Hyperparameters(noise_pictures=0)
        ),
        "no-impair": Preset(
            "no impair",
            "Noise is learned but not used for training: shows what repair alone forgets.",
            Hyperparameters(impair_epochs=0),
        ),
        "no-repair": Preset(
            "no repair", "Stops after impair: shows the damage before repair.", Hyperparameters(repair_epochs=0)
        ),
        "gentle": Preset(
            "gentle",
            "Learning rates at which the noise matters: a part of the class is left, and mostly more without noise.",
            GENTLE,
        ),
        "gentle-random": Preset(
            "gentle, random noise",
            "The same with noise that was not learned: shows whether any noise would do.",
            GENTLE.updated({"noise": "random"}),
        ),
        "gentle-no-noise": Preset(
            "gentle, no noise",
            "The same without noise: shows what training without the class forgets at these rates.",
            GENTLE.updated({"noise": "none"}),
        ),
        "paper": Preset(
            "paper",
            "The published settings, made for a larger model: expect lower accuracy on the retained classes here.",
            Hyperparameters(
                impair_lr=0.02,
                repair_lr=0.01,
                kept_per_class=1000,
                noise_pictures=256,
                noise_steps=40,
                noise_repeats=20,
                repair_falls=False,
                augment=False,
                batch=256,
            ),
        ),
    },
    needs=lambda params: DataAccess(forget=False, retain=True),
    images_processed=_images_processed,
    tuning=Tuning(
        finds=("impair_lr", "repair_lr", "impair_epochs", "repair_epochs", "batch"),
        batch="batch",
        values=_at_strength,
        rule="Both learning rates; small data is shown in more epochs and smaller batches.",
        shorter={"noise_steps": 5},
    ),
    forget=forget,
)
