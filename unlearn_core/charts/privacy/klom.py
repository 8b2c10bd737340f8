"""KL divergence of margins (KLoM): the share of forget images up to each value, with golds against golds beside it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import Chart, Row, build_table, needs_request, panels, percent_axis
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme, line_style
from unlearn_core.charts.drawing.wording import number, percent
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.outputs import KlomResult

OFFER_TEXT = "KLoM has not been computed for this run: it trains many models and is only computed on request."
SIDES = {"after": "unlearned", "ceiling": "other retrained"}
"""The two sets of models that are compared with the same retrained models."""
MOST = 0.95
"""The share of images of whose largest KLoM the sentence speaks."""


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per forget image: its mean margin in each set of models, and KLoM of both comparisons, in nats."""

    def rows(report: Report) -> list[Row]:
        result = report[KlomResult]
        return [
            {
                "image": int(image),
                **{f"mean margin, {name}": float(result.margins[side][at]) for side, name in _SETS.items()},
                **{f"KLoM, {name}": float(result.divergences[side][at]) for side, name in SIDES.items()},
            }
            for at, image in enumerate(report.split.forget_train)
        ]

    return build_table(reports, rows)


_SETS = {"gold": "retrained", **SIDES}


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw how many forget images have at most each KLoM: the further left a curve, the closer the two sets."""
    drawn = panels(reports, theme)
    for column, report in enumerate(reports, 1):
        for side in SIDES:
            drawn.add_trace(_curve(report, side, theme), row=1, col=column)
        drawn.add_annotation(**_key(report, theme), row=1, col=column)
    highest = max(float(own.max()) for report in reports for own in report[KlomResult].divergences.values())
    drawn.update_xaxes(title_text="KLoM of an image, in nats", range=[0, max(highest, 0.1) * 1.03])
    drawn.update_yaxes(showgrid=True, **percent_axis(0, 1.03))
    drawn.update_yaxes(title_text="forget images up to it", col=1)
    return drawn


def _curve(report: Report, side: str, theme: Theme) -> go.Scatter:
    values = np.sort(report[KlomResult].divergences[side]).astype(float)
    return go.Scatter(
        name=SIDES[side],
        x=[0.0, *values],
        y=np.linspace(0, 1, len(values) + 1),
        mode="lines",
        line={**line_style(theme, "after" if side == "after" else "gold"), "shape": "hv"},
        hovertemplate=f"<b>{SIDES[side]}</b>: %{{y:.0%}} of the images up to %{{x:.2f}} nats<extra></extra>",
    )


def _key(report: Report, theme: Theme) -> PlotlyDict:
    colours = {"after": theme.after, "ceiling": theme.gold}
    lines = [
        f'<span style="color:{colours[side]}">━</span> {name}, mean {number(_mean(report, side), 2)}'
        for side, name in SIDES.items()
    ]
    return {
        "text": "<br>".join(lines),
        "align": "left",
        "xref": "x domain",
        "yref": "y domain",
        "x": 1,
        "y": 0.03,
        "xanchor": "right",
        "yanchor": "bottom",
        "font": {"size": SMALL_FONT + 1, "color": theme.ink},
    }


def _mean(report: Report, side: str) -> float:
    return float(report[KlomResult].divergences[side].mean(dtype=float))


def summary(report: Report) -> str:
    """Give the mean KLoM beside that of other golds, and the mean margins that it is made of."""
    result, noun = report[KlomResult], report.dataset.item_noun
    values, margins = result.divergences, {name: float(own.mean(dtype=float)) for name, own in result.margins.items()}
    images, most = len(values["after"]), {side: float(np.quantile(own, MOST)) for side, own in values.items()}
    return (
        f"KLoM is {number(_mean(report, 'after'), 2)} nats, the mean over {images:,} forget {noun}s, for "
        f"{result.num_models} unlearned against {result.num_models} retrained models; as many other retrained models "
        f"have {number(_mean(report, 'ceiling'), 2)}. In {percent(MOST, 0)} of the {noun}s it is up to "
        f"{number(most['after'], 2)} ({number(most['ceiling'], 2)}). The mean margin is {number(margins['after'], 2)} "
        f"after unlearning, {number(margins['gold'], 2)} and {number(margins['ceiling'], 2)} in the retrained models."
    )


def alt_text(report: Report) -> str:
    """List mean, median and largest KLoM of both comparisons."""
    told = [
        f"{name}: mean {number(_mean(report, side), 2)}, median {number(float(np.median(own)), 2)}, largest "
        f"{number(float(own.max()), 2)} nats"
        for side, name in SIDES.items()
        for own in (report[KlomResult].divergences[side],)
    ]
    return f"Curves of the share of forget images up to each KLoM against retrained models. {'; '.join(told)}."


CHART = Chart(
    id="klom",
    title="KL divergence of margins (KLoM)",
    question="Do unlearned models give forget images the margins that retrained models give them?",
    caveat="Each curve compares one set of models with the same set of retrained models; the further left, the closer. "
    "With few models the histograms are mostly empty, and KLoM is far from 0 even between retrained models: read it "
    "beside their curve, and not beside figures of papers, which use 100 models. It compares the margin of the true "
    "class alone, and only on forget images: a model that was damaged elsewhere can have a small KLoM. It describes "
    "the method with these hyperparameters, not this one model. No test was made of the difference.",
    applies=needs_request(KlomResult, OFFER_TEXT),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Privacy",
    order=45,
    is_compared=False,
)
