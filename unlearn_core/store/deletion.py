"""Deletion of classifiers and data sets: what still uses them, and what goes with them."""

from unlearn_core.data import user_catalog
from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.jobs import FeaturesSpec, ImportDatasetSpec, TrainGoldSpec, UnlearnSpec
from unlearn_core.domain.run import UNFINISHED_STATES, Run
from unlearn_core.models import user_models
from unlearn_core.store.access.actor import OPERATOR
from unlearn_core.store.access.owned_items import Item
from unlearn_core.store.files import ensemble_files
from unlearn_core.store.files.golds import GoldStore
from unlearn_core.store.queue.run_store import RunStore

_ALL_RUNS = 100_000
_KINDS_WITH_DATASET = ("unlearn", "gold", "train", "add")


def active_runs_using(store: RunStore, classifier: str) -> list[Run]:
    """Return the unfinished runs that need this classifier, or that measure one of its runs."""
    found: list[Run] = []
    for run in store.list_runs(states=UNFINISHED_STATES, limit=10_000):
        spec = run.spec
        measured = getattr(spec, "run", None)
        spec = spec if measured is None else store.get(measured).spec
        needed = (
            spec.request.classifier
            if isinstance(spec, UnlearnSpec | TrainGoldSpec)
            else spec.classifier
            if isinstance(spec, FeaturesSpec)
            else getattr(spec, "start", None)
        )
        if needed == classifier:
            found.append(run)
    return found


def delete_classifier(store: RunStore, classifier: str) -> None:
    """Delete a user's classifier with its retrained models and ensembles; reports of its runs stay as they are.

    One that belongs to others too stays with them. Raises StoreError while unfinished runs need it, NotFoundError if it
    is not a user's classifier, and NotAllowedError if it is not that of whoever acts.
    """
    item = Item("classifier", classifier)
    if not store.items.give_up(item):
        return
    everything = store.acting_as(OPERATOR)
    active = active_runs_using(everything, classifier)
    if active:
        runs = _join([run.id for run in active])
        raise StoreError(f"Unfinished runs need this classifier ({runs}): let them finish, or cancel them first.")
    golds = GoldStore(store.data_dir)
    for run in everything.list_runs(kinds=("gold",), limit=10_000):
        if isinstance(run.spec, TrainGoldSpec) and run.spec.request.classifier == classifier:
            golds.delete(run.spec.request, run.spec.seed)
    ensemble_files.delete(store.data_dir, classifier)
    user_models.remove(classifier)
    store.items.forget(item)


def deletion_blocker(store: RunStore, dataset: str) -> str:
    """Return why a data set cannot be removed now and what to do, as a sentence; "" if nothing needs it."""
    users, readable = user_catalog.classifier_cards(everything=True), user_catalog.classifier_cards()
    using = [name for name, card in users.items() if card.dataset == dataset]
    if using:
        trained = [users[name].title if name in readable else "one of another visitor" for name in using]
        titles = ", ".join(trained[:3]) + (" and others" if len(trained) > 3 else "")
        return f"Classifiers were trained on this data set ({titles}): remove those first."
    all_runs = store.acting_as(OPERATOR).list_runs(kinds=_KINDS_WITH_DATASET, limit=_ALL_RUNS)
    runs = sorted(run.id for run in all_runs if _needs_dataset(run, dataset))
    return f"Runs use this data set ({_join(runs)}): delete those first." if runs else ""


def _needs_dataset(run: Run, dataset: str) -> bool:
    """Return whether a run needs a data set: a report shows its images, a training run only until it is finished."""
    spec = run.spec
    if isinstance(spec, ImportDatasetSpec):
        return False
    request = getattr(spec, "request", None)
    if request is not None:
        return request.dataset == dataset
    return getattr(spec, "dataset", None) == dataset and not run.state.is_finished


def _join(runs: list[int]) -> str:
    return ", ".join(map(str, runs[:5])) + (" and others" if len(runs) > 5 else "")
