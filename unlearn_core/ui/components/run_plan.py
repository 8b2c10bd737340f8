"""Resolve a setup: the sizes of forget set and retain set, the cost of the run here, and why it cannot be run."""

from collections.abc import Sequence
from dataclasses import dataclass

from unlearn_core import methods
from unlearn_core.data import datasets
from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.errors import InvalidRequestError, UnlearnError
from unlearn_core.domain.forget_request import ForgetRequest, forgotten_classes
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.method import Method, Preset, ProblemSize, cannot_forget
from unlearn_core.domain.params import BaseHyperparameters
from unlearn_core.domain.report import forget_set_title
from unlearn_core.domain.split import Split, make_split, remaining_split, trainable_split
from unlearn_core.engine.forecasts.duration import Forecast
from unlearn_core.engine.forecasts.here import of_run, run_work, this_machine
from unlearn_core.engine.forecasts.predict import Machine
from unlearn_core.models import classifiers
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import reports
from unlearn_core.store.queue.rates import Rate
from unlearn_core.ui.shell import cache
from unlearn_core.ui.shell.run_setup import RunSetup


@dataclass(frozen=True, kw_only=True)
class RunPlan:
    """A resolved setup. `split`, `remaining` and `sizes` are None while nothing is selected.

    `remaining` is the split without what earlier runs forgot; `error` says why it cannot be run.
    """

    setup: RunSetup
    classifier: ClassifierCard
    dataset: DatasetCard
    method: Method
    preset: str
    params: BaseHyperparameters
    split: Split | None
    remaining: Split | None
    sizes: ProblemSize | None
    error: str | None
    machine: Machine
    rates: Sequence[Rate]

    @property
    def spec(self) -> UnlearnSpec:
        """The spec of this run; only if `error` is None."""
        return UnlearnSpec(
            request=_request(self.setup),
            start=self.setup.start,
            method=self.method.id,
            params=self.params.model_dump(),
            seed=self.setup.seed,
            auto=self.auto,
        )

    @property
    def is_customized(self) -> bool:
        """Whether a hyperparameter differs from its preset."""
        return self.params != self.preset_values or self.auto != self.presets[self.preset].auto

    @property
    def preset_values(self) -> BaseHyperparameters:
        """The hyperparameters of the preset for this request."""
        return self.presets[self.preset].for_request(self.setup.forget)

    @property
    def presets(self) -> dict[str, Preset]:
        """The presets of the method for this classifier; the first is the default."""
        return methods.presets(self.method, self.classifier.id)

    @property
    def auto(self) -> tuple[str, ...]:
        """The hyperparameters that the run finds itself: those of its preset that were not changed."""
        return tuple(name for name in self.presets[self.preset].auto if name not in self.setup.params)

    @property
    def caution(self) -> str | None:
        """Why the run is expected to fail; None if it is not, or nothing is selected."""
        return None if self.sizes is None else self.method.caution(self.params, self.sizes, bool(self.auto))

    @property
    def first_try(self) -> BaseHyperparameters:
        """The hyperparameters with which a search would begin: those of the trials of a sweep, which do not search.

        Nor do they stop early, unless that was chosen: trials that make the same steps can be stacked.
        """
        tuning = self.method.tuning
        if tuning is None or self.sizes is None:
            return self.params
        begun = tuning.settings(self.params, self.sizes, 1.0, only=self.auto)
        stops = self.auto and "early_stop" not in self.setup.params
        return begun.updated({"early_stop": False}) if stops and "early_stop" in begun.hyperparameters() else begun

    def title(self) -> str:
        """The title of the run: "Forget cat with UNSIR"."""
        return f"Forget {forget_set_title(self.spec, self.dataset)} with {self.method.title}"


def resolve(setup: RunSetup) -> RunPlan:
    """Resolve a setup. Raises NotFoundError if its classifier, data set or method does not exist."""
    classifier, dataset = classifiers.card(setup.classifier), datasets.card(setup.dataset)
    method = methods.method(setup.method)
    presets = methods.presets(method, classifier.id)
    preset = setup.preset or next(iter(presets))
    split, remaining, sizes, error = None, None, None, None
    params = presets[preset].for_request(setup.forget)
    try:
        params = params.updated(dict(setup.params))
        request = _request(setup)
        if setup.start is not None:
            cache.store().get(setup.start)
        earlier = reports.previously_forgotten(open_data_dir(), setup.start)
        labels = cache.image_dataset(dataset.id).labels
        split = trainable_split(dataset, labels, request.forget)
        remaining = remaining_split(split, [make_split(dataset, labels, forget) for forget in earlier])
        sizes = ProblemSize.of(
            remaining, dataset, request.forget, classifier, previously_forgotten=forgotten_classes(earlier)
        )
        error = None if setup.by in method.supports else cannot_forget(method, setup.by, dataset.item_noun)
    except UnlearnError as problem:
        error = str(problem)
    machine = this_machine(cache.store())
    return RunPlan(
        setup=setup,
        classifier=classifier,
        dataset=dataset,
        method=method,
        preset=preset,
        params=params,
        split=split,
        remaining=remaining,
        sizes=sizes,
        error=error,
        machine=machine,
        rates=cache.store().rates(machine.device, classifier.id),
    )


def forecast(
    plan: RunPlan, method: Method, params: BaseHyperparameters, *, auto: tuple[str, ...] = ()
) -> Forecast | None:
    """How long a run of this method would take here, measurements included; None while nothing is selected.

    `auto` are the hyperparameters that it would find itself.
    """
    if plan.sizes is None:
        return None
    work = run_work(method, params, plan.sizes, plan.classifier, plan.dataset, auto=auto)
    return of_run(plan.classifier, plan.dataset, work, cache.store(), machine=plan.machine, rates=plan.rates)


def _request(setup: RunSetup) -> ForgetRequest:
    if setup.forget is None:
        raise InvalidRequestError("Nothing is selected yet: select what the model should forget.")
    return ForgetRequest(classifier=setup.classifier, dataset=setup.dataset, forget=setup.forget)
