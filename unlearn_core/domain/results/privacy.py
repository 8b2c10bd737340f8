"""What an attacker can learn about the forget set: membership inference, shadow models, epsilons, and relearning.

Models are "before", "after", "gold" and "twin" (a second retrained model).
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from unlearn_core.domain.results.relearn_protocol import RelearnProtocol
from unlearn_core.domain.results.result import Array, ArrayByKey, Number, Record, Result, Stored


class AttackMetrics(Record):
    """How well one attack ranks members above non-members."""

    auc: float
    """The probability that a member ranks above a non-member: 0.5 is guessing."""
    low: float
    """The lower end of the AUC's 95 % bootstrap interval."""
    high: float
    true_positive_rate: Annotated[float, Field(alias="found")]
    """At a false positive rate of at most 1 %; 0 to 1."""


class PredictedMembers(Record):
    """How many images the logistic attack predicts to be members, of equally many members and non-members."""

    members: int
    non_members: Annotated[int, Field(alias="strangers")]


class MembershipResult(Result, part="membership"):
    """Attacks that decide from the outputs whether an image was trained on. Members are images of the forget set."""

    num_members: Annotated[int, Field(alias="members")]
    attacks: Annotated[Mapping[str, Mapping[str, AttackMetrics]], Field(alias="models")]
    """By model and attack: "loss", "confidence", "entropy", "modified entropy", "margin" or "logistic"."""
    predicted_members: Annotated[Mapping[str, PredictedMembers], Field(alias="called")] = {}
    """By model; the first releases did not store it."""
    leak: Mapping[str, float]
    """By model: the largest distance of an attack's AUC from 0.5; 0 to 0.5."""
    privacy: Mapping[str, float] = {}
    """By model except gold: 1 minus twice the largest difference between an attack's AUC and its AUC on gold.

    1 where no attack reveals more about the model than about gold, 0 where one reveals everything; empty without gold.
    """
    privacy_val: Mapping[str, float] = {}
    """The same for tuning: without test images and without the logistic attack."""
    member_rows: Annotated[Array, Stored("members")]
    """The positions of the members in the data set, (n,) float32."""
    probabilities: Annotated[ArrayByKey, Stored("{}_guess")] = Field(default_factory=dict)
    """By model: the membership probability of each member by the logistic attack, (n,) float32, 0 to 1.

    The first releases did not store it.
    """


class AttackCurve(Record):
    """The figures of an attack on one model: its AUC, and the members found at few false positives, 0 to 1."""

    auc: float
    auc_low: float
    """The lower end of its 95 % interval."""
    auc_high: float
    found: float
    """The share of members found at a false positive rate of at most 1 %."""
    found_low: float
    """The lower end of its 95 % interval (Wilson)."""
    found_high: float


class AucDifference(Record):
    """One model's AUC minus another's on the same images, and the members that are found in only one of them."""

    difference: float
    low: float
    """The lower end of its 95 % interval."""
    high: float
    newly_found: int
    """Members found in the first model at few false positives, and not in the second."""
    no_longer_found: int


class AttackedSide(Record):
    """An attack on n members and n non-members of the same classes."""

    num_members: int
    num_false_positives: int
    """The non-members that may be taken for members at a false positive rate of 1 %."""
    models: Mapping[str, AttackCurve]
    differences: Mapping[str, AucDifference]
    """By pair: "after-before", "after-gold" and "gold-before"."""


class RetainedMembershipResult(Result, part="retained_membership"):
    """An attack on the retained images, and the same attack on the forget images."""

    sides: Mapping[str, AttackedSide]
    """By "retain" and "forget"; a side with too few images is left out."""
    steps: Annotated[ArrayByKey, Stored("{}_steps")]
    """By side: the numbers of false positives at which curves are stored, (T,) float32."""
    curves: Annotated[ArrayByKey, Stored("{}_curve")]
    """By side and model, as in "retain_after": the share of members found at each step, (T,) float32."""


class RmiaResult(Result, part="rmia"):
    """The attack with reference models and population images (RMIA) on the forget images."""

    reference_golds: Sequence[int]
    """The numbers of the golds that are reference models.

    All but number 0, which is attacked too; only number 0 where there is no other gold.
    """
    num_population: int
    """The population images, which are held-out images beside the non-members."""
    attacked: AttackedSide
    """Of "before", "after" and, if it is no reference model, "gold"."""
    steps: Annotated[Array, Stored("steps")]
    """The numbers of false positives at which curves are stored, (T,) float32."""
    curves: Annotated[ArrayByKey, Stored("{}_curve")]
    """By model: the share of members found at each step, (T,) float32."""


