"""The tiny architecture on the drawn shapes."""

from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.testing.tiny.models.architectures import tiny

CARD = ClassifierCard(
    id="tiny",
    title="Tiny · Shapes",
    summary="Small enough for tests.",
    architecture="tiny",
    dataset="shapes",
    mean=(0.4, 0.4, 0.4),
    std=(0.3, 0.3, 0.3),
    roles=tiny.CARD.roles,
    recipe=tiny.CARD.recipe,
    seed=0,
    licence="MIT, the licence of Unlearn Lab.",
    source="Trained by unlearn_core/testing/tiny/make.py.",
)
