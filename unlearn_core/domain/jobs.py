"""What a worker can be asked to do: one frozen specification per kind of job."""

import math
from typing import Annotated, Any, Literal
from unicodedata import category

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationInfo, field_validator

from unlearn_core.domain.forget_request import ForgetRequest, fingerprint
from unlearn_core.domain.recipe import Recipe


def _clean(text: object) -> object:
    """A name without what nobody sees: control characters, and marks that turn the direction of writing."""
    if not isinstance(text, str):
        return text
    seen = "".join(" " if one.isspace() else one for one in text if one.isspace() or category(one) not in _UNSEEN)
    return " ".join(seen.split())[:MAX_NAME_LENGTH]


_UNSEEN = ("Cc", "Cf", "Co", "Cs", "Cn")

MAX_NAME_LENGTH = 80
"""Characters of a name that somebody gives to a classifier; what is longer is cut."""

DisplayName = Annotated[str, BeforeValidator(_clean)]


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def fingerprint(self) -> str:
        """The same for the same work."""
        return fingerprint(self)


class UnlearnSpec(_Spec):
    """All that is needed to unlearn again: what, how, and from which seed.

    `start` is the earlier run whose weights are the starting point, or None for the classifier itself.
    """

    kind: Literal["unlearn"] = "unlearn"
    request: ForgetRequest
    start: int | None = None
    method: str
    params: dict[str, Any]
    seed: int = Field(default=0, ge=0, lt=2**31)


class TrainGoldSpec(_Spec):
    """Retraining without the forgotten data; `seed` 0 is the first gold of this request, 1 the second."""

    kind: Literal["gold"] = "gold"
    request: ForgetRequest
    seed: int = Field(default=0, ge=0, lt=1000)


class MeasureSpec(_Spec):
    """Adds to a finished run's report what was not measured at its end.

    `what` is "new", what needs a gold that came later, or "relearn", "score" or "lira", which cost so much that
    somebody must ask for them; `nets` is the number of nets of each kind that the last two are taken with.
    """

    kind: Literal["measure"] = "measure"
    run: int
    what: Literal["new", "relearn", "score", "lira"] = "new"
    nets: int = Field(default=16, ge=4, le=512)


class ImportDatasetSpec(_Spec):
    """Prepares a data set once: its pictures are decoded, brought to one square size, and kept as `dataset`.

    `source` is a kind of source on the shelf catalog/sources and `options` what that one asks for; `fit` says what
    becomes of pictures that are not square: their middle is cut out, or black is added.
    """

    kind: Literal["import"] = "import"
    dataset: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    title: str = Field(min_length=1, max_length=80)
    source: str
    options: dict[str, str | int] = {}
    size: int = Field(ge=8, le=512)
    fit: Literal["crop", "pad"] = "crop"


class TrainSpec(_Spec):
    """Trains a classifier here; the result joins the catalog, with its recipe.

    `start` is a classifier of the same architecture whose weights are the beginning (its head is replaced), or None
    for fresh ones drawn from `seed`. `name` is what people call the result, "" for a name made of the other two.
    """

    kind: Literal["train"] = "train"
    architecture: str = Field(max_length=200)
    dataset: str = Field(max_length=200)
    name: DisplayName = ""
    recipe: Recipe
    seed: int = Field(default=0, ge=0, lt=1000)
    start: str | None = Field(default=None, max_length=200)


class AddCheckpointSpec(_Spec):
    """Takes in a checkpoint that somebody brought: looks whether it fits, and how good it is, before it may be used.

    `upload` is the sha256 of its file, by which it lies in the data folder; `mean` and `std` are what was subtracted
    from pixels in [0, 1], and what they were divided by, before this net saw them.
    """

    kind: Literal["add"] = "add"
    upload: str = Field(pattern="^[0-9a-f]{64}$")
    architecture: str = Field(max_length=200)
    dataset: str = Field(max_length=200)
    name: DisplayName = ""
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @field_validator("mean", "std")
    @classmethod
    def _finite(cls, value: tuple[float, float, float], info: ValidationInfo) -> tuple[float, float, float]:
        low = 0 if info.field_name == "std" else -math.inf
        if not all(math.isfinite(one) and one > low for one in value):
            raise ValueError("the mean is three numbers, and the standard deviation three above 0")
        return value


CamAlgorithm = Literal["gradcam", "gradcam++", "layercam", "hirescam", "eigencam"]
"""How a class activation map is made."""


class ExplainSpec(_Spec):
    """A small question about a finished run: where do the models look in one picture, for one class, at one layer?

    `picture` is a position in the data set (training, validation, test); `target` the class explained; `layer` a
    module's dotted name, None for the one that the classifier's card recommends.
    """

    kind: Literal["look"] = "look"
    run: int
    picture: int = Field(ge=0)
    target: int = Field(ge=0)
    layer: str | None = None
    algorithm: CamAlgorithm = "gradcam"


Spec = Annotated[
    UnlearnSpec | TrainGoldSpec | MeasureSpec | ImportDatasetSpec | TrainSpec | AddCheckpointSpec | ExplainSpec,
    Field(discriminator="kind"),
]

SPEC_ADAPTER: TypeAdapter[
    UnlearnSpec | TrainGoldSpec | MeasureSpec | ImportDatasetSpec | TrainSpec | AddCheckpointSpec | ExplainSpec
] = TypeAdapter(Spec)
