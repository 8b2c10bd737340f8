"""The bundled MLP for half-moons of points, whose predictions can all be shown in one image."""

from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.models.architectures import mlp

CARD = ClassifierCard(
    id="mlp-moons",
    title="MLP · Moons",
    summary="Two hidden layers on points in the plane: all its predictions can be shown at once, as a map.",
    architecture="mlp",
    dataset="moons",
    mean=(0.5069, 0.5028, 0.0),
    std=(0.2249, 0.2585, 1.0),
    roles=mlp.CARD.roles,
    recipe=mlp.CARD.recipe,
    seed=0,
    licence="MIT, the licence of Unlearn Lab.",
    source="Trained by `make bundle ARGS='--classifier mlp-moons'`.",
)
