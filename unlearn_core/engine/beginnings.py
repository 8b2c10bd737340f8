"""What a training begins with, where not with fresh weights: another classifier's, or published ones by name."""

from typing import NamedTuple

from torch import Tensor, nn

from unlearn_core.catalog import classifiers
from unlearn_core.catalog.pretrained import pretrained
from unlearn_core.domain.cards import ArchitectureCard
from unlearn_core.domain.errors import BadRequest
from unlearn_core.domain.run import TrainSpec
from unlearn_core.engine.warm import Warm


class Beginning(NamedTuple):
    """Weights to begin with, by name as in a state dict, and how the net that they are from normalises pixels."""

    title: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    state: dict[str, Tensor]


def beginning(spec: TrainSpec, architecture: ArchitectureCard, *, size: int, warm: Warm) -> Beginning | None:
    """What a spec names as its start; None for fresh weights.

    A start is a classifier of the catalog or, with a colon in it, published weights, which may be downloaded now (see
    catalog/pretrained.py, which has more errors). Raises UnknownName, and BadRequest where that is another kind of net.
    """
    if spec.start is None:
        return None
    if ":" in spec.start:
        found = pretrained(spec.start, size=size)
        if found.architecture.split(":")[:2] != architecture.id.split(":")[:2]:
            raise BadRequest(
                f"{spec.start} is no {architecture.title}, so its weights cannot be the beginning of one. "
                f"Train {found.architecture} instead, or begin with fresh weights."
            )
        return Beginning(spec.start, found.mean, found.std, found.net.state_dict())
    base = classifiers.card(spec.start)
    if base.architecture != spec.architecture:
        raise BadRequest(
            f"{base.title} is no {architecture.title}, so its weights cannot be the beginning of one. "
            f"Train its own architecture, {base.architecture}, or begin with fresh weights."
        )
    original = warm.original(base)
    if original is None:
        raise BadRequest(f"{base.title} has no weights here, so nothing can begin with them. Choose another.")
    return Beginning(base.title, base.mean, base.std, original.net.state_dict())


def begin(net: nn.Module, given: Beginning, *, heads: tuple[str, ...]) -> None:
    """Puts all that is given but for the heads into a net. Raises BadRequest where that does not fit."""
    own, above = net.state_dict(), tuple(f"{head}." for head in heads)
    kept = {name: value for name, value in given.state.items() if not name.startswith(above)}
    unfit = [name for name, value in kept.items() if name not in own or own[name].shape != value.shape]
    if unfit:
        raise BadRequest(f"{given.title} is another kind of net ({unfit[0]} does not fit). Choose one like this one.")
    net.load_state_dict(own | kept)
