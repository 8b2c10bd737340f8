"""BoundaryRecorder, a tracker that records what a model predicts in the plane while a method changes it."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.results.boundary_frames import GRID_SIZE, MAX_MADE, BoundaryFrames, MadePoints, pack_places
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.training.batches import to_floats
from unlearn_core.training.evaluate import eval_mode

T = TypeVar("T")

FRAMES = 24
"""Fewer than twice as many frames are kept of the steps, beside the first of each phase and the last."""

MAX_SECONDS = 3.0
"""CPU time after which a run is ended: others are waiting, and the settings on the page take a third of it."""

TOO_LONG = f"This run takes more than {MAX_SECONDS:g} s here: choose fewer epochs or steps."


class EvaluationPoints(NamedTuple):
    """The points on which both sides are judged: inputs (n, 1, 1, 3) uint8 and labels (n,) int64."""

    forget: tuple[Tensor, Tensor]
    retain: tuple[Tensor, Tensor]


class _Frame(NamedTuple):
    phase: str
    step: int
    field: np.ndarray
    forget: int
    retain: int
    made: MadePoints | None
    is_fixed: bool


class BoundaryRecorder(NullTracker):
    """Records frames of a model: one at the beginning of each phase, one each few steps, and the last.

    The steps are recorded evenly, whatever their number: when there are twice as many frames as wanted, every second
    one is dropped, and from then on half as many are made. `check` may raise to end the run. `mean` and `std` are the
    constants of the model's normalisation, in which UNSIR's noise is made.
    """

    def __init__(
        self,
        model: nn.Module,
        points: EvaluationPoints,
        *,
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._model, self._points, self._check = model, points, check
        self._mean, self._std = torch.tensor(mean[:2]), torch.tensor(std[:2])
        self._inputs = to_floats(torch.cat([points.forget[0], points.retain[0], grid_points()]))
        self._frames: list[_Frame] = []
        self._phase, self._step, self._every = "", 0, 1
        self._ends, self._recording = time.thread_time() + MAX_SECONDS, 0.0

    def plan(self, **steps: int) -> None:
        self._every = max(1, sum(steps.values()) // (8 * FRAMES))

    def phase(self, name: str, *, done: int = 0) -> None:
        self._phase = name
        self._capture(is_fixed=True)

    def iterate(self, items: Iterable[T]) -> Iterator[T]:
        for item in items:
            self._check()
            if time.thread_time() > self._ends:
                raise InvalidRequestError(TOO_LONG)
            try:
                yield item
            except GeneratorExit:  # The method left its loop early; the current step counts.
                self._count(item)
                raise
            self._count(item)

    def frames(self, seconds: float, note: str = "") -> BoundaryFrames:
        """Return all frames, the last one as the model is now; `seconds` is how long it all took."""
        self._capture(is_fixed=True)
        made = [one.made._replace(frame=place) for place, one in enumerate(self._frames) if one.made is not None]
        return BoundaryFrames.of(
            [one.field for one in self._frames],
            phases=tuple(one.phase for one in self._frames),
            steps=tuple(one.step for one in self._frames),
            forget=tuple(one.forget for one in self._frames),
            retain=tuple(one.retain for one in self._frames),
            forget_points=len(self._points.forget[1]),
            retain_points=len(self._points.retain[1]),
            made=tuple(made),
            seconds=round(seconds - self._recording, 3),
            note=note,
        )

    def _count(self, item: object) -> None:
        self._step += 1
        if self._step % self._every == 0:
            self._capture(self._made_points(item))

    def _made_points(self, item: object) -> MadePoints | None:
        """The points that a step has just changed, in the phases in which methods make some."""
        if self._phase not in ("noise", "attack") or not isinstance(item, tuple) or not isinstance(item[0], Tensor):
            return None
        places = item[0].detach()[:: max(1, len(item[0]) // MAX_MADE), :2].flatten(1)
        if self._phase == "noise":
            places = places * self._std + self._mean
        return MadePoints(0, self._phase, pack_places(places.numpy()))

    def _capture(self, made: MadePoints | None = None, *, is_fixed: bool = False) -> None:
        began = time.perf_counter()
        found = self._look()
        if found is not None:
            self._frames.append(_Frame(self._phase, self._step, *found, made, is_fixed))
            self._thin()
        self._recording += time.perf_counter() - began

    def _thin(self) -> None:
        steps = [one for one in self._frames if not one.is_fixed]
        if len(steps) < 2 * FRAMES:
            return
        dropped = set(map(id, steps[::2]))
        self._frames = [one for one in self._frames if id(one) not in dropped]
        self._every *= 2

    def _look(self) -> tuple[np.ndarray, int, int] | None:
        """The field of log-probabilities and the correct predictions of both sides; None if a value is not finite."""
        with torch.inference_mode(), eval_mode(self._model):
            logits = self._model(self._inputs)
        if not bool(torch.isfinite(logits).all()):
            return None
        (_, forget), (_, retain) = self._points
        on_forget, on_retain, grid = logits.split([len(forget), len(retain), GRID_SIZE**2])
        field = grid.log_softmax(1).T.reshape(-1, GRID_SIZE, GRID_SIZE).numpy()
        return field, _correct(on_forget, forget), _correct(on_retain, retain)


def grid_points() -> Tensor:
    """Return the centres of the grid's cells as inputs (GRID_SIZE ** 2, 1, 1, 3) uint8, row by row from low y."""
    places = torch.round((torch.arange(GRID_SIZE) + 0.5) * 255 / GRID_SIZE).to(torch.uint8)
    y, x = torch.meshgrid(places, places, indexing="ij")
    return torch.stack([x, y, torch.zeros_like(x)], dim=-1).reshape(-1, 1, 1, 3)


def _correct(logits: Tensor, labels: Tensor) -> int:
    return int((logits.argmax(1) == labels).sum())
