"""Cards: facts about each data set, architecture and classifier that can be loaded."""

from typing import Any, cast

from pydantic import BaseModel, ConfigDict, model_validator

from unlearn_core.domain.errors import NotSupportedError
from unlearn_core.domain.recipe import Recipe


class _Card(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DatasetCard(_Card):
    """What a data set contains. Counts are images; `train + val + test` is also the order in which they are stored."""

    id: str
    title: str
    summary: str
    classes: tuple[str, ...]
    size: int
    """Height and width of an image in pixels."""
    train: int
    val: int
    test: int
    licence: str
    source: str

    @property
    def is_points(self) -> bool:
        """Whether its images are points in the plane: one pixel each, red is x and green is y, in 255 steps."""
        return self.size == 1

    @property
    def item_noun(self) -> str:
        """What one of its inputs is called in texts: "image" or "point"."""
        return "point" if self.is_points else "image"


class LayerRoles(_Card):
    """The roles of a model's modules, as dotted names for `model.get_submodule`."""

    layers: tuple[str, ...]
    """The layers in forward order: the rows of every per-layer chart."""
    head: tuple[str, ...]
    shortcuts: tuple[str, ...]
    """The 1x1 projections in parallel to residual blocks."""
    cam: str | None
    """The module whose output Grad-CAM explains; None if no module's output has spatial positions."""
    maps: tuple[str, ...] | None = None
    """The layers that Grad-CAM can explain, if these are not simply all except the head and the shortcuts."""
    prefix_tokens: int | None = None
    """For a transformer, whose layers output (N, tokens, channels): the number of tokens before the image tokens."""

    @property
    def hidden_layers(self) -> tuple[str, ...]:
        """The layers without the head and the shortcuts, in order."""
        return tuple(name for name in self.layers if name not in {*self.head, *self.shortcuts})

    @property
    def explainable_layers(self) -> tuple[str, ...]:
        """The layers with a spatial output that affects the prediction, in order, `cam` included; empty without it."""
        if self.cam is None:
            return ()
        found = self.maps if self.maps is not None else self.hidden_layers
        return found if self.cam in found else (*found, self.cam)


class ArchitectureCard(_Card):
    """An architecture: what it is, the roles of its layers, and its default training recipe."""

    id: str
    title: str
    summary: str
    weights: int | None = None
    """The number of its weights, with a head for ten classes and for images of `smallest` pixels; None if unknown."""
    roles: LayerRoles
    recipe: Recipe
    smallest: int = 32
    """Height and width in pixels of the smallest images it supports."""
    source: str


class ClassifierCard(_Card):
    """What a classifier is and how it was trained, so that a retrained model is defined for it."""

    id: str
    title: str
    summary: str
    architecture: str
    dataset: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    roles: LayerRoles
    recipe: Recipe | None
    """None if its training is unknown; then no retrained model can be trained."""
    original_recipe: bool = True
    """False if `recipe` was chosen for retraining and did not train the classifier itself."""
    start: str | None = None
    """The initial weights, if not fresh ones: a classifier, or published weights by name."""
    seed: int
    """The seed of its training."""
    licence: str
    source: str

    @property
    def required_recipe(self) -> Recipe:
        """Its recipe. Raises NotSupportedError if its training is unknown."""
        if self.recipe is None:
            raise NotSupportedError(
                f"It is unknown how {self.title} was trained, so it cannot be retrained: "
                "confirm a recipe on the page Classifier first."
            )
        return self.recipe

    @model_validator(mode="before")
    @classmethod
    def _add_architecture(cls, data: Any) -> Any:
        """Add the architecture to cards from the first release, in which it had the classifier's id."""
        if not isinstance(data, dict):
            return data
        card = cast("dict[str, Any]", data)
        return card if "architecture" in card else card | {"architecture": card["id"]}
