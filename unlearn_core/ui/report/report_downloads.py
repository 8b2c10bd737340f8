"""What a person takes home from a report: its weights, its settings, its figures."""

import json
from collections.abc import Sequence

import streamlit as st

from unlearn_core.domain.report import Report
from unlearn_core.export.extra_sections import ExtraSection
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import artifacts
from unlearn_core.ui.shell import cache


def show(report: Report) -> None:
    """The files of a report. Each is read only when its button is pressed."""
    name = f"run-{report.run or 'example'}"
    with st.popover("Download", icon=":material/download:"):
        show_report_files([report], name=name)
        if report.run is not None:
            weights = artifacts.run_dir(open_data_dir(), report.run) / artifacts.WEIGHTS_FILE
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
            lambda: report_json(report),
            f"{name}-figures.json",
            "application/json",
            key="get-figures",
            icon=":material/data_object:",
            on_click="ignore",
            width="stretch",
        )
        st.caption("Each chart has its own table (CSV) and picture (PNG) beneath it.")


def show_several(reports: Sequence[Report], *, key_scope: str, side: ExtraSection | None = None) -> None:
    """The files about several runs together: a comparison, or with a `side` the best of a sweep and its table."""
    with st.popover("Download", icon=":material/download:", key=f"{key_scope}-download"):
        show_report_files(
            reports,
            name="runs-" + "-".join(str(report.run) for report in reports),
            key_scope=f"{key_scope}-",
            side=side,
        )


def show_report_files(
    reports: Sequence[Report], *, name: str, key_scope: str = "", side: ExtraSection | None = None
) -> None:
    """The report file and the archive. Each is made when its button is pressed, which turns while that lasts."""
    st.download_button(
        "Report, in one file (HTML)",
        lambda: cache.html_report(*reports, side=side),
        f"{name}.html",
        "text/html",
        key=f"{key_scope}get-report",
        icon=":material/article:",
        on_click="ignore",
        width="stretch",
    )
    st.download_button(
        "Everything (zip)",
        lambda: cache.archive(*reports, side=side),
        f"{name}.zip",
        "application/zip",
        key=f"{key_scope}get-archive",
        icon=":material/folder_zip:",
        on_click="ignore",
        width="stretch",
    )
    st.caption(
        "The report opens in any browser, without a network, and prints well; about 5 MB, most of it the code that "
        "draws its charts. The archive holds it too, with weights and model card, tables, settings, and a folder "
        "for Python."
    )


def report_json(report: Report) -> str:
    """Every plain value of a report as JSON; its arrays are too big for that and are left out."""
    facts = {name: part.facts for name, part in report.parts.items()}
    head = {"run": report.run, "method": report.method, "missing": dict(report.missing)}
    return json.dumps(head | {"spec": report.spec.model_dump(mode="json"), "parts": facts}, indent=1)
