"""The outputs of further golds that ship with a classifier: with them an interval contains the spread of retraining.

Per request there is one file with the logits of all of them, and a description. Their weights do not ship.
"""

import io
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from unlearn_core.data.atomic_files import asset_roots, atomic_write, read_verified, sha256
from unlearn_core.domain.errors import CorruptAssetError
from unlearn_core.domain.forget_request import ForgetRequest
from unlearn_core.domain.results.outputs import FurtherGolds
from unlearn_core.installation import HOW_TO_RESTORE

FOLDER = "further-golds"


def bundled_outputs(request: ForgetRequest) -> FurtherGolds | None:
    """The outputs of further golds that ship for a request, or None. Raises CorruptAssetError if they are damaged."""
    wanted = request.forget.model_dump(mode="json")
    return next((read() for forget, read in _descriptions(request.classifier) if forget == wanted), None)


def every_output(classifier: str) -> list[FurtherGolds]:
    """All outputs that ship for a classifier's requests. Raises CorruptAssetError if some are damaged."""
    return [read() for _, read in _descriptions(classifier)]


def _descriptions(classifier: str) -> Iterator[tuple[Any, Callable[[], FurtherGolds]]]:
    """Yield each request that outputs ship for, as JSON, and what reads them."""
    for root in asset_roots():
        for path in sorted((root / "classifiers" / classifier / FOLDER).glob("*.json")):
            try:
                facts = json.loads(path.read_text())
                yield facts["forget"], partial(_read, path, facts)
            except (OSError, ValueError, KeyError) as problem:
                raise CorruptAssetError(f"{path} is damaged ({problem}). Restore it: {HOW_TO_RESTORE}.") from None


def _read(path: Path, facts: dict[str, Any]) -> FurtherGolds:
    data = read_verified(path.with_suffix(".npz"), facts["outputs"])
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        numbers = [gold["number"] for gold in facts["golds"]]
        return FurtherGolds(numbers=numbers, rows=arrays["rows"], logits=arrays["logits"])


def add_outputs(folder: Path, name: str, request: ForgetRequest, outputs: FurtherGolds, facts: dict[str, Any]) -> None:
    """Add the outputs of one gold to those of its request that ship in a classifier's folder.

    `facts` says how it was trained.
    """
    path = folder / FOLDER / f"{name}.json"
    golds, logits = [], outputs.logits
    if path.exists():
        known = json.loads(path.read_text())
        golds, logits = known["golds"], np.concatenate([_read(path, known).logits, logits])
    buffer = io.BytesIO()
    np.savez_compressed(buffer, rows=outputs.rows, logits=logits)
    how = {key: facts[key] for key in ("seed", "weights", "test accuracy on kept classes", "seconds", "made with")}
    manifest = {
        "forget": request.forget.model_dump(mode="json"),
        "recipe": facts["recipe"],
        "golds": [*golds, {"number": outputs.numbers[0], **how}],
        "outputs": sha256(buffer.getvalue()),
    }
    atomic_write(path.with_suffix(".npz"), buffer.getvalue())
    atomic_write(path, json.dumps(manifest, indent=1).encode())
