"""Classifiers and data sets that users added: one folder each, below a data folder that the process sets."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.errors import CorruptAssetError

CARD_FILE, IMAGES_FILE, LABELS_FILE = "card.json", "images.npy", "labels.npy"
_root: Path | None = None
_reader: Callable[[str], Collection[str] | None] | None = None
_Card = TypeVar("_Card", ClassifierCard, DatasetCard)


def set_data_dir(data_dir: Path | None) -> None:
    """Sets the data folder in which this process finds what users added; None for only what ships."""
    global _root
    _root = data_dir


def set_reader(reader: Callable[[str], Collection[str] | None] | None) -> None:
    """Sets who reads the catalog in this process: `reader("dataset")` gives the ids that they may read, None for all.

    The web server asks it for each visitor; a worker has none and reads everything.
    """
    global _reader
    _reader = reader


def user_model_dir(name: str = "") -> Path | None:
    """The folder of a user's classifier, or the parent of them all; None if no data folder is set."""
    return None if _root is None else _root / "trained" / name


def user_dataset_dir(name: str = "") -> Path | None:
    """The folder of a user's data set, or the parent of them all; None if no data folder is set."""
    return None if _root is None else _root / "datasets" / name


def classifier_cards(*, everything: bool = False) -> dict[str, ClassifierCard]:
    """The cards of the users' classifiers that may be read here, by id. Raises CorruptAssetError if one is damaged."""
    cards = {card.id: card for card in _read(user_model_dir(), ClassifierCard)}
    return cards if everything else _readable("classifier", cards)


def dataset_cards() -> dict[str, DatasetCard]:
    """The cards of the users' data sets that may be read here, by id. Raises CorruptAssetError if one is damaged."""
    return _readable("dataset", {card.id: card for card in _read(user_dataset_dir(), DatasetCard)})


def _readable(kind: str, cards: dict[str, _Card]) -> dict[str, _Card]:
    ids = None if _reader is None or not cards else _reader(kind)
    return cards if ids is None else {name: card for name, card in cards.items() if name in ids}


def _read(folder: Path | None, kind: type[_Card]) -> list[_Card]:
    found = []
    for path in sorted(folder.glob(f"[!.]*/{CARD_FILE}")) if folder is not None else []:
        try:
            found.append(kind.model_validate_json(path.read_bytes()))
        except FileNotFoundError:  # Removed by another process since it was listed.
            continue
        except (OSError, ValidationError) as problem:
            raise CorruptAssetError(f"{path} is damaged ({problem}). Move its folder away, or restore it.") from None
    return found
