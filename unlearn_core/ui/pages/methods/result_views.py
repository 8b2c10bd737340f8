"""The chart and the table of all methods, in which every point and row leads to its run."""

import pyarrow as pa
import streamlit as st

from unlearn_core.charts.comparison import method_results, method_scatter
from unlearn_core.charts.comparison.method_results import MethodResults
from unlearn_core.charts.finished.plain_figure import PlainFigure
from unlearn_core.export.safe_csv import to_csv
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.guidance import glossary
from unlearn_core.ui.shell import drawings, navigation
from unlearn_core.ui.shell.markdown import escape


def show(results: MethodResults) -> None:
    """The summary, the chart, and the table with its download."""
    st.markdown(escape(method_results.summary(results)))
    _chart(results)
    _table(results)


def _chart(results: MethodResults) -> None:
    with st.container(gap="xxsmall"):
        st.header(method_scatter.TITLE, anchor=False)
        st.caption(method_scatter.QUESTION)
    answer = method_scatter.applies(results)
    if answer is not True:
        st.caption(escape(answer))
        return
    theme, key = chart_card.current_theme(), "comparison-scatter"
    figure = drawings.once(
        lambda: PlainFigure.of(method_scatter.figure(results, theme)), "methods", theme.name, repr(results)
    )
    st.plotly_chart(
        figure,
        theme=None,
        key=key,
        config=chart_card.plotly_config("all-methods"),
        alt=f"{method_scatter.TITLE}. {method_scatter.alt_text(results)}",
        **chart_card.opens_runs(key),
    )
    st.caption(method_scatter.NOTE)


def _table(results: MethodResults) -> None:
    st.header("All results", anchor=False)
    runs = [one.run for one in (*results.methods, *results.references)]
    rows = method_results.shown_table(results)
    rows.insert(0, "open", ["–" if run is None else f"Run {run}" for run in runs])
    schema = pa.schema([(name, pa.string()) for name in rows])
    st.dataframe(
        pa.Table.from_pandas(rows, schema=schema, preserve_index=False),
        hide_index=True,
        column_config=glossary.column_help(rows)
        | {
            "open": st.column_config.ButtonColumn("Open", width=70, type="tertiary", key="comparison-open"),
            "Method": st.column_config.TextColumn(width=224),
        },
        height="content",
        lazy=False,
        key="comparison-table",
        alt="All methods, then the retrained and the original model: accuracies, membership inference, distance, time",
    )
    click = st.session_state.get("comparison-open")
    if click is not None and runs[click["row"]] is not None:
        st.switch_page(navigation.page("run"), query_params={"id": str(runs[click["row"]])})
    st.caption(method_results.explanation(results))
    st.download_button(
        "Download CSV",
        lambda: to_csv(method_results.table(results)),
        "all-methods.csv",
        "text/csv",
        key="comparison-csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )
