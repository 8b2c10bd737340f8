"""The many nets that some measurements of a run need: made where they are missing, a net at a time, and kept.

What is kept are their answers, in the data folder, so that what was interrupted goes on, and what gave way to
something more urgent (GaveWay) too.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from unlearn_core.domain.errors import GaveWay
from unlearn_core.domain.forget_request import fingerprint
from unlearn_core.domain.tracker import Silent
from unlearn_core.engine.jobs import ensemble_members
from unlearn_core.engine.listener import Listener
from unlearn_core.engine.measure import Reopened
from unlearn_core.engine.model_cache import Trained, Warm
from unlearn_core.engine.tracker import RunTracker
from unlearn_core.models import ensembles
from unlearn_core.models.ensembles import Population
from unlearn_core.store.files import ensemble_files
from unlearn_core.training import weights

T = TypeVar("T")

GOLDS, UNLEARNED, SHADOWS = "golds", "unlearned nets", "shadow nets"
"""What the phases are called."""


class Inside(Silent):
    """Passes on only whether to stop: what counts here are whole nets, not the steps of one."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def over(self, items: Iterable[T]) -> Iterator[T]:
        for item in items:
            self._listener.check()
            yield item


class Crowd:
    """A finished run's nets of every kind, each by its number: the same number is the same net in every crowd."""

    def __init__(self, finished: Reopened, warm: Warm, listener: Listener) -> None:
        self._layout, self._warm, self._listener = finished.layout, warm, listener
        self._spec = finished.report.spec.model_copy(update={"seed": 0})
        self._shipped = ensembles.golds(self._spec.request)
        self._tracker, self._inside = RunTracker(listener), Inside(listener)

    @property
    def why_none(self) -> str | None:
        """Why there is nothing to compare with, in a sentence; None where there is."""
        if self._spec.start is not None:
            return "This run goes on from an earlier one, so no gold is defined and there is nothing to compare with."
        if self._layout.card.recipe is None:
            return "Nobody has said how the classifier was trained, so no golds can be trained to compare with."
        return None

    def plan(self, nets: Mapping[str, Sequence[int]]) -> None:
        """Says how many nets of each kind are to come; golds that ship are there already."""
        counts = {kind: len(numbers) for kind, numbers in nets.items()}
        counts[GOLDS] = sum(not self._ships(number) for number in nets[GOLDS])
        self._tracker.plan(**counts)

    def golds(self, numbers: Sequence[int]) -> Population:
        """The answers of golds: those that ship, those that somebody has trained here, and new ones."""
        folder, request = self._folder("golds", self._spec.request.fingerprint()), self._spec.request

        def make(number: int) -> Population:
            known = self._warm.gold(self._layout.card, request, number)
            if known is not None:
                return ensemble_members.asked(known.net, self._layout.data, self._layout.split)
            return ensemble_members.gold(request, number, self._warm, self._inside)

        shipped = self._shipped
        there = {} if shipped is None else {n: shipped.part(n, n + 1) for n in numbers if n < len(shipped)}
        missing = [number for number in numbers if number not in there]
        made = dict(zip(missing, self._made(GOLDS, missing, folder, make), strict=True))
        return Population.of([(there | made)[number] for number in numbers])

    def unlearned(self, numbers: Sequence[int]) -> Population:
        """The answers of what the run's method makes of the classifier itself, from seed after seed."""
        folder = self._folder("unlearned", fingerprint(self._spec) + self._layout.before.weights[:16])

        def make(number: int) -> Population:
            return ensemble_members.unlearned(self._spec, number, self._warm, self._inside)

        return Population.of(self._made(UNLEARNED, numbers, folder, make))

    def shadows(self, numbers: Sequence[int]) -> Population:
        """The answers of what the run's method makes of originals of other seeds, which are trained first, and kept."""
        folder = self._folder("shadows", fingerprint(self._spec) + self._recipe())

        def make(number: int) -> Population:
            return ensemble_members.unlearned(self._spec, number, self._warm, self._inside, self._original(number))

        return Population.of(self._made(SHADOWS, numbers, folder, make))

    def _original(self, number: int) -> Trained:
        file = self._folder("originals", self._recipe()) / f"{number:03d}.safetensors"
        if not file.exists():
            net = ensemble_members.original(self._spec.request, number, self._warm, self._inside)
            weights.write(file, net)
        return self._warm.from_bytes(self._layout.card, f"shadow {number}", file.read_bytes())

    def _recipe(self) -> str:
        return fingerprint(self._layout.card.trained_by) + self._layout.before.weights[:16]

    def _ships(self, number: int) -> bool:
        return self._shipped is not None and number < len(self._shipped)

    def _folder(self, kind: str, name: str) -> Path:
        return ensemble_files.folder(self._warm.home, self._spec.request.classifier, kind, name)

    def _made(
        self, phase: str, numbers: Sequence[int], folder: Path, make: Callable[[int], Population]
    ) -> list[Population]:
        """The answers of these nets as they are kept, made where they are missing."""
        self._tracker.phase(phase)
        found: list[Population] = []
        for number in self._tracker.over(numbers):
            one = ensemble_members.kept(folder, number)
            if one is None:
                one = ensemble_members.keep(folder, number, make(number))
                if number != numbers[-1] and self._listener.give_way():
                    raise GaveWay("Stopped after a net for something more urgent; goes on afterwards.")
            found.append(one)
        return found
