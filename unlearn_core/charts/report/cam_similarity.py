"""Similarity of the Grad-CAM maps of pairs of models, over a sample of images."""

from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, Row, build_table, needs, panels
from unlearn_core.charts.drawing.dumbbell import intervals, row_axis
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme, marker_style, with_alpha
from unlearn_core.charts.drawing.wording import number, percent
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.explanations import CamResult, MapSimilarity, Quartiles

MEASURE_LABELS = {"cosine": "same shape", "rank": "same order", "top": "same top fifth"}
SIDE_LABELS = {"forget": "forget", "retain": "retained"}
PAIR_LABELS = {
    "before-after": "before and after",
    "gold-after": "after and retrained",
    "before-gold": "before and retrained",
}
"""The pairs that are compared; the third is the reference for the first."""
_SHIFT = {"before-after": 0.24, "gold-after": 0.0, "before-gold": -0.24}
_LOOKS = {"before-after": "before", "gold-after": "gold", "before-gold": "reference"}
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
    """By the ids of MEASURE_LABELS."""
    return {"cosine": one.cosine, "rank": one.rank, "top": one.top}


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw one row per side and measure: medians as marks, interquartile ranges as lines."""
    drawn = panels(reports, theme)
    rows = [(side, name) for side in SIDE_LABELS for name in MEASURE_LABELS]
    for column, report in enumerate(reports, 1):
        for pair in _similarity(report)["retain"]:
            drawn.add_trace(_markers(report, pair, rows, theme), row=1, col=column)
        for label in _labels(report, theme):
            drawn.add_annotation(**label, row=1, col=column)
    labels = [f"<b>{SIDE_LABELS[side]}</b>, {MEASURE_LABELS[name]}" for side, name in rows]
    drawn.update_yaxes(**row_axis(labels, theme, room=(0.6, 1.1)))
    drawn.update_xaxes(showgrid=True, range=[-0.55, 1.05], tickvals=[-0.5, 0, 0.5, 1])
    drawn.update_xaxes(title_text="similarity of the maps of two models (1 = identical)", row=1)
    return drawn


def _markers(report: Report, pair: str, rows: Sequence[tuple[str, str]], theme: Theme) -> go.Scatter:
    found = _similarity(report)
    told = [
        (place, side, name, quartiles)
        for place, (side, name) in enumerate(rows)
        if (quartiles := _measures(found[side][pair])[name]) is not None
    ]
    role = _LOOKS[pair]
    look = marker_style(theme, "gold" if role == "gold" else "before", 9)
    if role == "reference":
        look = {"symbol": "line-ns", "size": 11, "line": {"color": theme.quiet, "width": 2.5}}
    return go.Scatter(
        name=PAIR_LABELS[pair],
        x=[quartiles.median for *_, quartiles in told],
        y=[len(rows) - 1 - place + _SHIFT[pair] for place, *_ in told],
        mode="markers",
        marker=look,
        error_x=intervals(
            [(quartiles.low, quartiles.median, quartiles.high) for *_, quartiles in told],
            with_alpha(theme.gold if role == "gold" else theme.before, 0.75),
        ),
        customdata=[[SIDE_LABELS[side], MEASURE_LABELS[name], found[side][pair].images] for _, side, name, _ in told],
        hovertemplate=f"<b>{PAIR_LABELS[pair]}</b>, %{{customdata[0]}}, %{{customdata[1]}}<br>median %{{x:.2f}} of "
        "%{customdata[2]} images<extra></extra>",
    )


def _labels(report: Report, theme: Theme) -> list[PlotlyDict]:
    """Return the legend, one line above the rows."""
    signs = {"before-after": (theme.before, "○"), "gold-after": (theme.gold, "◆"), "before-gold": (theme.quiet, "|")}
    words = {"before-after": "before/after", "gold-after": "after/retrained", "before-gold": "before/retrained"}
    shown = _similarity(report)["retain"]
    text = "  ".join(f'<span style="color:{signs[pair][0]}">{signs[pair][1]}</span> {words[pair]}' for pair in shown)
    place = {"x": 1, "y": 1, "xref": "x domain", "yref": "y domain", "xanchor": "right", "yanchor": "top"}
    return [place | {"text": text, "font": {"size": SMALL_FONT, "color": theme.quiet}}]


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


CHART = Chart(
    id="places",
    title="Similarity of Grad-CAM maps",
    question="Does the model still look at the same places?",
    caveat="Grad-CAM for the true class of each image. Shape is the cosine similarity of two maps, order their rank "
    "correlation, and top fifth the share of one map's mass in the strongest fifth of the other's cells, 20 % by "
    "chance. Marks are medians, lines are interquartile ranges; flat maps are left out and counted. Strength does not "
    "matter here: maps may be similar although one is weak. Two models trained from different seeds look at somewhat "
    "different places too, so 1 is not the aim: the reference is the similarity of before and retrained.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Images",
    order=20,
)
