"""Distances to gold by several metrics as shares of the distance before, with those of two golds as reference."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import ONE_GOLD, TWO_GOLDS, Chart, build_table, needs_gold, panels
from unlearn_core.charts.drawing.dumbbell import connectors
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme, marker_style, text_color
from unlearn_core.charts.drawing.wording import NO_VALUE, capitalize, is_class_request, number, percent
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
_SHARED = ("gold-twin", "after-gold")
"""The pairs that are drawn as marks; that of before and gold is the line at 1."""
_LOOKS = {"before-gold": "before", "after-gold": "after", "gold-twin": "gold"}
_HEIGHT = 410
_FARTHEST = 2.0
"""Farther marks are drawn here; their labels give the value."""
_PLACE = 0.2
"""Left of this there is no room for a label on the left."""
_PAD = 2 * "\N{NO-BREAK SPACE}"


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
    """Draw what is left of each distance: 0 is like gold, 1 as far from it as before, which is the reference line."""
    values = [_sets(report)[name].values for report in reports]
    shares = [{pair: _shares(own, pair) for pair in PAIR_LABELS} for own in values]
    top = min(max([1.0, *(v for own in shares for pair in _SHARED for v in own[pair].values())]), _FARTHEST)
    drawn = panels(reports, theme, height=_HEIGHT)
    for column, (own, known) in enumerate(zip(shares, values, strict=True), 1):
        here: PlotlyDict = {"row": 1, "col": column}
        for trace in _traces(own, known, theme, top):
            drawn.add_trace(trace, **here)
        drawn.add_vline(x=1, line={"color": theme.before, "width": 1.5}, **here)
        quiet = {"color": theme.quiet}
        drawn.add_annotation(text="before", x=1, y=-0.75, xanchor="right", xshift=-5, font=quiet, **here)
    drawn.update_yaxes(
        tickvals=list(range(len(GOLD_METRICS))),
        ticktext=[
            one.title if any(what in own["after-gold"] for own in shares) else f"{one.title} ({NO_VALUE})"
            for what, one in GOLD_METRICS.items()
        ],
        tickfont={"size": SMALL_FONT, "color": theme.ink},
        range=[len(GOLD_METRICS) - 0.5, -1.1],
    )
    marks = [mark for mark in (0, 0.5, 1, 1.5, 2) if mark <= top]
    drawn.update_xaxes(
        showgrid=True, range=[-0.03, top + 0.16], tickvals=marks, ticktext=[percent(mark, 0) for mark in marks]
    )
    drawn.update_xaxes(title_text="distance left, as a share of before", row=1)
    return drawn


def _shares(values: Mapping[str, Mapping[str, float | None]], pair: str) -> dict[str, float]:
    """Return the distance of a pair as a share of that of before and gold, by metric; without those that lack one."""
    return {
        what: distance / before
        for what in GOLD_METRICS
        if (distance := values[what][pair]) is not None and (before := values[what]["before-gold"])
    }


def _traces(
    shares: Mapping[str, Mapping[str, float]],
    values: Mapping[str, Mapping[str, float | None]],
    theme: Theme,
    top: float,
) -> list[go.Scatter]:
    """Return a line from before to after in each row, a mark per pair, and the share that is left behind it."""
    places = dict(zip(GOLD_METRICS, range(len(GOLD_METRICS)), strict=True))
    after = {what: min(share, top) for what, share in shares["after-gold"].items()}
    dots = [
        go.Scatter(
            name=PAIR_LABELS[pair],
            x=[min(share, top) for share in shares[pair].values()],
            y=[places[what] for what in shares[pair]],
            mode="markers",
            marker=marker_style(theme, _LOOKS[pair], 9),
            customdata=[
                [GOLD_METRICS[what].title, GOLD_METRICS[what].format(values[what][pair] or 0), GOLD_METRICS[what].unit]
                for what in shares[pair]
            ],
            hovertemplate=f"<b>{PAIR_LABELS[pair]}</b><br>%{{customdata[0]}}: %{{customdata[1]}}"
            "<br>%{customdata[2]}<extra></extra>",
            cliponaxis=False,
        )
        for pair in _SHARED
        if shares[pair]
    ]
    lines = connectors([(1.0, share, places[what]) for what, share in after.items()], theme)
    return [lines, *dots, _labels(shares["after-gold"], after, places, theme)]


def _labels(
    shares: Mapping[str, float], drawn: Mapping[str, float], places: Mapping[str, int], theme: Theme
) -> go.Scatter:
    """Return the share that is left beside each mark, on the side away from the line to before."""
    return go.Scatter(
        x=list(drawn.values()),
        y=[places[what] for what in drawn],
        text=[f"{_PAD}{percent(share, 0)}{_PAD}" for share in shares.values()],
        textposition=["middle left" if _PLACE < share <= 1 else "middle right" for share in shares.values()],
        textfont={"size": SMALL_FONT, "color": text_color(theme, "after")},
        mode="text",
        cliponaxis=False,
        hoverinfo="skip",
    )


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
    what = f"Dot chart of distances to the retrained model on {SET_PHRASES[name]}, as shares of the distance before."
    return f"{what} {' '.join(rows)}"


def _chart(name: str) -> Chart:
    return Chart(
        id="closeness" if name == "forget_train" else f"closeness-{name}",
        title="Distance left by each metric",
        question="How much of the original model's distance to the retrained model is left?",
        caveat="0 % is the retrained model itself, 100 % (the line) is as far from it as the original model; beyond "
        "the line unlearning made it worse. Diamonds are a second retrained model. The distances themselves are in "
        "the table. KS and Wasserstein (W1) compare distributions, not image by image: two models that are "
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
