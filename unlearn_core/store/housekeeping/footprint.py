"""What is stored of an owner in the database and in the files of a data folder, and what of it can be deleted."""

import json
import stat
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from unlearn_core.data.ingest import own_image, upload_store
from unlearn_core.domain.errors import InvalidDatasetError
from unlearn_core.domain.forget_request import ForgetImages, fingerprint
from unlearn_core.domain.jobs import AddCheckpointSpec, ExplainSpec, ImportDatasetSpec, TrainSpec, UnlearnSpec
from unlearn_core.domain.results.point_runs import PointsSpec
from unlearn_core.domain.run import Run
from unlearn_core.domain.sweeps.sweep import Sweep
from unlearn_core.models import user_models
from unlearn_core.models.upload import receive
from unlearn_core.store import image_lists
from unlearn_core.store.access import owned_items
from unlearn_core.store.access.owned_items import Item
from unlearn_core.store.files import artifacts, ensemble_files, playground_results
from unlearn_core.store.files.evaluations import EvaluationStore
from unlearn_core.store.files.golds import GoldStore
from unlearn_core.store.housekeeping.usage import SharedUse, everything_stored, shared_use
from unlearn_core.store.queue.run_store import RunStore

RUNS, SWEEPS, CLASSIFIERS, DATASETS = (
    "runs with their reports and weights",
    "sweeps",
    "own classifiers",
    "own data sets",
)
GOLDS, ENSEMBLES, TRAININGS = "retrained models", "ensembles of models", "unfinished trainings"
EVALUATIONS, UPLOADS, LISTS = "stored outputs of models", "uploads", "lists of images and playground results"


class Amount(NamedTuple):
    """How much there is of one kind: a number of things, and the bytes of their files."""

    title: str
    number: int
    bytes: int

    def text(self) -> str:
        """Return it in words: "own data sets: 2 (31.4 MB)"."""
        return f"{self.title}: {self.number:,}" + (f" ({megabytes(self.bytes)})" if self.bytes else "")


class Footprint(NamedTuple):
    """What is stored of an owner, and what of it others use, which stays."""

    runs: Sequence[int]
    sweeps: Sequence[int]
    items: Sequence[Item]
    paths: Mapping[str, Sequence[Path]]
    """Files and folders beside those of runs and items, by the title of their kind."""
    shared: SharedUse
    amounts: Sequence[Amount]
    staying: Sequence[str]
    """What stays, each as a sentence with the reason."""


def megabytes(count: int) -> str:
    """Return a number of bytes as people read it: "0.1 MB", "31 MB", "2.4 GB"."""
    if count >= 1e9:
        return f"{count / 1e9:,.1f} GB"
    return f"{count / 1e6:.0f} MB" if count >= 1e7 else f"{max(count, 1e5 * bool(count)) / 1e6:.1f} MB"


def footprint(store: RunStore, stored: tuple[list[Run], list[Sweep]] | None = None) -> Footprint:
    """Return what is stored of whoever acts. It looks at every file of this owner.

    `stored` is what `everything_stored` gives; without it, all runs are read.
    """
    all_runs, all_sweeps = stored or everything_stored(store)
    shared = shared_use(store, all_runs, all_sweeps)
    me, data_dir = store.access.actor.id, store.data_dir
    runs = [run for run in store.belongings.runs() if run not in shared.runs]
    own = [run for run in all_runs if run.owner == me and run.id not in shared.runs]
    items = [item for item in store.items.own() if item not in shared.items]
    paths = _paths(data_dir, own, [*(sweep.spec for sweep in all_sweeps if sweep.owner == me)], shared)
    others = [run for run in all_runs if run.owner != me or run.id in shared.runs]
    paths[EVALUATIONS] = _evaluations(data_dir, own, others, items, paths[GOLDS])
    sweeps = store.belongings.sweeps()
    amounts = [
        Amount(RUNS, len(runs), sum(size(artifacts.run_dir(data_dir, run)) for run in runs)),
        Amount(SWEEPS, len(sweeps), 0),
        *(
            Amount(title, len(found), sum(size(path) for item in found for path in folders(data_dir, item)))
            for title, kind in ((CLASSIFIERS, "classifier"), (DATASETS, "dataset"))
            for found in [[item for item in items if item.kind == kind]]
        ),
        *(Amount(title, len(found), sum(map(size, found))) for title, found in paths.items()),
    ]
    return Footprint(runs, sweeps, items, paths, shared, [one for one in amounts if one.number], _staying(shared))


