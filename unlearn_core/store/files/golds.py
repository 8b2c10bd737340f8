"""Golds that were trained here, found again by request and number."""

import json
import shutil
from pathlib import Path
from typing import NamedTuple

from unlearn_core.data.atomic_files import atomic_write, read_verified, sha256
from unlearn_core.domain.forget_request import ForgetRequest
from unlearn_core.models import bundled_models
from unlearn_core.store.files.artifacts import write_json


class GoldModel(NamedTuple):
    """A net retrained without the forgotten data: a name for people, its checksum, and its safetensors."""

    name: str
    weights: str
    data: bytes


class GoldStore:
    """The golds in a data folder, one folder each."""

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / "trained" / "golds"

    def folder(self, request: ForgetRequest, seed: int) -> Path:
        """Where a gold, or the state of its unfinished training, lies."""
        return self._root / f"{request.fingerprint()}-{seed}"

    def exists(self, request: ForgetRequest, seed: int) -> bool:
        """Whether a gold need not be trained any more: it ships, or was trained here."""
        shipped = bundled_models.find_bundled(
            request.classifier, request.forget, bundled_models.GOLD_SEED_OFFSET + seed
        )
        return shipped is not None or (self.folder(request, seed) / "facts.json").exists()

    def is_partial(self, request: ForgetRequest, seed: int) -> bool:
        """Whether a training of this gold was interrupted, and goes on from there when it is asked for again."""
        return (self.folder(request, seed) / "state.pt").exists()

    def find(self, request: ForgetRequest, seed: int) -> GoldModel | None:
        """The gold of a request, if it was trained here. Raises BadAsset where its file is damaged."""
        folder = self.folder(request, seed)
        if not (folder / "facts.json").exists():
            return None
        facts = json.loads((folder / "facts.json").read_text())
        data = read_verified(folder / "weights.safetensors", facts["sha256"])
        return GoldModel(f"trained here, number {seed + 1}", facts["weights"], data)

    def save(self, request: ForgetRequest, seed: int, *, weights: str, data: bytes, seconds: float) -> None:
        """Keeps a finished gold and drops its training state."""
        folder = self.folder(request, seed)
        atomic_write(folder / "weights.safetensors", data)
        facts = {"request": request.model_dump(mode="json"), "seed": seed, "weights": weights, "sha256": sha256(data)}
        write_json(folder / "facts.json", facts | {"seconds": seconds})
        (folder / "state.pt").unlink(missing_ok=True)

    def delete(self, request: ForgetRequest, seed: int) -> None:
        """Removes a gold that was trained here, or what is left of an unfinished training."""
        shutil.rmtree(self.folder(request, seed), ignore_errors=True)
