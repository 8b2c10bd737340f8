"""The trained nets that come with a classifier: its original, one from another seed, and its golds."""

import io
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import TypeAdapter

from unlearn_core.data import user_catalog
from unlearn_core.data.atomic_files import asset_roots, read_verified
from unlearn_core.domain.errors import BadAsset
from unlearn_core.domain.forget_request import Forget

GOLD_SEED = 1000
"""What is added to a gold's number to make its training seed, so that it shares no draw with an original."""
SHADOW_SEED = 2000
"""The same for shadow nets: originals that stand for the classifier where many are needed."""


class Net(NamedTuple):
    """One shipped net: what it never saw, its training seed, its weights' checksum, where its files lie."""

    name: str
    forget: Forget | None
    """None for an original, which saw all."""
    seed: int
    weights: str
    folder: Path
    files: dict[str, str]
    """File names and their sha256."""
    seconds: float
    """How long its training took where it was made."""
    made_with: dict[str, str | int]


def shipped(classifier: str) -> list[Net]:
    """All nets that come with a classifier, by name. Raises BadAsset where a description is damaged."""
    folders = [root / "classifiers" / classifier for root in asset_roots()]
    added = user_catalog.trained(classifier)
    folders += [] if added is None else [added]
    paths = [path for folder in folders for path in sorted(folder.glob("*.json")) if path.name != user_catalog.CARD]
    return [_described(path) for path in paths]


def find(classifier: str, forget: Forget | None, seed: int) -> Net | None:
    """The shipped net that never saw this and was trained from this seed, if there is one."""
    return next((net for net in shipped(classifier) if net.forget == forget and net.seed == seed), None)


def weights_of(net: Net) -> bytes:
    """The net's safetensors, verified. Raises BadAsset."""
    name = f"{net.name}.safetensors"
    return read_verified(net.folder / name, net.files[name])


def logits_of(net: Net) -> np.ndarray:
    """The net's logits (N, C) float32 over its data set, verified. Raises BadAsset."""
    name = f"{net.name}.npy"
    return np.load(io.BytesIO(read_verified(net.folder / name, net.files[name])), allow_pickle=False).astype(np.float32)


def _described(path: Path) -> Net:
    try:
        facts = json.loads(path.read_text())
        return Net(
            name=path.stem,
            forget=None if facts["forget"] is None else TypeAdapter(Forget).validate_python(facts["forget"]),
            seed=facts["seed"],
            weights=facts["weights"],
            folder=path.parent,
            files=facts["files"],
            seconds=facts["seconds"],
            made_with=facts["made with"],
        )
    except (OSError, ValueError, KeyError) as problem:
        raise BadAsset(f"{path} is damaged ({problem}). Restore it: `git checkout -- assets`.") from None
