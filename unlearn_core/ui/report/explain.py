"""Any picture of the data set, one click away from the question where each model looks in it."""

import time

import numpy as np
import streamlit as st

from unlearn_core.domain.jobs import CamAlgorithm, ExplainSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Run, RunState
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import artifacts
from unlearn_core.ui.components import heatmap_grid
from unlearn_core.ui.shell import cache, formatting, lifespan, url_state
from unlearn_core.ui.shell.markdown import escape

PER_PAGE = 24
IMAGE_PARAM = "picture"
"""What the address calls the picture that is asked about."""
POLL = 0.3
PATIENCE = 5.0
"""Seconds after which a person is told that nobody answers."""

WAITING = 150
"""Pixels kept free for an answer, so that the gallery beneath does not jump when it comes."""

SET_LABELS = {
    "forget_test": "forgotten, unseen",
    "forget_train": "forgotten, trained on",
    "retain_test": "kept, unseen",
    "retain_train": "kept, trained on",
}
ALGORITHMS: dict[CamAlgorithm, str] = {
    "gradcam": "Grad-CAM",
    "gradcam++": "Grad-CAM++",
    "layercam": "LayerCAM",
    "hirescam": "HiResCAM",
    "eigencam": "EigenCAM (no class)",
}
"""How a map may be made, by the name that a look knows."""
ORDERS = {"stored": "As stored", "changed": "Most changed first", "unsure": "Least sure first"}


def show(report: Report) -> None:
    """The gallery of forgotten and kept pictures, and above it the answer about the one that was clicked."""
    st.subheader("Look into any picture", anchor=False)
    if report.run is None:
        st.caption(
            "This report ships with the lab, so there is no run to ask. Run it yourself, then click any picture."
        )
    elif report.classifier.roles.cam is None:
        st.caption(unmapped(report))
    else:
        st.caption("Press a picture's name: within about a second you see where each model looks in it.")
    url_state.bind_from_url(_key(report), IMAGE_PARAM, lambda text: _read(text, len(report.labels)))
    place = st.container()
    picked = choose_image(report, able=report.run is not None and bool(heatmap_layers(report)))
    with place:
        if picked is not None:
            st.session_state[_key(report)] = picked
            st.session_state["looks"] = {}  # Asked again by hand: a question that failed gets another chance.
        picture = st.session_state[_key(report)]
        url_state.bind_to_url(_key(report), IMAGE_PARAM, "" if picture is None else str(picture))
        if report.run is not None and heatmap_layers(report) and picture is not None:
            _show_explanation(report, report.run, picture)


def _read(text: str, count: int) -> int | None:
    """The picture that an address names."""
    if text.isascii() and text.isdecimal() and len(text) < 10 and int(text) < count:
        return int(text)
    if text:
        st.warning(escape(f"There is no picture {text[:40]!r}: the last one is {count - 1:,}."))
    return None


def unmapped(report: Report) -> str:
    """Why a net gives no maps, as Markdown."""
    return f"{escape(report.classifier.title)} takes a picture as a whole: no layer has places to point at."


def choose_image(report: Report, *, able: bool) -> int | None:
    """The gallery with its filters; the position of the picture that was just clicked, where one is `able` to."""
    return _gallery(report, _filtered(report), able)


def _key(report: Report) -> str:
    return f"look-{report.run}"


def _filtered(report: Report) -> np.ndarray:
    """The pictures to page through, as positions in the data set, after the row of filters."""
    sets = {name: title for name, title in SET_LABELS.items() if len(getattr(report.split, name))}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.segmented_control(
            "Pictures",
            list(sets),
            default=next(iter(sets)),
            format_func=sets.__getitem__,
            required=True,
            wrap=True,
            key="look-set",
            bind="query-params",
        )
        order = st.selectbox(
            "Order", list(ORDERS), format_func=ORDERS.__getitem__, key="look-order", width=220, bind="query-params"
        )
    rows = getattr(report.split, name)
    return rows[_ranked(report, rows, order)]


def _ranked(report: Report, rows: np.ndarray, order: str) -> np.ndarray:
    after = _shares(report, "after", rows)
    if order == "changed":
        own = np.arange(len(rows)), report.labels[rows]
        return np.argsort(-np.abs(after[own] - _shares(report, "before", rows)[own]), kind="stable")
    return np.argsort(after.max(1), kind="stable") if order == "unsure" else np.arange(len(rows))


