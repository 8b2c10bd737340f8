"""The deletion test: whether covering what a heat map marks changes the answer of its model.

The strongest fifth of the map, as far as it is above 0, is covered with the mean colour of the image. Any cover changes
an answer, also because the model has never seen a patch. So a patch of the same shape is put at random places, the same
for all models, and only a greater effect than there is due to the place.

Sources: Petsiuk et al., RISE, BMVC 2018, section 4.2 (deletion), for one step and not the whole curve; Gomez et al.,
Metrics for saliency map evaluation, 2022, for what the covered image does to a model.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.domain.results.explanations import DeletionTest
from unlearn_core.probes.common.statistics import softmax
from unlearn_core.training import evaluate
from unlearn_core.training.seeding import random_generator

AREA = 0.2
"""The largest share of the image that is covered."""
PLACES, FEW_PLACES, LARGE = 32, 8, 64
"""The number of random places, and that for images of more than LARGE pixels, which take longer."""


def deletion_test(model: nn.Module, image: Tensor, heatmap: np.ndarray, target: int) -> DeletionTest | None:
    """Return the result for an image (H, W, 3) uint8 and its raw map (h, w) for a class; None if it marks nothing."""
    mask = marked(heatmap, image.shape[0])
    if not mask.any():
        return None
    colour = image.float().mean((0, 1)).round().to(torch.uint8)
    masks = torch.stack([torch.zeros_like(mask), mask, *_moved(mask)])
    probabilities = softmax(evaluate.logits(model, torch.where(masks[..., None], colour, image)))
    whole, covered, *elsewhere = probabilities[:, target].tolist()
    return DeletionTest(
        area=float(mask.float().mean()),
        uncovered=whole,
        covered=covered,
        predicted=int(probabilities[1].argmax()),
        random=float(np.mean(elsewhere)),
        places=len(elsewhere),
        as_low=sum(one <= covered for one in elsewhere),
    )


def marked(heatmap: np.ndarray, side: int) -> Tensor:
    """Return which pixels (side, side) of an image a map marks: the strongest fifth, as far as it is above 0."""
    enlarged = F.interpolate(torch.as_tensor(heatmap)[None, None], (side, side), mode="bilinear")[0, 0]
    return enlarged > enlarged.quantile(1 - AREA).clamp(min=0)


def _moved(mask: Tensor) -> list[Tensor]:
    """Return the mask at random other places; what leaves the image at one side enters it at the other."""
    side = len(mask)
    count = PLACES if side <= LARGE else FEW_PLACES
    shifts = 1 + torch.randperm(side * side - 1, generator=random_generator(0, "deletion test", side))[:count].numpy()
    return [mask.roll((int(shift) // side, int(shift) % side), (0, 1)) for shift in shifts]
