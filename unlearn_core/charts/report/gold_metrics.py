"""Distances to gold by several metrics, before and after, with those of two golds as reference; a scale per metric."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import ONE_GOLD, TWO_GOLDS, Chart, build_table, needs_gold, panels
from unlearn_core.charts.drawing.dumbbell import connectors
from unlearn_core.charts.drawing.theme import SMALL_FONT, Theme, marker_style
from unlearn_core.charts.drawing.wording import MODEL_LABELS, capitalize, is_class_request, number, percent
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.outputs import ClosenessResult, GoldComparison
from unlearn_core.domain.split import set_label


class GoldMetric(NamedTuple):
    """A row of the chart: its title, its unit, and whether its values are fractions."""

    title: str
    unit: str
    is_fraction: bool = False

    def format(self, value: float) -> str:
        """Format a value of this metric."""
        return percent(value, 0) if self.is_fraction else number(value, 2)


GOLD_METRICS = {
    "activation": GoldMetric("Activation distance", "mean L2 between probabilities, 0 to 1.41"),
    "disagreement": GoldMetric("Disagreement", "share of images classified differently", is_fraction=True),
    "ks true": GoldMetric("True-class logit, KS", "largest gap between the two distribution functions, 0 to 1"),
    "ks margin": GoldMetric("Margin, KS", "largest gap between the two distribution functions, 0 to 1"),
    "ks entropy": GoldMetric("Entropy, KS", "largest gap between the two distribution functions, 0 to 1"),
    "wasserstein true": GoldMetric("True-class logit, W1", "Wasserstein distance, in logits"),
    "wasserstein margin": GoldMetric("Margin, W1", "Wasserstein distance, in logits"),
    "wasserstein entropy": GoldMetric("Entropy, W1", "Wasserstein distance, in nats"),
}
SET_PHRASES = {
    "forget_train": "training images of the forget set",
    "forget_test": "test images of the forget set",
    "retain_test": "test images of the retain set",
}
"""The sets to choose from, as they are called in a sentence."""
_FORMER_LABELS = {
    "Forgotten, trained on": "forget_train",
    "Forgotten, unseen": "forget_test",
    "Kept, unseen": "retain_test",
}
"""Labels of the sets in links of former releases."""
PAIR_LABELS = {"before-gold": "before", "after-gold": "after", "gold-twin": TWO_GOLDS}
_ENDS = ("before-gold", "after-gold")
_LOOKS = {"before-gold": "before", "after-gold": "after", "gold-twin": "gold"}
_HEIGHT = 410


def applies(report: Report, name: str) -> Literal[True] | str:
    """Return True if there is gold and this set has images, else the reason."""
    available = needs_gold(ClosenessResult)(report)
    if available is not True or name in _sets(report):
        return available
    single = "" if is_class_request(report) else " Single forget images have no test images."
    return f"This set is empty for this forget request.{single}"


def _sets(report: Report) -> Mapping[str, GoldComparison]:
    return report[ClosenessResult].sets


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per set and metric: the distances to gold, and why one is missing."""
    return build_table(
        reports,
        lambda report: [
            {
                "set": set_label(name),
                "metric": GOLD_METRICS[what].title,
                "unit": GOLD_METRICS[what].unit,
                "images": own.images,
            }
            | {words: own.values[what][pair] for pair, words in PAIR_LABELS.items()}
            | {"missing": _why(report, name)}
            for name, own in _sets(report).items()
            for what in GOLD_METRICS
        ],
    )


def _why(report: Report, name: str) -> str:
    """Return the reasons for missing values of a set."""
    reasons = report[ClosenessResult].reasons
    return " ".join(why for what, why in reasons.items() if what == "gold-twin" or what.startswith(f"{name},"))


def figure(reports: Sequence[Report], theme: Theme, name: str) -> go.Figure:
    """Draw each row from gold (left) to the value farthest from it; the values are written below the metric's title."""
    values = [_sets(report)[name].values for report in reports]
    tops = {what: max([v for own in values for v in own[what].values() if v] or [1.0]) for what in GOLD_METRICS}
    drawn = panels(reports, theme, height=_HEIGHT)
    for column, own in enumerate(values, 1):
        drawn.add_traces(_traces(own, tops, theme), rows=1, cols=column)
    alone = values[0] if len(values) == 1 else None
    drawn.update_yaxes(
        tickvals=list(range(len(GOLD_METRICS))),
        ticktext=[
            f"<b>{one.title}</b>{_figures(one, alone[what]) if alone else ''}" for what, one in GOLD_METRICS.items()
        ],
        tickfont={"size": SMALL_FONT, "color": theme.ink},
        range=[len(GOLD_METRICS) - 0.5, -0.5],
    )
    drawn.update_xaxes(
        showgrid=True, range=[-0.05, 1.08], tickvals=[0, 0.5, 1], ticktext=[MODEL_LABELS["gold"], "", "farthest"]
    )
    return drawn


