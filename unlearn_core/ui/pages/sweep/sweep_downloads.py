"""Downloads of a sweep: its report together with that of the best run, and the archive."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from unlearn_core.charts.drawing.sweep_drawing import SweepData
from unlearn_core.domain.report import Report
from unlearn_core.export.sweep_report import sweep_section
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import reports
from unlearn_core.ui.report import report_downloads
from unlearn_core.ui.shell import cache


def show(sweep_data: SweepData) -> None:
    """The sweep and its best run as an HTML report and as an archive, rendered when the button is clicked."""
    best = sweep_data.best
    if best is None or best.run is None or not reports.report_version(open_data_dir(), best.run):
        return
    found, name = (
        cache.report(best.run, reports.report_version(open_data_dir(), best.run)),
        f"sweep-{sweep_data.sweep.id}",
    )
    with st.popover("Download", icon=":material/download:", key="sweep-download"):
        for label, make, kind, ending, icon in (
            ("Report, in one file (HTML)", cache.html_report, "text/html", "html", ":material/article:"),
            ("Everything about the best run (zip)", cache.archive, "application/zip", "zip", ":material/folder_zip:"),
        ):
            made = partial(_made, make, found, sweep_data)
            report_downloads.file_button(label, made, f"{name}.{ending}", kind, key=f"sweep-get-{ending}", icon=icon)
        st.caption("The report opens in any browser, offline. It contains the charts of this page and every trial.")


def _made(make: Callable[..., str | bytes], found: Report, sweep_data: SweepData) -> str | bytes:
    return make(found, side=sweep_section(sweep_data))
