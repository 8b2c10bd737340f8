"""Distance of each layer's weights from their values before, compared with gold and with another seed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import pandas as pd

from unlearn_core.charts.chart import NO_GOLD, Chart, Row, build_table, needs
from unlearn_core.charts.drawing import weight_shift
from unlearn_core.charts.drawing.weight_shift import PAIR_LABELS, UNCHANGED, ShiftView, distances
from unlearn_core.charts.drawing.wording import capitalize, join_words
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.layer_comparison import TensorGroup, WeightDistance, WeightDistanceResult


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return the distances (L2 and relative) per layer, kind of weights and batch-norm statistics, and overall."""
    return build_table(reports, _rows)


def _rows(report: Report) -> list[Row]:
    result = report[WeightDistanceResult]
    groups: dict[str, Sequence[TensorGroup]] = {
        "layer": result.layers,
        "kind of weights": result.kinds,
        "batch-norm statistics": result.statistics,
    }
    whole = {"all weights as one vector": result.total, "mean of the layers": result.mean}
    return [_row(what, group) for what, own in groups.items() for group in own] + [
        {"what": what, "layer": ""} | _distances(pairs) for what, pairs in whole.items() if pairs
    ]


def _row(what: str, group: TensorGroup) -> Row:
    shapes = ", ".join(f"{name} {shape}" for name, shape in group.tensor_shapes)
    counts = {"tensors": group.tensors, "weights": group.weights, "shape": group.shape, "names": shapes}
    return {"what": what, "layer": group.name} | counts | _distances(group.pairs)


def _distances(pairs: Mapping[str, WeightDistance]) -> dict[str, float]:
    return {
        f"{words} {what}": value
        for pair, words in PAIR_LABELS.items()
        if pair in pairs
        for what, value in (("l2", pairs[pair].l2), ("relative", pairs[pair].relative))
    }


def applies(report: Report, view: ShiftView) -> Literal[True] | str:
    """Return True if the report has the distances of this view, else the reason."""
    available = needs(WeightDistanceResult)(report)
    if available is not True or view.groups(report):
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
    total = report[WeightDistanceResult].total
    if "before-gold" not in total:
        return f"{said} {NO_GOLD}"
    ratio = total["before-after"].l2 / total["before-gold"].l2
    said += f" In total they moved {ratio:.2g} times the distance to the retrained model"
    return f"{said}; this does not measure forgetting."


def alt_text(report: Report, view: ShiftView) -> str:
    """List the distance of every layer after unlearning."""
    rows = [
        f"{name} {view.format(value) if value else UNCHANGED}"
        for name, value in distances(report, "before-after", view).items()
    ]
    what = "as a share of their norm" if view.distance == "relative" else "as L2 distance"
    of = "each layer's weights" if view.level == "layers" else "the weights of each kind"
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
        section="Inside",
        order=10,
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
