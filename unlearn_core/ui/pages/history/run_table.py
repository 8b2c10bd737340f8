"""The table of the history: its columns and rows. Imports no torch."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from statistics import fmean
from typing import Any

import pandas as pd
import streamlit as st

from unlearn_core.data import datasets
from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.jobs import TrainGoldSpec, UnlearnSpec
from unlearn_core.domain.report import MODELS, describe_forget_set
from unlearn_core.domain.run import Run, run_name
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.guidance.glossary import definition
from unlearn_core.ui.pages.history import grouping, sparkline
from unlearn_core.ui.pages.history.grouping import HistoryGroup
from unlearn_core.ui.shell import cache, thumbnails

STATES = {
    "queued": "◌ queued",
    "running": "◔ running",
    "done": "● done",
    "failed": "✕ failed",
    "cancelled": "○ cancelled",
}
_MARKS = "○ before, ● after, ◆ retrained"
COLUMNS = {
    "run": st.column_config.ButtonColumn("Open", width=58, type="tertiary", key="history-open", pinned=True),
    "image": st.column_config.ImageColumn("Image", width=46, help="An example from the forget set"),
    "forgotten": st.column_config.TextColumn("Forget set", width=74, help=definition("forget set")),
    "method": st.column_config.TextColumn("Method", width=74, help=definition("method")),
    "classifier": st.column_config.TextColumn("Classifier", width=80, help=definition("classifier")),
    "preset": st.column_config.TextColumn(
        "Preset",
        width=62,
        help=f"{definition('preset')} changed: those of no preset. Earlier runs did not record it.",
    ),
    "seed": st.column_config.NumberColumn("Seed", width=42, help=definition("seed")),
    "state": st.column_config.TextColumn("State", width=76),
    "forgot": st.column_config.ImageColumn("Forget", width=78, help=f"Accuracy on the forget set: {_MARKS}"),
    "forget after": st.column_config.NumberColumn("after", width=52, format="%.1f %%"),
    "kept": st.column_config.ImageColumn("Retain", width=78, help=f"Accuracy on the retain set: {_MARKS}"),
    "retain after": st.column_config.NumberColumn("after", width=52, format="%.1f %%"),
    "retain gold": st.column_config.NumberColumn("retrained", width=62, format="%.1f %%"),
    "distance": st.column_config.NumberColumn(
        "Distance", width=60, format="%.3f", help="Distance to the retrained model in bits; 0 is equal"
    ),
    "seconds": st.column_config.NumberColumn("Seconds", width=58, format="%.2f", help="Of unlearning, or of training"),
    "when": st.column_config.DatetimeColumn("When", width=84, format="distance"),
    "owner": st.column_config.TextColumn("Owner", width=80),
    "pinned": st.column_config.CheckboxColumn("Pinned", width=52, help="Stays although others are deleted by age"),
    "note": st.column_config.TextColumn("Note", width=120),
}


class _Describe:
    """What a run was about. What many rows have in common is looked up once for all of them."""

    def __init__(self) -> None:
        self._cards = datasets.cards()
        self._example, self._thumbnail = lru_cache(None)(_first_image), lru_cache(None)(_thumbnail)

    def __call__(self, run: Run) -> tuple[str, str, str | None]:
        """The forget set, the method and a thumbnail, as far as the catalog still has the data set."""
        spec = run.spec
        if not isinstance(spec, UnlearnSpec | TrainGoldSpec) or spec.request.dataset not in self._cards:
            return run.title, "", None
        dataset, forget = spec.request.dataset, spec.request.forget
        try:
            image = forget.images[0] if forget.kind == "images" else self._example(dataset, forget.classes[0])
            thumbnail = self._thumbnail(dataset, image)
        except UnlearnError:
            return run.title, "", None
        what = describe_forget_set(forget, self._cards[dataset])
        return (
            what,
            "retraining" if isinstance(spec, TrainGoldSpec) else method_title(run.title, spec.method),
            thumbnail,
        )


def _first_image(dataset: str, label: int) -> int:
    return int((cache.image_dataset(dataset).labels == label).argmax())


def _thumbnail(dataset: str, image: int) -> str:
    """The URL of a small image."""
    return thumbnails.image_url(cache.thumbnail(dataset, image), f"history-{dataset}-{image}")


def table(
    entries: Sequence[HistoryGroup], runs: Mapping[int, Run], *, owners: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """One row per entry, newest first; accuracies in per cent on the test sets, else on the training sets.

    A group of seeds has the means over its seeds; a sweep's trials have no accuracies. `runs` are those that the
    entries show. With the names of `owners` by id, each row says whose it is. Whether
    a run is pinned is a column once one is.
    """
    told = {"owner": bool(owners), "pinned": any(run.pinned for run in runs.values())}
    describe, columns = _Describe(), [name for name in COLUMNS if told.get(name, True)]
    rows = [_row(entry, runs, describe) | {"owner": (owners or {}).get(entry.head.owner)} for entry in entries]
    return pd.DataFrame(rows, columns=columns)


def _row(entry: HistoryGroup, runs: Mapping[int, Run], describe: _Describe) -> dict[str, Any]:
    run, accuracy = runs[entry.head.id], entry.accuracy(runs)
    what, method, image = describe(run)
    if entry.is_member and isinstance(run.spec, UnlearnSpec):
        what = {"seed": f"↳ seed {run.spec.seed}", "method": "↳ a method"}.get(entry.item_label, "↳ a trial")
    elif entry.is_group and entry.item_label == "method":
        method = "all methods"
    forget = [_evaluation(accuracy.get(model), "forget") for model in MODELS]
    retain = [_evaluation(accuracy.get(model), "retain") for model in MODELS]
    theme = chart_card.current_theme()
    return {
        "run": _label(entry),
        "image": image,
        "forgotten": what,
        "method": method,
        "classifier": entry.head.classifier,
        **_settings(entry, run),
        "state": grouping.status_text(entry, STATES),
        "forgot": sparkline.dumbbell(forget, theme),
        "forget after": _percent(forget[1]),
        "kept": sparkline.dumbbell(retain, theme),
        "retain after": _percent(retain[1]),
        "retain gold": _percent(retain[2]),
        **_costs(entry, runs),
        "when": datetime.fromtimestamp(max(own.when for own in entry.runs), UTC),
        "pinned": run.pinned,
        "note": run.note,
    }


def _costs(entry: HistoryGroup, runs: Mapping[int, Run]) -> dict[str, float | None]:
    """The distance to the retrained model in bits and the seconds: of one run, or the means over seeds."""
    if entry.is_group and entry.item_label != "seed":
        return {"distance": None, "seconds": None}
    numbers = entry.done if entry.is_group else [entry.head.id]
    shown = [runs[number].metrics for number in numbers if number in runs]
    seconds = [spent.total if spent.forget is None else spent.forget for own in shown if (spent := own.seconds)]
    distances = [own.distance_to_gold("test") for own in shown]
    return {"distance": _mean(distances), "seconds": _mean(seconds)}


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean, if all values are known."""
    known = [value for value in values if value is not None]
    return fmean(known) if known and len(known) == len(values) else None


def _settings(entry: HistoryGroup, run: Run) -> dict[str, Any]:
    """The preset and the seed of an unlearning run; runs of a group share only what does not differ among them."""
    if not isinstance(run.spec, UnlearnSpec) or (entry.is_group and entry.item_label != "seed"):
        return {"preset": None, "seed": None}
    preset = run.metrics.preset
    return {"preset": "changed" if preset == "" else preset, "seed": None if entry.is_group else run.spec.seed}


def _label(entry: HistoryGroup) -> str:
    """What a click opens: a run, the sweep of a group, or the comparison of all methods."""
    if entry.is_group and entry.sweep:
        return f"Sweep {entry.sweep}"
    return "Compare" if entry.is_group and entry.item_label == "method" else run_name(entry.head.id)


def method_title(title: str, method: str) -> str:
    """The title of a run's method: its module would import torch, so it is the end of the run's title."""
    _, joined, end = title.rpartition(" with ")
    return end if joined else method


def _evaluation(accuracy: Mapping[str, float | None] | None, side: str) -> float | None:
    """The accuracy on the side's test set, else on its training set."""
    if not accuracy:
        return None
    test = accuracy.get(f"{side}_test")
    return accuracy.get(f"{side}_train") if test is None else test


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
