"""Distance of each layer's weights from their values before, compared with gold and with another seed."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import pandas as pd

from unlearn_core.charts.chart import NO_GOLD, Chart, build_table, needs
from unlearn_core.charts.drawing import weight_shift
from unlearn_core.charts.drawing.weight_shift import PAIR_LABELS, UNCHANGED, ShiftView, distances
from unlearn_core.charts.drawing.wording import capitalize, join_words
from unlearn_core.domain.report import Report


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return the distances (L2 and relative) per layer, kind of weights and batch-norm statistics, and overall."""
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
    """Return True if the report has the distances of this view, else the reason."""
    available = needs("layers")(report)
    if available is not True or view.level in report.parts["layers"].facts:
        return available
    return "This run was measured by an earlier release, which did not separate kinds of weights. Run it again."


def unchanged_layers(report: Report, view: ShiftView) -> list[str]:
    """Return the layers whose weights are exactly unchanged."""
    return [layer for layer, value in distances(report, "before-after", view).items() if value == 0]


def summary(report: Report, view: ShiftView) -> str:
    """Describe which layers moved most and least, which are unchanged, and the total distance relative to gold's."""
    after, still = distances(report, "before-after", view), unchanged_layers(report, view)
    moved = {layer: value for layer, value in after.items() if value > 0}
    if not moved:
        return "No layer moved: all weights are exactly unchanged."
    most, least = max(moved, key=lambda name: moved[name]), min(moved, key=lambda name: moved[name])
    of = " of its norm" if view.distance == "relative" else " in L2"
    said = f"{most} moved most ({view.format(moved[most])}{of})"
    if len(moved) > 1:
        said += f", {least} least ({view.format(moved[least])})"
    said += f". Unchanged: {join_words(still)}." if still else "."
    if view.level == "kinds":
        said = capitalize(said)
    facts = report.parts["layers"].facts["total"]
    if "before-gold" not in facts:
        return f"{said} {NO_GOLD}"
    ratio = facts["before-after"]["l2"] / facts["before-gold"]["l2"]
    total = f"In total they moved {ratio:.2g} times the distance to the retrained model"
    return f"{said} {total}; this does not measure forgetting."


def alt_text(report: Report, view: ShiftView) -> str:
    """List the distance of every layer after unlearning."""
    rows = [
        f"{name} {view.format(value) if value else UNCHANGED}"
        for name, value in distances(report, "before-after", view).items()
    ]
    what = "as a share of their norm" if view.distance == "relative" else "as L2 distance"
    of = "each layer's weights" if view.level == "rows" else "the weights of each kind"
    return f"How far {of} moved, {what}, on a log scale. After: {', '.join(rows)}."


def _chart(name: str, view: ShiftView) -> Chart:
    return Chart(
        id=name,
        title="Weight distance per layer",
        question="Which layers changed, and how far?",
        caveat="The distance shows how far the weights moved, not how much was forgotten: noise, a high learning rate "
        "or re-initialised weights move a layer just as far. The retrained model started from other random weights, "
        "so it is as far away as the same classifier trained twice (the band). Relative to its norm, the size of a "
        "layer cancels out; in plain L2 large layers dominate. A layer includes the scale and shift of its batch "
        "norm; its running statistics are only in the table, since they change even where every weight is frozen.",
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
        "Relative": CHART,
        "L2": _chart("layers-l2", ShiftView(distance="l2")),
        "By kind of weights": _chart("layers-kinds", ShiftView(level="kinds")),
    },
    former_variants={"Share of length": "Relative", "Plain L2": "L2", "By kind": "By kind of weights"},
)
