"""Similarity of the Grad-CAM maps of pairs of models, over a sample of images."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, Row, build_table, needs, panels
from unlearn_core.charts.drawing.dumbbell import intervals, row_axis
from unlearn_core.charts.drawing.theme import SMALL_FONT, Theme, marker_style, with_alpha
from unlearn_core.charts.drawing.wording import number, percent
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.explanations import CamResult, MapSimilarity, Quartiles

SIDE_LABELS = {"forget": "forget", "retain": "retained"}
PAIR_LABELS = {
    "before-after": "before and after",
    "gold-after": "after and retrained",
    "before-gold": "before and retrained",
}
"""The pairs that are compared; the third is the reference for the first."""
_REFERENCE = "before-gold"
_ROLES = {"before-after": "after", "gold-after": "gold", "before-gold": "before"}
"""The mark of each pair: that of the model which is compared."""
_AXES = {
    "cosine": "cosine similarity of two maps",
    "rank": "rank correlation of two maps",
    "top": "share of one map in the strongest fifth of the other",
}
_VARIANTS = {"Same order": "rank", "Same shape": "cosine", "Same strongest fifth": "top"}
"""The measures by their labels in the switch."""
_SPACE = "\N{NO-BREAK SPACE}"
CLOSE = 0.1
"""Rank correlations that differ by no more than this count as equal."""
OLD_REPORT = "This run was measured by a release that did not compare maps. Run it again to see this chart."


def applies(report: Report) -> Literal[True] | str:
    """Return True if maps were compared, else the reason."""
    available = needs(CamResult)(report)
    if available is not True:
        return available
    if report[CamResult].similarity is None:
        return OLD_REPORT
    if all(one.rank is None for pairs in _similarity(report).values() for one in pairs.values()):
        return "Every map of this run is flat in one of the models, so there is nothing to compare."
    return True


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per side and pair of models: images, images with a flat map, and the quartiles of each measure."""

    def rows(report: Report) -> list[Row]:
        return [
            {"set": f"{side} set", "pair": PAIR_LABELS[pair], "images": one.images, "flat": one.flat}
            | {
                f"{name} {part}": quartiles and quartiles[at]
                for name, quartiles in _measures(one).items()
                for at, part in enumerate(("25 %", "median", "75 %"))
            }
            for side, pairs in _similarity(report).items()
            for pair, one in pairs.items()
        ]

    return build_table(reports, rows)


def _similarity(report: Report) -> Mapping[str, Mapping[str, MapSimilarity]]:
    """By side and pair of models."""
    return report[CamResult].similarity or {}


def _measures(one: MapSimilarity) -> dict[str, Quartiles | None]:
    """By the ids of _AXES."""
    return {"cosine": one.cosine, "rank": one.rank, "top": one.top}


def figure(reports: Sequence[Report], theme: Theme, name: str) -> go.Figure:
    """Draw one row per side and pair of models: the median as a mark, the interquartile range as a line.

    The similarity of before and gold, two models that were trained alike, is the reference of each side.
    """
    drawn = panels(reports, theme)
    rows = [
        (side, pair)
        for side in SIDE_LABELS
        for pair in PAIR_LABELS
        if any(_quartiles(report, side, pair, name) is not None for report in reports)
    ]
    for column, report in enumerate(reports, 1):
        for trace in _traces(report, rows, name, theme):
            drawn.add_trace(trace, row=1, col=column)
    labels = [f"<b>{SIDE_LABELS[side]}</b><br>{PAIR_LABELS[pair]}" for side, pair in rows]
    drawn.update_yaxes(**row_axis(labels, theme))
    low = 0 if name == "top" else -0.5
    drawn.update_xaxes(showgrid=True, range=[low - 0.05, 1.3], tickvals=[-0.5, 0, 0.5, 1])
    drawn.update_xaxes(title_text=f"{_AXES[name]} (1 = identical)", row=1)
    return drawn


def _quartiles(report: Report, side: str, pair: str, name: str) -> Quartiles | None:
    """Return a measure of a pair; None where there is no such pair, or a map of every image is flat."""
    pairs = _similarity(report)[side]
    return _measures(pairs[pair])[name] if pair in pairs else None