def _figures(measure: GoldMetric, values: Mapping[str, float | None]) -> str:
    before, after, spread = (
        None if values[pair] is None else measure.format(values[pair] or 0) for pair in PAIR_LABELS
    )
    golds = "" if spread is None else f" · {TWO_GOLDS} {spread}"
    return f"<br>{before or 'no value'} → {after or 'no value'}{golds}"


def _traces(values: Mapping[str, Mapping[str, float | None]], tops: dict[str, float], theme: Theme) -> list[go.Scatter]:
    places = dict(zip(GOLD_METRICS, range(len(GOLD_METRICS)), strict=True))
    known = {pair: {what: v for what in GOLD_METRICS if (v := values[what][pair]) is not None} for pair in PAIR_LABELS}
    both = [what for what in known["before-gold"] if what in known["after-gold"]]
    before, after = (known[pair] for pair in _ENDS)
    rods = [(before[what] / tops[what], after[what] / tops[what], places[what]) for what in both]
    dots = [
        go.Scatter(
            name=PAIR_LABELS[pair],
            x=[value / tops[what] for what, value in known[pair].items()],
            y=[places[what] for what in known[pair]],
            mode="markers",
            marker=marker_style(theme, _LOOKS[pair], 9),
            customdata=[
                [GOLD_METRICS[what].title, GOLD_METRICS[what].format(value), GOLD_METRICS[what].unit]
                for what, value in known[pair].items()
            ],
            hovertemplate=f"<b>{PAIR_LABELS[pair]}</b><br>%{{customdata[0]}}: %{{customdata[1]}}"
            "<br>%{customdata[2]}<extra></extra>",
            cliponaxis=False,
        )
        for pair in ("gold-twin", *_ENDS)
        if known[pair]
    ]
    return [connectors(rods, theme), *dots]


def summary(report: Report, name: str) -> str:
    """Describe by how many metrics it came closer to gold or as close as two golds, and its agreement with gold."""
    own = _sets(report)[name]
    both = [(one["before-gold"], one["after-gold"]) for one in own.values.values()]
    known = [(before, after) for before, after in both if before is not None and after is not None]
    nearer = sum(after < before for before, after in known)
    said = f"By {nearer} of {len(known)} metrics, it is now closer to the retrained model, on {SET_PHRASES[name]}."
    before, after, golds = (own.agreement[pair] for pair in PAIR_LABELS)
    if after is not None:
        said += (
            f" The two agree on {percent(after.share)} of them "
            f"(95 % interval {percent(after.low)} to {percent(after.high)})"
        )
        said += f"; before: {percent(before.share)}" if before else ""
        said += f"; a second retrained model: {percent(golds.share)}" if golds else ""
        said += "."
    spread = [(one["after-gold"], one["gold-twin"]) for one in own.values.values()]
    within = [after <= golds for after, golds in spread if after is not None and golds is not None]
    return f"{said} {f'As close as two retrained models by {sum(within)} of {len(within)}.' if within else ONE_GOLD}"


def alt_text(report: Report, name: str) -> str:
    """List every metric with its values."""
    rows = []
    for what, one in GOLD_METRICS.items():
        own = {words: _sets(report)[name].values[what][pair] for pair, words in PAIR_LABELS.items()}
        told = [f"{words} {one.format(value)}" for words, value in own.items() if value is not None]
        rows.append(f"{one.title}: {', '.join(told) or 'no value'}.")
    what = f"Dot chart of distances to the retrained model on {SET_PHRASES[name]}, each row on its own scale."
    return f"{what} {' '.join(rows)}"


def _chart(name: str) -> Chart:
    return Chart(
        id="closeness" if name == "forget_train" else f"closeness-{name}",
        title="Similarity to the retrained model",
        question="How similar are its predictions by each metric?",
        caveat="Each row has its own scale, from the retrained model (left) to what is farthest from it: compare dots "
        "within a row only. KS and Wasserstein (W1) compare distributions, not image by image: two models that are "
        "correct equally often on different images have distance 0. Logits have no fixed scale, so a Wasserstein "
        "distance may be a shift that changes no prediction. A distance below that of two retrained models is as "
        "small as it can be.",
        applies=partial(applies, name=name),
        table=table,
        figure=partial(figure, name=name),
        summary=partial(summary, name=name),
        alt_text=partial(alt_text, name=name),
        section="Inside",
        order=60,
        height=_HEIGHT,
    )


_BY_SET = {name: _chart(name) for name in SET_PHRASES}
CHART = replace(
    _BY_SET["forget_train"],
    variants={capitalize(set_label(name)): chart for name, chart in _BY_SET.items()},
    former_variants={label: capitalize(set_label(name)) for label, name in _FORMER_LABELS.items()},
)
