"""Facts about what can be loaded: one card a classifier, one a data set."""

from pydantic import BaseModel, ConfigDict

from unlearn_core.domain.recipes import Recipe


class _Card(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DatasetCard(_Card):
    """What a data set holds. Counts are pictures; `train + val + test` is also the order in which they are stored."""

    id: str
    title: str
    summary: str
    classes: tuple[str, ...]
    size: int
    """Height and width of a picture in pixels."""
    train: int
    val: int
    test: int
    licence: str
    source: str


class LayerRoles(_Card):
    """Which modules play which part: dotted names as `net.get_submodule` takes them."""

    layers: tuple[str, ...]
    """The layers in the order that a picture passes them: the rows of every per-layer chart."""
    head: tuple[str, ...]
    shortcuts: tuple[str, ...]
    """The 1x1 projections beside residual blocks."""
    cam: str
    """The module whose output GradCAM looks at."""


class ClassifierCard(_Card):
    """What a classifier is, what it was trained on and how, so that gold is defined for it."""

    id: str
    title: str
    summary: str
    dataset: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    roles: LayerRoles
    recipe: Recipe
    seed: int
    """The seed that the bundled original was trained with."""
    licence: str
    source: str
