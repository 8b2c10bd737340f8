"""Who needs an own classifier: the runs that it must not be taken away from, and the reports that speak of it."""

from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.jobs import TrainGoldSpec, UnlearnSpec
from unlearn_core.domain.run import Run, RunState
from unlearn_core.models import user_models
from unlearn_core.store.files import ensemble_files
from unlearn_core.store.files.golds import GoldStore
from unlearn_core.store.queue.run_store import RunStore

UNFINISHED_STATES = (RunState.QUEUED, RunState.RUNNING)


def active_runs_using(store: RunStore, classifier: str) -> list[Run]:
    """The unfinished runs that need this classifier, or measure a run of it."""
    found = []
    for run in store.list_runs(states=UNFINISHED_STATES, limit=10_000):
        spec = run.spec
        about = getattr(spec, "run", None)
        spec = spec if about is None else store.get(about).spec
        needed = (
            spec.request.classifier if isinstance(spec, UnlearnSpec | TrainGoldSpec) else getattr(spec, "start", None)
        )
        if needed == classifier:
            found.append(run)
    return found


def delete_classifier(store: RunStore, classifier: str) -> None:
    """Removes an own classifier, its golds and its crowds; reports of its runs stay, but can be measured no further.

    Raises StoreError while runs need it, and UnknownName where it is no own classifier.
    """
    busy = active_runs_using(store, classifier)
    if busy:
        which = ", ".join(str(run.id) for run in busy[:5])
        raise StoreError(f"Run {which} needs this classifier: wait until it is over, or cancel it; then remove it.")
    golds = GoldStore(store.data_dir)
    for run in store.list_runs(kinds=("gold",), limit=10_000):
        if isinstance(run.spec, TrainGoldSpec) and run.spec.request.classifier == classifier:
            golds.delete(run.spec.request, run.spec.seed)
    ensemble_files.delete(store.data_dir, classifier)
    user_models.remove(classifier)
