"""The real tracker behind domain's protocol: counts steps, watches the net, and asks whether it is still wanted."""

import time
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from unlearn_core.domain.report import Part
from unlearn_core.domain.run import Phase, Point, Progress
from unlearn_core.engine.listener import Listener
from unlearn_core.training.batches import to_floats
from unlearn_core.training.evaluate import in_eval
from unlearn_core.training.precision import fast

T = TypeVar("T")

SNAPSHOTS = 12
"""About how many times in a run the fixed pictures are asked."""


class Watch:
    """A net under observation: what it answers to a few fixed pictures while a method changes it.

    `ids` are positions in the data set, the first `forget` of them from the forget side. The pictures are shown to
    the net by the lab, not by the method, in eval mode and in the training precision: a live display, no measurement.
    """

    def __init__(self, net: nn.Module, images: Tensor, labels: np.ndarray, ids: np.ndarray, forget: int) -> None:
        self.ids, self.forget = ids, forget
        self._net, self._labels = net, labels[ids]
        self._pictures = to_floats(images[torch.from_numpy(ids).to(images.device)])
        self._seen = (-1, np.zeros(0, np.float16))

    def look(self) -> tuple[np.ndarray, float, float]:
        """Logits (n, C) float16, and the accuracies (0 to 1) on the forget and the retain side."""
        version = sum(tensor._version for tensor in self._net.state_dict(keep_vars=True).values())
        if version != self._seen[0]:  # An unchanged net would give the same answers again.
            with torch.inference_mode(), in_eval(self._net), fast(self._pictures.device):
                self._seen = version, self._net(self._pictures).half().cpu().numpy()
        logits = self._seen[1]
        right = logits.argmax(1) == self._labels
        return logits, float(right[: self.forget].mean()), float(right[self.forget :].mean())


class RunTracker:
    """Keeps count of a run: phases, points of the curve, scalars, and what the method wants to show."""

    def __init__(self, listener: Listener, watch: Watch | None = None) -> None:
        self._listener, self._watch = listener, watch
        self._began = time.perf_counter()
        self._phases: list[Phase] = []
        self._starts: list[tuple[int, float]] = []
        self._at = -1
        self._phase_began = self._began
        self._step = self._pictures = 0
        self._every = 1
        self._points: list[Point] = []
        self._snapshots: list[np.ndarray] = []
        self._logged: dict[str, list[tuple[int, float]]] = {}
        self._kept: dict[str, Part] = {}

    def plan(self, **steps: int) -> None:
        self._phases = [Phase(name, count, 0, 0.0) for name, count in steps.items()]
        self._every = max(1, sum(steps.values()) // SNAPSHOTS)

    def phase(self, name: str, *, done: int = 0) -> None:
        self._close_phase()
        names = [phase.name for phase in self._phases]
        if name not in names:
            self._phases.append(Phase(name, 0, 0, 0.0))
            names.append(name)
        self._at = names.index(name)
        self._phases[self._at] = self._phases[self._at]._replace(done=done)
        self._phase_began = time.perf_counter()
        self._starts.append((self._step, self._phase_began - self._began))
        self._look()
        self._tell()

    def over(self, items: Iterable[T]) -> Iterator[T]:
        for item in items:
            self._listener.check()
            try:
                yield item
            except GeneratorExit:  # The method left its loop early; the step it was in counts.
                self._count(item)
                raise
            self._count(item)

    def log(self, **scalars: float) -> None:
        for name, value in scalars.items():
            self._logged.setdefault(name, []).append((self._step, float(value)))

    def keep(self, name: str, array: Any, **facts: object) -> None:
        values = array.detach().cpu().numpy() if isinstance(array, Tensor) else np.asarray(array)
        self._kept[name] = Part(dict(facts), {name: values})

    def doing(self, what: str) -> None:
        """Says what happens outside all phases: loading, measuring."""
        self._close_phase()
        self._at = -1
        self._listener.check()
        self._tell(what)

    @property
    def steps(self) -> int:
        """Optimiser steps made so far."""
        return self._step

    @property
    def pictures(self) -> int:
        """Pictures that went through those steps."""
        return self._pictures

    def parts(self) -> dict[str, Part]:
        """The report's curves, snapshots and extras; ends the last phase."""
        self._close_phase()
        parts = {"extras": _merged(self._kept)} if self._kept else {}
        if self._watch is not None and self._points:
            spans = [
                {"name": phase.name, "first_step": first, "start": start, "end": start + phase.seconds}
                for phase, (first, start) in zip(self._phases, self._starts, strict=False)
            ]
            shown = {"forget": self._watch.forget, "retain": len(self._watch.ids) - self._watch.forget}
            columns = {
                name: np.array([getattr(point, name) for point in self._points])
                for name in ("step", "seconds", "forget", "retain")
            }
            parts["curves"] = Part({"phases": spans, "pictures": shown, "logged": self._logged}, columns)
            parts["snapshots"] = Part(
                {}, {"logits": np.stack(self._snapshots), "ids": self._watch.ids, "step": columns["step"]}
            )
        return parts

    def phases(self) -> tuple[Phase, ...]:
        """Every phase with the steps and seconds that it took."""
        return tuple(self._phases)

    def _count(self, item: object) -> None:
        self._step += 1
        self._pictures += len(item[0]) if isinstance(item, tuple) and isinstance(item[0], Tensor) else 0
        phase = self._phases[self._at]
        seconds = time.perf_counter() - self._phase_began
        done = phase.done + 1
        self._phases[self._at] = phase._replace(done=done, steps=max(phase.steps, done), seconds=seconds)
        if self._step % self._every == 0:
            self._look()
        self._tell()

    def _look(self) -> None:
        if self._watch is None:
            return
        logits, forget, retain = self._watch.look()
        name = self._phases[self._at].name
        point = Point(self._step, time.perf_counter() - self._began, name, forget, retain)
        self._points.append(point)
        self._snapshots.append(logits)
        self._listener.point(point)

    def _close_phase(self) -> None:
        if self._at >= 0:
            phase = self._phases[self._at]
            self._phases[self._at] = phase._replace(seconds=time.perf_counter() - self._phase_began)
            if self._points and self._points[-1].step < self._step:
                self._look()

    def _tell(self, doing: str | None = None) -> None:
        phase = self._phases[self._at] if self._at >= 0 else None
        elapsed = time.perf_counter() - self._began
        rate = self._pictures / elapsed if self._pictures else None
        self._listener.progress(Progress(tuple(self._phases), doing or (phase.name if phase else ""), rate))


def _merged(kept: dict[str, Part]) -> Part:
    return Part(
        {name: part.facts for name, part in kept.items()},
        {name: array for part in kept.values() for name, array in part.arrays.items()},
    )
