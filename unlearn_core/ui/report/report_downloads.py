"""Downloads of a report: the report file, the archive, weights, settings and metrics."""

import json
from collections.abc import Callable, Sequence

import streamlit as st
from streamlit.components.v2 import component

from unlearn_core.domain.report import Report
from unlearn_core.export.evidence.sheet import lost_outputs
from unlearn_core.export.extra_sections import ExtraSection
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import artifacts
from unlearn_core.ui.shell import cache, thumbnails

# The file is opened in a frame beside the page, since a browser prints what a frame shows and nothing else. The frame
# has a size because charts are drawn into it, and stays until the dialog is closed. The keys that print do the same:
# the page itself would be printed with its menu, cut off and without the other tabs.
_JS = """
const print = (url) => {
  const frame = document.createElement("iframe");
  frame.title = "Report to print";
  frame.style.cssText = "position:fixed;left:-2000px;top:0;width:1000px;height:800px;border:0";
  frame.onload = () => {
    frame.contentWindow.addEventListener("afterprint", () => frame.remove());
    frame.contentWindow.print();
  };
  fetch(url)
    .then((answer) => answer.blob())
    .then((file) => {
      frame.src = URL.createObjectURL(new Blob([file], { type: "text/html" }));
      document.body.append(frame);
    });
};
export default function ({ data, parentElement, setTriggerValue }) {
  const drawn = parentElement.querySelector("span").dataset;
  if (data.url && drawn.asked !== String(data.asked)) print(data.url);
  drawn.asked = data.asked;
  const onKey = (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || event.key.toLowerCase() !== "p") return;
    event.preventDefault();
    setTriggerValue("asked", true);
  };
  window.addEventListener("keydown", onKey, { capture: true });
  return () => window.removeEventListener("keydown", onKey, { capture: true });
}
"""

_print = component("print-report", html="<span hidden></span>", js=_JS)
_ASKED, _ANSWERED = "prints asked for", "prints answered"


def show(report: Report) -> None:
    """Show the downloads of a report; each file is read only when its button is pressed."""
    name = f"run-{report.run or 'example'}"
    with st.popover("Download", icon=":material/download:"):
        show_report_files([report], name=name)
        st.button("Print", icon=":material/print:", key="print", width="stretch", on_click=_ask)
        _show_evidence(report, name=name)
        if report.run is not None:
            weights = artifacts.run_dir(open_data_dir(), report.run) / artifacts.WEIGHTS_FILE
            file_button(
                "Weights of the unlearned model (safetensors)",
                weights.read_bytes,
                f"{name}.safetensors",
                "application/octet-stream",
                key="get-weights",
                icon=":material/neurology:",
                disabled=not weights.exists(),
            )
        file_button(
            "Settings to run it again (JSON)",
            lambda: report.spec.model_dump_json(indent=1),
            f"{name}-spec.json",
            "application/json",
            key="get-spec",
            icon=":material/tune:",
        )
        file_button(
            "All metrics (JSON)",
            lambda: report_json(report),
            f"{name}-figures.json",
            "application/json",
            key="get-figures",
            icon=":material/data_object:",
        )
        st.caption("Each chart has its own table (CSV) and image (PNG) below it.")
    _print_when_asked(report)


def _print_when_asked(report: Report) -> None:
    """Print the report file, which is made when the button or the keys of the browser ask for it."""
    url, asked = "", st.session_state.get(_ASKED, 0)
    if asked != st.session_state.get(_ANSWERED, 0):
        st.session_state[_ANSWERED] = asked
        url = thumbnails.file_url(cache.html_report(report).encode(), "text/html", "print")
    data = {"url": url, "asked": asked}
    _print(data=data, key="print-frame", on_asked_change=_ask, height="content", width="content")


def _ask() -> None:
    st.session_state[_ASKED] = st.session_state.get(_ASKED, 0) + 1


def _show_evidence(report: Report, *, name: str) -> None:
    """Show the evidence sheet; without the outputs of its models a report cannot be verified."""
    file_button(
        "Evidence sheet (zip)",
        lambda: cache.evidence(report),
        f"{name}-evidence.zip",
        "application/zip",
        key="get-evidence",
        icon=":material/fact_check:",
        disabled=bool(report.pending or lost_outputs(report)),
    )
    st.caption(
        "The evidence sheet is one page for somebody who answers for the run: what was tested, how surely, and what "
        "was not. Its folder has the outputs, from which `python -m unlearn_core verify FOLDER` computes every figure "
        "again."
    )


def show_several(reports: Sequence[Report], *, key_scope: str, side: ExtraSection | None = None) -> None:
    """Show the downloads of several runs: a comparison, or with a `side` the best trials of a sweep and its table."""
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
    """Show the report file and the archive; each is made when its button is pressed."""
    file_button(
        "Report as one file (HTML)",
        lambda: cache.html_report(*reports, side=side),
        f"{name}.html",
        "text/html",
        key=f"{key_scope}get-report",
        icon=":material/article:",
    )
    file_button(
        "Everything (zip)",
        lambda: cache.archive(*reports, side=side),
        f"{name}.zip",
        "application/zip",
        key=f"{key_scope}get-archive",
        icon=":material/folder_zip:",
    )
    st.caption(
        "The report opens in any browser, works offline and prints well. It has about 5 MB, most of it the code that "
        "draws the charts. The archive contains the report, weights and model card, tables, settings, and a folder "
        "for Python."
    )


def file_button(
    label: str, data: Callable[[], str | bytes], name: str, mime: str, *, key: str, icon: str, disabled: bool = False
) -> None:
    """Show a download as one line of a menu; its `data` are made when it is pressed."""
    st.download_button(
        label, data, name, mime, key=key, icon=icon, on_click="ignore", disabled=disabled, width="stretch"
    )


def report_json(report: Report) -> str:
    """All plain values of a report as JSON; arrays are too large and left out."""
    facts = {name: part.facts for name, part in report.parts.items()}
    head = {"run": report.run, "method": report.method, "missing": dict(report.missing)}
    head |= {"pending": report.pending} if report.pending else {}
    return json.dumps(head | {"spec": report.spec.model_dump(mode="json"), "parts": facts}, indent=1)
