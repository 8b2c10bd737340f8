"""The bundled MLP for clusters of points, whose predictions can all be shown in one image."""

from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.models.architectures import mlp

CARD = ClassifierCard(
    id="mlp-blobs",
    title="MLP · Blobs",
    summary="Two hidden layers on points in the plane: all its predictions can be shown at once, as a map.",
    architecture="mlp",
    dataset="blobs",
    mean=(0.4998, 0.4985, 0.0),
    std=(0.2322, 0.2271, 1.0),
    roles=mlp.CARD.roles,
    recipe=mlp.CARD.recipe,
    seed=0,
    licence="MIT, the licence of Unlearn Lab.",
    source="Trained by `make bundle ARGS='--classifier mlp-blobs'`.",
)
