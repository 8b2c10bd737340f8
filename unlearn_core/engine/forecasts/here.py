"""Forecasts for the jobs of this data folder, on the device of its worker: used by pages and command line alike."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from unlearn_core.data import datasets
from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.method import Method, ProblemSize
from unlearn_core.domain.params import BaseHyperparameters
from unlearn_core.domain.recipe import Recipe
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.course import TimingsResult
from unlearn_core.domain.split import trainable_split
from unlearn_core.engine.forecasts.duration import Forecast, total
from unlearn_core.engine.forecasts.predict import Machine, Work, predict
from unlearn_core.engine.tuning import budget
from unlearn_core.store.queue import cpu_load
from unlearn_core.store.queue.rates import Rate
from unlearn_core.store.queue.run_store import RunStore

REFERENCE_ARCHITECTURE, REFERENCE_SIZE = "resnet20", 32
"""The architecture and the image size of the figures that ship."""

LEAST_COST = 0.005
"""The least relative cost of an image: that of the smallest models is not in their operations."""


def this_machine(store: RunStore, device: str | None = None) -> Machine:
    """Return the device of the worker, or the one given, and the load that the worker measured last."""
    device = device or next((row.device for row in store.workers()), "cpu")
    if device != "cpu":
        return Machine(device, 1, None)
    return Machine(device, cpu_load.usable_cores(), cpu_load.published(store.data_dir))


def of_run(
    classifier: ClassifierCard,
    dataset: DatasetCard,
    work: Work | Sequence[Work],
    store: RunStore,
    *,
    machine: Machine | None = None,
    rates: Sequence[Rate] | None = None,
    only_measured: bool = False,
) -> Forecast | None:
    """Return the forecast of work with a classifier; several pieces of work are done one after another.

    None if nothing is known yet: on a GPU before its first job. `rates` are those of the classifier, if they are known.
    With `only_measured`, the figures that ship do not count, and no model is built to compare its cost with theirs.
    """
    machine = machine or this_machine(store)
    if rates is None:
        rates = store.rates(machine.device, classifier.id)
    pieces = [work] if isinstance(work, Work) else work

    def shipped() -> float | None:
        return None if only_measured else shipped_cost(classifier.architecture, dataset.size, machine)

    return total([_predict(piece, rates, classifier, dataset, store, machine, shipped) for piece in pieces])


def of_report(report: Report, store: RunStore) -> Forecast | None:
    """Return the forecast of a run like that of a report, from the images that it processed; None if unknown."""
    timings = report.get(TimingsResult)
    if timings is None:
        return None
    work = Work(report.spec.method, timings.images, len(report.labels), report.dataset.id)
    return of_run(report.classifier, report.dataset, work, store)


def _predict(
    work: Work,
    rates: Sequence[Rate],
    classifier: ClassifierCard,
    dataset: DatasetCard,
    store: RunStore,
    machine: Machine,
    shipped: Callable[[], float | None],
) -> Forecast | None:
    if work.method is not None and rates and all(rate.method != work.method for rate in rates):
        # Its runs may be older than the newest of all.
        rates = store.rates(machine.device, classifier.id, method=work.method) or rates
    return predict(work, _of_size(rates, dataset), machine, shipped)


def _of_size(rates: Sequence[Rate], dataset: DatasetCard) -> list[Rate]:
    """The rates that were recorded on images of the same size."""
    cards = datasets.cards()
    return [rate for rate in rates if rate.dataset in cards and cards[rate.dataset].size == dataset.size]


def of_training(
    architecture: str, dataset: DatasetCard, recipe: Recipe, store: RunStore, *, device: str | None = None
) -> Forecast | None:
    """Return the forecast of the training of a classifier, from trainings of its architecture; None if unknown."""
    machine = this_machine(store, device)
    rates = [rate for rate in store.rates(machine.device, architecture) if rate.method is None]
    work = Work(None, recipe.epochs * dataset.train, dataset.train + dataset.val + dataset.test)
    return predict(work, _of_size(rates, dataset), machine, lambda: shipped_cost(architecture, dataset.size, machine))


def of_gold(classifier: ClassifierCard, dataset: DatasetCard, retain: int, store: RunStore) -> Forecast | None:
    """Return the forecast of training one retrained model on so many images of the retain set."""
    epochs = classifier.required_recipe.epochs
    return of_run(classifier, dataset, Work(None, epochs * retain), store)


def run_work(
    method: Method,
    params: BaseHyperparameters,
    sizes: ProblemSize,
    classifier: ClassifierCard,
    dataset: DatasetCard,
    *,
    auto: tuple[str, ...] = (),
) -> Work:
    """Return the work of an unlearning run: its training steps, and the evaluation of the data set.

    If the run finds the hyperparameters in `auto`, the search is part of it.
    """
    searched = 0.0
    if auto and method.tuning is not None:
        params = method.tuning.settings(params, sizes, 1.0, only=auto)
        cost = image_cost(classifier.architecture, dataset.size)
        searched = budget.cost(method, params, sizes, cost, tries=budget.USUAL_TRIES)
    images = dataset.train + dataset.val + dataset.test
    return Work(method.id, method.images_processed(params, sizes) + searched, images, dataset.id)


def spec_work(spec: UnlearnSpec, classifier: ClassifierCard, dataset: DatasetCard, labels: np.ndarray) -> Work:
    """Return the same for a spec, with the labels (N,) of its data set. Raises NotFoundError or InvalidRequestError."""
    from unlearn_core import methods

    method = methods.method(spec.method)
    split = trainable_split(dataset, labels, spec.request.forget)
    sizes = ProblemSize.of(split, dataset, spec.request.forget, classifier)
    return run_work(method, method.params.parse(spec.params), sizes, classifier, dataset, auto=spec.auto)


def shipped_cost(architecture: str, size: int, machine: Machine) -> float | None:
    """Return the cost of an image relative to the figures that ship; None if they say nothing about it."""
    return _relative_cost(architecture, size) if machine.device == "cpu" else None


def image_cost(architecture: str, size: int) -> float:
    """Return the cost of an image relative to the bundled ResNet-20, by which searches are planned.

    A model whose operations cannot be counted in advance is taken to cost as much as that.
    """
    return _relative_cost(architecture, size) or 1.0


@lru_cache(maxsize=256)
def _relative_cost(architecture: str, size: int) -> float | None:
    if (architecture, size) == (REFERENCE_ARCHITECTURE, REFERENCE_SIZE):
        return 1.0
    from unlearn_core.models.model_summary import architecture_cost

    cost, reference = architecture_cost(architecture, size), architecture_cost(REFERENCE_ARCHITECTURE, REFERENCE_SIZE)
    return None if cost is None or reference is None else max(cost.relative_to(reference), LEAST_COST)
