"""Stacked training: several trials of one model on one device, with stacked weights and one forward pass for all.

Every trial has its own weights, batch-norm statistics, data order, learning rate, momentum and weight decay; all trials
share the shapes of their tensors. A small model does not saturate a GPU; a stack uses it better. A trial's step is that
of `torch.optim.SGD` with Nesterov momentum, and its result equals that of training alone, except for rounding: the
stack's convolutions are one grouped convolution, its batch norms one wide one (torch.func.vmap).
"""

import copy
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn import functional as F

from unlearn_core.domain.errors import DivergedError, NotSupportedError, UnlearnError
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.precision import autocast
from unlearn_core.training.problem import Problem

Batch = tuple[Tensor, Tensor]
"""Images (B, C, H, W) float32 in [0, 1] and labels (B,) int64."""

MAX_IMAGES_PER_STEP = 8_192
"""Maximum number of images in one step of a whole stack: about 20 GB of activations for a ResNet-20."""


class StackedTrial(NamedTuple):
    """One trial of a stack. `batches` have the same number and sizes in every trial."""

    model: nn.Module
    tracker: Tracker
    batches: Iterable[Batch]
    rate: float
    momentum: float
    weight_decay: float


class Stack(NamedTuple):
    """The weights and buffers of K models of one architecture, each (K, ...), and a shell module to evaluate them."""

    shell: nn.Module
    weights: dict[str, Tensor]
    buffers: dict[str, Tensor]


def why_not_stackable(model: nn.Module) -> str | None:
    """Why trials of this model cannot be stacked, in a sentence; None if they can."""
    if any(_draws_at_random(module) for module in model.modules()):
        return "This model uses dropout or stochastic depth, and a stack would share the draws between all trials."
    if len(list(model.named_parameters(remove_duplicate=False))) > len(list(model.named_parameters())):
        return "This model shares weights between modules, and a stack would separate them."
    return None


def _draws_at_random(module: nn.Module) -> bool:
    """Whether it is dropout, or stochastic depth of torchvision or timm, which drops whole blocks."""
    if type(module).__name__ in ("StochasticDepth", "DropPath"):
        return (getattr(module, "p", 0) or getattr(module, "drop_prob", 0)) > 0
    return isinstance(module, nn.modules.dropout._DropoutNd) and module.p > 0


def batches_by_seed(
    problems: Sequence[Problem], batches: Callable[[Problem], Iterator[Batch]]
) -> list[Iterator[Batch]]:
    """Each problem's batches; problems with the same seed share them, so that they are created only once."""
    sharing: dict[int, list[int]] = {}
    for place, problem in enumerate(problems):
        sharing.setdefault(problem.seed, []).append(place)
    found: dict[int, Iterator[Batch]] = {}
    for places in sharing.values():
        found |= zip(places, _shared(batches(problems[places[0]]), len(places)), strict=True)
    return [found[place] for place in range(len(problems))]


def _shared(source: Iterator[Batch], count: int) -> list[Iterator[Batch]]:
    """`count` iterators over one source. (`itertools.tee` would hold up to 57 items that all have consumed.)"""
    waiting: list[deque[Batch]] = [deque() for _ in range(count)]

    def own(queue: deque[Batch]) -> Iterator[Batch]:
        while True:
            if not queue:
                for batch in islice(source, 1):
                    for each in waiting:
                        each.append(batch)
                    del batch
            if not queue:
                return
            yield queue.popleft()

    return [own(queue) for queue in waiting]


def train_stacked(trials: Sequence[StackedTrial], *, steps: int, linear_decay: bool) -> list[UnlearnError | None]:
    """Train every trial's model in place by cross-entropy, in one pass per step; returns each trial's error or None.

    With `linear_decay` each rate decays linearly to 0 over `steps`. A trial that is cancelled, or whose loss is not
    finite (DivergedError), keeps its weights from before that step, and the others continue; its batch-norm statistics
    are meaningless. Every trial's model has its current weights whenever its tracker evaluates it. Raises
    NotSupportedError if the models cannot be stacked.
    """
    ended: list[UnlearnError | None] = [None] * len(trials)
    device = next(trials[0].model.parameters()).device
    rates, momenta, decays = (
        torch.tensor([getattr(trial, name) for trial in trials], device=device)
        for name in ("rate", "momentum", "weight_decay")
    )
    with stack_models([trial.model for trial in trials]) as stack:
        moving: dict[str, Tensor] = {}
        for step, batches in enumerate(_in_step(trials, ended)):
            losses = _losses(stack, batches, device)
            slopes = torch.autograd.grad(losses.sum(), list(stack.weights.values()))
            for place, loss in enumerate(losses.tolist()):
                if ended[place] is not None:
                    continue
                if loss != loss or loss in (float("inf"), float("-inf")):
                    ended[place] = DivergedError(
                        "The loss is no longer a number. Lower the learning rate and run again."
                    )
                else:
                    trials[place].tracker.log(loss=loss)
            going = torch.tensor([end is None for end in ended], device=device)
            rate = rates * (1 - step / steps) if linear_decay else rates
            _step(stack, slopes, moving, rate=rate, momentum=momenta, decay=decays, going=going)
    return ended