class LiraResult(Result, part="lira"):
    """The likelihood-ratio attack with K shadow models of each kind: unlearned ones and retrained ones."""

    num_shadows: Annotated[int, Field(alias="nets")]
    """K."""
    success_rate: Annotated[float, Field(alias="told")]
    """The share of trials in which it tells an unlearned model from a gold, 0 to 1: 0.5 is guessing."""
    low: float
    """The lower end of its 95 % interval over models."""
    high: float
    after: float
    """The share of the forget set that it identifies as trained on in after, 0 to 1."""
    gold: float
    unlearned_shadows: Annotated[Array, Stored("seen")]
    """The same share for each unlearned shadow model, (K,) float32."""
    retrained_shadows: Annotated[Array, Stored("unseen")]
    attack: AttackCurve | None = None
    """The attack on all pairs of a shadow model and an image, with intervals over models; former releases lack it."""
    curves: Annotated[ArrayByKey, Stored("{}_curve")] = Field(default_factory=dict)
    """By "rate" and "found": the false positive rates of its curve, and the pairs found at each, (T,) float32."""

    @property
    def identified(self) -> Mapping[str, float]:
        """The shares of the forget set that are identified in "after" and "gold"."""
        return {"after": self.after, "gold": self.gold}

    @property
    def shadows(self) -> Mapping[str, np.ndarray]:
        """The same shares in the shadow models of the kind of "after" and of "gold"."""
        return {"after": self.unlearned_shadows, "gold": self.retrained_shadows}


class EnsembleScore(Record):
    """The score of an ensemble of models against golds; nan where none of the images has an epsilon."""

    score: Number
    """Forgetting times retain times test: 0 to about 1."""
    forgetting: Number
    """The mean points of the images, 0 to 1."""
    error: Number
    """The standard error of forgetting over images; nan with fewer than two."""
    retain: Number
    """The accuracy on the retain set relative to gold."""
    test: Number
    """The accuracy on test images relative to gold."""

    @property
    def score_error(self) -> float:
        """The standard error of the score over images: that of forgetting, times the same two ratios."""
        return self.error * self.retain * self.test


class NeuripsScoreResult(Result, part="score"):
    """The score of the NeurIPS 2023 challenge: N unlearned models against N golds, beside N golds against N golds."""

    num_models: Annotated[int, Field(alias="nets")]
    """N."""
    bucket_width: Annotated[float, Field(alias="bucket")]
    """Each bucket of epsilons earns half the points of the one before."""
    last_bucket: Annotated[float, Field(alias="last")]
    """The epsilon from which on an image earns nothing."""
    after: EnsembleScore
    ceiling: EnsembleScore
    """Of other golds."""
    epsilons: Annotated[ArrayByKey, Stored("{}")]
    """By "after" and "ceiling": the epsilon of each forget image, (S,) float32, at least 0; nan where undefined."""

    @property
    def scores(self) -> Mapping[str, EnsembleScore]:
        """Both scores by "after" and "ceiling"."""
        return {"after": self.after, "ceiling": self.ceiling}


class RelearnTimes(Record):
    """The steps until a model relearned; None for never."""

    time: int | None
    """From the mean over the draws."""
    by_draw: Annotated[Sequence[int | None], Field(alias="times")]


EvaluatedSet = Literal["forget_val", "forget_train", "taught"]
"""The set of the evaluated forget images; "taught" if they are those that were trained on, for lack of others."""


class EvaluatedImages(Record):
    """The images on which relearning was evaluated."""

    set: EvaluatedSet
    forget: Annotated[int, Field(alias="pictures")]
    """The number of forget images."""
    retain: Annotated[int, Field(alias="beside")]
    """The number of retained images."""


class RelearnResult(Result, part="relearn"):
    """How fast copies of after, gold and a "fresh" model relearn the forget set. Accuracies are from 0 to 1."""

    ceiling: float
    """The original model's accuracy on the forget images."""
    retain_accuracy: Annotated[float, Field(alias="kept")]
    """The original model's accuracy on the retained images."""
    target: float
    """The accuracy on forget images that counts as relearned ..."""
    floor: float
    """... while the accuracy on retained images is at least this."""
    models: Mapping[str, RelearnTimes]
    """By "after", "gold" (if there is one) and "fresh"."""
    index: float | None
    """The anamnesis index, at least 0: 1 if nothing remained, less than 1 if information remained."""
    no_index: Annotated[str, Field(alias="why")] = ""
    """Why there is no index; empty if there is one."""
    evaluated: Annotated[EvaluatedImages, Field(alias="asked")]
    num_taught: Annotated[int, Field(alias="taught")]
    """Forget images trained on in each draw."""
    protocol: Annotated[RelearnProtocol, Field(alias="terms")]
    weights: Mapping[str, str]
    """The checksums of after and gold."""
    seconds: float
    """The time that the measurement took."""
    steps: Annotated[Array, Stored("step")]
    """The steps after which the models were evaluated, (T,) float32."""
    forget: Annotated[ArrayByKey, Stored("{}")]
    """By model: the accuracy on forget images (draws, T) float32."""
    retain: Annotated[ArrayByKey, Stored("{}_keep")]
    """By model: the accuracy on retained images (draws, T) float32."""
