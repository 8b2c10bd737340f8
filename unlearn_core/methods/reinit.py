"""Stochastic re-initialisation: redraw random layers, relearn the old answers (Ahn et al., NeurIPS challenge 2023).

Idea. A few times over, draw layers at random and give them fresh weights, which destroys what they knew; then teach
the net, on kept pictures alone, to answer as the original does: the squared distance between the two nets' logits,
both shown the same picture under the same Gaussian noise. Neither forgotten pictures nor labels are used.

Cost. Epochs over the kept pictures (five in the report), with a forward pass of the original beside each.

When it fails. What no drawn layer held is not forgotten, and the original hands on what it knows of the forgotten
through kept pictures that are like them: nothing is guaranteed, and every seed forgets something else. Under noise
that the original itself does not bear it teaches nonsense. A small net wants more steps than the report took.

There is no official code, and the report names no optimiser. Our readings: two layers in each of three cycles (six in
all, which fits its table of 10, 20 and 30 % redrawn); squares summed over the classes and averaged over pictures, as
it is printed (the framework's mean over both is a tenth of that, so that SGD takes ten times the rate for the same
step; AdamW does not mind); SGD as in the challenge's starting code; noise of 0.01 as printed, or 0.1 if that is a
variance. Choosing layers by Fisher information is its ablation, and the only setting that sees forgotten pictures.
Ours, not the report's: where whole classes are forgotten, the original's logit of such a class is lowered to the
picture's lowest logit of a kept class, so that the net learns to rule it out without seeing a picture of it.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from math import cos, pi

import torch
from torch import Tensor
from torch.nn import functional as F

from unlearn_core.domain.method import DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter, parse_int_list
from unlearn_core.domain.shared_params import augment, batch_size, learning_rate, momentum, weight_decay
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.importance import fisher_diagonal, images_per_chunk
from unlearn_core.training.optim import optimizer_step
from unlearn_core.training.precision import autocast
from unlearn_core.training.problem import Problem
from unlearn_core.training.reinitialize import (
    following_norms,
    random_masks,
    reinitializable_layers,
    reinitialize,
    reinitialize_where,
)

FISHER_IMAGES = 64
"""Forgotten pictures at most that the Fisher information is taken from, where it chooses the layers."""


_fine = partial(hyperparameter, advanced=True)


class Hyperparameters(BaseHyperparameters):
    """Stochastic re-initialisation's hyper-parameters."""

    cycles: int = hyperparameter(
        3, low=1, high=10, title="Cycles", unit="cycles", explain="How often layers are redrawn and taught again."
    )
    layers: str = hyperparameter(
        "2",
        title="Layers a cycle",
        unit="layers",
        symbol="m",
        explain="How many layers are redrawn in each cycle; the last number also holds for the cycles after it.",
    )
    epochs: str = hyperparameter(
        "1,2,2",
        title="Epochs a cycle",
        unit="epochs",
        explain="Passes over the kept pictures after each redrawing; the last number also holds for later cycles.",
    )
    sigma: float = hyperparameter(
        0.01,
        low=0.0,
        high=0.3,
        step=0.01,
        title="Noise on the pictures",
        unit="of the pixel range",
        symbol="σ",
        explain="Gaussian noise that both nets see; more than the original itself bears teaches nonsense.",
    )
    lr: float = learning_rate(0.003, explain="How fast the old answers are learnt again.")
    share: float = hyperparameter(
        0.7, low=0.05, high=1.0, step=0.05, title="Share of kept pictures", explain="How many of them an epoch sees."
    )
    loss: str = hyperparameter(
        "mse",
        choices=("mse", "l1", "ce"),
        title="Loss",
        explain="Squared or absolute distance to the original's logits, or cross-entropy on the labels.",
    )
    choice: str = _fine(
        "random",
        choices=("random", "fisher"),
        title="Layers chosen by",
        explain="Chance, or where a weight's Fisher information on the forgotten pictures is highest.",
    )
    granularity: str = _fine(
        "layers",
        choices=("layers", "weights"),
        title="What is redrawn",
        explain="Whole layers, or the same share of single weights in every layer.",
    )
    replacement: bool = _fine(
        True, title="Draw with replacement", explain="If off, no layer is drawn again before all others have been."
    )
    spare_head: bool = _fine(True, title="Spare the head", explain="Never redraws the last layer.")
    spare_shortcuts: bool = _fine(
        True, title="Spare the shortcuts", explain="Never redraws the 1x1 projections beside blocks."
    )
    reset_norm: bool = _fine(
        False,
        title="Redraw batch norm too",
        explain="Resets scale, shift and statistics of the batch norm that follows a drawn layer.",
    )
    mask: bool = _fine(
        True,
        title="Mask forgotten classes",
        explain="Teaches that a forgotten class is as unlikely as the least likely kept one.",
    )
    optimiser: str = _fine("AdamW", choices=("AdamW", "SGD"), title="Optimiser", explain="It begins anew each cycle.")
    schedule: str = _fine(
        "each cycle",
        choices=("each cycle", "whole run", "half then full"),
        title="Rate falls over",
        explain="A cosine to 0 over each cycle or over the run; or half the rate for one epoch, then all of it.",
    )
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    batch: int = batch_size(64)


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Redraws layers of `problem.net` and teaches it the original's answers; raises Diverged where that fails."""
    pool, counts, epochs = _pool(problem, params), _each(params.layers, params), _each(params.epochs, params)
    steps = [count * -(-_num_seen(params, len(problem.retain)) // params.batch) for count in epochs]
    scored = (
        problem.forget.sample(FISHER_IMAGES, problem.random_generator("scored")) if params.choice == "fisher" else None
    )
    scoring = (
        {}
        if scored is None
        else {"score": scored.num_batches(images_per_chunk(problem.original_model, outputs=problem.classes))}
    )
    cycles = [f"cycle {number}" for number in range(1, params.cycles + 1)]
    tracker.plan(**scoring, **dict(zip(cycles, steps, strict=True)))
    ranking = None
    if scored is not None:
        tracker.phase("score")
        ranking = _ranking(fisher_diagonal(problem.original_model, scored.tensors()[0], progress=tracker.iterate), pool)
    draws = _draws(len(pool), counts, params.replacement, problem.random_generator("layers"), ranking)
    _keep(tracker, params, pool, [len(draw) / len(pool) for draw in draws], draws)
    for cycle, rates in enumerate(_rates(params, steps)):
        tracker.phase(cycles[cycle])
        if params.granularity == "layers":
            drawn = sorted({pool[place] for place in draws[cycle].tolist()})
            beside = following_norms(problem.model) if params.reset_norm else {}
            reinitialize(
                problem.model, problem.fresh_model(cycle), [*drawn, *(beside[name] for name in drawn if name in beside)]
            )
        else:
            share = min(1.0, len(draws[cycle]) / len(pool))
            masks = random_masks(problem.model, pool, share, problem.random_generator("weights", cycle))
            reinitialize_where(problem.model, problem.fresh_model(cycle), masks)
        _distill(problem, params, tracker, cycle=cycle, epochs=epochs[cycle], rates=rates)


def _pool(problem: Problem, params: Hyperparameters) -> list[str]:
    """The layers that may be drawn, by name: convolutions and linear layers, less those that are spared."""
    roles = problem.classifier.roles
    head = roles.head if params.spare_head else ()
    return reinitializable_layers(problem.model, spared=(*head, *(roles.shortcuts if params.spare_shortcuts else ())))


def _each(text: str, params: Hyperparameters) -> list[int]:
    """The number of every cycle; the last one given also holds for the cycles after it."""
    given = parse_int_list(text)
    return [given[min(cycle, len(given) - 1)] for cycle in range(params.cycles)]


def _num_seen(params: Hyperparameters, num_retain: int) -> int:
    """How many kept pictures an epoch sees."""
    return max(1, round(params.share * num_retain))


def _ranking(fisher: dict[str, Tensor], pool: list[str]) -> Tensor:
    """The places in the pool, the layer with the highest mean Fisher information of a weight first."""
    return torch.stack([fisher[f"{name}.weight"].mean() for name in pool]).argsort(descending=True).cpu()


def _draws(
    count: int, sizes: Sequence[int], replacement: bool, generator: torch.Generator, ranking: Tensor | None
) -> list[Tensor]:
    """The places in a pool of `count` layers that each cycle draws, a layer's as often as it was drawn."""
    if replacement and ranking is not None:
        return [ranking[:size] for size in sizes]
    if replacement:
        return [torch.randint(count, (size,), generator=generator) for size in sizes]
    rounds = range(-(-sum(sizes) // count) or 1)
    deck = [torch.randperm(count, generator=generator) if ranking is None else ranking for _ in rounds]
    return list(torch.cat(deck)[: sum(sizes)].split(list(sizes)))


def _rates(params: Hyperparameters, steps: Sequence[int]) -> list[list[float]]:
    """The learning rate of every step, cycle by cycle."""
    begun, rates = 0, []
    for cycle, count in enumerate(steps):
        if params.schedule == "half then full":
            first = count // max(1, _each(params.epochs, params)[0]) if cycle == 0 else 0
            rates.append([params.lr / 2 if step < first else params.lr for step in range(count)])
        else:
            start, whole = (0, count) if params.schedule == "each cycle" else (begun, sum(steps))
            rates.append([params.lr * (1 + cos(pi * (start + step) / whole)) / 2 for step in range(count)])
        begun += count
    return rates


def _distill(
    problem: Problem, params: Hyperparameters, tracker: Tracker, *, cycle: int, epochs: int, rates: Sequence[float]
) -> None:
    """Teaches the net the original's answers to kept pictures under noise; both see the very same input."""
    net, weights = problem.model.train(), problem.model.parameters()
    if params.optimiser == "SGD":
        optimiser = torch.optim.SGD(weights, params.lr, params.momentum, weight_decay=params.weight_decay)
    else:
        optimiser = torch.optim.AdamW(weights, params.lr, weight_decay=params.weight_decay)
    noise = problem.random_generator("noise", cycle)
    for (pictures, labels), rate in zip(tracker.iterate(_epochs(problem, params, cycle, epochs)), rates, strict=True):
        drift = torch.randn(pictures.shape, generator=noise).to(pictures.device)
        seen = (pictures + params.sigma * drift).contiguous(memory_format=torch.channels_last)
        with autocast(problem.device):
            with torch.no_grad():
                taught = problem.original_model(seen)
            learnt = net(seen)
        taught = _masked(taught.float(), problem.retained_classes) if params.mask else taught.float()
        loss = _distance(learnt.float(), taught, labels, params.loss)
        optimiser.param_groups[0]["lr"] = rate
        optimizer_step(optimiser, loss)
        tracker.log(loss=loss.item())


def _epochs(problem: Problem, params: Hyperparameters, cycle: int, epochs: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches of a cycle; each epoch sees its own random share of the kept pictures."""
    for number in range(epochs):
        kept = problem.retain.sample(
            _num_seen(params, len(problem.retain)), problem.random_generator("share", cycle, number)
        )
        yield from kept.batches(params.batch, problem.random_generator("epoch", cycle, number), augment=params.augment)


def _masked(taught: Tensor, retained: Tensor) -> Tensor:
    """Logits (B, C), those of classes that are not `kept` (k,) lowered to the picture's lowest kept one."""
    own = taught[:, retained]
    return own.amin(1, keepdim=True).expand_as(taught).clone().index_copy_(1, retained, own)


def _distance(learnt: Tensor, taught: Tensor, labels: Tensor, loss: str) -> Tensor:
    """L_KP of logits (B, C): squares (or sizes) summed over classes, mean over pictures; or cross-entropy on labels."""
    if loss == "ce":
        return F.cross_entropy(learnt, labels)
    gap = learnt - taught
    return (gap.square() if loss == "mse" else gap.abs()).sum(1).mean()


def _keep(tracker: Tracker, params: Hyperparameters, pool: list[str], shares: list[float], draws: list[Tensor]) -> None:
    """Notes what was redrawn: how often each layer in each cycle, or which share of every layer's weights."""
    if params.granularity == "layers":
        counts = torch.stack([torch.bincount(draw, minlength=len(pool)) for draw in draws])
    else:
        counts = torch.tensor(shares).clamp(max=1)[:, None].expand(-1, len(pool))
    tracker.save_artifact("drawn_layers", counts, layers=pool, of=params.granularity, choice=params.choice)


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    scored = min(FISHER_IMAGES, sizes.forget) * sizes.classes if params.choice == "fisher" else 0
    return scored + _num_seen(params, sizes.retain) * sum(_each(params.epochs, params))


_FOR_IMAGES = Hyperparameters(cycles=2, epochs="1,4")
_REPORT = {"optimiser": "SGD", "sigma": 0.01, "share": 1.0, "augment": False, "batch": 64, "mask": False}

METHOD = Method(
    id="reinit",
    title="Stochastic re-init",
    group="Wreck and mend",
    summary="redraw layers by chance, relearn the old answers · sees no forgotten picture",
    idea="Gives layers drawn by chance **fresh weights**, which wipes out what they knew, then teaches the net to "
    "answer as before, on kept pictures alone and under noise (**knowledge preserving**). A few times over.",
    failure_modes="What the drawn layers did not hold stays, and the original hands on what it knows through kept pictures "
    "that are like the forgotten ones: nothing is guaranteed, and each seed forgets something else. Whole classes go "
    "only because their answers are masked.",
    paper=Reference(
        "Ahn et al., Stochastic Unlearning with Knowledge Preserving Loss, NeurIPS Machine Unlearning Challenge 2023",
        "https://junhyunb.github.io/en/projects/neurips2023-unlearning/",
    ),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "AdamW at a higher rate than the report's, fewer pictures an epoch, crops, forgotten classes masked.",
            Hyperparameters(),
            by_request_size={"few pictures": _FOR_IMAGES, "many pictures": _FOR_IMAGES},
        ),
        "paper-1": Preset(
            "report 1",
            "The report's first algorithm: a cosine from 0.001, noise of 0.01; nothing masks a class.",
            Hyperparameters(lr=1e-3, cycles=3, layers="2", epochs="1,2,2", **_REPORT),
        ),
        "paper-2": Preset(
            "report 2",
            "Its second: four cycles of 2, 1, 1, 1 epochs, half the rate in the first; six layers in all.",
            Hyperparameters(
                lr=1e-3, cycles=4, layers="2,2,1,1", epochs="2,1,1,1", schedule="half then full", **_REPORT
            ),
        ),
        "noise": Preset(
            "noise 0.1",
            "The report's 0.01 read as a variance: under so much noise the original itself is mostly wrong here.",
            Hyperparameters(sigma=0.1),
        ),
        "all-layers": Preset(
            "all layers",
            "The head and the shortcuts may be redrawn too.",
            Hyperparameters(spare_head=False, spare_shortcuts=False),
        ),
        "one-cycle": Preset(
            "one cycle",
            "The same layers and epochs in a single cycle.",
            Hyperparameters(cycles=1, layers="6", epochs="5"),
        ),
        "fisher": Preset(
            "by Fisher",
            "Takes the layers that matter most to the forgotten pictures, which it must see for that.",
            Hyperparameters(choice="fisher"),
        ),
        "no-mask": Preset(
            "unmasked", "A forgotten class is not masked: the original teaches it again.", Hyperparameters(mask=False)
        ),
    },
    needs=lambda knobs: DataAccess(forget=knobs.choice == "fisher", retain=True),
    images_processed=_images_processed,
    forget=forget,
)
