"""Which layers moved? The distance of each layer's weights from what they were, beside gold and another seed."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import pandas as pd

from unlearn_core.charts.chart import NO_GOLD, Chart, build_table, needs
from unlearn_core.charts.drawing import weight_shift
from unlearn_core.charts.drawing.weight_shift import PAIR_LABELS, UNCHANGED, ShiftView, distances
from unlearn_core.charts.drawing.wording import capitalize, join_names
from unlearn_core.domain.report import Report


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """One row a layer, a kind of weights, a layer's batch-norm statistics, and the whole: plain and relative."""
    return build_table(reports, _rows)


def _rows(report: Report) -> list[dict[str, Any]]:
    facts = report.parts["layers"].facts
    rows = [
        {"what": what, "layer": row.get("layer") or row["kind"]}
        | {key: row[key] for key in ("tensors", "weights", "shape")}
        | {"names": ", ".join(f"{name} {shape}" for name, shape in row.get("names", []))}
        | _pairs(row["pairs"])
        for what, part in (("layer", "rows"), ("kind of weights", "kinds"), ("batch-norm statistics", "buffers"))
        for row in facts.get(part, [])
    ]
    whole = {"total": "all weights as one vector", "mean": "mean of the layers"}
    return rows + [{"what": words, "layer": ""} | _pairs(facts[part]) for part, words in whole.items() if part in facts]


def _pairs(pairs: dict[str, dict[str, float]]) -> dict[str, float]:
    return {
        f"{words} {what}": pairs[pair][what]
        for pair, words in PAIR_LABELS.items()
        if pair in pairs
        for what in ("l2", "relative")
    }


def applies(report: Report, view: ShiftView) -> Literal[True] | str:
    """Needs the part, and for kinds one that tells them apart."""
    answer = needs("layers")(report)
    if answer is not True or view.level in report.parts["layers"].facts:
        return answer
    return "This run was measured by an earlier release, which did not tell kinds of weights apart. Run it again."


def unchanged_layers(report: Report, view: ShiftView) -> list[str]:
    """The layers whose weights are exactly what they were."""
    return [layer for layer, value in distances(report, "before-after", view).items() if value == 0]


def summary(report: Report, view: ShiftView) -> str:
    """Which layers moved most and least, which stayed, and how far that is beside gold."""
    after, still = distances(report, "before-after", view), unchanged_layers(report, view)
    moved = {layer: value for layer, value in after.items() if value > 0}
    if not moved:
        return "No layer moved: all weights are exactly what they were."
    most, least = max(moved, key=lambda name: moved[name]), min(moved, key=lambda name: moved[name])
    of = " of its length" if view.distance == "relative" else " in L2"
    said = f"{most} moved most ({view.format(moved[most])}{of})"
    if len(moved) > 1:
        said += f", {least} least ({view.format(moved[least])})"
    said += f". Unchanged: {join_names(still)}." if still else "."
    if view.level == "kinds":
        said = capitalize(said)
    facts = report.parts["layers"].facts["total"]
    if "before-gold" not in facts:
        return f"{said} {NO_GOLD}"
    ratio = facts["before-after"]["l2"] / facts["before-gold"]["l2"]
    return f"{said} In all it moved {ratio:.2g} times as far as gold is away, which does not say how much it forgot."


def alt_text(report: Report, view: ShiftView) -> str:
    """The distance of every layer after forgetting."""
    rows = [
        f"{name} {view.format(value) if value else UNCHANGED}"
        for name, value in distances(report, "before-after", view).items()
    ]
    what = "as a share of their length" if view.distance == "relative" else "as L2 distance"
    of = "each layer's weights" if view.level == "rows" else "the weights of each kind"
    return f"How far {of} moved, {what}, on a log scale. After: {', '.join(rows)}."


def _chart(name: str, view: ShiftView) -> Chart:
    return Chart(
        id=name,
        title="Weight distance per layer",
        question="Which layers moved, and how far?",
        caveat="Distance says how far it went, not how much it forgot: noise, a high learning rate or fresh weights "
        "move a layer just as far. Gold started from other random weights, so it lies as far away as the same "
        "classifier trained twice (the band). As a share of its length a layer's size drops out; in plain L2 large "
        "layers lead. A layer counts all its weights, batch norm's scale and shift included; its running statistics "
        "are in the table, since they move even where every weight is frozen.",
        applies=partial(applies, view=view),
        table=table,
        figure=partial(weight_shift.figure, view=view),
        summary=partial(summary, view=view),
        alt_text=partial(alt_text, view=view),
    )


CHART = _chart("layers", ShiftView())
CHART = replace(
    CHART,
    variants={
        "Share of length": CHART,
        "Plain L2": _chart("layers-l2", ShiftView(distance="l2")),
        "By kind": _chart("layers-kinds", ShiftView(level="kinds")),
    },
)
