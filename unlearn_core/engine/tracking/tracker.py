"""The tracker of a run: counts steps, records snapshots of the model, and checks for cancellation."""

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np
from torch import Tensor

from unlearn_core.domain.results.course import CurvePhase, CurvesResult, EarlyStop, ImageCounts
from unlearn_core.domain.results.explanations import SnapshotsResult
from unlearn_core.domain.results.method_artifacts import Artifact
from unlearn_core.domain.run import SEARCH_STAGE, CurvePoint, Phase, Progress
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.tracking.snapshot_recorder import Snapshot, SnapshotRecorder

T = TypeVar("T")

SNAPSHOTS = 10
"""About how many snapshots are recorded per run."""


class CancelOnlyTracker(NullTracker):
    """Passes on cancellation only, for steps that are not counted: of a model in an ensemble, of a try in a search."""

    def __init__(self, listener: RunListener) -> None:
        self._listener = listener

    def iterate(self, items: Iterable[T]) -> Iterator[T]:
        for item in items:
            self._listener.check()
            yield item


class RunTracker:
    """Records a run: phases, points of the curve, scalars, and the artifacts that the method saves."""

    def __init__(self, listener: RunListener, recorder: SnapshotRecorder | None = None) -> None:
        self._listener, self._recorder = listener, recorder
        self._began = time.perf_counter()
        self._phases: list[Phase] = []
        self._starts: list[tuple[int, float]] = []
        self._at = -1
        self._phase_began = self._began
        self._step = self._images = 0
        self._every = 1
        self._points: list[CurvePoint] = []
        self._snapshots: list[Snapshot] = []
        self._logged: dict[str, list[tuple[int, float]]] = {}
        self._artifacts: dict[type[Artifact], Artifact] = {}

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
        self._capture()
        self._report_progress()

    def iterate(self, items: Iterable[T]) -> Iterator[T]:
        for item in items:
            self._listener.check()
            try:
                yield item
            except GeneratorExit:  # The method left its loop early; the current step counts.
                self._count(item)
                raise
            self._count(item)

    def log(self, **scalars: float) -> None:
        for name, value in scalars.items():
            self._logged.setdefault(name, []).append((self._step, float(value)))

    def save_artifact(self, artifact: Artifact) -> None:
        self._artifacts[type(artifact)] = artifact

    def search(self, number: int, most: int) -> None:
        """Announce the try of settings with this number, from 1, of at most so many; all before the first phase."""
        self._listener.check()
        phase = Phase(SEARCH_STAGE, most, number - 1, time.perf_counter() - self._began)
        self._listener.progress(Progress((phase,), SEARCH_STAGE, None))

    def restart_clock(self) -> None:
        """Count the seconds of the curve and of the steps from now on, not from before the search."""
        self._began = time.perf_counter()

    def set_stage(self, stage: str) -> None:
        """Announce a stage outside all phases, such as loading or measuring."""
        self._close_phase()
        self._at = -1
        self._listener.check()
        self._report_progress(stage)

    @property
    def steps(self) -> int:
        """The number of optimizer steps made so far."""
        return self._step

    @property
    def images_seen(self) -> int:
        """The number of images processed in these steps."""
        return self._images

    def artifacts(self) -> tuple[Artifact, ...]:
        """Return what the method saved."""
        return tuple(self._artifacts.values())

    def curves(self, early_stop: EarlyStop | None = None) -> CurvesResult | None:
        """Return the curves with what early stopping did, and end the last phase; None if no points were recorded."""
        self._close_phase()
        recorder = self._recorder
        if recorder is None or not self._points:
            return None
        return CurvesResult(
            phases=[
                CurvePhase(name=phase.name, first_step=first, start=start, end=start + phase.seconds)
                for phase, (first, start) in zip(self._phases, self._starts, strict=False)
            ],
            images=ImageCounts(**{side: int(rows.sum()) for side, rows in recorder.eval_rows.items()}),
            logged=self._logged,
            early_stop=early_stop,
            steps=np.array([point.step for point in self._points]),
            seconds=np.array([point.seconds for point in self._points]),
            forget=np.array([point.forget for point in self._points]),
            retain=np.array([point.retain for point in self._points]),
        )

    def snapshots(self) -> SnapshotsResult | None:
        """Return the snapshots so far; None if none were recorded."""
        recorder = self._recorder
        if recorder is None or not self._points:
            return None
        regions = [snapshot.regions for snapshot in self._snapshots if snapshot.regions is not None]
        return SnapshotsResult(
            set_sizes=recorder.sizes,
            phases=[point.phase for point in self._points],
            layer=recorder.layer,
            no_maps=recorder.no_maps,
            seconds=recorder.seconds,
            logits=np.stack([snapshot.logits for snapshot in self._snapshots]),
            maps=np.stack([snapshot.maps for snapshot in self._snapshots]),
            steps=np.array([point.step for point in self._points]),
            ids=recorder.ids,
            shown=recorder.cam_rows,
            pixels=recorder.cam_images.cpu().numpy(),
            regions=np.stack(regions) if regions else None,
        )

    def phases(self) -> tuple[Phase, ...]:
        """Return every phase with its steps and seconds."""
        return tuple(self._phases)

    def _count(self, item: object) -> None:
        self._step += 1
        self._images += len(item[0]) if isinstance(item, tuple) and isinstance(item[0], Tensor) else 0
        phase = self._phases[self._at]
        seconds = time.perf_counter() - self._phase_began
        done = phase.done + 1
        self._phases[self._at] = phase._replace(done=done, steps=max(phase.steps, done), seconds=seconds)
        if self._step % self._every == 0:
            self._capture()
        self._report_progress()

    def _capture(self) -> None:
        if self._recorder is None:
            return
        snapshot = self._recorder.capture()
        name = self._phases[self._at].name
        point = CurvePoint(self._step, time.perf_counter() - self._began, name, snapshot.forget, snapshot.retain)
        self._points.append(point)
        self._snapshots.append(snapshot)
        self._listener.point(point)

    def _is_changed(self) -> bool:
        """Whether the model was changed after its last step: by a method's last act, or back to an earlier state."""
        recorder = self._recorder
        if recorder is None or not recorder.has_changed():
            return False
        return not np.array_equal(recorder.capture().logits, self._snapshots[-1].logits)

    def _close_phase(self) -> None:
        if self._at >= 0:
            phase = self._phases[self._at]
            self._phases[self._at] = phase._replace(seconds=time.perf_counter() - self._phase_began)
            if self._recorder and self._points and (self._points[-1].step < self._step or self._is_changed()):
                self._capture()

    def _report_progress(self, stage: str | None = None) -> None:
        phase = self._phases[self._at] if self._at >= 0 else None
        elapsed = time.perf_counter() - self._began
        rate = self._images / elapsed if self._images else None
        self._listener.progress(Progress(tuple(self._phases), stage or (phase.name if phase else ""), rate))
