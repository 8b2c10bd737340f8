"""The two charts of a class board: what the room expects, and what its runs forgot and kept."""

from collections.abc import Mapping, Sequence
from textwrap import wrap

import plotly.graph_objects as go

from unlearn_core.charts.chart import percent_axis
from unlearn_core.charts.drawing.theme import PlotlyDict, Theme, marker_style
from unlearn_core.charts.drawing.wording import percent
from unlearn_core.domain.run import Run

FONT_SIZE = 20
"""Of all words, in pixels: they are read from the back row."""
BAR_HEIGHT, LINE = 84, 38
"""The height of a bar with its gap, in pixels, and the most characters of a line of an answer."""

SETS = ("forget_test", "retain_test")


def choices_figure(
    choices: Sequence[str], counts: Mapping[int, int], theme: Theme, *, right: Sequence[int] = ()
) -> go.Figure:
    """Draw a bar for each choice of a question; those that the run shows, if named, are marked."""
    labels = ["<br>".join(wrap(choice, LINE)) for choice in choices]
    numbers = [counts.get(place, 0) for place in range(len(choices))]
    figure = go.Figure(
        go.Bar(
            x=numbers,
            y=labels,
            orientation="h",
            marker_color=[theme.after if not right or place in right else theme.before for place in range(len(labels))],
            text=[f"{count}  ← what happened" if place in right else f"{count}" for place, count in enumerate(numbers)],
            textposition="outside",
            cliponaxis=False,
            hoverinfo="skip",
        )
    )
    figure.update_layout(
        template=theme.template,
        font={"size": FONT_SIZE},
        height=BAR_HEIGHT * len(choices) + 40,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        bargap=0.35,
    )
    # Room behind the longest bar for its number and the mark.
    figure.update_xaxes(visible=False, range=[0, max(1, *numbers) * 1.9])
    return figure.update_yaxes(autorange="reversed", automargin=True, ticksuffix="  ", tickfont={"size": FONT_SIZE})


def runs_figure(runs: Sequence[Run], theme: Theme) -> go.Figure:
    """Draw every finished run by its accuracies on test images of the forget set and of the retain set.

    The retrained models of their requests stand beside them.
    """
    figure = go.Figure()
    for model in ("gold", "after"):
        points = [(run, *place) for run in runs if (place := accuracies(run, model)) is not None]
        figure.add_scatter(
            x=[forget for _, forget, _ in points],
            y=[retain for _, _, retain in points],
            mode="markers",
            marker=marker_style(theme, model, 18),
            hovertext=[f"run {run.id}: {run.title}" if model == "after" else "retrained" for run, _, _ in points],
            hovertemplate="%{hovertext}<br>forget set %{x:.1%}, retain set %{y:.1%}<extra></extra>",
            cliponaxis=False,
        )
    figure.update_layout(template=theme.template, font={"size": FONT_SIZE}, height=430)
    axis: PlotlyDict = {"tickfont": {"size": FONT_SIZE - 4}}
    figure.update_xaxes(title_text="accuracy on the forget set", **percent_axis(-0.03, 1.03), **axis)
    return figure.update_yaxes(title_text="accuracy on the retain set", **percent_axis(-0.03, 1.05), **axis)


def accuracies(run: Run, model: str) -> tuple[float, float] | None:
    """Return a model's accuracies (0 to 1) on test images of both sets, as far as they have any; else None.

    Single images are no test images: there, the forget images themselves count.
    """
    known = run.metrics.accuracy.get(model, {})
    forget = known.get(SETS[0])
    forget = known.get("forget_train") if forget is None else forget
    retain = known.get(SETS[1])
    return None if forget is None or retain is None else (forget, retain)


def choices_sentence(question: str, choices: Sequence[str], counts: Mapping[int, int]) -> str:
    """Return the counts in words, for those who do not see the bars."""
    total = sum(counts.values())
    parts = [f"{choice}: {counts.get(place, 0)} of {total}" for place, choice in enumerate(choices)]
    return f"Bars of {total} answers to “{question}”. {'; '.join(parts)}."


def runs_sentence(runs: Sequence[Run]) -> str:
    """Return what the runs of a room have in common: how many there are, and the range of what they forgot and kept."""
    points = [place for run in runs if (place := accuracies(run, "after")) is not None]
    if not points:
        return "No run of this room is finished yet."
    spans = []
    for name, values in zip(("forget", "retain"), zip(*points, strict=True), strict=True):
        low, high = percent(min(values), 0), percent(max(values), 0)
        spans.append(f"{name} accuracy {low}" if low == high else f"{name} accuracy from {low} to {high}")
    count = "1 finished run" if len(points) == 1 else f"{len(points)} finished runs"
    return f"{count}: {' and '.join(spans)}."
