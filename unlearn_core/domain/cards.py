"""Facts about what can be loaded: one card an architecture, one a classifier, one a data set."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from unlearn_core.domain.errors import NotSupportedError
from unlearn_core.domain.recipe import Recipe


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

    @property
    def is_points(self) -> bool:
        """Whether its pictures are points of the plane: one pixel, red is x and green is y, in 255 steps."""
        return self.size == 1


class LayerRoles(_Card):
    """Which modules play which part: dotted names as `net.get_submodule` takes them."""

    layers: tuple[str, ...]
    """The layers in the order that a picture passes them: the rows of every per-layer chart."""
    head: tuple[str, ...]
    shortcuts: tuple[str, ...]
    """The 1x1 projections beside residual blocks."""
    cam: str | None
    """The module whose output GradCAM looks at; None where no module's output has places to point at."""
    maps: tuple[str, ...] | None = None
    """The layers that GradCAM may look at, where these are not simply all but the head and the shortcuts."""
    prefix_tokens: int | None = None
    """For a transformer, whose layers give (N, tokens, channels): how many tokens come before the picture's own."""

    @property
    def explainable_layers(self) -> tuple[str, ...]:
        """The layers whose output has places that reach the answer, in order, `cam` among them; none without one."""
        if self.cam is None:
            return ()
        flat = {*self.head, *self.shortcuts}
        found = self.maps if self.maps is not None else tuple(name for name in self.layers if name not in flat)
        return found if self.cam in found else (*found, self.cam)


class ArchitectureCard(_Card):
    """A kind of net: what it is, which of its layers play which part, and how it is usually trained."""

    id: str
    title: str
    summary: str
    roles: LayerRoles
    recipe: Recipe
    smallest: int = 32
    """Height and width of the smallest pictures that it takes, in pixels."""
    source: str


class ClassifierCard(_Card):
    """What a classifier is, what it was trained on and how, so that gold is defined for it."""

    id: str
    title: str
    summary: str
    architecture: str
    dataset: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    roles: LayerRoles
    recipe: Recipe | None
    """None where nobody has said how it was trained: then there is no gold of it."""
    original_recipe: bool = True
    """False where `recipe` is one that somebody chose for gold, not the one that made the classifier."""
    start: str | None = None
    """What its training began with, where not with fresh weights: a classifier, or published weights by name."""
    seed: int
    """The seed that the original was trained with."""
    licence: str
    source: str

    @property
    def required_recipe(self) -> Recipe:
        """Its recipe. Raises NotSupported where nobody has said how it was trained."""
        if self.recipe is None:
            raise NotSupportedError(
                f"Nobody has said how {self.title} was trained, so it cannot be trained again: "
                "confirm a recipe on the page Classifier first."
            )
        return self.recipe

    @model_validator(mode="before")
    @classmethod
    def _named(cls, data: Any) -> Any:
        """Reports of the first release name no architecture: it was called as the classifier was."""
        return data if not isinstance(data, dict) or "architecture" in data else data | {"architecture": data["id"]}
