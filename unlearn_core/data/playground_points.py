"""The points of a playground run: those of a data set, and those that a visitor drew."""

import numpy as np

from unlearn_core.data import datasets
from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.data.point_dataset import LICENSE
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.results.point_runs import MIN_PER_CLASS, OWN_CLASSES, OWN_POINTS, DrawnPoint, PointsSpec

DRAWN_ID = "drawn-points"


def point_datasets() -> dict[str, DatasetCard]:
    """The data sets of points by id, users' own ones left out: the playground has settings for those that ship."""
    return {name: module.CARD for name, module in datasets.bundled().items() if module.CARD.is_points}


def drawable_classes(dataset: str) -> tuple[str, ...]:
    """The names of the classes of which points can be drawn in a data set, or without one."""
    card = point_datasets().get(dataset)
    return OWN_CLASSES if card is None else card.classes


def load_points(spec: PointsSpec) -> tuple[DatasetCard, ImageDataset]:
    """Return all points of a run, the drawn ones after the training points of its data set.

    Raises InvalidRequestError if its data set has no points, or if the drawn points are no two classes.
    """
    card, base = _base(spec.dataset)
    if not spec.drawn:
        if not base.train:
            raise InvalidRequestError(_TOO_FEW)
        return card, base
    points, labels = _drawn(spec.drawn, card)
    total = ImageDataset(
        np.insert(base.images, base.train, points, axis=0),
        np.insert(base.labels, base.train, labels),
        base.train + len(labels),
        base.val,
        base.test,
    )
    _check_classes(total)
    classes = card.classes if base.train else card.classes[: max(2, int(labels.max()) + 1)]
    changed = {"id": DRAWN_ID, "title": "Drawn points", "classes": classes, "train": total.train}
    return card.model_copy(update=changed), total


_TOO_FEW = f"Draw at least {MIN_PER_CLASS} points of two classes each: there is nothing to learn from fewer."


def _base(dataset: str) -> tuple[DatasetCard, ImageDataset]:
    if dataset == OWN_POINTS:
        empty = ImageDataset(np.zeros((0, 1, 1, 3), np.uint8), np.zeros(0, np.int64), 0, 0, 0)
        return _OWN_CARD, empty
    card = point_datasets().get(dataset)
    if card is None:
        raise InvalidRequestError(
            f"There is no data set of points called {dataset!r}: choose one of {', '.join(point_datasets())}."
        )
    return card, datasets.load(dataset)


_OWN_CARD = DatasetCard(
    id=DRAWN_ID,
    title="Drawn points",
    summary="Points that a visitor drew.",
    classes=OWN_CLASSES,
    size=1,
    train=0,
    val=0,
    test=0,
    licence=LICENSE,
    source="Drawn on the page Playground.",
)


def _drawn(drawn: tuple[DrawnPoint, ...], card: DatasetCard) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (n, 1, 1, 3) uint8 and labels (n,) of drawn points. Raises InvalidRequestError if one is outside."""
    values = np.array(drawn, np.int64)
    inside = (values[:, :2] >= 0) & (values[:, :2] <= 255)
    if not inside.all() or not ((values[:, 2] >= 0) & (values[:, 2] < len(card.classes))).all():
        raise InvalidRequestError("A drawn point lies outside of the plane, or has a class that does not exist.")
    pixels = np.zeros((len(values), 1, 1, 3), np.uint8)
    pixels[:, 0, 0, :2] = values[:, :2]
    return pixels, values[:, 2]


def _check_classes(found: ImageDataset) -> None:
    counts = np.bincount(found.labels[: found.train])
    if (counts >= MIN_PER_CLASS).sum() < 2:
        raise InvalidRequestError(_TOO_FEW)