def _traces(report: Report, rows: Sequence[tuple[str, str]], name: str, theme: Theme) -> list[go.Scatter]:
    """Return the marks of each pair, their numbers, and the references as vertical lines through their side's rows."""
    found, height = _similarity(report), len(rows) - 1
    known = [
        (side, pair, height - place, quartiles)
        for place, (side, pair) in enumerate(rows)
        if (quartiles := _quartiles(report, side, pair, name)) is not None
    ]
    traces = []
    for side in SIDE_LABELS:
        own = [(at, one.median) for where, pair, at, one in known if (where, pair) == (side, _REFERENCE)]
        for at, median in own:
            top = max(y for where, _, y, _ in known if where == side)
            line = {"color": theme.quiet, "width": 1.5, "dash": "dot"}
            reference = go.Scatter(x=[median, median], y=[at, top + 0.4], mode="lines", line=line, hoverinfo="skip")
            traces.append(reference.update(name="reference"))
    for pair, role in _ROLES.items():
        own = [(side, at, one) for side, which, at, one in known if which == pair]
        if own:
            traces.append(_markers(found, pair, own, role, theme))
    text = [f"{3 * _SPACE}{number(one.median, 2)}" for *_, one in known]
    numbers = go.Scatter(
        x=[max(one.high, one.median) for *_, one in known],
        y=[at for _, _, at, _ in known],
        text=text,
        textposition="middle right",
        textfont={"size": SMALL_FONT, "color": theme.ink},
        mode="text",
        hoverinfo="skip",
        cliponaxis=False,
    )
    return [*traces, numbers]


def _markers(
    found: Mapping[str, Mapping[str, MapSimilarity]],
    pair: str,
    rows: Sequence[tuple[str, int, Quartiles]],
    role: str,
    theme: Theme,
) -> go.Scatter:
    return go.Scatter(
        name=PAIR_LABELS[pair],
        x=[quartiles.median for *_, quartiles in rows],
        y=[at for _, at, _ in rows],
        mode="markers",
        marker=marker_style(theme, role, 9),
        error_x=intervals(
            [(quartiles.low, quartiles.median, quartiles.high) for *_, quartiles in rows],
            with_alpha(getattr(theme, role), 0.75),
        ),
        customdata=[[SIDE_LABELS[side], found[side][pair].images] for side, *_ in rows],
        hovertemplate=f"<b>{PAIR_LABELS[pair]}</b>, %{{customdata[0]}}<br>median %{{x:.2f}} of "
        "%{customdata[1]} images<extra></extra>",
    )


def summary(report: Report) -> str:
    """Describe the rank correlations of maps: before and after, after and gold, with before and gold as reference."""
    found, said = _similarity(report), []
    for side, words in SIDE_LABELS.items():
        known = {pair: one.rank.median for pair, one in found[side].items() if one.rank is not None}
        if "before-after" in known:
            said.append(f"On {words} images, {_compare(known)}.")
    own = found["forget"]["before-after"]
    if own.flat:
        said.append(f"On {own.flat} of {own.images} forget images one map is flat: it shows no evidence for the class.")
    text = " ".join(said) or "No maps before and after can be compared."
    return text if "gold" in report.evaluations else f"{text} {NO_GOLD}"


def _compare(known: dict[str, float]) -> str:
    text = f"the maps before and after have a rank correlation of {number(known['before-after'], 2)}"
    if "before-gold" not in known:
        return text
    gap = known["before-after"] - known["before-gold"]
    relation = "similar to" if abs(gap) <= CLOSE else "higher than" if gap > 0 else "lower than"
    text += f", {relation} before and retrained ({number(known['before-gold'], 2)})"
    return f"{text}; after and retrained have {number(known['gold-after'], 2)}" if "gold-after" in known else text


def alt_text(report: Report) -> str:
    """List every median."""
    rows = [
        f"{PAIR_LABELS[pair]}, {SIDE_LABELS[side]} images: shape {number(one.cosine.median, 2)}, order "
        f"{number(one.rank.median, 2)}, {percent(one.top.median, 0)} of the mass in the top fifth."
        for side, pairs in _similarity(report).items()
        for pair, one in pairs.items()
        if one.cosine is not None and one.rank is not None and one.top is not None
    ]
    return f"Dot chart of the similarity of Grad-CAM maps. {' '.join(row[:1].upper() + row[1:] for row in rows)}"


def _chart(name: str) -> Chart:
    return Chart(
        id="places" if name == "rank" else f"places-{name}",
        title="Agreement of Grad-CAM maps",
        question="Does the model still look at the same places?",
        caveat="Grad-CAM for the true class of each image. Order is the rank correlation of two maps, shape their "
        "cosine similarity, and the strongest fifth the share of one map's mass in the strongest fifth of the other's "
        "cells, 20 % by chance. Marks are medians, lines are interquartile ranges; flat maps are left out and counted. "
        "Strength does not matter here: maps may be similar although one is weak. Two models trained from different "
        "seeds look at somewhat different places too, so 1 is not the aim: the dotted line is the similarity of before "
        "and retrained.",
        applies=applies,
        table=table,
        figure=partial(figure, name=name),
        summary=summary,
        alt_text=alt_text,
        section="Images",
        order=20,
    )


CHART = _chart("rank")
CHART = replace(CHART, variants={label: _chart(name) for label, name in _VARIANTS.items()})