def size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; 0 for what is not there.

    Of a file that several places share as a hard link, such as outputs of the original, each counts its part.
    """
    with suppress(OSError):
        found = path.stat()
        if not stat.S_ISDIR(found.st_mode):
            return found.st_size // found.st_nlink
        return sum(size(inner) for inner in path.iterdir())
    return 0


def folders(data_dir: Path, item: Item) -> list[Path]:
    """Return the folders of a classifier with its ensembles, or of a data set with the outputs of models on it."""
    found = [card.parent for card in owned_items.cards(data_dir, item)]
    if item.kind == "classifier":
        return [*found, ensemble_files.classifier_folder(data_dir, item.name)]
    return [*found, EvaluationStore(data_dir / "evaluations").dataset_folder(item.name)]


def _paths(data_dir: Path, own: Sequence[Run], sweeps: Sequence[object], shared: SharedUse) -> dict[str, list[Path]]:
    """The files that only jobs of this owner need, by the title of their kind; each is found by what it was made of."""
    mine, theirs = [*(run.spec for run in own), *sweeps], [use.spec for use in shared.uses]
    requests = _requests(mine) - _requests(theirs)
    specs = _unlearnings(mine) - _unlearnings(theirs)
    uploads = set(upload_paths(data_dir, mine)) - set(upload_paths(data_dir, theirs))
    lists = set(_lists(data_dir, mine)) - set(_lists(data_dir, theirs))
    trainings = {spec.fingerprint() for spec in mine if isinstance(spec, TrainSpec)}
    trainings -= {spec.fingerprint() for spec in theirs if isinstance(spec, TrainSpec)}
    return {
        GOLDS: GoldStore(data_dir).folders(requests),
        ENSEMBLES: ensemble_files.folders_of(data_dir, requests=requests, specs=specs),
        TRAININGS: [path for one in sorted(trainings) if (path := user_models.training_state_dir(one)).exists()],
        UPLOADS: sorted(path for path in uploads if path.exists()),
        LISTS: sorted(path for path in lists if path.exists()),
    }


def _requests(specs: Iterable[object]) -> set[str]:
    """The fingerprints of the forget requests in some settings."""
    return {fingerprint(request) for spec in specs if (request := getattr(spec, "request", None)) is not None}


def _unlearnings(specs: Iterable[object]) -> set[str]:
    """The fingerprints under which the ensembles of unlearning runs are stored, whatever their seed."""
    return {fingerprint(spec.model_copy(update={"seed": 0})) for spec in specs if isinstance(spec, UnlearnSpec)}


def upload_paths(data_dir: Path, specs: Iterable[object]) -> Iterable[Path]:
    """Return the files of the uploads that some settings name, which need not be stored any more."""
    for spec in specs:
        if isinstance(spec, ImportDatasetSpec) and "upload" in spec.options:
            with suppress(InvalidDatasetError):
                yield upload_store.upload_path(data_dir, str(spec.options["upload"]))
        elif isinstance(spec, AddCheckpointSpec):
            yield data_dir / "trained" / receive.UPLOADS_FOLDER / spec.upload
        elif isinstance(spec, ExplainSpec) and spec.upload:
            yield own_image.stored_path(data_dir, spec.upload)


def _lists(data_dir: Path, specs: Iterable[object]) -> Iterable[Path]:
    for spec in specs:
        forget = getattr(getattr(spec, "request", None), "forget", None)
        if isinstance(forget, ForgetImages):
            yield image_lists.stored_path(data_dir, forget.images)
        if isinstance(spec, PointsSpec):
            yield from playground_results.stored_paths(data_dir, spec)


def _evaluations(
    data_dir: Path, own: Sequence[Run], others: Sequence[Run], items: Sequence[Item], golds: Sequence[Path]
) -> list[Path]:
    """The stored outputs of the models that go, but for those on data sets that go, which go with them."""
    weights = {run.metrics.weights for run in own if isinstance(run.spec, UnlearnSpec) and run.metrics.weights}
    weights |= _weights(gold / "facts.json" for gold in golds)
    weights |= _original_weights(data_dir, items)
    staying = _original_weights(data_dir, set(owned_items.present(data_dir)) - {*items})
    text = " ".join(run.metrics.to_json() for run in others)
    store = EvaluationStore(data_dir / "evaluations")
    folders_going = {store.dataset_folder(item.name) for item in items if item.kind == "dataset"}
    found = store.files([one for one in weights - staying if one not in text])
    return sorted(path for path in found if path.parent not in folders_going)


def _original_weights(data_dir: Path, items: Iterable[Item]) -> set[str]:
    """The checksums of the originals of users' classifiers."""
    cards = (card for item in items if item.kind == "classifier" for card in owned_items.cards(data_dir, item))
    return _weights(facts for card in cards for facts in card.parent.glob("original-*.json"))


def _weights(facts: Iterable[Path]) -> set[str]:
    """The checksums of models, from the files that describe them."""
    found: set[str] = set()
    for file in facts:
        with suppress(*artifacts.UNREADABLE):
            found.add(str(json.loads(file.read_text())["weights"]))
    return found


def _staying(shared: SharedUse) -> list[str]:
    sentences = [f"Run {run} stays, without its note: others joined it, or continue from it." for run in shared.runs]
    kinds = owned_items.TITLES
    items = [f"The {kinds[item.kind]} {item.name} stays: others own or use it too." for item in shared.items]
    return sentences + items
