"""The ensembles of models that some measurements of a run need, trained one model at a time where they are missing.

Their outputs are stored in the data folder, so that an interrupted or preempted job continues where it stopped.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.errors import PreemptedError
from unlearn_core.domain.forget_request import fingerprint
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.engine.jobs.common import ensemble_members
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.measuring.measure import LoadedRun
from unlearn_core.engine.model_cache import FrozenModel, ModelCache
from unlearn_core.engine.tracking.tracker import CancelOnlyTracker, RunTracker
from unlearn_core.models import ensembles
from unlearn_core.models.ensembles import EnsembleOutputs
from unlearn_core.store.files import ensemble_files
from unlearn_core.training import weights

T = TypeVar("T")

GOLDS, UNLEARNED, SHADOWS = "retrained models", "unlearned models", "shadow models"
"""The names of the phases, as they are shown."""


def no_ensemble_reason(spec: UnlearnSpec, card: ClassifierCard) -> str | None:
    """Return why no models can be trained to compare those of a run with, in a sentence; None if they can."""
    if spec.start is not None:
        return "This run continues an earlier run, so no retrained model is defined to compare with."
    if card.recipe is None:
        return "It is unknown how the classifier was trained, so no models can be retrained to compare with."
    return None


class ModelEnsemble:
    """The models of every kind for a finished run, by number: a number is the same model in every ensemble."""

    def __init__(self, loaded: LoadedRun, model_cache: ModelCache, listener: RunListener) -> None:
        self._resolved, self._model_cache, self._listener = loaded.resolved, model_cache, listener
        self._spec = loaded.report.spec.model_copy(update={"seed": 0})
        self._bundled = ensembles.bundled_golds(self._spec.request)
        self._tracker, self._inner_tracker = RunTracker(listener), CancelOnlyTracker(listener)

    def plan(self, numbers_by_kind: Mapping[str, Sequence[int]]) -> None:
        """Announce how many models of each kind are needed; bundled golds need no training."""
        counts = {kind: len(numbers) for kind, numbers in numbers_by_kind.items()}
        counts[GOLDS] = sum(not self._is_bundled(number) for number in numbers_by_kind[GOLDS])
        self._tracker.plan(**counts)

    def gold_outputs(self, numbers: Sequence[int]) -> EnsembleOutputs:
        """Return the outputs of golds: bundled ones, ones trained here, and new ones."""
        folder, request = self._folder("golds", self._spec.request.fingerprint()), self._spec.request

        def make(number: int) -> EnsembleOutputs:
            gold = self._model_cache.gold(self._resolved.card, request, number)
            if gold is not None:
                return ensemble_members.outputs_of(gold.module, self._resolved.data, self._resolved.split)
            return ensemble_members.gold_outputs(request, number, self._model_cache, self._inner_tracker)

        bundled = self._bundled
        outputs = {} if bundled is None else {n: bundled.members(n, n + 1) for n in numbers if n < len(bundled)}
        missing = [number for number in numbers if number not in outputs]
        outputs |= zip(missing, self._load_or_build(GOLDS, missing, folder, make), strict=True)
        return EnsembleOutputs.concatenate([outputs[number] for number in numbers])

    def unlearned_outputs(self, numbers: Sequence[int]) -> EnsembleOutputs:
        """Return the outputs of the classifier after unlearning with the run's method, one seed per number."""
        folder = self._folder("unlearned", fingerprint(self._spec) + self._resolved.before.weights[:16])

        def make(number: int) -> EnsembleOutputs:
            return ensemble_members.unlearned_outputs(self._spec, number, self._model_cache, self._inner_tracker)

        return EnsembleOutputs.concatenate(self._load_or_build(UNLEARNED, numbers, folder, make))

    def shadow_outputs(self, numbers: Sequence[int]) -> EnsembleOutputs:
        """Return the outputs of originals of other seeds (trained first, and stored) after unlearning."""
        folder = self._folder("shadows", fingerprint(self._spec) + self._recipe())

        def make(number: int) -> EnsembleOutputs:
            return ensemble_members.unlearned_outputs(
                self._spec, number, self._model_cache, self._inner_tracker, self._original(number)
            )

        return EnsembleOutputs.concatenate(self._load_or_build(SHADOWS, numbers, folder, make))

    def _original(self, number: int) -> FrozenModel:
        file = self._folder(ensemble_files.ORIGINALS, self._recipe()) / f"{number:03d}.safetensors"
        if not file.exists():
            model = ensemble_members.train_original(self._spec.request, number, self._model_cache, self._inner_tracker)
            weights.write(file, model)
        return self._model_cache.load_model(self._resolved.card, f"shadow {number}", file.read_bytes())

    def _recipe(self) -> str:
        return fingerprint(self._resolved.card.required_recipe) + self._resolved.before.weights[:16]

    def _is_bundled(self, number: int) -> bool:
        return self._bundled is not None and number < len(self._bundled)

    def _folder(self, kind: str, name: str) -> Path:
        return ensemble_files.folder(self._model_cache.data_dir, self._spec.request.classifier, kind, name)

    def _load_or_build(
        self, phase: str, numbers: Sequence[int], folder: Path, make: Callable[[int], EnsembleOutputs]
    ) -> list[EnsembleOutputs]:
        """Return the stored outputs of these models, computing the missing ones."""
        self._tracker.phase(phase)
        found: list[EnsembleOutputs] = []
        for number in self._tracker.iterate(numbers):
            outputs = ensemble_members.load_outputs(folder, number)
            if outputs is None:
                outputs = ensemble_members.save_outputs(folder, number, make(number))
                if number != numbers[-1] and self._listener.should_yield():
                    raise PreemptedError("Paused after a model for a more urgent run; continues afterwards.")
            found.append(outputs)
        return found
