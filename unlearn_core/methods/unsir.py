"""UNSIR: noise that a class is most wrong for, impair, repair (Tarun et al., TNNLS 2023, arXiv 2111.08947).

Idea. Learn pictures of noise on which the net is as wrong as possible about the class to forget; train briefly on
these, labelled as that class, mixed with kept pictures (impair); then on kept pictures alone (repair). The forgotten
pictures are never used: "zero glance".

Cost. Two short epochs over a subset of the kept pictures, and a few steps a class for the noise.

When it fails. A class that resembles no other comes back during repair when the rates are low; high rates cost the
kept classes. Much noise can keep a class alive that training without it would have lost: noise labelled as the class
still says that there is such a class. It cannot forget single pictures.

Where the authors' notebook differs: it takes the loop's length from the number of channels, so that three noise
pictures are used over and over; it labels the noise of every class with class 0; it learns the noise with batch norm
in training mode. Here all noise pictures are used, each with its own label, learnt against the net in eval mode.
The noise lives behind the net's normalising layer, as theirs did. Its L2 weight is scaled by the picture's size, so
that lambda = 0.1 means at any size what it meant at 32 pixels.
"""

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from unlearn_core.domain.method import DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.shared_params import augment, batch_size
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.batches import crop_and_flip, to_floats
from unlearn_core.training.optim import optimizer_step, set_linear_lr
from unlearn_core.training.precision import autocast
from unlearn_core.training.problem import ImageSubset, Problem

SAVED_IMAGES = 24
"""Noise pictures of each class that are kept for the report."""


_rate = partial(hyperparameter, low=1e-4, high=0.05, scale="log")
_fine = partial(hyperparameter, advanced=True)


