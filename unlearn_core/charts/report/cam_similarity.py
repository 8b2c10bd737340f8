"""Does it look at the same places? How alike the heat maps of two models are, over a sample of pictures."""

from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, build_table, needs, panels
from unlearn_core.charts.drawing.theme import SMALL_FONT, Theme, marker_style, with_alpha
from unlearn_core.charts.drawing.wording import number, percent
from unlearn_core.domain.report import Report

MEASURE_LABELS = {"cosine": "same shape", "rank": "same order", "top": "same top fifth"}
SIDE_LABELS = {"forget": "forgotten", "retain": "kept"}
PAIR_LABELS = {
    "before-after": "after beside before",
    "gold-after": "after beside gold",
    "before-gold": "before beside gold",
}
"""What is compared, and what the marks are called; the third pair is the yardstick of the first."""
_SHIFT = {"before-after": 0.24, "gold-after": 0.0, "before-gold": -0.24}
_LOOKS = {"before-after": "before", "gold-after": "gold", "before-gold": "yardstick"}
CLOSE = 0.1
"""Rank correlations closer than this count as the same."""
OLD_REPORT = "This run was measured before maps were compared. Run it again to see it."


def applies(report: Report) -> Literal[True] | str:
    """Whether maps were compared."""
    answer = needs("cam")(report)
    if answer is not True:
        return answer
    found = report.parts["cam"].facts.get("similarity")
    if found is None:
        return OLD_REPORT
    if all(one["rank"] is None for side in found.values() for one in side.values()):
        return "Every map of this run is flat in one of the models, so there is nothing to compare."
    return True


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """One row a side and pair of models: pictures, how many had a flat map, and each measure's quartiles."""

    def rows(report: Report) -> list[dict[str, Any]]:
        return [
            {"set": SIDE_LABELS[side], "compared": PAIR_LABELS[pair], "pictures": one["pictures"], "flat": one["blank"]}
            | {
                f"{name} {part}": one[name] and one[name][at]
                for name in MEASURE_LABELS
                for at, part in enumerate(("25 %", "median", "75 %"))
            }
            for side, pairs in report.parts["cam"].facts["similarity"].items()
            for pair, one in pairs.items()
        ]

    return build_table(reports, rows)


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """A row a side and measure: medians as marks, the middle half of the pictures as lines."""
    drawn = panels(reports, theme)
    rows = [(side, name) for side in SIDE_LABELS for name in MEASURE_LABELS]
    for column, report in enumerate(reports, 1):
        for pair in report.parts["cam"].facts["similarity"]["retain"]:
            drawn.add_trace(_markers(report, pair, rows, theme), row=1, col=column)
        for label in _labels(report, theme):
            drawn.add_annotation(**label, row=1, col=column)
    drawn.update_yaxes(
        tickvals=[len(rows) - 1 - place for place in range(len(rows))],
        ticktext=[f"<b>{SIDE_LABELS[side]}</b>, {MEASURE_LABELS[name]}" for side, name in rows],
        tickfont={"size": SMALL_FONT, "color": theme.ink},
        range=[-0.6, len(rows) + 0.1],
    )
    drawn.update_xaxes(showgrid=True, range=[-0.55, 1.05], tickvals=[-0.5, 0, 0.5, 1])
    drawn.update_xaxes(title_text="likeness of two models' maps: 1 is the same", row=1)
    return drawn


def _markers(report: Report, pair: str, rows: Sequence[tuple[str, str]], theme: Theme) -> go.Scatter:
    found = report.parts["cam"].facts["similarity"]
    told = [(place, side, name) for place, (side, name) in enumerate(rows) if found[side][pair][name] is not None]
    quartiles = [found[side][pair][name] for _, side, name in told]
    role = _LOOKS[pair]
    look = marker_style(theme, "gold" if role == "gold" else "before", 9)
    if role == "yardstick":
        look = {"symbol": "line-ns", "size": 11, "line": {"color": theme.quiet, "width": 2.5}}
    return go.Scatter(
        name=PAIR_LABELS[pair],
        x=[middle for _, middle, _ in quartiles],
        y=[len(rows) - 1 - place + _SHIFT[pair] for place, _, _ in told],
        mode="markers",
        marker=look,
        error_x={
            "type": "data",
            "array": [high - middle for _, middle, high in quartiles],
            "arrayminus": [middle - low for low, middle, _ in quartiles],
            "thickness": 1.5,
            "width": 0,
            "color": with_alpha(theme.gold if role == "gold" else theme.before, 0.75),
        },
        customdata=[[SIDE_LABELS[side], MEASURE_LABELS[name], found[side][pair]["pictures"]] for _, side, name in told],
        hovertemplate=f"<b>{PAIR_LABELS[pair]}</b>, %{{customdata[0]}}, %{{customdata[1]}}<br>median %{{x:.2f}} of "
        "%{customdata[2]} pictures<extra></extra>",
    )


