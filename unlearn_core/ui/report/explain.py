"""Grad-CAM queries: a gallery of the data set, and the heat maps of all models for the image that was clicked."""

import time

import numpy as np
import streamlit as st
from scipy import special

from unlearn_core.domain.jobs import CamAlgorithm, ExplainSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Run, RunState
from unlearn_core.domain.split import set_label
from unlearn_core.domain.verdicts.report_verdicts import is_judged
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import artifacts
from unlearn_core.ui.components import paged_grid
from unlearn_core.ui.report import heatmap_grid
from unlearn_core.ui.shell import cache, formatting, lifespan, navigation, url_state
from unlearn_core.ui.shell.markdown import escape

PER_PAGE = 24
IMAGE_PARAM = "picture"
"""The URL parameter of the image in question."""
POLL = 0.3
"""Seconds between two checks for the result of a query."""
PATIENCE = 5.0
"""Seconds without a result after which the page says so."""

WAITING = 150
"""Height in pixels reserved for the result, so that the gallery below does not jump."""

SETS = ("forget_test", "forget_train", "retain_test", "retain_train")
"""The sets that the gallery offers, in the order of its switch."""
FORMER_SETS = {
    "forgotten, unseen": "forget set, test",
    "forgotten, trained on": "forget set, training",
    "kept, unseen": "retain set, test",
    "kept, trained on": "retain set, training",
}
"""Today's label of a set by its label in links of former releases."""
ALGORITHMS: dict[CamAlgorithm, str] = {
    "gradcam": "Grad-CAM",
    "gradcam++": "Grad-CAM++",
    "layercam": "LayerCAM",
    "hirescam": "HiResCAM",
    "eigencam": "EigenCAM (no class)",
}
"""The Grad-CAM variants by their ids in an ExplainSpec."""
ORDERS = {"stored": "As stored", "changed": "Most changed first", "unsure": "Least confident first"}
FORMER_ORDERS = {"Least sure first": "Least confident first"}
"""Today's label of an order by its label in links of former releases."""


def show(report: Report) -> None:
    """Show the gallery of the data set, and above it the heat maps of the image that was clicked."""
    noun = report.dataset.item_noun
    st.subheader(f"Explore any {noun}", anchor=False)
    if report.run is None:
        st.caption(
            "This report is bundled with the lab, so Grad-CAM queries are not available. Run it yourself, then click "
            "any image."
        )
    elif report.pending:
        st.caption(f"Once all is measured, this is a gallery of the {noun}s, each with Grad-CAM maps on request.")
        return
    elif not is_judged(report):
        st.caption(next(report.missing[model] for model in ("before", "after") if model in report.missing))
        return
    elif report.classifier.roles.cam is None:
        st.caption(no_heatmaps_reason(report))
    else:
        st.caption("Press the label of an image: within about a second you see the Grad-CAM maps of each model.")
    with url_state.bound(_key(report), IMAGE_PARAM, default=None, parse=lambda text: _parse_image(report, text)):
        place = st.container()
        picked = choose_image(report, able=report.run is not None and bool(heatmap_layers(report)))
        if picked is not None:
            st.session_state[_key(report)] = picked
            st.session_state["looks"] = {}  # A click repeats a query that failed.
    image = st.session_state[_key(report)]
    with place:
        if report.run is not None and heatmap_layers(report) and image is not None:
            _show_explanation(report, report.run, image)


def _parse_image(report: Report, text: str) -> int | None:
    """The image whose number is in the URL."""
    number, count = url_state.parse_number(text), len(report.labels)
    if number is not None and number < count:
        return number
    st.warning(escape(f"There is no {report.dataset.item_noun} {text[:40]!r}: the last one is {count - 1:,}."))
    return None


def no_heatmaps_reason(report: Report) -> str:
    """Why Grad-CAM is not available for the report's classifier, as Markdown."""
    return f"{escape(report.classifier.title)} has no spatial layers, so Grad-CAM is not available."


def choose_image(report: Report, *, able: bool) -> int | None:
    """Show the gallery and its filters; return the image that was just clicked, which only `able` allows."""
    return _gallery(report, _filtered(report), able)


def _key(report: Report) -> str:
    return f"look-{report.run}"


