"""The trained models that ship with a classifier: its original, one from another seed, and its golds."""

import io
import json
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import TypeAdapter

from unlearn_core.data import user_catalog
from unlearn_core.data.atomic_files import asset_roots, read_verified
from unlearn_core.domain.errors import CorruptAssetError
from unlearn_core.domain.forget_request import Forget
from unlearn_core.installation import HOW_TO_RESTORE

GOLD_SEED_OFFSET = 1000
"""Added to a gold's number to get its training seed, so that it shares no random numbers with an original."""

PACKED = ".npz"
"""How the file of a bundled model's outputs ends; own classifiers have .npy files."""

SHADOW_SEED_OFFSET = 2000
"""The same for shadow models: originals that stand in for the classifier where many are needed."""

_FORGET: TypeAdapter[Forget] = TypeAdapter(Forget)


class BundledModel(NamedTuple):
    """One shipped model: its forget set, its training seed, its weights' checksum, and its files."""

    name: str
    forget: Forget | None
    """None for an original, which was trained on everything."""
    seed: int
    weights: str
    folder: Path
    files: dict[str, str]
    """File names and their sha256."""
    seconds: float
    """How long its training took on the machine where it was made."""
    made_with: dict[str, str | int]

    @property
    def has_outputs(self) -> bool:
        """Whether its outputs ship too; otherwise they are computed where they are first needed."""
        return any(f"{self.name}{end}" in self.files for end in (PACKED, ".npy"))


def bundled(classifier: str) -> list[BundledModel]:
    """All models that ship with a classifier, by name. Raises CorruptAssetError if a description is damaged."""
    folders = [root / "classifiers" / classifier for root in asset_roots()]
    added = user_catalog.user_model_dir(classifier)
    folders += [] if added is None else [added]
    paths = [
        path for folder in folders for path in sorted(folder.glob("*.json")) if path.name != user_catalog.CARD_FILE
    ]
    return [_described(path, path.stat().st_mtime_ns if path.exists() else 0) for path in paths]


def find_bundled(classifier: str, forget: Forget | None, seed: int) -> BundledModel | None:
    """The shipped model that was trained without this forget set from this seed, if there is one."""
    return next((model for model in bundled(classifier) if model.forget == forget and model.seed == seed), None)


def read_weights(model: BundledModel) -> bytes:
    """The model's safetensors, verified. Raises CorruptAssetError."""
    name = f"{model.name}.safetensors"
    return read_verified(model.folder / name, model.files[name])


def read_logits(model: BundledModel) -> np.ndarray:
    """The model's logits (N, C) float32 over its data set, verified. Raises CorruptAssetError.

    Only of a model with `has_outputs`.
    """
    end, read = (PACKED, unpack_logits) if f"{model.name}{PACKED}" in model.files else (".npy", _read_npy)
    name = f"{model.name}{end}"
    return read(read_verified(model.folder / name, model.files[name])).astype(np.float32)


def pack_logits(logits: np.ndarray) -> bytes:
    """Logits (N, C) as float16, compressed, with the high bytes of all numbers before the low ones: those repeat."""
    numbers, buffer = logits.astype("<f2"), io.BytesIO()
    pairs = numbers.reshape(-1, 1).view(np.uint8)
    np.savez_compressed(buffer, low=pairs[:, 0], high=pairs[:, 1], shape=np.array(numbers.shape))
    return buffer.getvalue()


def unpack_logits(data: bytes) -> np.ndarray:
    """The logits (N, C) float16 that `pack_logits` packed."""
    with np.load(io.BytesIO(data), allow_pickle=False) as found:
        return np.stack([found["low"], found["high"]], 1).view("<f2").reshape(found["shape"])


def _read_npy(data: bytes) -> np.ndarray:
    return np.load(io.BytesIO(data), allow_pickle=False)


@lru_cache(maxsize=4096)
def _described(path: Path, _changed: int) -> BundledModel:
    """The description in a file, which is read once for each time at which it was changed."""
    try:
        facts = json.loads(path.read_text())
        return BundledModel(
            name=path.stem,
            forget=None if facts["forget"] is None else _FORGET.validate_python(facts["forget"]),
            seed=facts["seed"],
            weights=facts["weights"],
            folder=path.parent,
            files=facts["files"],
            seconds=facts["seconds"],
            made_with=facts["made with"],
        )
    except (OSError, ValueError, KeyError) as problem:
        raise CorruptAssetError(f"{path} is damaged ({problem}). Restore it: {HOW_TO_RESTORE}.") from None
