"""Chart of what L2UL retains against what is left of 16 images along its runs, for its goals and its safeguards."""

from collections.abc import Mapping

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme, with_alpha
from unlearn_core.charts.measured.l2ul_courses import GOALS, GUARDS, Courses, Mean, frontier, setting_name

TITLE = "What L2UL retains at equal forgetting"
QUESTION = "Which goal and which safeguards retain most at equal forgetting?"
IMAGES = 16
"""The number of forget images of the runs that are drawn."""
NOTE = (
    f"{IMAGES} images; means over draws with standard errors. A run is read off where it first comes down to a share, "
    "and a point is drawn where all draws do. Each goal and safeguard has its own learning rate, found on other draws. "
    "Measured on the bundled ResNet-20."
)
HEIGHT = 520
PAPER_GOAL = "misclassify"
"""The goal whose safeguards are compared: that of the paper."""
_DASHES = ("solid", "dash", "dot", "dashdot")
_SYMBOLS = ("circle", "square", "triangle-up", "diamond")


def panels() -> dict[str, dict[str, str]]:
    """Return the settings of each panel by their labels, under the panel's title."""
    return {
        "Goals, with both safeguards": {label: setting_name(goal, "adv-imp") for goal, label in GOALS.items()},
        f"Safeguards, goal {GOALS[PAPER_GOAL]}": {
            label: setting_name(PAPER_GOAL, guard) for guard, label in GUARDS.items()
        },
    }


def measured_panels(courses: Courses) -> dict[str, dict[str, Mapping[float, Mean]]]:
    """Return what is retained at each share that is left, for the settings of each panel that were measured."""
    return {
        title: {label: frontier(courses[name, IMAGES]) for label, name in named.items() if (name, IMAGES) in courses}
        for title, named in panels().items()
    }


def figure(courses: Courses, theme: Theme) -> go.Figure:
    """Draw two panels of lines that run from the original, at the left, to the right, where no image is left."""
    found = measured_panels(courses)
    drawn = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.13, subplot_titles=list(found))
    drawn.update_annotations(x=0, xanchor="left", font={"size": SMALL_FONT + 1, "color": theme.ink})
    drawn.update_layout(template=theme.template, height=HEIGHT, margin={"t": 24})
    for row, lines in enumerate(found.values(), 1):
        for place, (label, levels) in enumerate(lines.items()):
            legend = "legend" if row == 1 else "legend2"
            drawn.add_trace(_line(label, levels, place, theme).update(legend=legend), row=row, col=1)
    anchors: PlotlyDict = {"orientation": "v", "x": 0.01, "xanchor": "left", "yanchor": "bottom"}
    drawn.update_layout(legend=anchors | {"y": 0.58}, legend2=anchors | {"y": 0.01}, showlegend=True)
    drawn.update_yaxes(ticksuffix=" %", showgrid=True, nticks=6)
    drawn.update_xaxes(range=[104, -4], tickvals=[100, 75, 50, 25, 0], showgrid=True)
    drawn.update_xaxes(title_text="left of the forget images (%)", row=2, col=1)
    return drawn


def _line(label: str, levels: Mapping[float, Mean], place: int, theme: Theme) -> go.Scatter:
    color = (theme.after, theme.forget, theme.quiet, theme.retain)[place]
    return go.Scatter(
        name=label,
        x=[100 * level for level in levels],
        y=[one.value for one in levels.values()],
        error_y={"array": [one.error or 0 for one in levels.values()], "color": with_alpha(color, 0.5)},
        mode="lines+markers",
        line={"color": color, "dash": _DASHES[place], "width": 2},
        marker={"color": color, "symbol": _SYMBOLS[place], "size": 8},
        hovertemplate=f"<b>{label}</b>, %{{x:g}} % left<br>%{{y:.1f}} ± %{{error_y.array:.1f}} % retained"
        "<extra></extra>",
        cliponaxis=False,
    )


def summary(courses: Courses) -> str:
    """Say what each setting retains at the lowest share that all settings of its panel come down to."""
    told = []
    for title, lines in measured_panels(courses).items():
        level = min(set.intersection(*(set(levels) for levels in lines.values())))
        each = ", ".join(f"{label} {levels[level].value:.1f} %" for label, levels in lines.items())
        told.append(f"{title}, retained at {100 * level:g} % left: {each}.")
    return " ".join(told)


def alt_text(courses: Courses) -> str:
    """List what is retained at every share."""
    told = []
    for title, lines in measured_panels(courses).items():
        for label, levels in lines.items():
            each = ", ".join(f"{one.value:.1f} % at {100 * level:g} % left" for level, one in levels.items())
            told.append(f"{title}, {label}: {each}.")
    return f"Lines of retain accuracy against what is left of {IMAGES} images. {' '.join(told)}"
