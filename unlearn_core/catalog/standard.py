"""The standard requests of a data set: those whose golds ship, and on which the results of methods are reported.

Presets are tuned on others (see CONTRIBUTING.md), so these say how a method does where it was not tuned.
"""

import numpy as np

from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.request import Forget, ForgetClasses, ForgetImages


def standard(dataset: DatasetCard) -> dict[str, Forget]:
    """One class, three classes, 16 and 200 training pictures drawn once and for all, by name; none for other sets."""
    names = dataset.classes
    if dataset.id != "cifar10-sample":
        return {}
    return {
        "cat": ForgetClasses(classes=(names.index("cat"),)),
        "three-classes": ForgetClasses(classes=tuple(names.index(name) for name in ("automobile", "cat", "ship"))),
        "16-pictures": _drawn(dataset, 16),
        "200-pictures": _drawn(dataset, 200),
    }


def _drawn(dataset: DatasetCard, count: int) -> ForgetImages:
    chosen = np.random.default_rng(count).choice(dataset.train, count, replace=False)
    return ForgetImages(images=tuple(chosen.tolist()))
