"""Retrained models (gold) that were trained here, stored by request and seed."""

import json
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from unlearn_core.data.atomic_files import atomic_write, read_verified, sha256
from unlearn_core.domain.forget_request import ForgetRequest
from unlearn_core.models import bundled_models
from unlearn_core.store.files.artifacts import write_json


class GoldModel(NamedTuple):
    """A model retrained without the forget set: its display name, weights checksum and safetensors."""

    name: str
    weights: str
    data: bytes


class GoldStore:
    """The retrained models in a data folder, one folder each."""

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / "trained" / "golds"

    def folder(self, request: ForgetRequest, seed: int) -> Path:
        """Return the folder of a retrained model, or of its unfinished training."""
        return self._root / f"{request.fingerprint()}-{seed}"

    def exists(self, request: ForgetRequest, seed: int) -> bool:
        """Return whether a retrained model exists: bundled or trained here."""
        bundled = bundled_models.find_bundled(
            request.classifier, request.forget, bundled_models.GOLD_SEED_OFFSET + seed
        )
        return bundled is not None or (self.folder(request, seed) / "facts.json").exists()

    def is_partial(self, request: ForgetRequest, seed: int) -> bool:
        """Return whether the training of this model was interrupted; it resumes when it is requested again."""
        return (self.folder(request, seed) / "state.pt").exists()

    def find(self, request: ForgetRequest, seed: int) -> GoldModel | None:
        """Return the retrained model of a request, if trained here. Raises CorruptAssetError if its file is damaged."""
        folder = self.folder(request, seed)
        if not (folder / "facts.json").exists():
            return None
        facts = json.loads((folder / "facts.json").read_text())
        data = read_verified(folder / "weights.safetensors", facts["sha256"])
        return GoldModel(f"trained here, number {seed + 1}", facts["weights"], data)

    def save(self, request: ForgetRequest, seed: int, *, weights: str, data: bytes, seconds: float) -> None:
        """Store a finished retrained model and delete its training state."""
        folder = self.folder(request, seed)
        atomic_write(folder / "weights.safetensors", data)
        facts = {"request": request.model_dump(mode="json"), "seed": seed, "weights": weights, "sha256": sha256(data)}
        write_json(folder / "facts.json", facts | {"seconds": seconds})
        (folder / "state.pt").unlink(missing_ok=True)

    def seconds(self, request: ForgetRequest, seed: int) -> float:
        """Return how long the training of a retrained model took. Raises FileNotFoundError if none was trained here."""
        return float(json.loads((self.folder(request, seed) / "facts.json").read_text())["seconds"])

    def folders(self, requests: Collection[str]) -> list[Path]:
        """Return the folders of the retrained models of requests, given by fingerprint; also of unfinished ones."""
        return sorted(path for path in self._root.glob("*-*") if path.name.partition("-")[0] in requests)

    def delete(self, request: ForgetRequest, seed: int) -> None:
        """Delete a retrained model that was trained here, or its unfinished training."""
        shutil.rmtree(self.folder(request, seed), ignore_errors=True)
