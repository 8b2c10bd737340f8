"""Every trial of a sweep as a row, the best first: how it ended, its knobs, its figures, and the way to its run."""

import pandas as pd
import streamlit as st

from unlearn_core.charts.drawing import sweep_drawing
from unlearn_core.charts.drawing.sweep_drawing import SweepData, format_objective, format_value
from unlearn_core.domain.objectives import OBJECTIVES, objective_values
from unlearn_core.domain.sweep import Trial
from unlearn_core.ui.shell import navigation


def show(sweep_data: SweepData) -> None:
    """The table, and the same as a file."""
    st.subheader("Every trial", anchor=False)
    ordered = sorted(sweep_data.trials, key=lambda trial: _rank(sweep_data, trial))
    rows = _rows(sweep_data, ordered)
    st.dataframe(
        rows,
        hide_index=True,
        column_config={"open": st.column_config.ButtonColumn("", width=70, type="tertiary", key="sweep-open")},
        height="auto" if len(rows) > 12 else "content",
        lazy=False,
        key=f"sweep-table-{sweep_data.sweep.id}",
        alt="Every trial of the sweep: its run, how it ended, its knobs and its figures",
    )
    click = st.session_state.get("sweep-open")
    if click is not None and ordered[click["row"]].run is not None:
        st.switch_page(navigation.page("run"), query_params={"id": str(ordered[click["row"]].run)})
    if sweep_data.done:
        st.caption("The best first. Figures of test pictures are shown here, and took no part in the choice.")
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


def _rank(sweep_data: SweepData, trial: Trial) -> tuple[float, float]:
    """Smaller is better by the first objective; what has no figures comes last, in order."""
    told = objective_values(sweep_data.sweep.spec, trial)
    if told is None:
        return (float("inf"), trial.number)
    sign = 1 if OBJECTIVES[sweep_data.sweep.spec.objectives[0]].lower_is_better else -1
    return (sign * told[0], trial.number)


def _rows(sweep_data: SweepData, ordered: list[Trial]) -> pd.DataFrame:
    spec = sweep_data.sweep.spec
    shown = dict.fromkeys((*spec.objectives, "forget", "retain"))
    found = sweep_drawing.trials_table(sweep_data).set_index("trial").loc[[trial.number for trial in ordered]]
    rows = pd.DataFrame({"open": [f"Run {trial.run}" if trial.run else "deleted" for trial in ordered]})
    rows["outcome"] = [trial.status for trial in ordered]
    for one in spec.ranges:
        rows[sweep_data.hyperparameter_title(one.knob)] = [format_value(trial.params[one.knob]) for trial in ordered]
    for name in shown:
        figures = [None if pd.isna(value) else float(value) for value in found[name]]
        rows[OBJECTIVES[name].title] = ["–" if value is None else format_objective(name, value) for value in figures]
    for side, title in (("forget", "Forget, test"), ("retain", "Retain, test")):
        figures = found[f"{side}_test"]
        rows[title] = ["–" if pd.isna(value) else format_objective(side, float(value)) for value in figures]
    if any(trial.error or trial.stopped for trial in ordered):
        rows["why"] = [trial.error or trial.stopped or "" for trial in ordered]
    return rows
