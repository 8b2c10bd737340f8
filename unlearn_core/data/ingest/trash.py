"""The trash of data sets: they are hidden, and can be restored until they are permanently deleted."""

import shutil
from pathlib import Path

from pydantic import ValidationError

from unlearn_core.data import user_catalog
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.errors import NotFoundError, StoreError


def remove(data_dir: Path, name: str) -> None:
    """Moves a data set into the trash. Raises NotFoundError or StoreError."""
    if name not in user_catalog.dataset_cards():
        raise NotFoundError("data set of your own", name, list(user_catalog.dataset_cards()))
    _folder(data_dir).mkdir(parents=True, exist_ok=True)
    shutil.rmtree(_folder(data_dir) / name, ignore_errors=True)  # It has the same id, so the same images.
    _move(data_dir / "datasets" / name, _folder(data_dir) / name)


def restore(data_dir: Path, name: str) -> None:
    """Moves a data set back from the trash. Raises NotFoundError or StoreError."""
    _check(data_dir, name)
    _move(_folder(data_dir) / name, data_dir / "datasets" / name)


def delete(data_dir: Path, name: str) -> None:
    """Permanently deletes a data set in the trash. Raises NotFoundError."""
    _check(data_dir, name)
    shutil.rmtree(_folder(data_dir) / name, ignore_errors=True)


def removed(data_dir: Path) -> dict[str, DatasetCard]:
    """The cards of what is in the trash, by id."""
    found = {}
    for file in sorted(_folder(data_dir).glob(f"*/{user_catalog.CARD_FILE}")):
        try:
            card = DatasetCard.model_validate_json(file.read_bytes())
        except (OSError, ValidationError):  # Being deleted, or damaged: it cannot be restored.
            continue
        found[card.id] = card
    return found


def _check(data_dir: Path, name: str) -> None:
    if name not in removed(data_dir):
        raise NotFoundError("removed data set", name, list(removed(data_dir)))


def _move(old: Path, new: Path) -> None:
    try:
        if new.exists():
            raise FileExistsError(f"another one called {new.name} exists")
        old.rename(new)
    except OSError as problem:
        raise StoreError(f"{old.name} could not be moved ({problem.strerror or problem}). Try again.") from None


def _folder(data_dir: Path) -> Path:
    return data_dir / "trash" / "datasets"
