"""Count the retained images that are copies of forget images: what these teach stays in the model."""

import numpy as np

from unlearn_core.data.duplicates.record import dataset_duplicates
from unlearn_core.domain.results.copies import CopiesResult
from unlearn_core.engine.setup import ResolvedRun


def count_copies(resolved: ResolvedRun) -> CopiesResult:
    """Return the number of such images in each retain set, without what earlier runs forgot."""
    duplicates, split = dataset_duplicates(resolved.data.card), resolved.remaining_split
    forget = np.concatenate([split.forget_train, split.forget_val, split.forget_test])
    copies = duplicates.copies_of(forget)
    found = {name: np.intersect1d(copies, getattr(split, name)) for name in split._fields if name.startswith("retain")}
    retained = np.concatenate(list(found.values()))
    return CopiesResult(
        counts={name: len(images) for name, images in found.items()},
        forget_images=len(np.intersect1d(duplicates.copies_of(retained), forget)),
    )