def _filtered(report: Report) -> np.ndarray:
    """Show the filters and return the chosen images as positions in the data set."""
    sets = {name: set_label(name) for name in SETS if len(getattr(report.split, name))}
    url_state.accept_former_labels("look-set", FORMER_SETS)
    url_state.accept_former_labels("look-order", FORMER_ORDERS)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.segmented_control(
            "Set",
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
    after = _probabilities(report, "after", rows)
    if order == "changed":
        true = np.arange(len(rows)), report.labels[rows]
        return np.argsort(-np.abs(after[true] - _probabilities(report, "before", rows)[true]), kind="stable")
    return np.argsort(after.max(1), kind="stable") if order == "unsure" else np.arange(len(rows))


def _probabilities(report: Report, model: str, rows: np.ndarray) -> np.ndarray:
    """A model's softmax outputs (images, classes)."""
    return special.softmax(report.evaluations[model].logits[rows].astype(np.float64), axis=1)


def _gallery(report: Report, rows: np.ndarray, able: bool) -> int | None:
    """Show a page of images with the unlearned model's predictions; return the number of the one just clicked."""
    pages = -(-len(rows) // PER_PAGE)
    page = paged_grid.choose_page(len(rows), PER_PAGE, key=f"look-page-{pages}")
    shown = rows[page.items]
    outputs, names, clicked = _probabilities(report, "after", shown), report.dataset.classes, None
    noun, action = report.dataset.item_noun, " Show its Grad-CAM maps." if heatmap_layers(report) else ""
    grid = page.place.grid(8, min_column_width=96, gap="xsmall")
    for row, output in zip(shown.tolist(), outputs, strict=True):
        with grid.cell(), st.container(gap="xxsmall"):
            label = names[report.labels[row]]
            st.image(cache.thumbnail(report.dataset.id, row), width="stretch", alt=f"{label}, {noun} {row}")
            if st.button(
                f"{escape(names[output.argmax()])} {100 * output.max():.0f} %",
                key=f"look-{row}",
                type="tertiary",
                width="stretch",
                help=f"{noun.capitalize()} {row}, class {escape(label)}.{action}",
                disabled=not able,
            ):
                clicked = row
    st.caption(f"Below each {noun}: the prediction of the unlearned model and its confidence.")
    return clicked


def _show_explanation(report: Report, run: int, image: int) -> None:
    label = int(report.labels[image])
    names = report.dataset.classes
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            target = st.selectbox(
                "Evidence for the class",
                range(len(names)),
                index=label,
                format_func=lambda number: names[number] + (" (true class)" if number == label else ""),
                key=f"look-target-{image}",
                bind="query-params",
                width=220,
            )
            layer, algorithm = _choose_layer_and_algorithm(report)
        query = request_explanation(
            report, ExplainSpec(run=run, picture=image, target=target, layer=layer, algorithm=algorithm)
        )
        waits = not query.state.is_finished
        st.fragment(_card, run_every=POLL if waits else None, key="look")(report, query.id, waits)


def heatmap_layers(report: Report) -> list[str]:
    """The layers that Grad-CAM can be computed at: those whose output has height and width."""
    return list(report.classifier.roles.explainable_layers)


def _choose_layer_and_algorithm(report: Report) -> tuple[str | None, CamAlgorithm]:
    """Show the choice of layer and algorithm and return both; None is the layer that the classifier recommends."""
    roles, layers = report.classifier.roles, heatmap_layers(report)
    layer = st.selectbox(
        "Layer",
        layers,
        index=layers.index(roles.cam) if roles.cam in layers else 0,
        format_func=lambda name: name + (" (default)" if name == roles.cam else ""),
        key="look-layer",
        bind="query-params",
        width=180,
        help="Early layers respond to edges and colours and give fine maps; late layers respond to objects and give "
        "coarse maps.",
    )
    algorithm = st.selectbox(
        "Algorithm",
        list(ALGORITHMS),
        format_func=ALGORITHMS.__getitem__,
        key="look-algorithm",
        bind="query-params",
        width=190,
        help="Grad-CAM weights channels by their mean gradient, Grad-CAM++ by its positive part. LayerCAM and HiResCAM "
        "weight every position separately, which suits early layers. EigenCAM shows the layer's main response for no "
        "class in particular. Their scales differ: compare models within a row, not algorithms.",
    )
    return (None if layer == roles.cam else layer), algorithm


def request_explanation(report: Report, spec: ExplainSpec) -> Run:
    """Return the run of a Grad-CAM query: this session's earlier one for the same spec, else a new one."""
    known: dict[str, int] = st.session_state.setdefault("looks", {})
    number = known.get(spec.fingerprint())
    if number is not None:
        return cache.store().get(number)
    title = f"Grad-CAM of image {spec.picture}, run {report.run}"
    known[spec.fingerprint()] = cache.store().submit(spec, title=title)
    return cache.store().get(known[spec.fingerprint()])


def _card(report: Report, number: int, waited: bool) -> None:
    query = cache.store().get(number)
    if waited and query.state.is_finished:
        st.rerun()
    if waited:
        lifespan.ensure_worker()
    if query.state is RunState.DONE:
        found = artifacts.read_explanation(open_data_dir(), number)
        if found is not None:
            heatmap_grid.show_explanation(report, found)
            return
    with st.container(height=WAITING, border=False):
        if query.state is RunState.FAILED:
            st.error(escape(query.error or "The query failed."), icon=":material/error:")
            navigation.bug_report(query.error, key_scope="explain")
        elif query.state is RunState.DONE:
            st.caption("The result of this query is damaged. Press the image again.")
        elif query.state.is_finished:
            st.caption("This query was cancelled. Press the image again.")
        elif time.time() - formatting.with_utc(query.created).timestamp() > PATIENCE:
            st.caption("No response yet. The worker may be starting, busy or stopped.")
        else:
            st.markdown(":shimmer[Computing…]")
