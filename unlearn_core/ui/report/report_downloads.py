"""What a person takes home from a report: its weights, its settings, its figures."""

import json
from collections.abc import Sequence

import streamlit as st

from unlearn_core.domain.report import Report
from unlearn_core.export.extra_sections import Side
from unlearn_core.store.data_folder import home
from unlearn_core.store.files import artifacts
from unlearn_core.ui.shell import cache


def offer(report: Report) -> None:
    """The files of a report. Each is read only when its button is pressed."""
    name = f"run-{report.run or 'example'}"
    with st.popover("Download", icon=":material/download:"):
        whole([report], name=name)
        if report.run is not None:
            weights = artifacts.folder_of(home(), report.run) / artifacts.WEIGHTS
            st.download_button(
                "Weights after forgetting (safetensors)",
                weights.read_bytes,
                f"{name}.safetensors",
                "application/octet-stream",
                key="get-weights",
                icon=":material/neurology:",
                on_click="ignore",
                disabled=not weights.exists(),
                width="stretch",
            )
        st.download_button(
            "Settings, to run it again (JSON)",
            lambda: report.spec.model_dump_json(indent=1),
            f"{name}-spec.json",
            "application/json",
            key="get-spec",
            icon=":material/tune:",
            on_click="ignore",
            width="stretch",
        )
        st.download_button(
            "All figures (JSON)",
            lambda: figures(report),
            f"{name}-figures.json",
            "application/json",
            key="get-figures",
            icon=":material/data_object:",
            on_click="ignore",
            width="stretch",
        )
        st.caption("Each chart has its own table (CSV) and picture (PNG) beneath it.")


def several(found: Sequence[Report], *, place: str, side: Side | None = None) -> None:
    """The files about several runs together: a comparison, or with a `side` the best of a sweep and its table."""
    with st.popover("Download", icon=":material/download:", key=f"{place}-download"):
        whole(found, name="runs-" + "-".join(str(report.run) for report in found), place=f"{place}-", side=side)


def whole(found: Sequence[Report], *, name: str, place: str = "", side: Side | None = None) -> None:
    """The report file and the archive. Each is made when its button is pressed, which turns while that lasts."""
    st.download_button(
        "Report, in one file (HTML)",
        lambda: cache.report_page(*found, side=side),
        f"{name}.html",
        "text/html",
        key=f"{place}get-report",
        icon=":material/article:",
        on_click="ignore",
        width="stretch",
    )
    st.download_button(
        "Everything (zip)",
        lambda: cache.archive(*found, side=side),
        f"{name}.zip",
        "application/zip",
        key=f"{place}get-archive",
        icon=":material/folder_zip:",
        on_click="ignore",
        width="stretch",
    )
    st.caption(
        "The report opens in any browser, without a network, and prints well; about 5 MB, most of it the code that "
        "draws its charts. The archive holds it too, with weights and model card, tables, settings, and a folder "
        "for Python."
    )


def figures(report: Report) -> str:
    """Every plain value of a report as JSON; its arrays are too big for that and are left out."""
    facts = {name: part.facts for name, part in report.parts.items()}
    head = {"run": report.run, "method": report.method, "missing": dict(report.missing)}
    return json.dumps(head | {"spec": report.spec.model_dump(mode="json"), "parts": facts}, indent=1)