def _labels(report: Report, theme: Theme) -> list[dict[str, Any]]:
    """One line that says which mark is which, over the rows."""
    signs = {"before-after": (theme.before, "○"), "gold-after": (theme.gold, "◆"), "before-gold": (theme.quiet, "|")}
    words = {"before-after": "after/before", "gold-after": "after/gold", "before-gold": "before/gold"}
    shown = report.parts["cam"].facts["similarity"]["retain"]
    text = "  ".join(f'<span style="color:{signs[pair][0]}">{signs[pair][1]}</span> {words[pair]}' for pair in shown)
    place = {"x": 1, "y": 1, "xref": "x domain", "yref": "y domain", "xanchor": "right", "yanchor": "top"}
    return [place | {"text": text, "font": {"size": SMALL_FONT, "color": theme.quiet}}]


def summary(report: Report) -> str:
    """How alike maps are in order, after beside before and beside gold, with what before and gold have in common."""
    found, said = report.parts["cam"].facts["similarity"], []
    for side, words in SIDE_LABELS.items():
        known = {pair: one["rank"][1] for pair, one in found[side].items() if one["rank"] is not None}
        if "before-after" in known:
            said.append(f"On {words} pictures {_beside(known)}.")
    blank = found["forget"]["before-after"]["blank"]
    if blank:
        pictures = found["forget"]["before-after"]["pictures"]
        said.append(f"On {blank} of {pictures} forgotten pictures one map is flat: nothing speaks for the class.")
    text = " ".join(said) or "No map after can be compared with one before."
    return text if "gold" in report.evaluations else f"{text} {NO_GOLD}"


def _beside(known: dict[str, float]) -> str:
    text = f"maps after and before agree in order by {number(known['before-after'], 2)} (rank correlation)"
    if "before-gold" not in known:
        return text
    gap = known["before-after"] - known["before-gold"]
    what = (
        "as much as gold's and before's do"
        if abs(gap) <= CLOSE
        else f"{'more' if gap > 0 else 'less'} than gold's and before's do"
    )
    text += f", {what} ({number(known['before-gold'], 2)})"
    return f"{text}; with gold's by {number(known['gold-after'], 2)}" if "gold-after" in known else text


def alt_text(report: Report) -> str:
    """Every median in numbers."""
    found = report.parts["cam"].facts["similarity"]
    rows = [
        f"{PAIR_LABELS[pair]}, {SIDE_LABELS[side]} pictures: shape {number(one['cosine'][1], 2)}, order "
        f"{number(one['rank'][1], 2)}, {percent(one['top'][1], 0)} of the mass in the other's top fifth."
        for side, pairs in found.items()
        for pair, one in pairs.items()
        if one["rank"] is not None
    ]
    return f"Dot chart of how alike heat maps are. {' '.join(row[:1].upper() + row[1:] for row in rows)}"


CHART = Chart(
    id="places",
    title="Similarity of Grad-CAM maps",
    question="Does it still look at the same places?",
    caveat="GradCAM for each picture's own class. Shape is the cosine of two maps, order their rank correlation, top "
    "fifth the share of after's (or the second's) mass that lies in the strongest fifth of the other's cells, 20 % by "
    "chance. Marks are medians, lines the middle half of the pictures; flat maps are left out and counted. Strength "
    "does not count here: maps may be alike and one of them weak. Two nets trained alike from different seeds look "
    "at somewhat different places too, so 1 is not the aim: before beside gold is the yardstick.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
)
