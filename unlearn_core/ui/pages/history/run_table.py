"""What the history's table says about each run: its columns, and a row for every entry. Nothing here needs torch."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from unlearn_core.data import datasets
from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.jobs import TrainGoldSpec, UnlearnSpec
from unlearn_core.domain.report import MODELS, forget_set_title
from unlearn_core.domain.run import Run
from unlearn_core.ui.components import chart_card, sparkline
from unlearn_core.ui.pages.history import grouping
from unlearn_core.ui.pages.history.grouping import HistoryGroup
from unlearn_core.ui.shell import cache

STATES = {
    "queued": "◌ waiting",
    "running": "◔ running",
    "done": "● done",
    "failed": "✕ failed",
    "cancelled": "○ cancelled",
}
_MARKS = "Accuracy: ○ before, ● after, ◆ gold"
COLUMNS = {
    "run": st.column_config.ButtonColumn("", width=60, type="tertiary", key="history-open"),
    "picture": st.column_config.ImageColumn("", width=50, help="A picture of what was forgotten"),
    "forgotten": st.column_config.TextColumn("Forgotten", width=92),
    "method": st.column_config.TextColumn("Method", width=92),
    "state": st.column_config.TextColumn("State", width=98),
    "forgot": st.column_config.ImageColumn("Forgotten ones", width=100, help=_MARKS),
    "forget after": st.column_config.NumberColumn("after", width=62, format="%.1f %%"),
    "kept": st.column_config.ImageColumn("Kept ones", width=100, help=_MARKS),
    "retain after": st.column_config.NumberColumn("after", width=62, format="%.1f %%"),
    "retain gold": st.column_config.NumberColumn("gold", width=62, format="%.1f %%"),
    "note": st.column_config.TextColumn("Note", width=76),
    "when": st.column_config.DatetimeColumn("When", width=110, format="distance"),
}


def table(entries: Sequence[HistoryGroup]) -> pd.DataFrame:
    """One row an entry, newest first; accuracies in percent on unseen pictures, else on training ones.

    The figures of a group of seeds are their means; those of a sweep's trials have none.
    """
    return pd.DataFrame([_row(entry) for entry in entries], columns=list(COLUMNS))


def _row(entry: HistoryGroup) -> dict[str, Any]:
    run, accuracy = entry.head, entry.accuracy
    what, method, picture = _words(run)
    if entry.is_member and isinstance(run.spec, UnlearnSpec):
        what = f"↳ seed {run.spec.seed}" if entry.item_label == "seed" else "↳ a trial"
    forget = [_unseen(accuracy.get(model), "forget") for model in MODELS]
    retain = [_unseen(accuracy.get(model), "retain") for model in MODELS]
    theme = chart_card.current_theme()
    return {
        "run": f"Sweep {entry.sweep}" if entry.is_group and entry.sweep else f"Run {run.id}",
        "picture": picture,
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


def _words(run: Run) -> tuple[str, str, str | None]:
    """What was forgotten, how, and a picture of it; as far as the shelves still know."""
    spec = run.spec
    if not isinstance(spec, UnlearnSpec | TrainGoldSpec):
        return run.title, "", None
    try:
        card = datasets.card(spec.request.dataset)
        what = forget_set_title(UnlearnSpec(request=spec.request, method="", params={}), card)
        picture = _thumbnail(spec, card.id)
    except UnlearnError:
        return run.title, "", None
    # The method's title is known to its file, which needs torch; a run's title ends with it.
    said = run.title.removeprefix(f"Forget {what} with ")
    method = "gold" if isinstance(spec, TrainGoldSpec) else said if said != run.title else spec.method
    return what, method, picture


def _thumbnail(spec: UnlearnSpec | TrainGoldSpec, dataset: str) -> str:
    wish = spec.request.forget
    if wish.kind == "images":
        number = wish.images[0]
    else:
        number = int((cache.image_dataset(dataset).labels == wish.classes[0]).argmax())
    return sparkline.data_uri(cache.thumbnail(dataset, number), "image/png")


def _unseen(known: dict[str, float | None] | None, side: str) -> float | None:
    if not known:
        return None
    unseen = known.get(f"{side}_test")
    return known.get(f"{side}_train") if unseen is None else unseen


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
