"""The algorithms of class activation maps: what distinguishes each from Grad-CAM, and where it is published."""

from typing import NamedTuple

from unlearn_core.domain.jobs import CamAlgorithm


class CamCard(NamedTuple):
    """One algorithm."""

    title: str
    difference: str
    """What it does, as sentences for a person who knows Grad-CAM."""
    paper: str
    url: str
    shows_class: bool = True
    """Whether the map is about a class."""
    shows_amount: bool = True
    """Whether brightness is the amount of evidence; if not, only places can be compared between models."""


CAM_ALGORITHMS: dict[CamAlgorithm, CamCard] = {
    "gradcam": CamCard(
        "Grad-CAM",
        "It weights each channel of the layer by the mean gradient of the class's logit, and adds the channels up.",
        "Selvaraju et al., ICCV 2017",
        "https://arxiv.org/abs/1610.02391",
    ),
    "gradcam++": CamCard(
        "Grad-CAM++",
        "It weights channels by their positive gradients only, so several objects of a class light up together.",
        "Chattopadhay et al., WACV 2018",
        "https://arxiv.org/abs/1710.11063",
    ),
    "layercam": CamCard(
        "LayerCAM",
        "It weights every position by its own positive gradient, so maps of early layers are fine and sharp.",
        "Jiang et al., IEEE TIP 2021",
        "https://doi.org/10.1109/TIP.2021.3089943",
    ),
    "hirescam": CamCard(
        "HiResCAM",
        "It multiplies every position by its own gradient and does not average first, so no region lights up that the "
        "class's logit does not depend on.",
        "Draelos and Carin, 2020",
        "https://arxiv.org/abs/2011.08891",
    ),
    "scorecam": CamCard(
        "ScoreCAM",
        "It uses no gradient: it shows the model the image through each channel in turn, and weights the channels by "
        "the class's logit. The weights sum to 1 in every model, so compare places and not brightness.",
        "Wang et al., CVPR Workshops 2020",
        "https://arxiv.org/abs/1910.01279",
        shows_amount=False,
    ),
    "eigencam": CamCard(
        "EigenCAM (no class)",
        "It uses no gradient and no class: it shows the layer's main response, the first principal component of its "
        "activations.",
        "Muhammad and Yeasin, IJCNN 2020",
        "https://arxiv.org/abs/2008.00299",
        shows_class=False,
        shows_amount=False,
    ),
    "finercam": CamCard(
        "FinerCAM",
        "It explains how far the class is ahead of the three classes that the original model finds most similar, so "
        "what they have in common stays dark.",
        "Zhang et al., CVPR 2025",
        "https://arxiv.org/abs/2501.11309",
    ),
}
"""By the ids of an ExplainSpec, in the order in which they are offered."""