def _shares(report: Report, model: str, rows: np.ndarray) -> np.ndarray:
    """How surely a model names each class, pictures x classes, 0 to 1."""
    logits = report.evaluations[model].logits[rows].astype(np.float64)
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def _gallery(report: Report, rows: np.ndarray, able: bool) -> int | None:
    """A page of pictures, each with what it is called now; the position of the one that was just clicked."""
    pages = -(-len(rows) // PER_PAGE)
    slot = st.container()
    with st.container(horizontal=True, horizontal_alignment="center"):
        page = min(st.pagination(pages, key=f"look-page-{pages}", bind="query-params"), pages)
    shown = rows[(page - 1) * PER_PAGE : page * PER_PAGE]
    shares, names, clicked = _shares(report, "after", shown), report.dataset.classes, None
    question = " Where do the models look in it?" if heatmap_layers(report) else ""
    grid = slot.grid(8, min_column_width=96, gap="xsmall")
    for row, share in zip(shown.tolist(), shares, strict=True):
        with grid.cell(), st.container(gap="xxsmall"):
            own = names[report.labels[row]]
            st.image(cache.thumbnail(report.dataset.id, row), width="stretch", alt=f"{own}, picture {row}")
            if st.button(
                f"{escape(names[share.argmax()])} {100 * share.max():.0f} %",
                key=f"look-{row}",
                type="tertiary",
                width="stretch",
                help=f"Picture {row}, a {escape(own)}.{question}",
                disabled=not able,
            ):
                clicked = row
    st.caption("Beneath each picture: what it is called after forgetting, and how surely.")
    return clicked


def _show_explanation(report: Report, run: int, image: int) -> None:
    own = int(report.labels[image])
    names = report.dataset.classes
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            target = st.selectbox(
                "What speaks for the class",
                range(len(names)),
                index=own,
                format_func=lambda number: names[number] + (" (its own)" if number == own else ""),
                key=f"look-target-{image}",
                bind="query-params",
                width=220,
            )
            layer, algorithm = _choose_layer_and_algorithm(report)
        asked = request_explanation(
            report, ExplainSpec(run=run, picture=image, target=target, layer=layer, algorithm=algorithm)
        )
        waits = not asked.state.is_finished
        st.fragment(_card, run_every=POLL if waits else None, key="look")(report, asked.id, waits)


def heatmap_layers(report: Report) -> list[str]:
    """The layers at which one may look: those whose output has height and width, the usual one among them."""
    return list(report.classifier.roles.explainable_layers)


def _choose_layer_and_algorithm(report: Report) -> tuple[str | None, CamAlgorithm]:
    """At which layer and by which algorithm the models are asked; None is the layer that the classifier recommends."""
    roles, known = report.classifier.roles, heatmap_layers(report)
    layer = st.selectbox(
        "At layer",
        known,
        index=known.index(roles.cam) if roles.cam in known else 0,
        format_func=lambda name: name + (" (usual)" if name == roles.cam else ""),
        key="look-layer",
        bind="query-params",
        width=180,
        help="Early layers see edges and colours in fine maps, late ones whole things in coarse maps.",
    )
    algorithm = st.selectbox(
        "By",
        list(ALGORITHMS),
        format_func=ALGORITHMS.__getitem__,
        key="look-algorithm",
        bind="query-params",
        width=190,
        help="Grad-CAM weighs channels by their mean slope, Grad-CAM++ by where it is positive; LayerCAM and HiResCAM "
        "weigh every place by itself, which suits early layers; EigenCAM shows the layer's main response and asks for "
        "no class. Their scales differ: compare models in a row, not algorithms.",
    )
    return (None if layer == roles.cam else layer), algorithm


def request_explanation(report: Report, spec: ExplainSpec) -> Run:
    """The run that answers this question: the one that was asked before, else a new one."""
    known: dict[str, int] = st.session_state.setdefault("looks", {})
    number = known.get(spec.fingerprint())
    if number is not None:
        return cache.store().get(number)
    title = f"A look at picture {spec.picture} after run {report.run}"
    known[spec.fingerprint()] = cache.store().submit(spec, title=title)
    return cache.store().get(known[spec.fingerprint()])


def _card(report: Report, number: int, waited: bool) -> None:
    asked = cache.store().get(number)
    if waited and asked.state.is_finished:
        st.rerun()
    if waited:
        lifespan.ensure_worker()
    if asked.state is RunState.DONE:
        found = artifacts.read_explanation(open_data_dir(), number)
        if found is not None:
            heatmap_grid.show_explanation(report, found)
            return
    with st.container(height=WAITING, border=False):
        if asked.state is RunState.FAILED:
            st.error(escape(asked.error or "The question was not answered."), icon=":material/error:")
        elif asked.state.is_finished:
            st.caption("This question was not answered. Press the picture again.")
        elif time.time() - formatting.with_utc(asked.created).timestamp() > PATIENCE:
            st.caption("Nobody answers yet: the worker is starting, busy with other looks, or away.")
        else:
            st.markdown(":shimmer[Looking…]")
