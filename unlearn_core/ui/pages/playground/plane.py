"""The component of the playground: the plane with its points, and the animation of a run."""

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from streamlit.components.v2 import component

from unlearn_core.charts.drawing.theme import CLASS_COLORS, THEMES
from unlearn_core.charts.drawing.wording import join_words
from unlearn_core.charts.text.boundary_words import Subject
from unlearn_core.data import playground_points
from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.results.point_runs import MAX_DRAWN, PointsSpec
from unlearn_core.ui.pages.playground import frames_route
from unlearn_core.ui.pages.playground.frames_route import Wanted
from unlearn_core.ui.pages.playground.playground_state import (
    LAYERS,
    SPEEDS,
    PlaygroundState,
    count_points,
    unpack_drawn,
    unpack_points,
)
from unlearn_core.ui.shell import formatting

KEY = "plane"
SCRIPTS = ("fields.js", "stage.js", "selection.js", "playground.js")
"""The scripts of the component, in the order in which they build on each other: they become one module."""
ROLES = ("before", "gold", "forget", "retain", "page", "ink", "quiet", "border")
LEGEND = "Dashed orange: forget accuracy. Solid green: retain accuracy. Diamonds: those of the retrained model."
INVITATION = "Circle some points, or press a class: what shall it forget?"

_FRONTEND = Path(__file__).parent / "frontend"

_component = component(
    "playground",
    html=(_FRONTEND / "playground.html").read_text(),
    css=(_FRONTEND / "playground.css").read_text(),
    js="\n".join((_FRONTEND / name).read_text() for name in SCRIPTS),
)


def show(
    state: PlaygroundState,
    wanted: PointsSpec | None,
    *,
    trouble: str,
    visitor: str,
    change: Callable[[Mapping[str, Any]], None],
) -> None:
    """Show the plane with a visitor's state and the frames of the run that is `wanted`.

    `trouble` says what stands in the way of a run, as a sentence. `change` gets the fields of the state that the
    visitor has changed in the component.
    """
    names = playground_points.drawable_classes(state.dataset)
    try:
        _, points = playground_points.load_points(state.original)
        is_learnable = True
    except InvalidRequestError as problem:
        points, is_learnable, trouble = None, False, trouble or str(problem)
    data = _points_data(state, points) | {
        "revision": st.session_state.get(_REVISION, 0),
        "classes": state.classes,
        "forgotten": state.points,
        "names": names,
        "colors": CLASS_COLORS[: len(names)],
        "palettes": {name: {role: getattr(theme, role) for role in ROLES} for name, theme in THEMES.items()},
        "most": MAX_DRAWN,
        "view": json.dumps({"speed": state.speed, "hidden": state.hidden}),
        "invitation": trouble or INVITATION,
        "legend": LEGEND,
        "label": _label(state, names),
        "urls": _urls(state, wanted if is_learnable else None, is_learnable, visitor, names),
    }
    data["request"] = json.dumps([data["urls"], data["invitation"]])
    _component(
        key=KEY,
        data=data,
        width="stretch",
        height="content",
        on_choose_change=lambda: _choose(state, names, change),
        on_view_change=lambda: _change_view(change),
    )


_REVISION = f"{KEY} revision"


def _points_data(state: PlaygroundState, points: ImageDataset | None) -> dict[str, Any]:
    if points is not None:
        own = points.images[: points.train, 0, 0, :2], points.labels[: points.train, None]
        packed = np.concatenate(own, axis=1).astype(np.uint8).tobytes()
    else:  # Too few points to learn from, all of them drawn.
        packed = bytes(value for point in state.drawn for value in point)
    return {
        "points": base64.b64encode(packed).decode(),
        "drawn": len(state.drawn),
        "place": f"{state.dataset} {state.original.fingerprint()}",
    }


def _urls(
    state: PlaygroundState, wanted: PointsSpec | None, is_learnable: bool, visitor: str, names: tuple[str, ...]
) -> dict[str, str | None]:
    """The URLs of the frames; None for those that there are not."""
    if not is_learnable:
        return {"original": None, "unlearned": None, "retrained": None}
    classes = join_words([names[label] for label in state.classes]) if state.classes else ""
    subject = Subject(classes, has_test=bool(state.dataset))
    base = frames_route.register(Wanted(state.original, wanted, subject, visitor))
    parts = ("original",) if wanted is None else ("original", "unlearned", "retrained")
    return {part: f"{base}/{part}" if part in parts else None for part in ("original", "unlearned", "retrained")}


def _label(state: PlaygroundState, names: tuple[str, ...]) -> str:
    """What screen readers are told about the plane."""
    if state.classes:
        chosen = f"forgotten: all of {join_words([names[label] for label in state.classes])}"
    else:
        chosen = f"forgotten: {formatting.pluralize(len(state.points), 'point')}"
    classes = join_words(names, limit=9)
    return f"Points in the plane of the classes {classes}; {chosen}. Choose a tool, then use the arrow keys."


def _choose(state: PlaygroundState, names: tuple[str, ...], change: Callable[[Mapping[str, Any]], None]) -> None:
    """Take what the visitor has selected and drawn; what these points do not have is refused, with a sentence."""
    sent = st.session_state[KEY].get("choose")
    try:
        classes = tuple(sorted({int(label) for label in sent["classes"]}))
        drawn = unpack_drawn(str(sent["drawn"]), len(names))
        points = unpack_points(str(sent["points"]), count_points(state.dataset) + len(drawn))
        revision = int(sent["revision"])
        if any(not 0 <= label < len(names) for label in classes) or len(classes) == len(names):
            raise InvalidRequestError("A class does not exist, or all would be forgotten.")
    except (InvalidRequestError, AttributeError, TypeError, KeyError, ValueError):
        st.toast("The playground sent a selection that these points do not have. Reload the page.")
        return
    st.session_state[_REVISION] = revision
    change({"classes": classes, "points": points, "drawn": drawn})


def _change_view(change: Callable[[Mapping[str, Any]], None]) -> None:
    sent = st.session_state[KEY].get("view")
    try:
        speed, hidden = float(sent["speed"]), tuple(layer for layer in LAYERS if layer in sent["hidden"])
    except (AttributeError, TypeError, KeyError, ValueError):
        return
    change({"speed": speed if speed in SPEEDS else 1.0, "hidden": hidden})
