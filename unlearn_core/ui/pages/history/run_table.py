"""The table of the history: its columns and rows. Imports no torch."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from unlearn_core.data import datasets
from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.jobs import TrainGoldSpec, UnlearnSpec
from unlearn_core.domain.report import MODELS, forget_set_title
from unlearn_core.domain.run import Run
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.pages.history import grouping, sparkline
from unlearn_core.ui.pages.history.grouping import HistoryGroup
from unlearn_core.ui.shell import cache

STATES = {
    "queued": "◌ queued",
    "running": "◔ running",
    "done": "● done",
    "failed": "✕ failed",
    "cancelled": "○ cancelled",
}
_MARKS = "○ before, ● after, ◆ retrained"
COLUMNS = {
    "run": st.column_config.ButtonColumn("", width=60, type="tertiary", key="history-open"),
    "image": st.column_config.ImageColumn("", width=50, help="An example from the forget set"),
    "forgotten": st.column_config.TextColumn("Forget set", width=92),
    "method": st.column_config.TextColumn("Method", width=92),
    "state": st.column_config.TextColumn("State", width=98),
    "forgot": st.column_config.ImageColumn("Forget", width=100, help=f"Accuracy on the forget set: {_MARKS}"),
    "forget after": st.column_config.NumberColumn("after", width=62, format="%.1f %%"),
    "kept": st.column_config.ImageColumn("Retain", width=100, help=f"Accuracy on the retain set: {_MARKS}"),
    "retain after": st.column_config.NumberColumn("after", width=62, format="%.1f %%"),
    "retain gold": st.column_config.NumberColumn("retrained", width=76, format="%.1f %%"),
    "note": st.column_config.TextColumn("Note", width=76),
    "when": st.column_config.DatetimeColumn("When", width=110, format="distance"),
}


def table(entries: Sequence[HistoryGroup]) -> pd.DataFrame:
    """One row per entry, newest first; accuracies in per cent on the test sets, else on the training sets.

    A group of seeds has the means over its seeds; a sweep's trials have no accuracies.
    """
    return pd.DataFrame([_row(entry) for entry in entries], columns=list(COLUMNS))


def _row(entry: HistoryGroup) -> dict[str, Any]:
    run, accuracy = entry.head, entry.accuracy
    what, method, thumbnail = _describe(run)
    if entry.is_member and isinstance(run.spec, UnlearnSpec):
        what = f"↳ seed {run.spec.seed}" if entry.item_label == "seed" else "↳ a trial"
    forget = [_evaluation(accuracy.get(model), "forget") for model in MODELS]
    retain = [_evaluation(accuracy.get(model), "retain") for model in MODELS]
    theme = chart_card.current_theme()
    return {
        "run": f"Sweep {entry.sweep}" if entry.is_group and entry.sweep else f"Run {run.id}",
        "image": thumbnail,
        "forgotten": what,
        "method": method,
        "state": grouping.status_text(entry, STATES),
        "forgot": sparkline.dumbbell(forget, theme),
        "forget after": _percent(forget[1]),
        "kept": sparkline.dumbbell(retain, theme),
        "retain after": _percent(retain[1]),
        "retain gold": _percent(retain[2]),
        "note": run.note,
        "when": max(own.finished or own.started or own.created for own in entry.runs),
    }


def _describe(run: Run) -> tuple[str, str, str | None]:
    """The forget set, the method and a thumbnail, as far as the catalog still has the data set."""
    spec = run.spec
    if not isinstance(spec, UnlearnSpec | TrainGoldSpec):
        return run.title, "", None
    try:
        card = datasets.card(spec.request.dataset)
        what = forget_set_title(UnlearnSpec(request=spec.request, method="", params={}), card)
        thumbnail = _thumbnail(spec, card.id)
    except UnlearnError:
        return run.title, "", None
    return what, "retraining" if isinstance(spec, TrainGoldSpec) else method_title(run, spec), thumbnail


def method_title(run: Run, spec: UnlearnSpec) -> str:
    """The title of a run's method: its module would import torch, so it is the end of the run's title."""
    _, joined, title = run.title.rpartition(" with ")
    return title if joined else spec.method


def _thumbnail(spec: UnlearnSpec | TrainGoldSpec, dataset: str) -> str:
    forget = spec.request.forget
    if forget.kind == "images":
        number = forget.images[0]
    else:
        number = int((cache.image_dataset(dataset).labels == forget.classes[0]).argmax())
    return sparkline.data_uri(cache.thumbnail(dataset, number), "image/png")


def _evaluation(accuracy: Mapping[str, float | None] | None, side: str) -> float | None:
    """The accuracy on the side's test set, else on its training set."""
    if not accuracy:
        return None
    test = accuracy.get(f"{side}_test")
    return accuracy.get(f"{side}_train") if test is None else test


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
