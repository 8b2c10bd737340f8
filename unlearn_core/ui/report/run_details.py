"""All that one needs to judge a run closely or to make it again."""

import pandas as pd
import streamlit as st

from unlearn_core.domain.report import MODELS, Report
from unlearn_core.domain.run import Run
from unlearn_core.export import cli_command
from unlearn_core.ui.shell import formatting
from unlearn_core.ui.shell.markdown import escape

SET_LABELS = {
    "forget_train": "forgotten, trained on",
    "forget_val": "forgotten, validation",
    "forget_test": "forgotten, unseen",
    "retain_train": "kept, trained on",
    "retain_val": "kept, validation",
    "retain_test": "kept, unseen",
}


def show(report: Report, run: Run | None) -> None:
    """Command, settings, all accuracies with validation, where the time went, and what was missing."""
    st.subheader("Do it again", anchor=False)
    st.code(cli_command.run_command(report.spec, report.dataset), language="bash", wrap_lines=True)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Every accuracy", anchor=False)
        _accuracies(report)
        _missing(report)
    with right:
        st.subheader("Where the time went", anchor=False)
        _timings(report)
    st.subheader("Settings", anchor=False)
    st.json(report.spec.model_dump(mode="json"), expanded=True)
    _origin(report, run)


def _accuracies(report: Report) -> None:
    if "accuracy" not in report.parts:
        st.caption(report.missing.get("accuracy", "Not measured."))
        return
    facts = report.parts["accuracy"].facts
    rows = []
    for name, title in SET_LABELS.items():
        row: dict[str, str] = {"pictures": title}
        for model in MODELS:
            figures = facts.get(model, {}).get(name)
            row[model] = _with_interval(figures) if figures else "–"
        rows.append(row | {"of": next((f"{facts[m][name]['of']:,}" for m in MODELS if m in facts), "–")})
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, alt="Accuracies before, after and of gold on every set of pictures"
    )
    st.caption(
        "In brackets the 95 % interval (Wilson). Settings may be chosen by validation pictures, never by unseen ones."
    )


def _with_interval(figures: dict[str, float | None]) -> str:
    if figures["accuracy"] is None or figures["low"] is None or figures["high"] is None:
        return "–"
    return f"{formatting.format_share(figures['accuracy'])} ({100 * figures['low']:.1f}–{100 * figures['high']:.1f})"


def _missing(report: Report) -> None:
    for reason in report.missing.values():
        st.caption(escape(reason))


def _timings(report: Report) -> None:
    if "timings" not in report.parts:
        st.caption(report.missing.get("timings", "Not recorded."))
        return
    facts = report.parts["timings"].facts
    rows = [
        {"what": one["name"], "steps": str(one["steps"]), "seconds": round(one["seconds"], 2)}
        for one in facts["phases"]
    ]
    rows += [{"what": name, "steps": "", "seconds": round(value, 2)} for name, value in facts["seconds"].items()]
    st.dataframe(pd.DataFrame(rows), hide_index=True, alt="Seconds and steps of each phase")
    versions = " · ".join(f"{name} {version}" for name, version in facts["versions"].items())
    st.caption(
        f"{facts['pictures']:,} pictures on {facts['device']}, {formatting.pluralize(facts['threads'], 'thread')}, "
        f"begun {facts['started']}. {versions}"
    )


def _origin(report: Report, run: Run | None) -> None:
    weights = " · ".join(f"{model} `{one.weights[:16]}`" for model, one in report.evaluations.items())
    st.caption(f"Weights by checksum: {weights}")
    st.caption(f"{report.classifier.title}: {report.classifier.source} {report.classifier.licence}")
    st.caption(f"{report.dataset.title}: {report.dataset.source} {report.dataset.licence}")
    if run is not None and run.parent is not None:
        st.caption(f"Forked from run {run.parent}.")
