"""The trained nets that ship with a classifier: its original, one from another seed, and its golds."""

import io
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from unlearn_core.catalog.files import ASSETS, read_verified
from unlearn_core.domain.errors import BadAsset

GOLD_SEED = 1000
"""What is added to a gold's number to make its training seed, so that it shares no draw with an original."""


class Net(NamedTuple):
    """One shipped net: which classes it never saw, its training seed, its weights' checksum, and where its files lie."""

    name: str
    classifier: str
    forget: tuple[int, ...]
    seed: int
    weights: str
    files: dict[str, str]
    facts: dict[str, object]


def folder(classifier: str, assets: Path = ASSETS) -> Path:
    """Where a classifier's nets lie."""
    return assets / "classifiers" / classifier


def shipped(classifier: str, assets: Path = ASSETS) -> list[Net]:
    """All nets that ship with a classifier, by name."""
    nets = []
    for path in sorted(folder(classifier, assets).glob("*.json")):
        try:
            facts = json.loads(path.read_text())
            nets.append(
                Net(
                    path.stem,
                    classifier,
                    tuple(facts["forget"]),
                    facts["seed"],
                    facts["weights"],
                    facts["files"],
                    facts,
                )
            )
        except (OSError, ValueError, KeyError) as problem:
            raise BadAsset(f"{path} is damaged ({problem}). Restore it: `git checkout -- assets`.") from None
    return nets


def find(classifier: str, forget: tuple[int, ...], seed: int) -> Net | None:
    """The shipped net that never saw these classes and was trained from this seed, if there is one."""
    return next((net for net in shipped(classifier) if net.forget == forget and net.seed == seed), None)


def weights_of(net: Net, assets: Path = ASSETS) -> bytes:
    """The net's safetensors, verified. Raises BadAsset."""
    name = f"{net.name}.safetensors"
    return read_verified(folder(net.classifier, assets) / name, net.files[name])


def logits_of(net: Net, assets: Path = ASSETS) -> np.ndarray:
    """The net's logits (N, C) float32 over its data set, verified. Raises BadAsset."""
    name = f"{net.name}.npy"
    data = read_verified(folder(net.classifier, assets) / name, net.files[name])
    return np.load(io.BytesIO(data), allow_pickle=False).astype(np.float32)
