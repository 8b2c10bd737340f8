"""The classifiers of the grid on which the preset `auto` is judged: some ship, the others are trained first."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from unlearn_core.data import datasets, user_catalog
from unlearn_core.domain.jobs import ImportDatasetSpec, TrainSpec
from unlearn_core.domain.recipe import adapt_to_size
from unlearn_core.engine.jobs.import_dataset import import_locally
from unlearn_core.engine.jobs.train_classifier import train_locally
from unlearn_core.engine.listener import NullListener
from unlearn_core.models import architectures, classifiers, user_models

FACES = "olivetti"
FACES_CLASSES, FACES_SIZE, FACES_TRAIN = 40, 64, 280
FACES_EPOCHS = 100
"""The recipe for so few images has 15, after which a third of them are not learned; at 40, seeds differ by points."""
_FACES_PER_PERSON = 10


class GridClassifier(NamedTuple):
    """A classifier of the grid; `training` is None for one that ships."""

    id: str
    dataset: str
    num_classes: int
    num_train: int
    layers: int
    """Hidden layers, as in `ProblemSize`."""
    training: TrainSpec | None = None


@cache
def grid_classifiers() -> dict[str, GridClassifier]:
    """Return the classifiers by their names in the grid, small ones first."""
    sample = "cifar10-sample"
    return {
        **{name: _shipped(name) for name in ("mlp-moons", "mlp-spirals")},
        "faces": _trained("resnet8", FACES, FACES_CLASSES, FACES_SIZE, FACES_TRAIN, epochs=FACES_EPOCHS),
        **{name: _shipped(name) for name in ("resnet8", "resnet20")},
        **{
            name: _trained(name, sample, len(data.classes), data.size, data.train)
            for data in (datasets.card(sample),)
            for name in ("vit_tiny", "mobilenet_v2")
        },
    }


def _shipped(name: str) -> GridClassifier:
    card = classifiers.card(name)
    data = datasets.card(card.dataset)
    return GridClassifier(name, data.id, len(data.classes), data.train, len(card.roles.hidden_layers))


def _trained(
    architecture: str, dataset: str, num_classes: int, size: int, num_train: int, *, epochs: int | None = None
) -> GridClassifier:
    card = architectures.card(architecture, size)
    recipe = adapt_to_size(card.recipe, num_train)
    recipe = recipe.model_copy(update={"epochs": epochs or recipe.epochs})
    training = TrainSpec(architecture=architecture, dataset=dataset, recipe=recipe)
    name = user_models.make_id(architecture, dataset, training.fingerprint())
    return GridClassifier(name, dataset, num_classes, num_train, len(card.roles.hidden_layers), training)


def train_missing(own: GridClassifier, device: str, data_dir: Path) -> None:
    """Train a classifier of the grid, and import its data set, if the data folder lacks them."""
    user_catalog.set_data_dir(data_dir)
    if own.training is None or user_models.exists(own.id):
        return
    if own.dataset == FACES and FACES not in datasets.cards():
        _import_faces(data_dir)
    data = datasets.card(own.dataset)
    assert (len(data.classes), data.train) == (own.num_classes, own.num_train), "the grid declares its data sets"
    train_locally(own.training, device=device, data_dir=data_dir, listener=NullListener())


def _import_faces(data_dir: Path) -> None:
    """Import the Olivetti faces (Samaria & Harter 1994; AT&T Laboratories Cambridge): 40 people, ten images of each.

    scikit-learn downloads them, or finds them in the data folder as `olivetti_py3.pkz`.
    """
    from sklearn.datasets import fetch_olivetti_faces

    faces: Any = fetch_olivetti_faces(data_home=str(data_dir))
    with tempfile.TemporaryDirectory() as folder:
        for number, (pixels, person) in enumerate(zip(faces.images, faces.target, strict=True)):
            path = Path(folder, FACES, f"person {person + 1:02d}", f"{number % _FACES_PER_PERSON}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray((255 * pixels).round().astype("uint8")).save(path)
        spec = ImportDatasetSpec(
            dataset=FACES, title="Olivetti faces", source="folder", options={"folder": FACES}, size=FACES_SIZE
        )
        import_locally(spec, data_dir, NullListener(), root=Path(folder))