@contextmanager
def stack_models(models: Sequence[nn.Module]) -> Iterator[Stack]:
    """Make the models views into one stack for the block; afterwards each has its own memory again.

    Raises NotSupportedError if they use dropout or are not of one architecture.
    """
    reason = why_not_stackable(models[0])
    if reason is not None:
        raise NotSupportedError(reason)
    shapes = {tuple((name, tensor.shape) for name, tensor in model.state_dict().items()) for model in models}
    if len(shapes) > 1:
        raise NotSupportedError("Models with different tensor shapes cannot be stacked.")
    weights = {
        name: torch.stack([model.get_parameter(name).detach() for model in models])
        for name, _ in models[0].named_parameters()
    }
    buffers = {name: torch.stack([model.get_buffer(name) for model in models]) for name, _ in models[0].named_buffers()}
    own = [_attach(model, weights, buffers, place) for place, model in enumerate(models)]
    shell = copy.deepcopy(models[0]).train()
    try:
        yield Stack(shell, {name: weight.requires_grad_() for name, weight in weights.items()}, buffers)
    finally:
        for model, tensors in zip(models, own, strict=True):
            _detach(model, tensors)


def _attach(
    model: nn.Module, weights: dict[str, Tensor], buffers: dict[str, Tensor], place: int
) -> dict[tuple[str, str], Tensor]:
    """Replace a model's tensors by views and return the originals. The views share the stack's version counters."""
    had: dict[tuple[str, str], Tensor] = {}
    for path, module in model.named_modules():
        for kind, known in (("_parameters", weights), ("_buffers", buffers)):
            slots = getattr(module, kind)
            for name, tensor in slots.items():
                whole = f"{path}.{name}" if path else name
                if tensor is not None and whole in known:
                    view = known[whole].detach()[place]
                    had[path, name] = tensor
                    slots[name] = nn.Parameter(view, tensor.requires_grad) if kind == "_parameters" else view
    return had


def _detach(model: nn.Module, had: dict[tuple[str, str], Tensor]) -> None:
    """Restore a model's own tensors, with their new values."""
    with torch.no_grad():
        for (path, name), tensor in had.items():
            module = model.get_submodule(path)
            slots = module._parameters if name in module._parameters else module._buffers
            tensor.copy_(slots[name])  # pyright: ignore[reportArgumentType]
            slots[name] = tensor  # pyright: ignore[reportArgumentType]


def _in_step(trials: Sequence[StackedTrial], ended: list[UnlearnError | None]) -> Iterator[list[Batch]]:
    """One batch of every trial at a time; a trial that has ended gets another's batch, which has the right size."""
    sources = [iter(trial.batches) for trial in trials]
    walking = [iter(trial.tracker.iterate(source)) for trial, source in zip(trials, sources, strict=True)]
    held: list[Batch | None] = [None] * len(trials)
    while True:
        over = 0
        for place, walk in enumerate(walking):
            if ended[place] is None:
                try:
                    held[place] = next(walk)
                except StopIteration:
                    over += 1
                except UnlearnError as reason:
                    ended[place] = reason
            else:
                next(sources[place], None)  # Shared batches are held until every trial has consumed them.
        if over or all(end is not None for end in ended):
            return
        going = next(batch for batch, end in zip(held, ended, strict=True) if batch is not None and end is None)
        yield [batch if batch is not None and end is None else going for batch, end in zip(held, ended, strict=True)]


def _losses(stack: Stack, batches: Sequence[Batch], device: torch.device) -> Tensor:
    """The cross-entropy (K,) of every model on its own batch; batch-norm statistics are updated."""
    shared = all(batch[0] is batches[0][0] for batch in batches)
    if shared:
        images, labels = batches[0]
    else:
        images, labels = (torch.stack(parts) for parts in zip(*batches, strict=True))

    def loss(weights: dict[str, Tensor], buffers: dict[str, Tensor], images: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(functional_call(stack.shell, (weights, buffers), (images,)), labels)

    with autocast(device):
        every = vmap(loss, in_dims=(0, 0, None, None) if shared else 0)
        return every(stack.weights, stack.buffers, images, labels)


@torch.no_grad()
def _step(
    stack: Stack,
    slopes: Sequence[Tensor],
    moving: dict[str, Tensor],
    *,
    rate: Tensor,
    momentum: Tensor,
    decay: Tensor,
    going: Tensor,
) -> None:
    """One SGD step with Nesterov momentum for every model with its own settings (K,); those not `going` stay."""
    for (name, weight), slope in zip(stack.weights.items(), slopes, strict=True):
        wide = (-1, *[1] * (weight.dim() - 1))
        slope = slope + decay.view(wide) * weight
        moved = moving.setdefault(name, torch.zeros_like(weight)).mul_(momentum.view(wide)).add_(slope)
        slope = slope + momentum.view(wide) * moved
        weight.sub_(torch.where(going.view(wide), rate.view(wide) * slope, 0.0))
