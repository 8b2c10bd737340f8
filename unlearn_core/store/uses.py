"""What would break if a data set went away."""

from unlearn_core.data import user_catalog
from unlearn_core.domain.jobs import ImportDatasetSpec
from unlearn_core.domain.run import Run
from unlearn_core.store.queue.run_store import RunStore

_MOST = 100_000
_KINDS = ("unlearn", "gold", "train", "add")


def deletion_blocker(store: RunStore, dataset: str) -> str:
    """Why a data set cannot be removed now, with what to do, as a sentence; "" where nothing needs it."""
    trained = [card.title for card in user_catalog.classifier_cards().values() if card.dataset == dataset]
    if trained:
        which = ", ".join(trained[:3]) + (" and others" if len(trained) > 3 else "")
        return f"Classifiers were trained on these pictures ({which}): remove those first."
    runs = [run.id for run in store.list_runs(kinds=_KINDS, limit=_MOST) if _needs_dataset(run, dataset)]
    if runs:
        which = ", ".join(map(str, sorted(runs)[:5])) + (" and others" if len(runs) > 5 else "")
        return f"Runs show these pictures ({which}): delete those first."
    return ""


def _needs_dataset(run: Run, dataset: str) -> bool:
    """Whether a run needs a data set: a report draws its pictures; a training only while it goes on."""
    spec = run.spec
    if isinstance(spec, ImportDatasetSpec):
        return False
    request = getattr(spec, "request", None)
    if request is not None:
        return request.dataset == dataset
    return getattr(spec, "dataset", None) == dataset and not run.state.is_finished
