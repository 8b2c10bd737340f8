"""What a person takes home from a report: its link, its weights, its settings, its figures."""

import json

import streamlit as st

from unlearn_core.domain.report import Report
from unlearn_core.store import artifacts
from unlearn_core.store.home import home
from unlearn_core.ui import studio


def offer(report: Report) -> None:
    """The files of a report. Each is read only when its button is pressed."""
    name = f"run-{report.run or 'example'}"
    with st.popover("Download", icon=":material/download:"):
        st.download_button(
            "Report, in one file (HTML)",
            lambda: studio.report_page(report),
            f"{name}.html",
            "text/html",
            key="get-report",
            icon=":material/article:",
            on_click="ignore",
            width="stretch",
        )
        st.download_button(
            "Everything (zip)",
            lambda: studio.archive(report),
            f"{name}.zip",
            "application/zip",
            key="get-archive",
            icon=":material/folder_zip:",
            on_click="ignore",
            width="stretch",
        )
        st.caption(
            "The report opens in any browser, without a network, and prints well; about 5 MB, most of it the code that "
            "draws its charts. The archive holds it too, with weights and model card, tables, settings, and a folder "
            "for Python."
        )
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


def figures(report: Report) -> str:
    """Every plain value of a report as JSON; its arrays are too big for that and are left out."""
    facts = {name: part.facts for name, part in report.parts.items()}
    head = {"run": report.run, "method": report.method, "missing": dict(report.missing)}
    return json.dumps(head | {"spec": report.spec.model_dump(mode="json"), "parts": facts}, indent=1)
