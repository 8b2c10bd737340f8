"""What a model predicts in the plane, frame by frame while a method changes it: the animation of the playground."""

import base64
import zlib
from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
from pydantic import BaseModel, ConfigDict

GRID_SIZE = 40
"""Grid points per axis, at the centres of as many cells."""

FLOOR = 8.0
"""Log-probabilities (nats) below minus this are drawn as this."""

LEVELS = 64
"""The steps of log-probabilities between FLOOR and 0: an eighth of a nat, a few hundredths of a cell at a boundary."""

MAX_MADE = 60
"""At most this many of the points that a method makes are drawn."""


class MadePoints(NamedTuple):
    """Points that a method has made by a frame: adversarial ones or noise.

    `places` is base64 of (n, 2) uint8: x and y from 0 to 255. Noise beyond the border lies on it.
    """

    frame: int
    phase: str
    places: str


class BoundaryFrames(BaseModel):
    """The frames of one model; an original or a retrained model has a single one, when it is finished.

    `forget` and `retain` count the points of each side that are predicted correctly in each frame, of `forget_points`
    and `retain_points`: test points, but the training points themselves where single points are forgotten or all are
    drawn. `fields` holds log-probabilities: see `log_probabilities`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    classes: int
    phases: tuple[str, ...]
    steps: tuple[int, ...]
    forget: tuple[int, ...]
    retain: tuple[int, ...]
    forget_points: int
    retain_points: int
    made: tuple[MadePoints, ...] = ()
    seconds: float
    """How long the model took, without loading and without these frames."""
    note: str = ""
    """Why the method ended before its time, as a sentence."""
    fields: str

    @classmethod
    def of(cls, fields: Sequence[np.ndarray], **facts: object) -> Self:
        """Return frames from log-probabilities (classes, GRID_SIZE, GRID_SIZE) in nats."""
        levels = np.stack([np.round((one.clip(-FLOOR, 0) + FLOOR) * ((LEVELS - 1) / FLOOR)) for one in fields]).astype(
            np.uint8
        )
        # Differences in time, and in the first frame along x, are mostly small: they compress to a quarter.
        changes = np.diff(levels, axis=0, prepend=np.zeros_like(levels[:1]))
        changes[0] = np.diff(levels[0], axis=-1, prepend=np.zeros_like(levels[0][..., :1]))
        packed = base64.b64encode(zlib.compress(changes.tobytes(), 9)).decode()
        return cls.model_validate(facts | {"classes": levels.shape[1], "fields": packed})

    def log_probabilities(self) -> np.ndarray:
        """Return log-probabilities in nats, (frames, classes, y, x) float32, from low y to high; see FLOOR."""
        raw = np.frombuffer(zlib.decompress(base64.b64decode(self.fields)), np.uint8)
        changes = raw.reshape(len(self.steps), self.classes, GRID_SIZE, GRID_SIZE).copy()
        changes[0] = np.cumsum(changes[0], axis=-1, dtype=np.uint8)
        levels = np.cumsum(changes, axis=0, dtype=np.uint8)
        return levels.astype(np.float32) * (FLOOR / (LEVELS - 1)) - FLOOR

    def last_prediction(self) -> np.ndarray:
        """Return the predicted class at every grid point in the last frame, (y, x)."""
        return self.log_probabilities()[-1].argmax(0)


def pack_places(places: np.ndarray) -> str:
    """Return places (n, 2) in the unit square as `MadePoints.places`."""
    return base64.b64encode(np.round(255 * places.clip(0, 1)).astype(np.uint8).tobytes()).decode()
