"""Several trials of one net trained side by side on one device: their weights stacked, one forward pass for all.

Every trial has its own weights, batch-norm statistics, data order, learning rate, momentum and weight decay; what it
shares with the others is the shape of everything. A small net leaves a GPU idle, and so do not so small ones stacked.
A single trial's step is that of `torch.optim.SGD` with Nesterov momentum, and its result that of training it alone, but
for rounding: the stack's convolutions are one grouped convolution, its batch norms one wide one (torch.func.vmap).
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
"""Pictures (B, C, H, W) float32 in [0, 1] and labels (B,) int64."""

MAX_IMAGES_PER_STEP = 8_192
"""Pictures that one step of a whole stack may hold: some 20 GB of a ResNet-20's activations."""


class StackedTrial(NamedTuple):
    """One trial of a stack. `batches` are as many, and of the same sizes, as those of every other lane."""

    model: nn.Module
    tracker: Tracker
    batches: Iterable[Batch]
    rate: float
    momentum: float
    weight_decay: float


class Stack(NamedTuple):
    """The weights and buffers of K nets of one architecture, each (K, ...), and an empty shell to call them through."""

    shell: nn.Module
    weights: dict[str, Tensor]
    buffers: dict[str, Tensor]


def why_not_stackable(model: nn.Module) -> str | None:
    """Why trials of this net cannot be trained side by side, in a sentence; None where they can."""
    drawn = [module for module in model.modules() if isinstance(module, nn.modules.dropout._DropoutNd) and module.p > 0]
    if drawn:
        return "This net draws by chance while it is trained (dropout), and a stack would draw once for all trials."
    if len(list(model.named_parameters(remove_duplicate=False))) > len(list(model.named_parameters())):
        return "This net uses some weights in two places, which a stack would take apart."
    return None


def batches_by_seed(
    problems: Sequence[Problem], batches: Callable[[Problem], Iterator[Batch]]
) -> list[Iterator[Batch]]:
    """Each problem's batches; problems of one seed see the same ones, which are then cut from the data only once."""
    sharing: dict[int, list[int]] = {}
    for place, problem in enumerate(problems):
        sharing.setdefault(problem.seed, []).append(place)
    found: dict[int, Iterator[Batch]] = {}
    for places in sharing.values():
        found |= zip(places, _shared(batches(problems[places[0]]), len(places)), strict=True)
    return [found[place] for place in range(len(problems))]


def _shared(source: Iterator[Batch], count: int) -> list[Iterator[Batch]]:
    """So many iterators over one source. (`itertools.tee` keeps up to 57 items that all have had already.)"""
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
    """Trains every lane's net in place by cross-entropy, all in one pass a step; gives what stopped each, or None.

    With `falls` each rate goes to 0 on a straight line over `steps`. A lane that is cancelled, or whose loss is no
    longer a number (Diverged), keeps the weights that it had before that step, and the others go on without it; it is
    a failed trial, whose batch-norm statistics mean nothing. Every lane's net has its present weights whenever its
    tracker looks. Raises NotSupported where the nets do not stack.
    """
    ended: list[UnlearnError | None] = [None] * len(trials)
    device = next(trials[0].model.parameters()).device
    rates, momenta, decays = (
        torch.tensor([getattr(lane, name) for lane in trials], device=device)
        for name in ("rate", "momentum", "weight_decay")
    )
    with stack_models([lane.model for lane in trials]) as stack:
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
    """Makes the nets views into one stack for as long as the block lasts; behind it each has its own memory again.

    Raises NotSupported where they draw by chance, or are not of one architecture.
    """
    reason = why_not_stackable(models[0])
    if reason is not None:
        raise NotSupportedError(reason)
    shapes = {tuple((name, tensor.shape) for name, tensor in net.state_dict().items()) for net in models}
    if len(shapes) > 1:
        raise NotSupportedError("Nets of different shapes cannot be trained side by side.")
    weights = {
        name: torch.stack([net.get_parameter(name).detach() for net in models])
        for name, _ in models[0].named_parameters()
    }
    buffers = {name: torch.stack([net.get_buffer(name) for net in models]) for name, _ in models[0].named_buffers()}
    own = [_attach(net, weights, buffers, place) for place, net in enumerate(models)]
    shell = copy.deepcopy(models[0]).train()
    try:
        yield Stack(shell, {name: weight.requires_grad_() for name, weight in weights.items()}, buffers)
    finally:
        for net, tensors in zip(models, own, strict=True):
            _detach(net, tensors)


def _attach(
    model: nn.Module, weights: dict[str, Tensor], buffers: dict[str, Tensor], place: int
) -> dict[tuple[str, str], Tensor]:
    """Puts views in place of a net's tensors, and gives those that it had. They share the stack's version counters."""
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
    """Puts a net's own tensors back, with what has become of them."""
    with torch.no_grad():
        for (path, name), tensor in had.items():
            module = model.get_submodule(path)
            slots = module._parameters if name in module._parameters else module._buffers
            tensor.copy_(slots[name])  # pyright: ignore[reportArgumentType]
            slots[name] = tensor  # pyright: ignore[reportArgumentType]


def _in_step(trials: Sequence[StackedTrial], ended: list[UnlearnError | None]) -> Iterator[list[Batch]]:
    """One batch of every lane at a time; a lane that has ended is shown a neighbour's, which has the right size."""
    sources = [iter(lane.batches) for lane in trials]
    walking = [iter(lane.tracker.iterate(source)) for lane, source in zip(trials, sources, strict=True)]
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
                next(sources[place], None)  # Batches that lanes share are kept until the last of them has had them.
        if over or all(end is not None for end in ended):
            return
        going = next(batch for batch, end in zip(held, ended, strict=True) if batch is not None and end is None)
        yield [batch if batch is not None and end is None else going for batch, end in zip(held, ended, strict=True)]


def _losses(stack: Stack, batches: Sequence[Batch], device: torch.device) -> Tensor:
    """The cross-entropy (K,) of every net on its own batch, batch-norm statistics moved along."""
    shared = all(batch[0] is batches[0][0] for batch in batches)
    if shared:
        pictures, labels = batches[0]
    else:
        pictures, labels = (torch.stack(parts) for parts in zip(*batches, strict=True))

    def loss(weights: dict[str, Tensor], buffers: dict[str, Tensor], images: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(functional_call(stack.shell, (weights, buffers), (images,)), labels)

    with autocast(device):
        every = vmap(loss, in_dims=(0, 0, None, None) if shared else 0)
        return every(stack.weights, stack.buffers, pictures, labels)


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
    """One step of SGD with Nesterov momentum for every net with its own knobs (K,); those not `going` stay."""
    for (name, weight), slope in zip(stack.weights.items(), slopes, strict=True):
        wide = (-1, *[1] * (weight.dim() - 1))
        slope = slope + decay.view(wide) * weight
        moved = moving.setdefault(name, torch.zeros_like(weight)).mul_(momentum.view(wide)).add_(slope)
        slope = slope + momentum.view(wide) * moved
        weight.sub_(torch.where(going.view(wide), rate.view(wide) * slope, 0.0))
