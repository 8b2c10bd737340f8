"""Add, accept and remove users' classifiers: each is a folder that is written atomically. No torch here."""

import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unlearn_core.data import user_catalog
from unlearn_core.data.atomic_files import atomic_write, sha256
from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.errors import NotFoundError, NotSupportedError, StoreError
from unlearn_core.domain.recipe import Recipe

PENDING_FOLDER = ".waiting"
"""The folder of checkpoints that were validated but not yet added."""


def make_id(architecture: str, dataset: str, suffix: str) -> str:
    """The id of a user's classifier: its architecture, its data set, and a unique suffix."""
    words = re.sub("[^a-z0-9]+", "-", f"{architecture}-{dataset}".lower()).strip("-")
    return f"{words[:60]}-{suffix[:6]}"


def add(
    card: ClassifierCard, *, weights: str, files: Mapping[str, bytes], facts: Mapping[str, Any], pending: bool
) -> Path:
    """Adds a classifier: its card and its original's files by their suffix, such as ".safetensors"; returns its folder.

    `weights` is the model's checksum, `facts` the rest of its description. With `pending` it waits for `accept`. An
    existing one is not changed, because an id stands for one model.
    """
    parent = _root() / PENDING_FOLDER if pending else _root()
    target = parent / card.id
    parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=parent, prefix=".new-"))
    try:
        name = f"original-{card.seed}"
        for end, data in files.items():
            atomic_write(aside / f"{name}{end}", data)
        description = {
            "forget": None,
            "seed": card.seed,
            "weights": weights,
            "files": {f"{name}{end}": sha256(data) for end, data in files.items()},
        }
        atomic_write(aside / f"{name}.json", json.dumps(description | dict(facts), indent=1).encode())
        atomic_write(aside / user_catalog.CARD_FILE, card.model_dump_json(indent=1).encode())
        _move(aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target


def accept(name: str) -> None:
    """Adds a classifier that was pending. Raises NotFoundError if there is none."""
    aside = _root() / PENDING_FOLDER / name
    if (
        user_catalog.CARD_FILE not in {path.name for path in aside.glob("*")}
        and not (_root() / name / user_catalog.CARD_FILE).exists()
    ):
        raise NotFoundError("checkpoint waiting to be added", name, [])
    if aside.exists():
        _move(aside, _root() / name)
        shutil.rmtree(aside, ignore_errors=True)


def exists(name: str) -> bool:
    """Whether this is a user's classifier in the catalog."""
    return (_root() / name / user_catalog.CARD_FILE).exists()


def set_recipe(name: str, recipe: Recipe) -> ClassifierCard:
    """Sets the recipe for the golds of a classifier whose own recipe is unknown.

    Only once, because golds by two recipes could not be distinguished. Raises NotFoundError and NotSupportedError.
    """
    cards = user_catalog.classifier_cards()
    if name not in cards:
        raise NotFoundError("classifier of your own", name, list(cards))
    if cards[name].recipe is not None:
        raise NotSupportedError(
            f"{cards[name].title} already has a recipe for its retrained models, which cannot be changed."
        )
    card = cards[name].model_copy(update={"recipe": recipe, "original_recipe": False})
    atomic_write(_root() / name / user_catalog.CARD_FILE, card.model_dump_json(indent=1).encode())
    return card


def remove(name: str) -> None:
    """Removes a user's classifier, its golds and the state of unfinished ones. Raises NotFoundError."""
    if name not in user_catalog.classifier_cards():
        raise NotFoundError("classifier of your own", name, list(user_catalog.classifier_cards()))
    gone = _root() / f".gone-{name}"
    shutil.rmtree(gone, ignore_errors=True)
    (_root() / name).rename(gone)  # In one step, so that no process finds half of it.
    shutil.rmtree(gone, ignore_errors=True)
    for facts in (_root() / "golds").glob("*/facts.json"):
        if json.loads(facts.read_text())["request"]["classifier"] == name:
            shutil.rmtree(facts.parent, ignore_errors=True)


def training_state_dir(fingerprint: str) -> Path:
    """The folder of the state of an unfinished training."""
    return _root() / ".making" / fingerprint


def _root() -> Path:
    root = user_catalog.user_model_dir()
    if root is None:
        raise StoreError("No data folder is set, so classifiers cannot be stored.")
    return root


def _move(folder: Path, target: Path) -> None:
    """Renames a folder, unless another process was faster: the same id is the same model."""
    if not (target / user_catalog.CARD_FILE).exists():
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)
