"""Weight distance: how far the weights of each layer moved, relative to their norm in the original model.

It is the L2 distance between the weights of two models, layer by layer. The distance between two seeds of one recipe
is the reference.
"""

from collections.abc import Collection, Iterator, Mapping
from math import prod
from typing import TypeVar

from torch import Tensor, nn

from unlearn_core.domain.results.layer_comparison import (
    KindWeights,
    LayerStatistics,
    LayerWeights,
    TensorGroup,
    WeightDistance,
    WeightDistanceResult,
)
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.probes.common.context import ProbeContext

PAIRS = {
    "before-after": ("before", "after"),
    "before-gold": ("before", "gold"),
    "before-other": ("before", "other"),
    "gold-twin": ("gold", "twin"),
}
"""The models between which distances are measured; a relative distance is divided by the norm of the first."""
OTHER = "other"
"""The row of tensors that are in no layer of the classifier's card, or of no kind listed here."""
CONV, NORM, HEAD = "conv", "norm", "head"

G = TypeVar("G", bound=TensorGroup)

NamedTensors = Mapping[str, Tensor]
SquaredNorms = dict[str, dict[str, tuple[float, float]]]
"""Per pair and tensor: the squared distance, and the squared norm of the first model's tensor."""


def measure(context: ProbeContext) -> WeightDistanceResult | str:
    """Return the distances by layer and by kind, for weights and, separately, for batch norm's running statistics."""
    if "before" not in context.models:
        return "The original model is not available, so no weight distance can be measured."
    weights = {
        name: {tensor: weight.detach() for tensor, weight in model.named_parameters()}
        for name, model in context.models.items()
    }
    statistics = {name: dict(_statistics(model)) for name, model in context.models.items()}
    roles, model, before = context.classifier.roles, context.models["before"], weights["before"]
    kinds = {tensor: _kind(tensor, model, roles.head) for tensor in before}
    moved = _squares(weights)
    layers = [
        _group(LayerWeights, layer, own, before, moved).model_copy(update={"kinds": _by_kind(own, kinds, moved)})
        for layer, own in _by_layer(before, roles.layers).items()
    ]
    return WeightDistanceResult(
        layers=layers,
        kinds=[
            _group(KindWeights, kind, [tensor for tensor, own in kinds.items() if own == kind], before, moved)
            for kind in (CONV, NORM, HEAD, OTHER)
            if kind in kinds.values()
        ],
        statistics=[
            _group(LayerStatistics, layer, own, statistics["before"], _squares(statistics))
            for layer, own in _by_layer(statistics["before"], roles.layers).items()
        ],
        total=_pairs(moved, before),
        mean=_mean(layers),
    )


def _statistics(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield what is neither a weight nor a counter in the state dict: batch norm's running means and variances."""
    weights = dict(model.named_parameters(remove_duplicate=False))
    for name, tensor in model.state_dict().items():
        if name not in weights and tensor.is_floating_point():
            yield name, tensor


def _squares(tensors: Mapping[str, NamedTensors]) -> SquaredNorms:
    """Return squared distances and norms in double precision: exactly 0 where nothing differs."""
    return {
        pair: {
            name: (_square(tensors[other][name].double() - own.double()), _square(own.double()))
            for name, own in tensors[one].items()
        }
        for pair, (one, other) in PAIRS.items()
        if one in tensors and other in tensors
    }


def _square(tensor: Tensor) -> float:
    return float(tensor.square().sum())


def _by_layer(tensors: NamedTensors, layers: tuple[str, ...]) -> dict[str, list[str]]:
    """Return the names of the tensors in each layer that has any, and in OTHER."""
    owners = {name: _owner(name, layers) for name in tensors}
    return {
        layer: [name for name, owner in owners.items() if owner == layer]
        for layer in (*layers, OTHER)
        if layer in owners.values()
    }


def _by_kind(tensors: list[str], kinds: Mapping[str, str], moved: SquaredNorms) -> dict[str, dict[str, WeightDistance]]:
    """Return the distances of these tensors by kind and pair."""
    return {
        kind: _pairs(moved, [name for name in tensors if kinds[name] == kind])
        for kind in dict.fromkeys(kinds[name] for name in tensors)
    }


def _group(group: type[G], name: str, tensors: list[str], before: NamedTensors, moved: SquaredNorms) -> G:
    own = {tensor: before[tensor] for tensor in tensors}
    return group(
        name=name,
        tensors=len(own),
        weights=sum(tensor.numel() for tensor in own.values()),
        shape=_shape(max(own.values(), key=lambda tensor: prod(tensor.shape))),
        tensor_shapes=[(tensor, _shape(weight)) for tensor, weight in own.items()],
        pairs=_pairs(moved, tensors),
    )


def _shape(tensor: Tensor) -> str:
    return "×".join(str(side) for side in tensor.shape)


def _owner(name: str, layers: tuple[str, ...]) -> str:
    """Return the layer of a tensor: the innermost one that holds it, so that no tensor counts twice."""
    holding = [layer for layer in layers if name.startswith(f"{layer}.")]
    return max(holding, key=len, default=OTHER)


def _kind(name: str, model: nn.Module, head: tuple[str, ...]) -> str:
    """Return the kind of a tensor: the head is a kind of its own, the rest goes by the tensor's module."""
    if any(name.startswith(f"{layer}.") for layer in head):
        return HEAD
    module = model.get_submodule(name.rpartition(".")[0])
    # PyTorch has no public base class of all convolutions, nor of all batch norms.
    if isinstance(module, nn.modules.conv._ConvNd):  # pyright: ignore[reportPrivateUsage]
        return CONV
    batch_norm = nn.modules.batchnorm._NormBase  # pyright: ignore[reportPrivateUsage]
    return NORM if isinstance(module, (batch_norm, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)) else OTHER


def _pairs(moved: SquaredNorms, tensors: Collection[str]) -> dict[str, WeightDistance]:
    """Return the distance of these tensors as one vector, by pair."""
    found: dict[str, WeightDistance] = {}
    for pair, own in moved.items():
        distance, norm = (sum(own[name][part] for name in tensors) ** 0.5 for part in (0, 1))
        found[pair] = WeightDistance(l2=distance, relative=distance / (norm + 1e-12))
    return found


def _mean(layers: list[LayerWeights]) -> dict[str, WeightDistance]:
    """Return the mean distance over the layers, by pair."""
    distances = {pair: [layer.pairs[pair] for layer in layers] for pair in (layers[0].pairs if layers else ())}
    return {
        pair: WeightDistance(
            l2=sum(one.l2 for one in own) / len(own), relative=sum(one.relative for one in own) / len(own)
        )
        for pair, own in distances.items()
    }


PROBE = Probe(
    id="layers",
    title="Weight distance",
    question="Which layers did unlearning change, and by how much?",
    caveat="A large distance is no sign of forgetting: noise, a high learning rate or re-initialised weights move a "
    "layer just as far. The retrained model started from other random weights, so it is far away too, usually about as "
    "far as the same classifier trained twice. A layer counts all its weights, batch norm's scale and shift included; "
    "its running statistics are listed separately, since they change even where every weight is frozen.",
    measure=measure,
    needs_all_images=False,
)
