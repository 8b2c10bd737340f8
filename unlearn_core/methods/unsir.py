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

from unlearn_core.domain.method import Method, Needs, Paper, Preset, Sizes
from unlearn_core.domain.params import Params, knob
from unlearn_core.domain.shared_params import augment, batch
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.batches import crop_and_flip, to_floats
from unlearn_core.training.optim import descend, fall
from unlearn_core.training.precision import fast
from unlearn_core.training.problem import Pool, Problem

SHOWN = 24
"""Noise pictures of each class that are kept for the report."""


_rate = partial(knob, low=1e-4, high=0.05, scale="log")
_fine = partial(knob, advanced=True)


class Knobs(Params):
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
    kept_per_class: int = knob(
        500,
        low=50,
        high=1000,
        step=50,
        title="Kept pictures a class",
        unit="pictures",
        symbol="|D_sub|",
        explain="How many training pictures of every kept class take part in impair and repair.",
    )
    noise_pictures: int = knob(
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
    batch: int = batch(64)


def forget(problem: Problem, knobs: Knobs, track: Tracker) -> None:
    """Makes `problem.net` forget `problem.forgotten_classes`; raises Diverged where the loss is no longer a number."""
    kept = problem.retain.at_most(knobs.kept_per_class, problem.stream("kept pictures"))
    classes = problem.forgotten_classes if knobs.noise_pictures else ()
    count = knobs.noise_pictures * len(classes) * knobs.noise_repeats
    impair_steps = -(-(len(kept) + count) // knobs.batch) * knobs.impair_epochs
    repair_steps = kept.steps(knobs.batch) * knobs.repair_epochs
    noise_plan = {"noise": knobs.noise_steps * len(classes)} if classes else {}
    track.plan(**noise_plan, impair=impair_steps, repair=repair_steps)

    noise, labels = torch.empty(0, *problem.image_shape, device=problem.device), problem.retain.labels[:0]
    if classes:
        track.phase("noise")
        noise, labels = _learn_noise(problem, knobs, track, classes)
    noise, labels = noise.repeat(knobs.noise_repeats, 1, 1, 1), labels.repeat(knobs.noise_repeats)
    impair = (
        batch
        for number in range(knobs.impair_epochs)
        for batch in _mixed_epoch(kept, noise, labels, knobs=knobs, generator=problem.stream("impair", number))
    )
    repair = (
        batch
        for number in range(knobs.repair_epochs)
        for batch in kept.epoch(knobs.batch, problem.stream("repair", number), augment=knobs.augment)
    )
    problem.net.train()
    if knobs.impair_epochs:
        track.phase("impair")
        _train(problem, impair, track, lr=knobs.impair_lr)
    if knobs.repair_epochs:
        track.phase("repair")
        _train(problem, repair, track, lr=knobs.repair_lr, falls_over=repair_steps if knobs.repair_falls else None)


def _learn_noise(problem: Problem, knobs: Knobs, track: Tracker, classes: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Noise (n, 3, H, W) in pixel values (not bounded to [0, 1]) and its labels (n,): equation 3 of the paper.

    The net's first layer normalises, so noise drawn behind that layer is un-normalised here and normalised there.
    """
    shape = problem.image_shape
    std = torch.tensor(problem.card.std, device=problem.device).view(1, 3, 1, 1)
    mean = torch.tensor(problem.card.mean, device=problem.device).view(1, 3, 1, 1)
    weight = knobs.noise_weight * 3072 / (shape[0] * shape[1] * shape[2])
    pictures, traces, wrong = [], [], {}
    for own in classes:
        start = torch.randn(knobs.noise_pictures, *shape, generator=problem.stream("noise", own))
        noise = start.to(problem.device, memory_format=torch.channels_last).requires_grad_()
        label = torch.full((len(noise),), own, device=problem.device)
        optimiser = torch.optim.Adam([noise], knobs.noise_lr)
        trace = []
        for _ in track.over((noise, step) for step in range(knobs.noise_steps)):
            with fast(problem.device):
                error = F.cross_entropy(problem.original(noise * std + mean), label)
            loss = weight * noise.square().sum((1, 2, 3)).mean() - error
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            trace.append(error.item())
            track.log(noise_error=trace[-1])
        pictures.append(noise.detach() * std + mean)
        with torch.no_grad(), fast(problem.device):
            trace.append(F.cross_entropy(problem.original(pictures[-1]), label).item())
        traces.append(trace)
        wrong[str(own)] = {"before": trace[0], "after": trace[-1]}
    shown = torch.cat([part[:SHOWN] for part in pictures]).clamp(0, 1).mul(255).round().byte().permute(0, 2, 3, 1)
    track.keep("noise_pictures", shown, classes=list(classes), each=min(SHOWN, knobs.noise_pictures))
    track.keep("noise_loss", torch.tensor(traces).T, classes=list(classes), error=wrong)
    labels = torch.tensor(classes, device=problem.device).repeat_interleave(knobs.noise_pictures)
    return torch.cat(pictures), labels


def _mixed_epoch(
    kept: Pool, noise: Tensor, noise_labels: Tensor, *, knobs: Knobs, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """One shuffled pass over kept pictures and noise together; the noise is neither shifted nor mirrored."""
    order = torch.randperm(len(kept) + len(noise), generator=generator).to(noise.device)
    for chosen in order.split(knobs.batch):
        rows = kept.rows[chosen[chosen < len(kept)]]
        own = chosen[chosen >= len(kept)] - len(kept)
        real = crop_and_flip(kept.images, rows, generator) if knobs.augment else kept.images[rows]
        mixed = torch.cat([to_floats(real), noise[own]]).contiguous(memory_format=torch.channels_last)
        yield mixed, torch.cat([kept.labels[rows], noise_labels[own]])


def _train(
    problem: Problem,
    batches: Iterator[tuple[Tensor, Tensor]],
    track: Tracker,
    *,
    lr: float,
    falls_over: int | None = None,
) -> None:
    """Adam on cross-entropy over the batches; the rate falls in a straight line over so many steps, or stays."""
    optimiser = torch.optim.Adam(problem.net.parameters(), lr, fused=True)
    for step, (pictures, labels) in enumerate(track.over(batches)):
        if falls_over:
            fall(optimiser, lr, step=step, steps=falls_over)
        with fast(problem.device):
            loss = F.cross_entropy(problem.net(pictures), labels)
        descend(optimiser, loss)
        track.log(loss=loss.item())


def _passes(knobs: Knobs, sizes: Sizes) -> int:
    kept = min(knobs.kept_per_class * sizes.kept_classes, sizes.retain)
    noise = knobs.noise_pictures * sizes.forgotten_classes
    return (
        noise * knobs.noise_steps
        + (kept + noise * knobs.noise_repeats) * knobs.impair_epochs
        + kept * knobs.repair_epochs
    )


METHOD = Method(
    id="unsir",
    title="UNSIR",
    group="Wreck and mend",
    summary="noise, impair, repair · sees no forgotten picture",
    idea="Learns a noise that the net is most wrong about, teaches it that this noise *is* the class, and so spoils "
    "what it knew (**impair**); then trains briefly on what is kept (**repair**).",
    fails="A class that no other looks like comes back during repair when the rates are low; high rates cost the other "
    "classes. Much noise can keep a class alive: compare the preset without. It cannot forget single pictures.",
    paper=Paper("Tarun et al., Fast Yet Effective Machine Unlearning, TNNLS 2023", "https://arxiv.org/abs/2111.08947"),
    supports=frozenset({"classes"}),
    params=Knobs,
    presets={
        "bundled": Preset(
            "bundled", "Tuned for the bundled classifier on airplane and dog, by validation pictures.", Knobs()
        ),
        "no-noise": Preset("no noise", "The same without noise pictures: shows what they do.", Knobs(noise_pictures=0)),
        "no-impair": Preset(
            "no impair", "Noise is learnt but never taught: shows what repair alone forgets.", Knobs(impair_epochs=0)
        ),
        "no-repair": Preset(
            "no repair", "Stops after impair: what repair mends is still broken.", Knobs(repair_epochs=0)
        ),
        "paper": Preset(
            "paper",
            "The published settings, made for a larger net: expect the kept classes to suffer here.",
            Knobs(
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
    needs=lambda knobs: Needs(forget=False, retain=True),
    passes=_passes,
    forget=forget,
)
