"""The table of all trials, best first: outcome, hyperparameters, metrics, and a button that opens the run."""

import pandas as pd
import pyarrow as pa
import streamlit as st

from unlearn_core.charts.drawing import sweep_drawing
from unlearn_core.charts.drawing.sweep_drawing import SweepData, format_objective, format_value
from unlearn_core.domain.sweeps.objectives import OBJECTIVES, objective_values
from unlearn_core.domain.sweeps.sweep import Trial, trial_name
from unlearn_core.ui.shell import drawings, navigation


def show(sweep_data: SweepData) -> None:
    """The table, and its download as CSV."""
    st.header("All trials", anchor=False)
    runs, rows = drawings.once(lambda: _table(sweep_data), "trials", sweep_data.version)
    st.dataframe(
        rows,
        hide_index=True,
        column_config={"open": st.column_config.ButtonColumn("Open", width=70, type="tertiary", key="sweep-open")},
        height="auto" if len(rows) > 12 else "content",
        lazy=False,
        key=f"sweep-table-{sweep_data.sweep.id}",
        alt="All trials of the sweep: run, outcome, hyperparameters and metrics",
    )
    click = st.session_state.get("sweep-open")
    if click is not None and runs[click["row"]] is not None:
        st.switch_page(navigation.page("run"), query_params={"id": str(runs[click["row"]])})
    if sweep_data.done:
        st.caption("Best first. Metrics on test images are only shown; they are not used to choose trials.")
    st.download_button(
        "Download CSV",
        lambda: sweep_drawing.trials_table(sweep_data).to_csv(index=False),
        f"sweep-{sweep_data.sweep.id}.csv",
        "text/csv",
        key="sweep-csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )


def _table(sweep_data: SweepData) -> tuple[list[int | None], pa.Table]:
    """The run of each row, best first, and the rows as `st.dataframe` sends them, in short."""
    ordered = sorted(sweep_data.trials, key=lambda trial: _rank(sweep_data, trial))
    rows = _rows(sweep_data, ordered)
    schema = pa.schema([(name, pa.string()) for name in rows])
    return [trial.run for trial in ordered], pa.Table.from_pandas(rows, schema=schema, preserve_index=False)


def _rank(sweep_data: SweepData, trial: Trial) -> tuple[float, float]:
    """A sort key: the better the first objective, the smaller; trials without values come last, in order."""
    values = objective_values(sweep_data.sweep.spec, trial)
    if values is None:
        return (float("inf"), trial.number)
    sign = 1 if OBJECTIVES[sweep_data.sweep.spec.objectives[0]].lower_is_better else -1
    return (sign * values[0], trial.number)


def _rows(sweep_data: SweepData, ordered: list[Trial]) -> pd.DataFrame:
    spec = sweep_data.sweep.spec
    shown = dict.fromkeys((*spec.objectives, "forget", "retain"))
    found = sweep_drawing.trials_table(sweep_data).set_index("trial").loc[[trial.number for trial in ordered]]
    rows = pd.DataFrame({"open": [trial_name(trial).capitalize() if trial.state else "deleted" for trial in ordered]})
    rows["outcome"] = [trial.status for trial in ordered]
    for one in spec.ranges:
        rows[sweep_data.hyperparameter_title(one.knob)] = [format_value(trial.params[one.knob]) for trial in ordered]
    for name in shown:
        figures = [None if pd.isna(value) else float(value) for value in found[name]]
        rows[OBJECTIVES[name].title] = ["–" if value is None else format_objective(name, value) for value in figures]
    for side, title in (("forget", "Forget accuracy, test"), ("retain", "Retain accuracy, test")):
        figures = found[f"{side}_test"]
        rows[title] = ["–" if pd.isna(value) else format_objective(side, float(value)) for value in figures]
    for side in ("forget", "retain"):
        rows[f"Verdict on the {side} set"] = found[f"verdict_{side}"].fillna("–").tolist()
    if any(trial.error or trial.stopped for trial in ordered):
        rows["why"] = [trial.error or trial.stopped or "" for trial in ordered]
    return rows
