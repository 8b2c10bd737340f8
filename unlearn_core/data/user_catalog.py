"""What people add to the catalog: trained classifiers and prepared data sets, a folder each, under a root handed in."""

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.errors import CorruptAssetError

CARD_FILE, IMAGES_FILE, LABELS_FILE = "card.json", "images.npy", "labels.npy"
_root: Path | None = None
_Card = TypeVar("_Card", ClassifierCard, DatasetCard)


def set_data_dir(data_dir: Path | None) -> None:
    """Says in which data folder this process finds what people added; None for nothing but what ships."""
    global _root
    _root = data_dir


def user_model_dir(name: str = "") -> Path | None:
    """The folder of an own classifier, or the one that holds them all; None where no root was handed in."""
    return None if _root is None else _root / "trained" / name


def user_dataset_dir(name: str = "") -> Path | None:
    """The folder of an own data set, or the one that holds them all; None where no root was handed in."""
    return None if _root is None else _root / "datasets" / name


def classifier_cards() -> dict[str, ClassifierCard]:
    """The cards of all own classifiers, by id. Raises BadAsset where one is damaged."""
    return {card.id: card for card in _read(user_model_dir(), ClassifierCard)}


def dataset_cards() -> dict[str, DatasetCard]:
    """The cards of all own data sets, by id. Raises BadAsset where one is damaged."""
    return {card.id: card for card in _read(user_dataset_dir(), DatasetCard)}


def _read(folder: Path | None, kind: type[_Card]) -> list[_Card]:
    found = []
    for path in sorted(folder.glob(f"[!.]*/{CARD_FILE}")) if folder is not None else []:
        try:
            found.append(kind.model_validate_json(path.read_bytes()))
        except FileNotFoundError:  # Removed by somebody between looking and reading.
            continue
        except (OSError, ValidationError) as problem:
            raise CorruptAssetError(f"{path} is damaged ({problem}). Move its folder away, or restore it.") from None
    return found
