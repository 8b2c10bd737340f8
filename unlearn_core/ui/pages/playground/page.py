"""The page Playground: its state between clicks, the controls beside the plane, and the way to the lab."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from unlearn_core import methods
from unlearn_core.data.playground_points import drawable_classes, point_datasets
from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.forget_request import ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.method import Method, cannot_forget
from unlearn_core.domain.results.point_runs import OWN_POINTS, PointsSpec
from unlearn_core.engine.playground import point_settings, scenes
from unlearn_core.engine.playground.point_models import classifier_of
from unlearn_core.ui.components import hyperparameter_inputs
from unlearn_core.ui.guidance import levels
from unlearn_core.ui.pages.playground import plane
from unlearn_core.ui.pages.playground.playground_state import PlaygroundState, from_params, to_params
from unlearn_core.ui.shell import url_state
from unlearn_core.ui.shell.markdown import escape

_STATE, _WRITTEN, _TROUBLE, _VISITOR = "playground", "playground as written", "playground trouble", "playground visitor"


def current() -> PlaygroundState:
    """This visit's state; the URL is read at the first visit, and when it has changed by a link or by going back."""
    said = {name: text for name, text in st.query_params.to_dict().items() if name != levels.LEVEL_PARAM}
    if _STATE not in st.session_state or (said and said != st.session_state[_WRITTEN]):
        state, trouble = from_params(said) if said else (_of_scene(scenes.SCENES[0]), [])
        st.session_state[_STATE], st.session_state[_TROUBLE], st.session_state[_WRITTEN] = state, trouble, said
    return st.session_state[_STATE]


def write_url() -> None:
    """Write the state into the URL."""
    wanted = to_params(current())
    st.session_state[_WRITTEN] = wanted
    url_state.write_params(wanted)


def scene_choice() -> None:
    """Runs that ship, each with something to see, as one row of buttons."""
    state = current()
    wanted = _wanted(state)[0]
    known = {scene.title: scene for scene in scenes.SCENES}
    st.session_state["scene"] = next((title for title, scene in known.items() if scene.spec() == wanted), None)
    st.pills("See at once", list(known), key="scene", on_change=_open_scene, wrap=True)
    chosen = st.session_state["scene"]
    st.caption(
        escape(known[chosen].lesson) if chosen in known else "Each opens a finished run, with nothing to wait for."
    )


def the_plane() -> None:
    """The plane, with the run that the state asks for."""
    for sentence in st.session_state[_TROUBLE]:
        st.warning(escape(sentence), icon=":material/warning:")
    state = current()
    wanted, trouble = _wanted(state)
    visitor = st.session_state.setdefault(_VISITOR, f"playground {secrets.token_hex(8)}")
    plane.show(state, wanted, trouble=trouble, visitor=visitor, change=_change)


def controls() -> None:
    """The points, the method and its main hyperparameters."""
    state = current()
    st.session_state["playground-data"] = state.dataset
    titles = {name: card.title.removesuffix(" (points)") for name, card in point_datasets().items()}
    titles[OWN_POINTS] = "Draw your own"
    st.segmented_control(
        "Points",
        list(titles),
        format_func=titles.__getitem__,
        required=True,
        wrap=True,
        key="playground-data",
        on_change=_change_dataset,
    )
    known = sorted(methods.methods().values(), key=lambda method: (state.kind not in method.supports, method.title))
    st.session_state["playground-method"] = state.method
    st.selectbox(
        "Method",
        [method.id for method in known],
        format_func=lambda name: _method_title(methods.method(name), state),
        key="playground-method",
        on_change=_change_method,
    )
    method = methods.method(state.method)
    st.markdown(method.idea)
    start = point_settings.start_values(method, state.kind)
    for info in point_settings.shown_hyperparameters(method):
        key = f"playground-{method.id}-{info.name}"
        preset = getattr(start, info.name)
        st.session_state[key] = state.values.get(info.name, preset)
        hyperparameter_inputs.draw(
            info, st.session_state[key], preset, key=key, on_change=_change_value, args=(info.name, key, preset)
        )
    _reset_and_seed(state)
    _way_to_the_lab(state)


def _reset_and_seed(state: PlaygroundState) -> None:
    with st.container(horizontal=True):
        st.button(
            "Reset",
            icon=":material/restart_alt:",
            key="playground-reset",
            disabled=not state.values,
            on_click=_change,
            args=({"values": {}},),
            help="Back to the values that were found beforehand, by validation points.",
        )
        st.button(
            "Another seed",
            icon=":material/casino:",
            key="playground-seed",
            on_click=_change,
            args=({"seed": state.seed + 1},),
            help=f"All randomness of the run comes from its seed, now {state.seed}.",
        )


def _way_to_the_lab(state: PlaygroundState) -> None:
    wanted = _wanted(state)[0]
    is_drawn = bool(state.drawn) or state.dataset == OWN_POINTS
    if st.button(
        "Make this a run of the lab",
        icon=":material/science:",
        key="playground-to-lab",
        disabled=wanted is None or is_drawn,
        help="Points that you drew exist only here." if is_drawn else "The same request and settings, with its report.",
    ):
        assert wanted is not None and wanted.forget is not None
        request = ForgetRequest(classifier=classifier_of(state.dataset).id, dataset=state.dataset, forget=wanted.forget)
        url_state.load_spec(UnlearnSpec(request=request, method=wanted.method, params=wanted.params, seed=wanted.seed))
        url_state.open_page("method")


def _wanted(state: PlaygroundState) -> tuple[PointsSpec | None, str]:
    """The run that the state asks for; or None, and why there is none if it is not for lack of a selection."""
    try:
        method = methods.method(state.method)
        if state.forget is not None and state.kind not in method.supports:
            return None, f"{cannot_forget(method, state.kind, 'point')} Choose another method, or a class."
        return state.unlearned(), ""
    except UnlearnError as problem:
        return None, str(problem)


def _method_title(method: Method[Any], state: PlaygroundState) -> str:
    return method.title if state.kind in method.supports else f"{method.title} (whole classes only)"


def _change(fields: Mapping[str, Any]) -> None:
    state = replace(current(), **fields)
    st.session_state[_STATE], st.session_state[_TROUBLE] = state, []
    write_url()


def _change_dataset() -> None:
    """Other points: nothing of them is selected but their first class, and drawn points stay where they fit."""
    dataset, former = st.session_state["playground-data"], current()
    drawn = tuple(point for point in former.drawn if point.label < len(drawable_classes(dataset)))
    _change({"dataset": dataset, "classes": (0,) if dataset else (), "points": (), "drawn": drawn})


def _change_method() -> None:
    _change({"method": st.session_state["playground-method"], "values": {}})


def _change_value(name: str, key: str, preset: Any) -> None:
    value = st.session_state[key]
    others = {other: item for other, item in current().values.items() if other != name}
    _change({"values": others if value == preset else others | {name: value}})


def _open_scene() -> None:
    found = next((scene for scene in scenes.SCENES if scene.title == st.session_state["scene"]), None)
    if found is not None:
        view = {"speed": current().speed, "hidden": current().hidden}
        _change(vars(replace(_of_scene(found), **view)))


def _of_scene(scene: scenes.Scene) -> PlaygroundState:
    forget = scene.forget
    return PlaygroundState(
        dataset=scene.dataset,
        classes=forget.classes if forget.kind == "classes" else (),
        points=forget.images if forget.kind == "images" else (),
        method=scene.method,
        values=dict(scene.values),
    )
