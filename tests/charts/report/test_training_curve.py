"""The curve of a run in progress: what is done is measured, what is planned is guessed, and nothing covers anything."""

import numpy as np
import pytest

from tests.charts.fake_reports import made_up_report
from tests.charts.layout import layout_of
from unlearn_core.charts.chart import NO_GOLD
from unlearn_core.charts.drawing.phase_bands import PhaseSpan, phase_spans
from unlearn_core.charts.drawing.theme import DARK, LIGHT, with_alpha
from unlearn_core.charts.drawing.wording import percent
from unlearn_core.charts.report.training_curve import live_figure, summary
from unlearn_core.domain.run import CurvePoint, Phase

WAITING = [Phase("noise", 20, 0, 0.0), Phase("impair", 40, 0, 0.0), Phase("repair", 40, 0, 0.0)]
RUNNING = [Phase("noise", 20, 20, 2.0), Phase("impair", 40, 10, 3.0), Phase("repair", 40, 0, 0.0)]
POINTS = [
    CurvePoint(0, 0.0, "noise", 0.94, 0.86),
    CurvePoint(20, 2.0, "noise", 0.94, 0.86),
    CurvePoint(30, 5.0, "impair", 0.1, 0.8),
]


def test_phases_are_measured_then_guessed() -> None:
    noise, impair, repair = phase_spans(RUNNING)
    assert noise == PhaseSpan("noise", 0.0, 2.0, planned=False)
    assert impair == PhaseSpan("impair", 2.0, 14.0, planned=False), "40 steps at 0.3 s"
    assert repair.planned
    assert repair.end - repair.start == pytest.approx(40 * 5.0 / 30), "at the pace of all steps so far"


def test_a_phase_that_ended_early_takes_no_more_time() -> None:
    phases = [Phase("ascent", 100, 10, 1.0), Phase("repair", 40, 20, 2.0)]
    assert [band.end for band in phase_spans(phases)] == pytest.approx([1.0, 5.0])


def test_before_there_is_a_pace_the_expected_time_is_shared_by_steps() -> None:
    assert [band.end for band in phase_spans(WAITING, expected=10)] == pytest.approx([2.0, 6.0, 10.0])
    assert all(band.planned for band in phase_spans(WAITING))


@pytest.mark.parametrize("phases", [[], WAITING, RUNNING], ids=["nothing known", "waiting", "running"])
@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_live_can_always_be_drawn(phases: list[Phase], count: int, theme) -> None:
    figure = live_figure(POINTS[:count], phases, ("cats", "other classes"), theme)
    assert [trace.name for trace in figure.data] == ["other classes", "cats"]
    assert len(layout_of(figure).shapes) == len(phases)
    start, end = layout_of(figure).xaxis.range
    assert start == 0
    assert end >= max([point.seconds for point in POINTS[:count]], default=0)
    assert layout_of(figure).height > 200
    assert layout_of(figure).template.layout.font.color == theme.ink


def test_a_phase_keeps_its_colour_and_is_paler_before_it_begins() -> None:
    tints = [shape.fillcolor for shape in layout_of(live_figure(POINTS, RUNNING, ("cats", "others"), LIGHT)).shapes]
    assert tints[2] == with_alpha(LIGHT.retain, 0.04)
    assert tints[1] == with_alpha(LIGHT.forget, 0.08)
    assert len(set(tints)) == 3


def test_the_time_axis_stays_while_the_estimate_varies() -> None:
    ends = {
        layout_of(live_figure([], WAITING, ("cats", "others"), LIGHT, expected=expected)).xaxis.range[1]
        for expected in (205.0, 240.0, 290.0, 300.0)
    }
    assert ends == {300.0}


def test_forget_and_retain_differ_in_hue_and_dash() -> None:
    retain, forget = live_figure(POINTS, RUNNING, ("cats", "others"), LIGHT).data
    assert (retain.line.color, retain.line.dash) == (LIGHT.retain, "solid")
    assert (forget.line.color, forget.line.dash) == (LIGHT.forget, "dash")


@pytest.mark.parametrize("forget", np.linspace(0, 1, 11).tolist())
@pytest.mark.parametrize("seconds", [5.0, 20.0])
def test_the_two_labels_never_cover_each_other(forget: float, seconds: float) -> None:
    points = [POINTS[0], CurvePoint(40, seconds, "impair", forget, 0.8)]
    notes = layout_of(live_figure(points, RUNNING, ("cats", "others"), LIGHT)).annotations
    labels = [note for note in notes if "%" in note.text]
    assert abs(labels[0].y - labels[1].y) >= 0.085 - 1e-9
    assert {label.text.split()[0] for label in labels} == {"cats", "others"}


@pytest.mark.parametrize("end", np.linspace(0, 1, 11).tolist())
@pytest.mark.parametrize("swing", [-0.15, 0.0, 0.15])
def test_a_label_at_the_end_is_clear_of_its_line(end: float, swing: float) -> None:
    heights = [end if place % 2 == 0 else min(max(end + swing, 0), 1) for place in range(31)]
    other = 0.05 if end >= 0.4 else 0.9
    points = [CurvePoint(place, place, "impair", value, other) for place, value in enumerate(heights)]
    phases = [Phase("impair", 30, 30, 30.0)]
    (label,) = [
        note
        for note in layout_of(live_figure(points, phases, ("cat", "rest"), LIGHT)).annotations
        if "cat" in note.text
    ]
    assert label.xanchor == "right"
    spanned = heights[-5:]
    assert label.y >= max(spanned) + 0.06 or label.y <= min(spanned) - 0.06
    assert label.y < 0.97, "above are the phases' names"


def test_without_a_pace_the_axis_shows_no_seconds() -> None:
    assert layout_of(live_figure([], WAITING, ("cats", "others"), LIGHT)).xaxis.showticklabels is False
    assert layout_of(live_figure([], WAITING, ("cats", "others"), LIGHT, expected=9)).xaxis.showticklabels is None


def test_the_sentence_says_where_gold_stands() -> None:
    report = made_up_report()
    right = report.evaluations["gold"].logits.argmax(1) == report.labels
    forget, retain = (
        percent(float(right[rows].mean()), 0) for rows in (report.split.forget_val, report.split.retain_val)
    )
    assert summary(report).endswith(f"Retrained model, on all of them: {forget} and {retain}.")
    assert summary(made_up_report(gold=False)).endswith(NO_GOLD)
