"""The standard requests of a data set: their golds ship, and results of methods are reported on them.

Presets are tuned on other requests (see CONTRIBUTING.md), so results on these show a method where it was not tuned.
"""

import numpy as np

from unlearn_core.data import datasets
from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetImages

ENSEMBLE_REQUEST = ("resnet8", "200-pictures")
"""The classifier and the request for which an ensemble of golds ships."""
ENSEMBLE_SIZE = 128
"""Half of the golds to score against, the other half for the ceiling at the same number."""


def standard_requests(dataset: DatasetCard) -> dict[str, Forget]:
    """One class, three classes, and 16 and 200 fixed random training images, by name; none for other data sets."""
    names = dataset.classes
    if dataset.id != "cifar10-sample":
        return {}
    return {
        "cat": ForgetClasses(classes=(names.index("cat"),)),
        "three-classes": ForgetClasses(classes=tuple(names.index(name) for name in ("automobile", "cat", "ship"))),
        "16-pictures": _drawn(dataset, 16),
        "200-pictures": _drawn(dataset, 200),
    }


def corrective_requests(mislabelled: np.ndarray) -> dict[str, ForgetImages]:
    """All of the images (n,) whose label is known to be wrong, and every second one of them, by name.

    Corrective unlearning often knows only some of them: Goel et al., Corrective Machine Unlearning, arXiv 2402.14015.
    """
    if len(mislabelled) < 2:
        return {}
    return {
        "mislabelled": ForgetImages(images=tuple(mislabelled.tolist())),
        "mislabelled-half": ForgetImages(images=tuple(mislabelled[::2].tolist())),
    }


def bundled_requests(classifier: ClassifierCard, dataset: DatasetCard) -> dict[str, Forget]:
    """The requests whose golds ship with a classifier, by name: each class and the standard ones.

    The small classifier of the ensemble of golds ships with the request of that ensemble alone; one that was trained on
    wrong labels ships with the requests that forget these.
    """
    corrective: dict[str, Forget] = dict(corrective_requests(datasets.load(dataset.id).mislabelled))
    if corrective:
        return corrective
    if classifier.id == ENSEMBLE_REQUEST[0]:
        return {ENSEMBLE_REQUEST[1]: standard_requests(dataset)[ENSEMBLE_REQUEST[1]]}
    every: dict[str, Forget] = {name: ForgetClasses(classes=(n,)) for n, name in enumerate(dataset.classes)}
    return every | standard_requests(dataset)


def _drawn(dataset: DatasetCard, count: int) -> ForgetImages:
    chosen = np.random.default_rng(count).choice(dataset.train, count, replace=False)
    return ForgetImages(images=tuple(chosen.tolist()))
