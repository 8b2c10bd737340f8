"""The tab Details of a report: command, all accuracies, timings, settings and sources of a run."""

from math import isnan

import pandas as pd
import streamlit as st

from unlearn_core.charts.drawing.wording import MODEL_LABELS, has_balanced_accuracy
from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.report import MODELS, Report
from unlearn_core.domain.results.balance import BALANCED_CAVEAT
from unlearn_core.domain.results.course import TimingsResult
from unlearn_core.domain.results.predictions import AccuracyResult, Score
from unlearn_core.domain.run import Run, run_name
from unlearn_core.domain.split import SET_LABELS, set_label
from unlearn_core.export import cli_command
from unlearn_core.export.run_script import run_script
from unlearn_core.store.run_chain import run_chain
from unlearn_core.ui.guidance import levels
from unlearn_core.ui.shell import cache, formatting
from unlearn_core.ui.shell.markdown import escape


def show(report: Report, run: Run | None) -> None:
    """Show the command, all accuracies with validation, missing parts, timings, settings and sources."""
    st.header("Reproduce this run", anchor=False)
    _reproduce(report)
    left, right = st.columns(2, gap="large")
    with left:
        st.header("All accuracies", anchor=False)
        _accuracies(report)
        _missing(report)
    with right:
        st.header("Timings", anchor=False)
        _timings(report)
    st.header("Settings", anchor=False)
    st.json(report.spec.model_dump(mode="json"), expanded=True)
    _origin(report, run)


def _reproduce(report: Report) -> None:
    """Show the command of a run, and its Python script to copy and to download."""
    st.code(cli_command.run_command(report.spec, report.dataset), language=None, wrap_lines=True)
    if report.spec.start is not None:
        st.caption(
            f"This run continues run {report.spec.start}, which the command cannot express: it starts from the "
            "classifier. The script makes both runs."
        )
    with st.expander("The same as a Python script", icon=":material/code:", expanded=levels.is_expert()):
        try:
            text = _script(report)
        except StoreError as problem:
            st.markdown(escape(str(problem)))
            return
        st.download_button(
            "Download the script",
            text,
            f"run-{report.run or 'example'}.py",
            "text/x-python",
            key="get-script",
            icon=":material/download:",
            on_click="ignore",
        )
        st.code(text, language=None)


def _script(report: Report) -> str:
    """The script of a run. Raises StoreError if an earlier run that it continues was deleted."""
    after = report.evaluations.get("after")
    run = "The example run" if report.run is None else run_name(report.run)
    return run_script(
        run_chain(cache.store(), report.spec),
        report.dataset,
        name=f"{run}: Forget {report.forget_set_title} with {report.method}",
        weights=None if after is None else after.weights,
    )


def _accuracies(report: Report) -> None:
    result = report.get(AccuracyResult)
    if result is None:
        st.caption(escape(report.reason(AccuracyResult)))
        return
    rows = []
    for name in SET_LABELS:
        row: dict[str, str] = {"set": set_label(name)}
        for model in MODELS:
            score = result.scores.get(model, {}).get(name)
            row[MODEL_LABELS[model]] = _with_interval(score) if score else "–"
            if score and not isnan(score.balanced):
                row[MODEL_LABELS[model]] += f", balanced {formatting.format_share(score.balanced)}"
        rows.append(row | {"of": next((f"{sets[name].total:,}" for sets in result.scores.values()), "–")})
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        alt="Accuracies of the original, unlearned and retrained model on every set",
    )
    st.caption(
        "In brackets: the 95 % interval (Wilson). Choose settings by the validation sets, never by the test sets."
        + (f" {BALANCED_CAVEAT}" if has_balanced_accuracy(report) else "")
    )


def _with_interval(score: Score) -> str:
    if not score.total:
        return "–"
    return f"{formatting.format_share(score.accuracy)} ({100 * score.low:.1f}–{100 * score.high:.1f})"


def _missing(report: Report) -> None:
    if report.pending:
        st.caption("The report is not complete: what is absent was not measured yet.")
    for reason in report.missing.values():
        st.caption(escape(reason))


def _timings(report: Report) -> None:
    timings = report.get(TimingsResult)
    if timings is None:
        st.caption(escape(report.reason(TimingsResult)))
        return
    rows = [
        {"what": phase.name, "steps": str(phase.steps), "seconds": round(phase.seconds, 2)} for phase in timings.phases
    ]
    rows += [
        {"what": name, "steps": "", "seconds": round(value, 2)} for name, value in timings.seconds if value is not None
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, alt="Seconds and steps of each phase")
    versions = " · ".join(f"{name} {version}" for name, version in timings.versions.items())
    inputs = formatting.pluralize(timings.images, report.dataset.item_noun)
    threads = formatting.pluralize(timings.threads, "thread")
    st.caption(f"{inputs} on {timings.device}, {threads}, started {timings.started}. {versions}")


def _origin(report: Report, run: Run | None) -> None:
    weights = " · ".join(f"{MODEL_LABELS[m]} `{one.weights[:16]}`" for m, one in report.evaluations.items())
    st.caption(f"Checksums of the weights: {weights}")
    st.caption(f"{report.classifier.title}: {report.classifier.source} {report.classifier.licence}")
    st.caption(f"{report.dataset.title}: {report.dataset.source} {report.dataset.licence}")
    if run is not None and run.parent is not None:
        st.caption(f"Forked from run {run.parent}.")
