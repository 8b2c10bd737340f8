"""Job specifications: one frozen specification for each kind of job that a worker can run."""

import math
from typing import Annotated, Any, Literal, Self
from unicodedata import category

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationInfo,
    field_validator,
    model_validator,
)

from unlearn_core.domain.forget_request import ForgetRequest, fingerprint
from unlearn_core.domain.recipe import Recipe
from unlearn_core.domain.results.point_runs import PointsSpec


def _clean(text: object) -> object:
    """A name without invisible characters: control characters, and marks that change the writing direction."""
    if not isinstance(text, str):
        return text
    seen = "".join(" " if one.isspace() else one for one in text if one.isspace() or category(one) not in _UNSEEN)
    return " ".join(seen.split())[:MAX_NAME_LENGTH]


_UNSEEN = ("Cc", "Cf", "Co", "Cs", "Cn")

MAX_NAME_LENGTH = 80
"""Maximum length of a classifier's display name; longer names are cut."""

DisplayName = Annotated[str, BeforeValidator(_clean)]

RunNumber = Annotated[int, Field(gt=-(2**31), lt=2**31)]
"""The number of a run in the history; those of runs that ship are negative."""


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def fingerprint(self) -> str:
        """A hash that equal specifications share."""
        return fingerprint(self)


class UnlearnSpec(_Spec):
    """Everything that is needed to reproduce an unlearning run.

    `start` is the earlier run whose weights are the starting point, or None for the classifier itself. `auto` names the
    hyperparameters whose values the run finds at its start; it begins its search with those in `params`.
    """

    kind: Literal["unlearn"] = "unlearn"
    request: ForgetRequest
    start: RunNumber | None = None
    method: str
    params: dict[str, Any]
    seed: int = Field(default=0, ge=0, lt=2**31)
    # Fields that came later are left out of the JSON while they are unset: the fingerprints of earlier specs stay.
    auto: tuple[str, ...] = Field(default=(), exclude_if=lambda value: not value)

    @property
    def fixed(self) -> dict[str, Any]:
        """The hyperparameters that are given, and not found by the run."""
        return {name: value for name, value in self.params.items() if name not in self.auto}


class TrainGoldSpec(_Spec):
    """Retraining without the forget set; `seed` 0 is the first retrained model of this request, 1 the second."""

    kind: Literal["gold"] = "gold"
    request: ForgetRequest
    seed: int = Field(default=0, ge=0, lt=1000)


class MeasureSpec(_Spec):
    """Additional measurements for a finished run's report.

    `what` is "new", for measurements that need a retrained model trained later, or the id of a measurement that runs
    only on request, such as "relearn", "score" or "lira"; `nets` is the size of the ensembles that it needs.
    """

    kind: Literal["measure"] = "measure"
    run: RunNumber
    what: str = Field(default="new", pattern=r"^[a-z][a-z0-9_-]{0,63}$")
    nets: int = Field(default=16, ge=4, le=512)


class ImportDatasetSpec(_Spec):
    """Import of a data set: its images are decoded, resized to one square size and stored as `dataset`.

    `source` is the id of a plug-in in data/sources and `options` are its options; `fit` says how images that are
    not square are fitted: "crop" cuts out the centre, "pad" adds black borders.
    """

    kind: Literal["import"] = "import"
    dataset: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    title: str = Field(min_length=1, max_length=80)
    source: str
    options: dict[str, str | int] = {}
    size: int = Field(ge=8, le=512)
    fit: Literal["crop", "pad"] = "crop"


class TrainSpec(_Spec):
    """Training of a classifier; the result is added to the catalog with its recipe.

    `start` is a classifier of the same architecture whose weights are the initial weights (its head is replaced), or
    None for fresh weights initialised from `seed`. `name` is the display name; "" means a name made from the
    architecture and the data set.
    """

    kind: Literal["train"] = "train"
    architecture: str = Field(max_length=200)
    dataset: str = Field(max_length=200)
    name: DisplayName = ""
    recipe: Recipe
    seed: int = Field(default=0, ge=0, lt=1000)
    start: str | None = Field(default=None, max_length=200)


class AddCheckpointSpec(_Spec):
    """Validation of an uploaded checkpoint: whether it fits an architecture, and how accurate it is.

    `upload` is the SHA-256 of its file, which is its name in the data folder, and `entry` the entry of the file that
    holds the weights; "" means the usual one. `architecture` "" means the built-in one that the file fits. `mean` and
    `std` are the normalisation constants for pixels in [0, 1] that the model was trained with; None means the most
    accurate of the usual ones. With `reorder`, the outputs are put into the order that fits the data set's classes.
    """

    kind: Literal["add"] = "add"
    upload: str = Field(pattern="^[0-9a-f]{64}$")
    architecture: str = Field(default="", max_length=200)
    dataset: str = Field(max_length=200)
    name: DisplayName = ""
    mean: tuple[float, float, float] | None = None
    std: tuple[float, float, float] | None = None
    # Fields that came later are left out of the JSON while they are unset: the fingerprints of earlier specs stay.
    entry: str = Field(default="", max_length=1000, exclude_if=lambda value: not value)
    reorder: bool = Field(default=False, exclude_if=lambda value: not value)

    @field_validator("mean", "std")
    @classmethod
    def _finite(
        cls, value: tuple[float, float, float] | None, info: ValidationInfo
    ) -> tuple[float, float, float] | None:
        low = 0 if info.field_name == "std" else -math.inf
        if value is not None and not all(math.isfinite(one) and one > low for one in value):
            raise ValueError("the mean must be three finite numbers, the standard deviation three above 0")
        return value

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.mean is None) != (self.std is None):
            raise ValueError("mean and standard deviation are given together")
        return self


CamAlgorithm = Literal["gradcam", "gradcam++", "layercam", "hirescam", "scorecam", "eigencam", "finercam"]
"""The algorithm of a class activation map; see `cam_algorithms`."""


class ExplainSpec(_Spec):
    """A Grad-CAM query about a finished run: the models' maps for one image, one class and one layer.

    `picture` is the image's position in the data set (training, validation, test), or `upload` is the name of an image
    that was uploaded for this question. `target` is the class explained; None is the class that the original model
    predicts. `layer` is a module's dotted name, None for the classifier card's default.
    """

    kind: Literal["look"] = "look"
    run: RunNumber
    picture: int | None = Field(default=None, ge=0)
    target: int | None = Field(default=None, ge=0)
    layer: str | None = None
    algorithm: CamAlgorithm = "gradcam"
    # Fields that came later are left out of the JSON while they are unset: the fingerprints of earlier specs stay.
    upload: str = Field(default="", pattern="^([0-9a-f]{64})?$", exclude_if=lambda value: not value)

    @model_validator(mode="after")
    def _one_image(self) -> Self:
        if (self.picture is None) == (self.upload == ""):
            raise ValueError("a query is about one image, of the data set or uploaded")
        return self


class FeaturesSpec(_Spec):
    """The features of all images of a classifier's data set, by which images that are alike are found."""

    kind: Literal["features"] = "features"
    classifier: str = Field(max_length=200)


AnySpec = (
    UnlearnSpec
    | TrainGoldSpec
    | MeasureSpec
    | ImportDatasetSpec
    | TrainSpec
    | AddCheckpointSpec
    | ExplainSpec
    | FeaturesSpec
    | PointsSpec
)
Spec = Annotated[AnySpec, Field(discriminator="kind")]

SPEC_ADAPTER: TypeAdapter[AnySpec] = TypeAdapter(Spec)
