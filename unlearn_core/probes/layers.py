"""Weight distance: how far the weights of each layer moved, relative to their norm in the original model.

It is the L2 distance between the weights of two models, layer by layer. The distance between two seeds of one recipe
is the reference.
"""

from collections.abc import Collection, Iterator, Mapping
from math import prod
from typing import Any

from torch import Tensor, nn

from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.result import ReportPart
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

TensorGroup = Mapping[str, Tensor]
SquaredNorms = dict[str, dict[str, tuple[float, float]]]
"""Per pair and tensor: the squared distance, and the squared norm of the first model's tensor."""


def measure(context: ProbeContext) -> ReportPart | str:
    """Return L2 distances by layer and by kind, for weights and, separately, for batch norm's running statistics.

    `rows` and `buffers` are layers; `kinds` are convolutions, norms and the head; `total` is all weights as one vector;
    `mean` is the mean over the layers.
    """
    if "before" not in context.models:
        return "The original model is not available, so no weight distance can be measured."
    weights = {
        name: {tensor: weight.detach() for tensor, weight in model.named_parameters()}
        for name, model in context.models.items()
    }
    statistics = {name: dict(_statistics(model)) for name, model in context.models.items()}
    layers, before = context.classifier.roles.layers, context.models["before"]
    kinds = {name: _kind(name, before, context.classifier.roles.head) for name in weights["before"]}
    moved = _squares(weights)
    rows = _rows(weights["before"], moved, layers)
    for row in rows:
        own = [name for name, _ in row["names"]]
        row["kinds"] = {
            kind: _pairs(moved, [name for name in own if kinds[name] == kind])
            for kind in dict.fromkeys(kinds[name] for name in own)
        }
    facts = {
        "rows": rows,
        "kinds": [
            {"kind": kind, **_row(weights["before"], moved, [name for name, own in kinds.items() if own == kind])}
            for kind in (CONV, NORM, HEAD, OTHER)
            if kind in kinds.values()
        ],
        "buffers": _rows(statistics["before"], _squares(statistics), layers),
        "total": _pairs(moved, weights["before"]),
        "mean": _mean(rows),
    }
    return ReportPart(facts, {})


def _statistics(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield what is neither a weight nor a counter in the state dict: batch norm's running means and variances."""
    weights = dict(model.named_parameters(remove_duplicate=False))
    for name, tensor in model.state_dict().items():
        if name not in weights and tensor.is_floating_point():
            yield name, tensor


def _squares(tensors: Mapping[str, TensorGroup]) -> SquaredNorms:
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


def _rows(before: TensorGroup, moved: SquaredNorms, layers: tuple[str, ...]) -> list[dict[str, Any]]:
    owners = {name: _owner(name, layers) for name in before}
    return [
        {"layer": layer, **_row(before, moved, [name for name, owner in owners.items() if owner == layer])}
        for layer in (*layers, OTHER)
        if layer in owners.values()
    ]


def _row(before: TensorGroup, moved: SquaredNorms, tensors: list[str]) -> dict[str, Any]:
    own = [before[name] for name in tensors]
    return {
        "tensors": len(own),
        "weights": sum(tensor.numel() for tensor in own),
        "shape": _shape(max(own, key=lambda tensor: prod(tensor.shape))),
        "names": [[name, _shape(before[name])] for name in tensors],
        "pairs": _pairs(moved, tensors),
    }


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
    if isinstance(module, nn.modules.conv._ConvNd):
        return CONV
    norms = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)
    return NORM if isinstance(module, norms) else OTHER


def _pairs(moved: SquaredNorms, tensors: Collection[str]) -> dict[str, dict[str, float]]:
    """Return the L2 distance of these tensors as one vector, and the same relative to that vector's norm."""
    found = {}
    for pair, own in moved.items():
        distance, norm = (sum(own[name][part] for name in tensors) ** 0.5 for part in (0, 1))
        found[pair] = {"l2": distance, "relative": distance / (norm + 1e-12)}
    return found


def _mean(rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    return {
        pair: {what: sum(row["pairs"][pair][what] for row in rows) / len(rows) for what in ("l2", "relative")}
        for pair in (rows[0]["pairs"] if rows else {})
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
)