class Hyperparameters(BaseHyperparameters):
    """UNSIR's hyper-parameters; symbols as in the paper."""

    impair_lr: float = _rate(
        0.002,
        title="Impair: learning rate",
        symbol="η₁",
        explain="How hard the noise hits. Too low and the class comes back in repair; too high and others suffer.",
    )
    repair_lr: float = _rate(
        0.0025,
        title="Repair: learning rate",
        symbol="η₂",
        explain="How fast the kept classes are mended; since they alone are shown, a higher rate also forgets more.",
    )
    kept_per_class: int = hyperparameter(
        500,
        low=50,
        high=1000,
        step=50,
        title="Kept pictures a class",
        unit="pictures",
        symbol="|D_sub|",
        explain="How many training pictures of every kept class take part in impair and repair.",
    )
    noise_pictures: int = hyperparameter(
        32,
        low=0,
        high=512,
        step=16,
        title="Noise pictures",
        unit="a class",
        symbol="B",
        explain="How many noise pictures are learnt for each forgotten class; 0 shows what happens without them.",
    )
    noise_steps: int = _fine(
        20,
        low=1,
        high=100,
        title="Noise: steps",
        unit="steps",
        explain="Steps of Adam that make the noise worse and worse for its class.",
    )
    noise_lr: float = _fine(
        0.1, low=0.005, high=1.0, scale="log", title="Noise: learning rate", explain="How far the noise moves a step."
    )
    noise_weight: float = _fine(
        0.1,
        low=0.001,
        high=1.0,
        scale="log",
        title="Noise: weight of its size",
        symbol="λ",
        explain="How strongly the noise is kept small; large values keep it from becoming wrong at all.",
    )
    noise_repeats: int = _fine(
        1,
        low=1,
        high=40,
        title="Impair: showings of the noise",
        unit="times",
        explain="How often each noise picture is shown in one impair epoch.",
    )
    impair_epochs: int = _fine(
        1, low=0, high=5, title="Impair: epochs", unit="epochs", explain="Passes over kept pictures and noise."
    )
    repair_epochs: int = _fine(
        1, low=0, high=5, title="Repair: epochs", unit="epochs", explain="Passes over kept pictures alone."
    )
    repair_falls: bool = _fine(
        True,
        title="Repair: rate falls to zero",
        explain="Lets the repair rate fall in a straight line to 0, which is worth a point or two of accuracy.",
    )
    augment: bool = augment()
    batch: int = batch_size(64)


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Makes `problem.net` forget `problem.forgotten_classes`; raises Diverged where the loss is no longer a number."""
    kept = problem.retain.sample_per_class(params.kept_per_class, problem.random_generator("kept pictures"))
    classes = problem.forgotten_classes if params.noise_pictures else ()
    count = params.noise_pictures * len(classes) * params.noise_repeats
    impair_steps = -(-(len(kept) + count) // params.batch) * params.impair_epochs
    repair_steps = kept.num_batches(params.batch) * params.repair_epochs
    noise_plan = {"noise": params.noise_steps * len(classes)} if classes else {}
    tracker.plan(**noise_plan, impair=impair_steps, repair=repair_steps)

    noise, labels = torch.empty(0, *problem.image_shape, device=problem.device), problem.retain.labels[:0]
    if classes:
        tracker.phase("noise")
        noise, labels = _learn_noise(problem, params, tracker, classes)
    noise, labels = noise.repeat(params.noise_repeats, 1, 1, 1), labels.repeat(params.noise_repeats)
    impair = (
        batch
        for number in range(params.impair_epochs)
        for batch in _mixed_epoch(
            kept, noise, labels, params=params, generator=problem.random_generator("impair", number)
        )
    )
    repair = (
        batch
        for number in range(params.repair_epochs)
        for batch in kept.batches(params.batch, problem.random_generator("repair", number), augment=params.augment)
    )
    problem.model.train()
    if params.impair_epochs:
        tracker.phase("impair")
        _train(problem, impair, tracker, lr=params.impair_lr)
    if params.repair_epochs:
        tracker.phase("repair")
        _train(problem, repair, tracker, lr=params.repair_lr, falls_over=repair_steps if params.repair_falls else None)


def _learn_noise(
    problem: Problem, params: Hyperparameters, tracker: Tracker, classes: tuple[int, ...]
) -> tuple[Tensor, Tensor]:
    """Noise (n, 3, H, W) in pixel values (not bounded to [0, 1]) and its labels (n,): equation 3 of the paper.

    The net's first layer normalises, so noise drawn behind that layer is un-normalised here and normalised there.
    """
    shape = problem.image_shape
    std = torch.tensor(problem.classifier.std, device=problem.device).view(1, 3, 1, 1)
    mean = torch.tensor(problem.classifier.mean, device=problem.device).view(1, 3, 1, 1)
    weight = params.noise_weight * 3072 / (shape[0] * shape[1] * shape[2])
    pictures, traces, wrong = [], [], {}
    for own in classes:
        start = torch.randn(params.noise_pictures, *shape, generator=problem.random_generator("noise", own))
        noise = start.to(problem.device, memory_format=torch.channels_last).requires_grad_()
        label = torch.full((len(noise),), own, device=problem.device)
        optimiser = torch.optim.Adam([noise], params.noise_lr)
        trace = []
        for _ in tracker.iterate((noise, step) for step in range(params.noise_steps)):
            with autocast(problem.device):
                error = F.cross_entropy(problem.original_model(noise * std + mean), label)
            loss = weight * noise.square().sum((1, 2, 3)).mean() - error
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            trace.append(error.item())
            tracker.log(noise_error=trace[-1])
        pictures.append(noise.detach() * std + mean)
        with torch.no_grad(), autocast(problem.device):
            trace.append(F.cross_entropy(problem.original_model(pictures[-1]), label).item())
        traces.append(trace)
        wrong[str(own)] = {"before": trace[0], "after": trace[-1]}
    shown = (
        torch.cat([part[:SAVED_IMAGES] for part in pictures]).clamp(0, 1).mul(255).round().byte().permute(0, 2, 3, 1)
    )
    tracker.save_artifact("noise_pictures", shown, classes=list(classes), each=min(SAVED_IMAGES, params.noise_pictures))
    tracker.save_artifact("noise_loss", torch.tensor(traces).T, classes=list(classes), error=wrong)
    labels = torch.tensor(classes, device=problem.device).repeat_interleave(params.noise_pictures)
    return torch.cat(pictures), labels


def _mixed_epoch(
    retained: ImageSubset, noise: Tensor, noise_labels: Tensor, *, params: Hyperparameters, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """One shuffled pass over kept pictures and noise together; the noise is neither shifted nor mirrored."""
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
    """Adam on cross-entropy over the batches; the rate falls in a straight line over so many steps, or stays."""
    optimiser = torch.optim.Adam(problem.model.parameters(), lr, fused=True)
    for step, (pictures, labels) in enumerate(tracker.iterate(batches)):
        if falls_over:
            set_linear_lr(optimiser, lr, step=step, steps=falls_over)
        with autocast(problem.device):
            loss = F.cross_entropy(problem.model(pictures), labels)
        optimizer_step(optimiser, loss)
        tracker.log(loss=loss.item())


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    kept = min(params.kept_per_class * sizes.retained_classes, sizes.retain)
    noise = params.noise_pictures * sizes.forgotten_classes
    return (
        noise * params.noise_steps
        + (kept + noise * params.noise_repeats) * params.impair_epochs
        + kept * params.repair_epochs
    )


METHOD = Method(
    id="unsir",
    title="UNSIR",
    group="Wreck and mend",
    summary="noise, impair, repair · sees no forgotten picture",
    idea="Learns a noise that the net is most wrong about, teaches it that this noise *is* the class, and so spoils "
    "what it knew (**impair**); then trains briefly on what is kept (**repair**).",
    failure_modes="A class that no other looks like comes back during repair when the rates are low; high rates cost the other "
    "classes. Much noise can keep a class alive: compare the preset without. It cannot forget single pictures.",
    paper=Reference(
        "Tarun et al., Fast Yet Effective Machine Unlearning, TNNLS 2023", "https://arxiv.org/abs/2111.08947"
    ),
    supports=frozenset({"classes"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "Tuned for the bundled classifier on airplane and dog, by validation pictures.",
            Hyperparameters(),
        ),
        "no-noise": Preset(
            "no noise", "The same without noise pictures: shows what they do.", Hyperparameters(noise_pictures=0)
        ),
        "no-impair": Preset(
            "no impair",
            "Noise is learnt but never taught: shows what repair alone forgets.",
            Hyperparameters(impair_epochs=0),
        ),
        "no-repair": Preset(
            "no repair", "Stops after impair: what repair mends is still broken.", Hyperparameters(repair_epochs=0)
        ),
        "paper": Preset(
            "paper",
            "The published settings, made for a larger net: expect the kept classes to suffer here.",
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
    needs=lambda knobs: DataAccess(forget=False, retain=True),
    images_processed=_images_processed,
    forget=forget,
)
