"""Own classifiers as they join the catalog and leave it: a folder each, there whole or not at all. No torch here."""

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
"""Where checkpoints lie that have been looked at and not yet taken in."""


def make_id(architecture: str, dataset: str, suffix: str) -> str:
    """The id of an own classifier: what it is, on what, and a mark that tells it from all others."""
    words = re.sub("[^a-z0-9]+", "-", f"{architecture}-{dataset}".lower()).strip("-")
    return f"{words[:60]}-{suffix[:6]}"


def add(
    card: ClassifierCard, *, weights: str, files: Mapping[str, bytes], facts: Mapping[str, Any], pending: bool
) -> Path:
    """Adds a classifier: its card and its original's files by their ends, such as ".safetensors"; gives its folder.

    `weights` is the net's checksum, `facts` what else its description says. With `wait` it lies aside until `take`.
    One that is there already stays as it is, for an id means one net.
    """
    home = _root() / PENDING_FOLDER if pending else _root()
    target = home / card.id
    home.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=home, prefix=".new-"))
    try:
        name = f"original-{card.seed}"
        for end, data in files.items():
            atomic_write(aside / f"{name}{end}", data)
        told = {
            "forget": None,
            "seed": card.seed,
            "weights": weights,
            "files": {f"{name}{end}": sha256(data) for end, data in files.items()},
        }
        atomic_write(aside / f"{name}.json", json.dumps(told | dict(facts), indent=1).encode())
        atomic_write(aside / user_catalog.CARD_FILE, card.model_dump_json(indent=1).encode())
        _move(aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target


def accept(name: str) -> None:
    """Takes in a classifier that was put aside. Raises UnknownName where there is none."""
    aside = _root() / PENDING_FOLDER / name
    if (
        user_catalog.CARD_FILE not in {path.name for path in aside.glob("*")}
        and not (_root() / name / user_catalog.CARD_FILE).exists()
    ):
        raise NotFoundError("checkpoint waiting to be taken in", name, [])
    if aside.exists():
        _move(aside, _root() / name)
        shutil.rmtree(aside, ignore_errors=True)


def exists(name: str) -> bool:
    """Whether this own classifier is in the catalog."""
    return (_root() / name / user_catalog.CARD_FILE).exists()


def set_recipe(name: str, recipe: Recipe) -> ClassifierCard:
    """Says by which recipe golds of a classifier shall be trained whose own recipe nobody knows.

    Only once: golds by two recipes would be told apart by nobody. Raises UnknownName and NotSupported.
    """
    cards = user_catalog.classifier_cards()
    if name not in cards:
        raise NotFoundError("own classifier", name, list(cards))
    if cards[name].recipe is not None:
        raise NotSupportedError(f"{cards[name].title} has a recipe already, by which its golds are trained: it stays.")
    card = cards[name].model_copy(update={"recipe": recipe, "original_recipe": False})
    atomic_write(_root() / name / user_catalog.CARD_FILE, card.model_dump_json(indent=1).encode())
    return card


def remove(name: str) -> None:
    """Removes an own classifier, its golds and what is left of unfinished ones. Raises UnknownName."""
    if name not in user_catalog.classifier_cards():
        raise NotFoundError("own classifier", name, list(user_catalog.classifier_cards()))
    gone = _root() / f".gone-{name}"
    shutil.rmtree(gone, ignore_errors=True)
    (_root() / name).rename(gone)  # In one step: nobody finds half of it.
    shutil.rmtree(gone, ignore_errors=True)
    for facts in (_root() / "golds").glob("*/facts.json"):
        if json.loads(facts.read_text())["request"]["classifier"] == name:
            shutil.rmtree(facts.parent, ignore_errors=True)


def training_state_dir(fingerprint: str) -> Path:
    """Where the state of an unfinished training lies."""
    return _root() / ".making" / fingerprint


def _root() -> Path:
    root = user_catalog.user_model_dir()
    if root is None:
        raise StoreError("No data folder was named, so there is no place for an own classifier.")
    return root


def _move(folder: Path, target: Path) -> None:
    """Gives a folder its name, unless somebody was faster: the same id is the same net."""
    if not (target / user_catalog.CARD_FILE).exists():
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)
