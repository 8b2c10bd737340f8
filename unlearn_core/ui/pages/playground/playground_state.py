"""What a visitor has chosen in the playground as one value, which is read from the URL and written into it."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from unlearn_core import methods
from unlearn_core.data.class_lists import format_classes, parse_classes
from unlearn_core.data.playground_points import drawable_classes, point_datasets
from unlearn_core.domain.errors import InvalidRequestError, UnlearnError
from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetImages
from unlearn_core.domain.method import RequestKind
from unlearn_core.domain.results.point_runs import MAX_DRAWN, OWN_POINTS, REVISION, DrawnPoint, PointsSpec
from unlearn_core.engine.playground import point_settings

LAYERS = ("before", "retrained", "made")
"""What can be hidden from the map."""
SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)
OWN_PARAM = "own"
"""What the URL calls a plane with drawn points alone."""


@dataclass(frozen=True, kw_only=True)
class PlaygroundState:
    """The points, what is to be forgotten of them, the method with the hyperparameters that were changed, the view."""

    dataset: str = "moons"
    drawn: tuple[DrawnPoint, ...] = ()
    classes: tuple[int, ...] = ()
    points: tuple[int, ...] = ()
    method: str = "unsir"
    values: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    speed: float = 1.0
    hidden: tuple[str, ...] = ()

    @property
    def forget(self) -> Forget | None:
        """What is to be forgotten; None while nothing is selected."""
        if self.classes:
            return ForgetClasses(classes=self.classes)
        return ForgetImages(images=self.points) if self.points else None

    @property
    def kind(self) -> RequestKind:
        return "images" if self.points else "classes"

    @property
    def original(self) -> PointsSpec:
        """The classifier of all points."""
        return PointsSpec(part="train", dataset=self.dataset, drawn=self.drawn, revision=str(REVISION))

    def unlearned(self) -> PointsSpec | None:
        """The run that is wanted; None while nothing is selected. Raises NotFoundError."""
        if self.forget is None:
            return None
        method = methods.method(self.method)
        params = point_settings.start_values(method, self.kind).updated(dict(self.values)).model_dump()
        own = {"part": "unlearn", "forget": self.forget, "method": method.id, "params": params, "seed": self.seed}
        return self.original.model_copy(update=own | {"revision": f"{REVISION}.{method.revision}"})


def to_params(state: PlaygroundState) -> dict[str, str]:
    """The state as query parameters."""
    said = {"data": state.dataset or OWN_PARAM, "method": state.method}
    if state.drawn:
        said["drawn"] = pack_drawn(state.drawn)
    if state.classes:
        said["forget"] = format_classes(state.classes, drawable_classes(state.dataset))
    elif state.points:
        said["points"] = pack_points(state.points)
    said |= {name: str(value) for name, value in state.values.items()}
    said |= {"seed": str(state.seed)} if state.seed else {}
    said |= {"speed": f"{state.speed:g}"} if state.speed != 1 else {}
    return said | ({"hide": ",".join(state.hidden)} if state.hidden else {})


def from_params(params: Mapping[str, str]) -> tuple[PlaygroundState, list[str]]:
    """A state from untrusted query parameters, and sentences about those that could not be used."""
    state, trouble = PlaygroundState(), []
    for part in (_dataset, _drawn, _forget, _method, _values, _seed, _view):
        try:
            state = part(state, params)
        except UnlearnError as problem:
            trouble.append(str(problem))
    return state, trouble


def count_points(dataset: str) -> int:
    """The number of training points of a data set, without drawn ones."""
    card = point_datasets().get(dataset)
    return card.train if card else 0


def pack_points(points: tuple[int, ...]) -> str:
    """Positions as one bit each, in base64 for URLs."""
    bits = np.zeros(max(points, default=-1) + 1, bool)
    bits[list(points)] = True
    return _to_text(np.packbits(bits, bitorder="little").tobytes())


def unpack_points(text: str, count: int) -> tuple[int, ...]:
    """The positions of such a text. Raises InvalidRequestError if it is none, or has one of `count` or more."""
    found = np.flatnonzero(np.unpackbits(np.frombuffer(_to_bytes(text, count), np.uint8), bitorder="little"))
    if len(found) and found[-1] >= count:
        raise InvalidRequestError(
            f"The link selects a point that does not exist: there are {count:,}. Select some again."
        )
    return tuple(int(one) for one in found)


def pack_drawn(drawn: tuple[DrawnPoint, ...]) -> str:
    """Drawn points as three bytes each, in base64 for URLs."""
    return _to_text(bytes(value for point in drawn for value in point))


def unpack_drawn(text: str, classes: int) -> tuple[DrawnPoint, ...]:
    """The drawn points of such a text. Raises InvalidRequestError if there are too many, or one of no class."""
    data = _to_bytes(text, 100_000)
    found = tuple(DrawnPoint(*data[at : at + 3]) for at in range(0, len(data) - len(data) % 3, 3))
    if len(found) > MAX_DRAWN:
        raise InvalidRequestError(f"The link has {len(found):,} drawn points: at most {MAX_DRAWN} can be drawn.")
    if len(data) % 3 or any(point.label >= classes for point in found):
        raise InvalidRequestError("The drawn points in the link are damaged. Draw them again, or copy the link anew.")
    return found


def _to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _to_bytes(text: str, most: int) -> bytes:
    try:
        if len(text) > 2 * most + 8:
            raise ValueError
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise InvalidRequestError(
            "The points in the link are damaged. Select them again, or copy the link anew."
        ) from None


def _dataset(state: PlaygroundState, params: Mapping[str, str]) -> PlaygroundState:
    name = params.get("data", state.dataset)
    if name != OWN_PARAM and name not in point_datasets():
        known = ", ".join((*point_datasets(), OWN_PARAM))
        raise InvalidRequestError(f"There are no points called {name[:40]!r} here. Choose one of {known}.")
    return replace(state, dataset=OWN_POINTS if name == OWN_PARAM else name)


def _drawn(state: PlaygroundState, params: Mapping[str, str]) -> PlaygroundState:
    return replace(state, drawn=unpack_drawn(params.get("drawn", ""), len(drawable_classes(state.dataset))))


def _forget(state: PlaygroundState, params: Mapping[str, str]) -> PlaygroundState:
    names = drawable_classes(state.dataset)
    if params.get("forget"):
        classes = parse_classes(params["forget"][:400], names)
        if len(classes) == len(names):
            raise InvalidRequestError("The link forgets every class: at least one must be retained.")
        return replace(state, classes=classes)
    if params.get("points"):
        count = count_points(state.dataset) + len(state.drawn)
        points = unpack_points(params["points"], count)
        if len(points) == count:
            raise InvalidRequestError("The link forgets every point: at least one must be retained.")
        return replace(state, points=points)
    return state


def _method(state: PlaygroundState, params: Mapping[str, str]) -> PlaygroundState:
    usual = state.method if state.kind == "classes" else "l2ul"
    return replace(state, method=methods.method(params.get("method", usual)[:80]).id)


def _values(state: PlaygroundState, params: Mapping[str, str]) -> PlaygroundState:
    method = methods.method(state.method)
    given = {
        info.name: params[info.name][:80]
        for info in point_settings.shown_hyperparameters(method)
        if info.name in params
    }
    wrong = point_settings.out_of_bounds(method, given)
    if wrong:
        raise InvalidRequestError(" ".join(wrong))
    start = point_settings.start_values(method, state.kind)
    values = start.updated(given).model_dump()
    return replace(state, values={name: values[name] for name in given if values[name] != getattr(start, name)})


def _seed(state: PlaygroundState, params: Mapping[str, str]) -> PlaygroundState:
    text = params.get("seed", "0")
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise InvalidRequestError(f"The seed {text[:40]!r} is invalid: use a whole number from 0.")
    return replace(state, seed=int(text))


def _view(state: PlaygroundState, params: Mapping[str, str]) -> PlaygroundState:
    hidden = tuple(layer for layer in LAYERS if layer in params.get("hide", "").split(","))
    speed = next((speed for speed in SPEEDS if f"{speed:g}" == params.get("speed", "1")), 1.0)
    return replace(state, hidden=hidden, speed=speed)
