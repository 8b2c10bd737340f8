"""The many nets that some measurements of a run need: made where they are missing, a net at a time, and kept.

What is kept are their answers, in the data folder, so that what was interrupted goes on, and what gave way to
something more urgent (GaveWay) too.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from unlearn_core.domain.errors import PreemptedError
from unlearn_core.domain.forget_request import fingerprint
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.engine.jobs import ensemble_members
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.measure import LoadedRun
from unlearn_core.engine.model_cache import FrozenModel, ModelCache
from unlearn_core.engine.tracker import RunTracker
from unlearn_core.models import ensembles
from unlearn_core.models.ensembles import EnsembleOutputs
from unlearn_core.store.files import ensemble_files
from unlearn_core.training import weights

T = TypeVar("T")

GOLDS, UNLEARNED, SHADOWS = "golds", "unlearned nets", "shadow nets"
"""What the phases are called."""


class CancelOnlyTracker(NullTracker):
    """Passes on only whether to stop: what counts here are whole nets, not the steps of one."""

    def __init__(self, listener: RunListener) -> None:
        self._listener = listener

    def iterate(self, items: Iterable[T]) -> Iterator[T]:
        for item in items:
            self._listener.check()
            yield item


class ModelEnsemble:
    """A finished run's nets of every kind, each by its number: the same number is the same net in every crowd."""

    def __init__(self, loaded: LoadedRun, model_cache: ModelCache, listener: RunListener) -> None:
        self._layout, self._warm, self._listener = loaded.resolved, model_cache, listener
        self._spec = loaded.report.spec.model_copy(update={"seed": 0})
        self._shipped = ensembles.bundled_golds(self._spec.request)
        self._tracker, self._inside = RunTracker(listener), CancelOnlyTracker(listener)

    @property
    def unavailable_reason(self) -> str | None:
        """Why there is nothing to compare with, in a sentence; None where there is."""
        if self._spec.start is not None:
            return "This run goes on from an earlier one, so no gold is defined and there is nothing to compare with."
        if self._layout.card.recipe is None:
            return "Nobody has said how the classifier was trained, so no golds can be trained to compare with."
        return None

    def plan(self, numbers_by_kind: Mapping[str, Sequence[int]]) -> None:
        """Says how many nets of each kind are to come; golds that ship are there already."""
        counts = {kind: len(numbers) for kind, numbers in numbers_by_kind.items()}
        counts[GOLDS] = sum(not self._is_bundled(number) for number in numbers_by_kind[GOLDS])
        self._tracker.plan(**counts)

    def gold_outputs(self, numbers: Sequence[int]) -> EnsembleOutputs:
        """The answers of golds: those that ship, those that somebody has trained here, and new ones."""
        folder, request = self._folder("golds", self._spec.request.fingerprint()), self._spec.request

        def make(number: int) -> EnsembleOutputs:
            known = self._warm.gold(self._layout.card, request, number)
            if known is not None:
                return ensemble_members.outputs_of(known.module, self._layout.data, self._layout.split)
            return ensemble_members.gold_outputs(request, number, self._warm, self._inside)

        shipped = self._shipped
        there = {} if shipped is None else {n: shipped.members(n, n + 1) for n in numbers if n < len(shipped)}
        missing = [number for number in numbers if number not in there]
        made = dict(zip(missing, self._load_or_build(GOLDS, missing, folder, make), strict=True))
        return EnsembleOutputs.concatenate([(there | made)[number] for number in numbers])

    def unlearned_outputs(self, numbers: Sequence[int]) -> EnsembleOutputs:
        """The answers of what the run's method makes of the classifier itself, from seed after seed."""
        folder = self._folder("unlearned", fingerprint(self._spec) + self._layout.before.weights[:16])

        def make(number: int) -> EnsembleOutputs:
            return ensemble_members.unlearned_outputs(self._spec, number, self._warm, self._inside)

        return EnsembleOutputs.concatenate(self._load_or_build(UNLEARNED, numbers, folder, make))

    def shadow_outputs(self, numbers: Sequence[int]) -> EnsembleOutputs:
        """The answers of what the run's method makes of originals of other seeds, which are trained first, and kept."""
        folder = self._folder("shadows", fingerprint(self._spec) + self._recipe())

        def make(number: int) -> EnsembleOutputs:
            return ensemble_members.unlearned_outputs(
                self._spec, number, self._warm, self._inside, self._original(number)
            )

        return EnsembleOutputs.concatenate(self._load_or_build(SHADOWS, numbers, folder, make))

    def _original(self, number: int) -> FrozenModel:
        file = self._folder("originals", self._recipe()) / f"{number:03d}.safetensors"
        if not file.exists():
            net = ensemble_members.train_original(self._spec.request, number, self._warm, self._inside)
            weights.write(file, net)
        return self._warm.load_model(self._layout.card, f"shadow {number}", file.read_bytes())

    def _recipe(self) -> str:
        return fingerprint(self._layout.card.required_recipe) + self._layout.before.weights[:16]

    def _is_bundled(self, number: int) -> bool:
        return self._shipped is not None and number < len(self._shipped)

    def _folder(self, kind: str, name: str) -> Path:
        return ensemble_files.folder(self._warm.data_dir, self._spec.request.classifier, kind, name)

    def _load_or_build(
        self, phase: str, numbers: Sequence[int], folder: Path, make: Callable[[int], EnsembleOutputs]
    ) -> list[EnsembleOutputs]:
        """The answers of these nets as they are kept, made where they are missing."""
        self._tracker.phase(phase)
        found: list[EnsembleOutputs] = []
        for number in self._tracker.iterate(numbers):
            one = ensemble_members.load_outputs(folder, number)
            if one is None:
                one = ensemble_members.save_outputs(folder, number, make(number))
                if number != numbers[-1] and self._listener.should_yield():
                    raise PreemptedError("Stopped after a net for something more urgent; goes on afterwards.")
            found.append(one)
        return found
