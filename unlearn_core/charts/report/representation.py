"""Representation: how many forget images are found in the features of each model, without its last layer."""

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, Row, accuracy_columns, build_table, needs, panels, percent_axis
from unlearn_core.charts.drawing.dumbbell import DotLabel, dot_labels, row_axis, row_heights, score_dumbbells
from unlearn_core.charts.drawing.theme import Theme, text_color
from unlearn_core.charts.drawing.wording import MODEL_LABELS, percent
from unlearn_core.charts.text.claim import Direction
from unlearn_core.charts.text.claims import probe_claim
from unlearn_core.domain.report import MODELS, Report
from unlearn_core.domain.results.features import Reading, RepresentationResult

OFFER_TEXT = "The representation of this run has not been measured: it is only measured on request."
READINGS: Mapping[Reading, str] = {"own_layer": "its own last layer", "probe": "linear probe", "neighbours": "k-NN"}
"""What predicts classes from the features, from top to bottom."""
_ABOVE = 0.27
"""How far gold is drawn above its row, in rows; labels are as far below."""


def shown_models(report: Report) -> list[str]:
    """Return the models that are drawn, in their usual order; a second retrained model is only in the table."""
    return [model for model in MODELS if model in report[RepresentationResult].forget["probe"]]


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per reading, side and model: correct predictions, images, accuracy and its 95 % interval."""

    def rows(report: Report) -> list[Row]:
        result = report[RepresentationResult]
        return [
            {"read by": title, "set": side, "model": MODEL_LABELS[model]} | accuracy_columns(score)
            for side, scores in (("forget set", result.forget), ("retain set, test", result.retain))
            for reading, title in READINGS.items()
            for model, score in scores[reading].items()
        ]

    return build_table(reports, rows)


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw dumbbells of the accuracy on forget images, one row for each reading of the features."""
    drawn, heights = panels(reports, theme), row_heights(list(READINGS))
    for column, report in enumerate(reports, 1):
        scores = report[RepresentationResult].forget
        traces = score_dumbbells(
            {
                model: {title: scores[reading][model] for reading, title in READINGS.items()}
                for model in shown_models(report)
            },
            heights.values(),
            theme,
            gold_lift=_ABOVE,
            sizes={"before": 10, "after": 9, "gold": 10},
            opacity=0.75,
        )
        drawn.add_traces([*traces, dot_labels(_labels(report, heights, theme))], rows=1, cols=column)
    drawn.update_yaxes(**row_axis(list(READINGS.values()), theme, size=13, room=(0.6, 0.7)))
    drawn.update_xaxes(showgrid=True, **percent_axis(-0.03, 1.03, max_ticks=3 if len(reports) > 1 else 5))
    drawn.update_xaxes(title_text="forget images classified correctly", row=1)
    return drawn


def _labels(report: Report, heights: Mapping[str, int], theme: Theme) -> list[DotLabel]:
    """Return the value of after below its dot, and of gold above its own."""
    labels = []
    for reading, height in heights.items():
        scores = report[RepresentationResult].forget[reading]  # pyright: ignore[reportArgumentType]
        after = scores["after"].accuracy
        labels.append(DotLabel(after, height - _ABOVE, f"after {percent(after)}", text_color(theme, "after")))
        if "gold" in scores:
            gold = scores["gold"].accuracy
            labels.append(DotLabel(gold, height + 1.9 * _ABOVE, f"retrained {percent(gold)}", theme.quiet))
    return labels


def summary(report: Report) -> str:
    """Describe what the probe finds in the features of each model, and whether that is more than in gold."""
    result, noun = report[RepresentationResult], report.dataset.item_noun
    forget = result.forget
    own, total = forget["own_layer"]["after"], forget["probe"]["after"].total
    words = f"Of {total:,} forget {noun}s the unlearned model classifies {percent(own.accuracy)} correctly. A new last "
    words += f"layer, trained on its features, finds {percent(forget['probe']['after'].accuracy)} (before: "
    words += f"{percent(forget['probe']['before'].accuracy)}"
    nearest = f"k-NN finds {percent(forget['neighbours']['after'].accuracy)}"
    if "gold" not in forget["probe"]:
        return f"{words}). {nearest}. {NO_GOLD}"
    gold = percent(forget["probe"]["gold"].accuracy)
    nearest += f", in the retrained model {percent(forget['neighbours']['gold'].accuracy)}"
    claim = probe_claim(report)
    assert claim is not None, "it was compared with gold"
    return f"{words}, retrained: {gold}): {_FINDINGS[claim.direction]}. {nearest}."


_FINDINGS: Mapping[Direction, str] = {
    "left": "the features still hold the forget set",
    "beyond": "the features hold less of the forget set than those of the retrained model",
    "alike": "the features hold as much of it as those of the retrained model",
    "unclear": "whether they differ from those of the retrained model is not shown",
}


def alt_text(report: Report) -> str:
    """List the accuracy of each reading by model."""
    forget = report[RepresentationResult].forget
    shown = shown_models(report)
    rows = [
        f"{title}: {', '.join(f'{MODEL_LABELS[model]} {percent(forget[reading][model].accuracy)}' for model in shown)}."
        for reading, title in READINGS.items()
    ]
    return f"Dot chart of forget images classified correctly from the features of each model. Read by {' '.join(rows)}"


CHART = Chart(
    id="representation",
    title="Representation",
    question="Do the features still hold what the model should forget?",
    caveat="A linear probe is a new last layer, trained on the features of training images with their true labels, "
    "those of a forgotten class included, and evaluated on other images. It does not find 0 % in a retrained model: "
    "features learned from other classes distinguish a new class too. So only the difference from the retrained model "
    "counts, and it says that the features differ from those of a model that was not trained on the forget set, not "
    "that images could be recovered. Where a probe finds less, the features may be worse in general: see the retain "
    "set in the table. Only the last layer is probed; earlier layers may hold more.",
    applies=needs(RepresentationResult, otherwise=OFFER_TEXT),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Inside",
    order=27,
)
