"""Ensembles: the outputs of many models for one request, which is all that the challenge's score needs of them.

One ships: golds of the small ResNet-8 for the standard request of 200 images.
"""

import io
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import TypeAdapter

from unlearn_core.data.atomic_files import asset_roots, atomic_write, read_verified, sha256
from unlearn_core.domain.errors import CorruptAssetError
from unlearn_core.domain.forget_request import ForgetRequest
from unlearn_core.installation import HOW_TO_RESTORE

MANIFEST_FILE, GOLDS_FILE = "manifest.json", "golds.npz"


class EnsembleOutputs(NamedTuple):
    """The outputs of N models of one request, from consecutive seeds."""

    logits: np.ndarray
    """(N, S, C) float32, of the S forget images in ascending order."""
    retain: np.ndarray
    """(N,) accuracies, 0 to 1, on all training images of the retain set."""
    test: np.ndarray
    """(N,) accuracies, 0 to 1, on the test images of the retain set."""

    def __len__(self) -> int:
        return len(self.logits)

    def members(self, start: int, stop: int) -> "EnsembleOutputs":
        """The models from `start` up to, but not including, `stop`."""
        return EnsembleOutputs(*(array[start:stop] for array in self))

    def to_bytes(self) -> bytes:
        """As a compressed archive of arrays, the logits in 16 bits."""
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            logits=self.logits.astype(np.float16),
            retain=self.retain.astype(np.float32),
            test=self.test.astype(np.float32),
        )
        return buffer.getvalue()

    @staticmethod
    def from_bytes(data: bytes) -> "EnsembleOutputs":
        """The inverse of `to_bytes`."""
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return EnsembleOutputs(*(archive[name].astype(np.float32) for name in EnsembleOutputs._fields))

    @staticmethod
    def concatenate(parts: "list[EnsembleOutputs]") -> "EnsembleOutputs":
        """Several ensembles as one, in this order."""
        return EnsembleOutputs(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def bundled_golds(request: ForgetRequest) -> EnsembleOutputs | None:
    """The golds that ship for a request, by their number; None if there are none. Raises CorruptAssetError."""
    for root in asset_roots():
        folder = root / "populations" / request.classifier
        if (folder / MANIFEST_FILE).exists():
            facts = _facts(folder)
            if facts["request"] == request:
                return EnsembleOutputs.from_bytes(read_verified(folder / GOLDS_FILE, facts["golds"]))
    return None


def write_golds(
    assets: Path, request: ForgetRequest, outputs: EnsembleOutputs, made_with: dict[str, str | int]
) -> None:
    """Writes an ensemble of golds where `bundled_golds` finds it."""
    folder, data = assets / "populations" / request.classifier, outputs.to_bytes()
    facts = {"request": request.model_dump(mode="json"), "golds": sha256(data), "made with": made_with}
    atomic_write(folder / GOLDS_FILE, data)
    atomic_write(folder / MANIFEST_FILE, json.dumps(facts, indent=1).encode())


def _facts(folder: Path) -> dict[str, Any]:
    try:
        facts = json.loads((folder / MANIFEST_FILE).read_text())
        return facts | {"request": TypeAdapter(ForgetRequest).validate_python(facts["request"])}
    except (OSError, ValueError, KeyError) as problem:
        raise CorruptAssetError(f"{folder} is damaged ({problem}). Restore it: {HOW_TO_RESTORE}.") from None
