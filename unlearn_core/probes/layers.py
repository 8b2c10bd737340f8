"""How far the weights of each layer have moved."""

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

from torch import Tensor, nn

from unlearn_core.domain.report import Part, Probe
from unlearn_core.probes.scene import Scene

_PAIRS = {"before-after": "after", "before-gold": "gold", "before-other": "other"}
OTHER = "other"
"""The row of what lies in no layer that the classifier's card names."""

Group = dict[str, Tensor]


def measure(scene: Scene) -> Part | str:
    """L2 distances to the weights before, layer by layer: weights, and apart from them batch norm's statistics."""
    if "before" not in scene.nets:
        return "The model before forgetting is not at hand, so there is nothing to measure a distance from."
    nets = {model: scene.nets[model] for model in ("before", *_PAIRS.values()) if model in scene.nets}
    weights = {model: {name: weight.detach() for name, weight in net.named_parameters()} for model, net in nets.items()}
    statistics = {model: dict(_statistics(net)) for model, net in nets.items()}
    layers = scene.card.roles.layers
    facts = {"rows": _rows(weights, layers), "buffers": _rows(statistics, layers), "total": _pairs(weights)}
    return Part(facts, {})


def _statistics(net: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Everything in the state dict that is no weight, but for counters: batch norm's running means and variances."""
    weights = dict(net.named_parameters(remove_duplicate=False))
    for name, tensor in net.state_dict().items():
        if name not in weights and tensor.is_floating_point():
            yield name, tensor


def _rows(tensors: Mapping[str, Group], layers: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = []
    for layer in (*layers, OTHER):
        names = [name for name in tensors["before"] if _owner(name, layers) == layer]
        if names:
            before = [tensors["before"][name] for name in names]
            rows.append(
                {
                    "layer": layer,
                    "tensors": len(names),
                    "weights": sum(tensor.numel() for tensor in before),
                    "shape": "×".join(str(side) for side in max((tensor.shape for tensor in before), key=prod)),
                    "pairs": _pairs({model: {name: group[name] for name in names} for model, group in tensors.items()}),
                }
            )
    return rows


def _owner(name: str, layers: tuple[str, ...]) -> str:
    """The layer that a tensor counts for: the innermost one that holds it, so that none counts twice."""
    holding = [layer for layer in layers if name.startswith(f"{layer}.")]
    return max(holding, key=len, default=OTHER)


def _pairs(groups: Mapping[str, Group]) -> dict[str, dict[str, float]]:
    before = groups["before"]
    size = _norm(before)
    pairs = {}
    for pair, model in _PAIRS.items():
        if model in groups:
            moved = _norm({name: groups[model][name].double() - tensor.double() for name, tensor in before.items()})
            pairs[pair] = {"l2": moved, "relative": moved / (size + 1e-12)}
    return pairs


def _norm(tensors: Group) -> float:
    """The L2 norm of all these tensors as one vector, in double precision: exactly 0 where nothing differs."""
    return sum(float(tensor.double().square().sum()) for tensor in tensors.values()) ** 0.5


PROBE = Probe(
    id="layers",
    title="Weights, layer by layer",
    question="Which layers did forgetting change, and by how much?",
    caveat="A large distance is no sign of forgetting: noise, a high learning rate or fresh weights move a layer just "
    "as far. Gold started from other random weights, so it is far away too, usually about as far as the same "
    "classifier trained twice. A layer counts all its weights, batch norm's scale and shift included; its "
    "running statistics are listed apart, since they move even where every weight is frozen.",
    measure=measure,
)
