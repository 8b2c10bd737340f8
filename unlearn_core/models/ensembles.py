"""Populations: what many nets of one kind answer, which is all that the challenge's score needs to know of them.

One ships: golds of the small ResNet-8 for the standard request of 200 pictures.
"""

import io
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import TypeAdapter

from unlearn_core.data.atomic_files import asset_roots, read_verified, sha256, write_whole
from unlearn_core.domain.errors import BadAsset
from unlearn_core.domain.forget_request import ForgetRequest

MANIFEST, GOLDS = "manifest.json", "golds.npz"


class Population(NamedTuple):
    """The answers of N nets of one request, from seeds that follow each other."""

    logits: np.ndarray
    """(N, S, C) float32, of the S forgotten training pictures in ascending order."""
    retain: np.ndarray
    """(N,) accuracies, 0 to 1, on all kept training pictures."""
    test: np.ndarray
    """(N,) accuracies, 0 to 1, on the unseen test pictures of what is kept."""

    def __len__(self) -> int:
        return len(self.logits)

    def part(self, start: int, stop: int) -> "Population":
        """The nets from one place to another."""
        return Population(*(array[start:stop] for array in self))

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
    def from_bytes(data: bytes) -> "Population":
        """What `to_bytes` made."""
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return Population(*(archive[name].astype(np.float32) for name in Population._fields))

    @staticmethod
    def of(nets: "list[Population]") -> "Population":
        """Several of them as one, in this order."""
        return Population(*(np.concatenate(arrays) for arrays in zip(*nets, strict=True)))


def golds(request: ForgetRequest) -> Population | None:
    """The golds that ship for a request, by their number; None where there are none. Raises BadAsset."""
    for root in asset_roots():
        folder = root / "populations" / request.classifier
        if (folder / MANIFEST).exists():
            facts = _facts(folder)
            if facts["request"] == request:
                return Population.from_bytes(read_verified(folder / GOLDS, facts["golds"]))
    return None


def write(assets: Path, request: ForgetRequest, population: Population, made_with: dict[str, str | int]) -> None:
    """Puts a population of golds where `golds` finds it."""
    folder, data = assets / "populations" / request.classifier, population.to_bytes()
    facts = {"request": request.model_dump(mode="json"), "golds": sha256(data), "made with": made_with}
    write_whole(folder / GOLDS, data)
    write_whole(folder / MANIFEST, json.dumps(facts, indent=1).encode())


def _facts(folder: Path) -> dict[str, Any]:
    try:
        facts = json.loads((folder / MANIFEST).read_text())
        return facts | {"request": TypeAdapter(ForgetRequest).validate_python(facts["request"])}
    except (OSError, ValueError, KeyError) as problem:
        raise BadAsset(f"{folder} is damaged ({problem}). Restore it: `git checkout -- assets`.") from None
