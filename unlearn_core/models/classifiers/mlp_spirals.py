"""The bundled MLP for spiral arms of points, whose predictions can all be shown in one image."""

from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.models.architectures import mlp

CARD = ClassifierCard(
    id="mlp-spirals",
    title="MLP · Spirals",
    summary="Two hidden layers on points in the plane: all its predictions can be shown at once, as a map.",
    architecture="mlp",
    dataset="spirals",
    mean=(0.4987, 0.4994, 0.0),
    std=(0.2353, 0.2262, 1.0),
    roles=mlp.CARD.roles,
    recipe=mlp.CARD.recipe,
    seed=0,
    licence="MIT, the licence of Unlearn Lab.",
    source="Trained by `make bundle ARGS='--classifier mlp-spirals'`.",
)
