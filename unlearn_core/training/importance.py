"""How much each weight matters, taken from gradients: float32, eval mode, of single pictures or of whole batches."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vjp, vmap

from unlearn_core.training.evaluate import eval_mode

MAX_IMAGES_PER_CHUNK = 32
MAX_GRADIENT_VALUES = 2**26
"""Gradients of single pictures are held for at most so many numbers at a time (256 MB)."""


def images_per_chunk(model: nn.Module, *, outputs: int = 1) -> int:
    """How many pictures' own gradients are taken together, `answers` of each: 32 pictures, fewer of a large net."""
    return max(
        1,
        min(
            MAX_IMAGES_PER_CHUNK,
            MAX_GRADIENT_VALUES // (outputs * sum(weight.numel() for weight in model.parameters())),
        ),
    )


def per_sample_gradients(model: nn.Module, score: Callable[..., Tensor]) -> Callable[..., dict[str, Tensor]]:
    """A function of pictures (B, 3, H, W) and labels (B,): each picture's own gradient (B, *shape) of every weight.

    `score(logits, label)` turns one picture's logits (C,) into one number. The net must be in eval mode: batch
    statistics would make one picture's gradient depend on the others.
    """
    # Weights and pictures lie in the usual order: channels last is slower here on a CPU.
    weights = {name: weight.detach().contiguous() for name, weight in model.named_parameters()}
    buffers = dict(model.named_buffers())

    def value(weights: dict[str, Tensor], image: Tensor, label: Tensor) -> Tensor:
        return score(functional_call(model, (weights, buffers), (image[None],))[0], label)

    one_by_one = vmap(grad(value), in_dims=(None, 0, 0))
    return lambda pictures, labels: one_by_one(weights, pictures.contiguous(), labels)


def output_sensitivity(
    model: nn.Module, images: Tensor, *, progress: Callable[[Iterable[Any]], Iterator[Any]] = iter
) -> dict[str, Tensor]:
    """For every weight the mean over pictures of |d ||f(x)||_2 / d weight| (MAS, as L2UL uses it: no square).

    `over` is handed one item for every `at_once(net)` pictures. Source: Aljundi et al. 2018; Cha et al. 2024.
    """
    totals = {name: torch.zeros_like(weight) for name, weight in model.named_parameters()}
    with eval_mode(model):
        gradients = per_sample_gradients(model, lambda logits, _: logits.norm())
        for (part,) in progress((part,) for part in images.split(images_per_chunk(model))):
            none = torch.zeros(len(part), dtype=torch.long, device=part.device)
            for name, slopes in gradients(part, none).items():
                totals[name] += slopes.abs().sum(0)
    return {name: total / len(images) for name, total in totals.items()}


def min_max_scaled(importance: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Each tensor stretched to [0, 1] by its own smallest and largest number; one of equal numbers becomes 0."""
    return {
        name: (values - values.min()) / (values.max() - values.min()).clamp_min(1e-12)
        for name, values in importance.items()
    }


def weighted_l2(model: nn.Module, anchor: nn.Module, strength: Mapping[str, Tensor]) -> Tensor:
    """1/2 sum_i hold_i (w_i - w0_i)^2: how far the net's weights are from the anchor's, each as firmly as it is held.

    R_IMP of L2UL, with hold = 1 - importance.
    """
    start = dict(anchor.named_parameters())
    parts = [
        (strength[name] * (weight - start[name].detach()).square()).sum() for name, weight in model.named_parameters()
    ]
    return 0.5 * torch.stack(parts).sum()


def fisher_diagonal(
    model: nn.Module, images: Tensor, *, progress: Callable[[Iterable[Any]], Iterator[Any]] = iter
) -> dict[str, Tensor]:
    """For every weight the mean over pictures of sum_y p(y|x) (d log p(y|x) / d weight)^2: the Fisher diagonal.

    The expectation is over the net's own answers, so no labels are needed. `over` is handed one item for every
    `at_once(net, answers=C)` pictures, with each picture in it once a class: so many backward passes there are.
    Source: Golatkar et al. 2020, section 5.
    """
    # Weights and pictures lie in the usual order: with channels last this is two to three times slower on a CPU.
    weights = {name: weight.detach().contiguous() for name, weight in model.named_parameters()}
    buffers = dict(model.named_buffers())

    def own(image: Tensor) -> dict[str, Tensor]:
        def log_shares(weights: dict[str, Tensor]) -> Tensor:
            return functional_call(model, (weights, buffers), (image[None],))[0].log_softmax(0)

        answer, back = vjp(log_shares, weights)[:2]
        slopes = vmap(lambda way: back(way)[0])(torch.eye(len(answer), device=answer.device, dtype=answer.dtype))
        return {name: torch.einsum("y,y...->...", answer.exp(), slope.square()) for name, slope in slopes.items()}

    totals = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    with eval_mode(model), torch.no_grad():
        classes = model(images[:1]).shape[1]
        parts = images.contiguous().split(images_per_chunk(model, outputs=classes))
        for _, part in progress((part.repeat_interleave(classes, 0), part) for part in parts):
            for name, squares in vmap(own)(part).items():
                totals[name] += squares.sum(0)
    return {name: total / len(images) for name, total in totals.items()}


def batch_gradients(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    *,
    score: Callable[[Tensor, Tensor], Tensor],
    measure: Callable[[Tensor], Tensor],
) -> dict[str, Tensor]:
    """For every weight the mean over batches of `measure` of the gradient of a whole batch's score.

    `score(logits, labels)` is one number a batch, such as its mean cross-entropy; `measure` is taken of each batch's
    gradient: its square (SSD), its size (SSD without labels), itself (SalUn). Every batch counts the same, also a
    short one. The net's weights must take gradients. Sources: Foster et al. 2024; Fan et al. 2024.
    """
    weights = dict(model.named_parameters())
    totals = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    count = 0
    with eval_mode(model):
        for pictures, labels in batches:
            slopes = torch.autograd.grad(score(model(pictures), labels), list(weights.values()))
            for total, slope in zip(totals.values(), slopes, strict=True):
                total += measure(slope)
            count += 1
    return {name: total / count for name, total in totals.items()}


def share_by_layer(chosen: Mapping[str, Tensor], layers: Iterable[str]) -> list[float]:
    """Of each layer (a dotted module name) the share (0 to 1) of its weights that are chosen (True in `chosen`).

    Of numbers instead of True and False it is the mean over the layer's weights.
    """
    return [float(torch.cat(parts).float().mean()) for parts in _by_layer(chosen, layers)]


def weights_by_layer(chosen: Mapping[str, Tensor], layers: Iterable[str]) -> list[int]:
    """How many weights each layer (a dotted module name) has."""
    return [torch.cat(parts).numel() for parts in _by_layer(chosen, layers)]


def _by_layer(values: Mapping[str, Tensor], layers: Iterable[str]) -> list[list[Tensor]]:
    return [[each.flatten() for name, each in values.items() if name.startswith(f"{layer}.")] for layer in layers]
