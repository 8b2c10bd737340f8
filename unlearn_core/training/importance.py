"""Weight importance from gradients of single images or whole batches: Fisher, MAS, saliency; float32, eval mode."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vjp, vmap

from unlearn_core.training.evaluate import eval_mode

MAX_IMAGES_PER_CHUNK = 32
MAX_GRADIENT_VALUES = 2**26
"""Maximum number of values held for per-image gradients at a time (256 MB)."""


def images_per_chunk(model: nn.Module, *, outputs: int = 1) -> int:
    """The number of images whose gradients of `outputs` outputs are computed together; fewer for large models."""
    return max(
        1,
        min(
            MAX_IMAGES_PER_CHUNK,
            MAX_GRADIENT_VALUES // (outputs * sum(weight.numel() for weight in model.parameters())),
        ),
    )


def per_sample_gradients(model: nn.Module, score: Callable[..., Tensor]) -> Callable[..., dict[str, Tensor]]:
    """A function of images (B, 3, H, W) and labels (B,): each image's own gradient (B, *shape) for every weight.

    `score(logits, label)` maps one image's logits (C,) to a scalar. The model must be in eval mode: batch statistics
    would make one image's gradient depend on the others.
    """
    # Contiguous memory format: channels last is slower here on a CPU.
    weights = {name: weight.detach().contiguous() for name, weight in model.named_parameters()}
    buffers = dict(model.named_buffers())

    def value(weights: dict[str, Tensor], image: Tensor, label: Tensor) -> Tensor:
        return score(functional_call(model, (weights, buffers), (image[None],))[0], label)

    one_by_one = vmap(grad(value), in_dims=(None, 0, 0))
    return lambda images, labels: one_by_one(weights, images.contiguous(), labels)


def output_sensitivity(
    model: nn.Module, images: Tensor, *, progress: Callable[[Iterable[Any]], Iterator[Any]] = iter
) -> dict[str, Tensor]:
    """For every weight the mean over images of |d ||f(x)||_2 / d weight| (MAS, as L2UL uses it: no square).

    `progress` gets one item for every `images_per_chunk(model)` images. Source: Aljundi et al. 2018; Cha et al. 2024.
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
    """Each tensor scaled to [0, 1] by its own minimum and maximum; a constant tensor becomes 0."""
    return {
        name: (values - values.min()) / (values.max() - values.min()).clamp_min(1e-12)
        for name, values in importance.items()
    }


def weighted_l2(model: nn.Module, anchor: nn.Module, strength: Mapping[str, Tensor]) -> Tensor:
    """1/2 sum_i strength_i (w_i - w0_i)^2: the weighted squared distance of the model's weights from the anchor's.

    R_IMP of L2UL, with strength = 1 - importance.
    """
    start = dict(anchor.named_parameters())
    parts = [
        (strength[name] * (weight - start[name].detach()).square()).sum() for name, weight in model.named_parameters()
    ]
    return 0.5 * torch.stack(parts).sum()


def fisher_diagonal(
    model: nn.Module, images: Tensor, *, progress: Callable[[Iterable[Any]], Iterator[Any]] = iter
) -> dict[str, Tensor]:
    """For every weight the mean over images of sum_y p(y|x) (d log p(y|x) / d weight)^2: the Fisher diagonal.

    The expectation is over the model's own outputs, so no labels are needed. `progress` gets one item for every
    `images_per_chunk(model, outputs=C)` images, with each image once per class, the number of backward passes.
    Source: Golatkar et al. 2020, section 5.
    """
    # Contiguous memory format: channels last is two to three times slower here on a CPU.
    weights = {name: weight.detach().contiguous() for name, weight in model.named_parameters()}
    buffers = dict(model.named_buffers())

    def own(image: Tensor) -> dict[str, Tensor]:
        def log_probabilities(weights: dict[str, Tensor]) -> Tensor:
            return functional_call(model, (weights, buffers), (image[None],))[0].log_softmax(0)

        output, pullback = vjp(log_probabilities, weights)[:2]
        gradients = vmap(lambda basis: pullback(basis)[0])(
            torch.eye(len(output), device=output.device, dtype=output.dtype)
        )
        return {name: torch.einsum("y,y...->...", output.exp(), each.square()) for name, each in gradients.items()}

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

    `score(logits, labels)` is a scalar per batch, such as the mean cross-entropy; `measure` is applied to each batch's
    gradient: its square (SSD), its magnitude (SSD without labels), the identity (SalUn). Every batch has equal weight,
    also an incomplete one. The model's weights must require gradients. Sources: Foster et al. 2024; Fan et al. 2024.
    """
    weights = dict(model.named_parameters())
    totals = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    count = 0
    with eval_mode(model):
        for images, labels in batches:
            slopes = torch.autograd.grad(score(model(images), labels), list(weights.values()))
            for total, slope in zip(totals.values(), slopes, strict=True):
                total += measure(slope)
            count += 1
    return {name: total / count for name, total in totals.items()}


def share_by_layer(chosen: Mapping[str, Tensor], layers: Iterable[str]) -> list[float]:
    """For each layer (a dotted module name) the share (0 to 1) of its weights that are True in `chosen`.

    For numbers instead of booleans it is the mean over the layer's weights.
    """
    return [float(torch.cat(parts).float().mean()) for parts in _by_layer(chosen, layers)]


def weights_by_layer(chosen: Mapping[str, Tensor], layers: Iterable[str]) -> list[int]:
    """The number of weights of each layer (a dotted module name)."""
    return [torch.cat(parts).numel() for parts in _by_layer(chosen, layers)]


def _by_layer(values: Mapping[str, Tensor], layers: Iterable[str]) -> list[list[Tensor]]:
    return [[each.flatten() for name, each in values.items() if name.startswith(f"{layer}.")] for layer in layers]
