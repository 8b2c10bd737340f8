"""What a setup comes to: how much is forgotten and kept, what that costs here, and what stands in its way."""

from dataclasses import dataclass

from unlearn_core import methods
from unlearn_core.data import datasets
from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.errors import BadRequest, UnlearnError
from unlearn_core.domain.forget_request import ForgetRequest
from unlearn_core.domain.jobs import RunSpec
from unlearn_core.domain.method import Method, Sizes
from unlearn_core.domain.params import Params
from unlearn_core.domain.recipe import Recipe
from unlearn_core.domain.report import forgotten
from unlearn_core.domain.split import Split, cut
from unlearn_core.models import classifiers
from unlearn_core.ui.shell import cache
from unlearn_core.ui.shell.cache import Pace
from unlearn_core.ui.shell.run_setup import Setup

MEASURED = 0.4
"""What it costs to measure a picture once, in float32, as a share of training with it in bfloat16."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A setup, thought through. `split` and `sizes` are None while nothing is chosen; `trouble` says why not to run."""

    setup: Setup
    classifier: ClassifierCard
    dataset: DatasetCard
    method: Method
    preset: str
    knobs: Params
    split: Split | None
    sizes: Sizes | None
    trouble: str | None
    pace: Pace

    @property
    def spec(self) -> RunSpec:
        """The run that this plan stands for; only where there is no trouble."""
        return RunSpec(
            request=_request(self.setup),
            start=self.setup.start,
            method=self.method.id,
            params=self.knobs.model_dump(),
            seed=self.setup.seed,
        )

    @property
    def turned(self) -> bool:
        """Whether a knob stands elsewhere than its preset has it."""
        return self.knobs != self.base

    @property
    def base(self) -> Params:
        """The knobs as the preset has them for this request."""
        return self.method.presets[self.preset].params_for(self.setup.forget)

    def title(self) -> str:
        """What the run is called: "Forget cat with UNSIR"."""
        return f"Forget {forgotten(self.spec, self.dataset)} with {self.method.title}"


def of(setup: Setup) -> Plan:
    """Thinks a setup through. Raises UnknownName where its classifier, data set or method does not exist."""
    classifier, dataset = classifiers.card(setup.classifier), datasets.card(setup.dataset)
    method = methods.method(setup.method)
    preset = setup.preset or next(iter(method.presets))
    split, trouble = None, None
    knobs = method.presets[preset].params_for(setup.forget)
    try:
        knobs = knobs.with_values(dict(setup.params))
        request = _request(setup)
        if setup.start is not None:
            cache.store().get(setup.start)
        split = cut(dataset, cache.pictures(dataset.id).labels, request.forget)
        trouble = unable(method, setup.by)
    except UnlearnError as problem:
        trouble = str(problem)
    return Plan(
        setup=setup,
        classifier=classifier,
        dataset=dataset,
        method=method,
        preset=preset,
        knobs=knobs,
        split=split,
        sizes=None if split is None else _sizes(split, dataset, setup, classifier.recipe),
        trouble=trouble,
        pace=cache.seconds_per_picture(classifier.id),
    )


def unable(method: Method, kind: str) -> str | None:
    """Why a method cannot serve such a request, and which ones can; None where it can."""
    if kind in method.supports:
        return None
    wish = {"classes": "whole classes", "images": "single pictures"}[kind]
    able = [other.title for other in methods.methods().values() if kind in other.supports]
    return f"{method.title} cannot forget {wish}. These methods can: {', '.join(able) or 'none yet'}."


def seconds(plan: Plan, method: Method, knobs: Params) -> float | None:
    """What a run of this method would take here, measuring included; None while nothing is chosen."""
    if plan.sizes is None:
        return None
    every = plan.dataset.train + plan.dataset.val + plan.dataset.test
    return (method.passes(knobs, plan.sizes) + MEASURED * every) * plan.pace.seconds


def _request(setup: Setup) -> ForgetRequest:
    if setup.forget is None:
        raise BadRequest("Nothing is chosen yet: tick what it should forget.")
    return ForgetRequest(classifier=setup.classifier, dataset=setup.dataset, forget=setup.forget)


def _sizes(split: Split, dataset: DatasetCard, setup: Setup, recipe: Recipe | None) -> Sizes:
    gone = len(setup.classes) if setup.by == "classes" else 0
    return Sizes(
        forget=len(split.forget_train),
        retain=len(split.retain_train),
        forgotten_classes=gone,
        kept_classes=len(dataset.classes) - gone,
        classes=len(dataset.classes),
        epochs=recipe.epochs if recipe else 0,
        batch=recipe.batch if recipe else 1,
    )
