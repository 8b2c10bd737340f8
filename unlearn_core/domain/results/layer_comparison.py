"""How far apart two models are inside, layer by layer: their weights, and their features (CKA).

Pairs of models are "before-after", "before-gold", "after-gold", "before-other" (an original from another seed) and
"gold-twin" (two retrained models), as far as these models exist.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from unlearn_core.domain.results.result import Record, Result


class WeightDistance(Record):
    """How far apart the same tensors of two models are, taken as one vector; 0 if they are exactly equal."""

    l2: float
    relative: float
    """`l2` divided by the norm of the first model's vector."""


class TensorGroup(Record):
    """Tensors that are compared as one vector."""

    name: str
    tensors: int
    weights: int
    """The number of values in all tensors."""
    shape: str
    """The shape of the largest tensor, such as "16×3×3×3"."""
    tensor_shapes: Annotated[Sequence[tuple[str, str]], Field(alias="names")] = ()
    """Each tensor with its shape. Former releases did not store them."""
    pairs: Mapping[str, WeightDistance]


class LayerStatistics(TensorGroup):
    """The running means and variances of batch norm in a layer, or in "other", which is no layer of the card."""

    name: Annotated[str, Field(alias="layer")]


class LayerWeights(TensorGroup):
    """The weights of a layer, or of "other", which is no layer of the card."""

    name: Annotated[str, Field(alias="layer")]
    kinds: Mapping[str, Mapping[str, WeightDistance]] = {}
    """By kind of weights and pair. Former releases did not store them."""


class KindWeights(TensorGroup):
    """All weights of one kind: "conv", "norm", "head" or "other"."""

    name: Annotated[str, Field(alias="kind")]


class WeightDistanceResult(Result, part="layers"):
    """How far the weights moved. Layers and kinds are in the order of the model, from input to output."""

    layers: Annotated[Sequence[LayerWeights], Field(alias="rows")]
    kinds: Sequence[KindWeights] = ()
    """Former releases did not store them."""
    statistics: Annotated[Sequence[LayerStatistics], Field(alias="buffers")]
    total: Mapping[str, WeightDistance]
    """All weights as one vector, by pair."""
    mean: Mapping[str, WeightDistance] = {}
    """The mean over the layers, by pair. Former releases did not store it."""


class FeatureSimilarity(Record):
    """Linear CKA of the features of two models, from -1 to 1; None where it is undefined."""

    unbiased: float | None
    """The estimate that few images do not inflate."""
    plain: float | None


class LayerSimilarity(Record):
    """The similarity of the features of each pair of models in one layer."""

    layer: str
    pairs: Mapping[str, FeatureSimilarity]


class FeatureGap(Record):
    """How much less after's features are like gold's than a second gold's are, by unbiased similarity in one layer."""

    layer: str
    after_gold: float
    gold_twin: float
    error: float
    """The standard error of the difference over the images, by the jackknife."""

    @property
    def difference(self) -> float:
        """The similarity of after and gold minus that of two golds."""
        return self.after_gold - self.gold_twin


class CkaResult(Result, part="cka"):
    """The similarity of features on the same images, by layer from input to output."""

    images: Annotated[int, Field(alias="pictures")]
    forget_images: Annotated[int, Field(alias="forgotten")]
    """How many of the images are training images of the forget set."""
    layers: Annotated[Sequence[LayerSimilarity], Field(alias="rows")]
    reasons: Mapping[str, str]
    """Why a similarity is undefined, by "layer, pair"."""
    gap: FeatureGap | None = None
    """In the last layer; None without a second gold."""

    def unbiased(self, pair: str) -> dict[str, float | None]:
        """Return the unbiased estimate of each layer; empty if there is no such pair."""
        return {row.layer: row.pairs[pair].unbiased for row in self.layers if pair in row.pairs}
