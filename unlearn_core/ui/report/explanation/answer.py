"""The answer to a Grad-CAM query: the maps of all models on one scale, with the deletion test beside each."""

import re
import time

import streamlit as st

from unlearn_core.charts.text import deletion_words
from unlearn_core.data.ingest import own_image
from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.report import MODELS, Report
from unlearn_core.domain.results.explanations import CamResult
from unlearn_core.domain.run import Run, RunState
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import artifacts
from unlearn_core.ui.shell import cache, drawings, formatting, lifespan, navigation
from unlearn_core.ui.shell.markdown import escape

POLL = 0.2
"""Seconds between two checks for the result of a query."""
PATIENCE = 5.0
"""Seconds without a result after which the page says so."""

WAITING = 340
"""Height in pixels reserved for the result, about that of the maps: the gallery below hardly jumps."""
MIN_WIDTH = 96
"""Least width of an image in pixels before the row wraps; three fit on a phone."""


def show(report: Report, query: Run) -> None:
    """Show the result of a query as soon as it is there."""
    waits = not query.state.is_finished
    st.fragment(_card, run_every=POLL if waits else None, key="look")(report, query.id, waits)


def _card(report: Report, number: int, waited: bool) -> None:
    query = cache.store().get(number)
    _show_state(report, query)
    if waited and query.state.is_finished:
        st.rerun()  # It ends the polling; the answer is on the page already.
    if waited:
        lifespan.ensure_worker()


def _show_state(report: Report, query: Run) -> None:
    if query.state is RunState.DONE:
        found = artifacts.read_explanation(open_data_dir(), query.id)
        if found is not None:
            _show_found(report, query, found)
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


def _show_found(report: Report, query: Run, cam: CamResult) -> None:
    upload = getattr(query.spec, "upload", "")
    if upload:
        try:
            pixels = own_image.read(open_data_dir(), upload, size=report.dataset.size)
        except InvalidRequestError as problem:
            st.caption(str(problem))
            return
        cam = cam.model_copy(update={"pixels": pixels[None]})
    row, (shown,) = drawings.explanation(report, cam), cam.images
    st.markdown(f"**{escape(row.title)}.** {escape(row.words)}")
    notes = [deletion_words.note(shown.models[model].deletion) for model in MODELS if model in shown.models]
    notes = ["", *notes, *[""] * len(row.cells)]
    grid = st.grid(len(row.cells), min_column_width=MIN_WIDTH, gap="small")
    for cell, words in zip(row.cells, notes, strict=False):
        with grid.cell():
            caption = "  \n".join(_unbroken(line) for line in (cell.caption, *words.splitlines()))
            alt = f"{row.title}: {cell.caption}. {' '.join(words.split())}"
            st.image(cell.file, caption=caption, width="stretch", alt=alt)
    st.markdown(escape(deletion_words.summary(shown, report.dataset.classes)))
    with st.popover("What do the numbers mean?", icon=":material/info:", type="tertiary"):
        st.markdown(f"{deletion_words.COLORS}\n\n{deletion_words.DEFINITION}\n\n{deletion_words.DOUBT}")


def _unbroken(line: str) -> str:
    """A line as Markdown whose numbers stay on one line; `escape` makes all spaces alike."""
    return re.sub(r" (?=→|%)|(?<=→) ", "\N{NO-BREAK SPACE}", escape(line))
