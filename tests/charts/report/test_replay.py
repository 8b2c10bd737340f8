"""The replay: every place of the slider holds what was seen at that moment, and gold stays where it is."""

from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from tests.charts.fake_reports import made_up_report
from tests.charts.layout import layout_of
from unlearn_core.charts.drawing.replay_panel import phase_segments
from unlearn_core.charts.drawing.snapshots import snapshot_series
from unlearn_core.charts.drawing.theme import LIGHT
from unlearn_core.charts.report.replay import CHART, OLD_REPORT, figure, summary
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.explanations import SnapshotsResult
from unlearn_core.domain.results.result import ReportPart

REPORT = made_up_report()


def with_snapshots(report: Report, **changed: Any) -> Report:
    return report.with_result(report[SnapshotsResult].model_copy(update=changed))


def traces_of(drawn: go.Figure) -> list[Any]:
    """A figure's traces, of whatever kind."""
    return list(drawn.data)


def falling(forget: list[float], phases: list[str], *, gold: bool = True) -> Report:
    """A run whose forgotten pictures are named rightly in these shares; kept ones always are."""
    report = made_up_report(gold=gold)
    recorded = report[SnapshotsResult]
    labels = report.labels[recorded.ids]
    answers = np.repeat(labels[None], len(forget), 0)
    for moment, share in enumerate(forget):
        wrong = 40 - round(40 * share)
        answers[moment, :wrong] = (labels[:wrong] + 1) % 10
    logits = np.eye(10, dtype=np.float16)[answers] * 5
    maps = recorded.maps[: len(forget)]
    return with_snapshots(report, phases=phases, logits=logits, maps=maps, steps=np.arange(len(forget)) * 10)


def test_every_step_holds_its_moment() -> None:
    drawn, found = figure([REPORT], LIGHT), snapshot_series(REPORT)
    (slider,) = layout_of(drawn).sliders
    assert len(slider.steps) == len(found.snapshots) == 18 and slider.active == 17
    bars = next(at for at, trace in enumerate(traces_of(drawn)) if trace.type == "bar" and trace.name == "now")
    for moment, step in zip(found.snapshots, slider.steps, strict=True):
        moved, layout, traces = step.args
        assert step.method == "update"
        assert moved["x"][traces.index(bars)] == pytest.approx(moment.shares.tolist(), abs=1e-4)
        assert [traces_of(drawn)[at].name for at in traces] == ["now", "here", "now", "now"]
        still = [traces_of(drawn)[at].name for at in range(len(traces_of(drawn))) if at not in traces]
        assert still.count("retrained") == 3
        assert len([path for path in layout if path.endswith(".source")]) == 4
    layout = slider.steps[-1].args[1]
    images = [tuple(step.args[1][f"images[{at}].source"] for at in range(4)) for step in slider.steps]
    assert images[-1] == tuple(image.source for image in layout_of(drawn).images[:4])
    assert len(set(images)) >= 10, "the maps move"
    assert not any("images[4].source" in step.args[1] for step in slider.steps), "gold's do not"
    words = [
        layout_of(drawn).annotations[int(path.split("[")[1].split("]")[0])].text for path in layout if "text" in path
    ]
    assert words == [layout[path] for path in layout if "text" in path], "the last moment is the one that is drawn"


def test_it_needs_no_server() -> None:
    (slider,) = layout_of(figure([REPORT], LIGHT)).sliders
    sources = [value for step in slider.steps for path, value in step.args[1].items() if path.endswith("source")]
    assert all(source.startswith("data:image/webp;base64,") for source in sources)


def test_two_runs_share_one_slider_by_how_far_they_are() -> None:
    short = falling([1, 0.5, 0], ["impair", "impair", "repair"])
    drawn = figure([REPORT, short], LIGHT)
    (slider,) = layout_of(drawn).sliders
    assert slider.steps[0].label == "0\N{NO-BREAK SPACE}% of the run"
    assert [len(step.args[2]) for step in slider.steps] == [8] * len(slider.steps)
    cursors = [at for at, trace in enumerate(traces_of(drawn)) if trace.name == "now" and trace.type == "scatter"]
    ends = [moved["x"][traces.index(cursors[0])][0] for moved, _, traces in (step.args for step in slider.steps)]
    assert (ends[0], ends[-1]) == (0, 17)


def test_the_scale_of_a_picture_holds_for_all_moments_and_gold() -> None:
    """Where gold's evidence is a hundred times as strong, every moment's maps are dark: they change little."""
    gold_maps = REPORT[SnapshotsResult].gold_maps
    assert gold_maps is not None
    loud = with_snapshots(REPORT, gold_maps=gold_maps * 1000)
    plain, dark = ({step.args[1]["images[0].source"] for step in _steps(report)} for report in (REPORT, loud))
    assert plain != dark


def _steps(report: Report) -> Any:
    return layout_of(figure([report], LIGHT)).sliders[0].steps


def test_sentence_names_the_phase_that_forgot_and_gold() -> None:
    said = summary(falling([1, 0.9, 0.1, 0], ["noise", "impair", "impair", "repair"])).replace(
        "\N{NO-BREAK SPACE}", " "
    )
    assert said.startswith(
        "100 % of 40 tracked images of cat were classified correctly at the start and 0 % at the end (most of it in "
        "impair); retrained model: 0 % of the same images. The other classes went from 100 % to 100 %; retrained "
    )
    assert "most of it" not in summary(falling([1, 0.5, 0], ["train"] * 3)), "there is one phase only"
    assert "most of it" not in summary(falling([1, 1, 1], ["a", "b", "c"])), "nothing was forgotten"
    assert " via " in summary(_dipping())


def _dipping() -> Report:
    report = falling([1, 1, 0], ["impair", "impair", "repair"])
    logits = report[SnapshotsResult].logits.copy()
    logits[1, 40:] = logits[1, 40:, ::-1]
    return with_snapshots(report, logits=logits)


def test_a_run_of_an_older_release_says_so() -> None:
    recorded = REPORT[SnapshotsResult]
    part = ReportPart({}, {"logits": recorded.logits, "ids": recorded.ids, "step": recorded.steps})
    assert CHART.applies(replace(REPORT, parts={"snapshots": part})) == OLD_REPORT


def test_without_maps_the_rest_is_drawn() -> None:
    bare = with_snapshots(REPORT, no_maps="No map.", maps=np.zeros((18, 4, 0, 0), np.float16))
    drawn = figure([bare], LIGHT)
    assert not layout_of(drawn).images
    assert "No map." in [note.text for note in layout_of(drawn).annotations]


def test_a_moment_without_numbers_is_drawn_as_one_without_right_answers() -> None:
    logits, maps = REPORT[SnapshotsResult].logits.copy(), REPORT[SnapshotsResult].maps.copy()
    logits[5], maps[5] = np.nan, np.inf
    report = with_snapshots(REPORT, logits=logits, maps=maps)
    assert np.isfinite(snapshot_series(report).snapshots[5].true_logit).all()
    assert "nan" not in str(figure([report], LIGHT).to_json()).lower()
    assert "nan" not in CHART.alt_text(report)


def test_single_pictures_without_validation_ones() -> None:
    report = made_up_report(images=True)
    found = snapshot_series(report)
    assert "forget_val" not in found.snapshots[0].accuracy
    assert found.image_counts == {"forget": 20, "retain": 40}
    assert "of 20 forget images" in summary(report)


def test_one_moment_is_enough() -> None:
    report = falling([0.5], ["train"])
    assert len(_steps(report)) == 1
    assert "50" in summary(report)


def test_phases_are_stretches() -> None:
    assert phase_segments(["a", "a", "b", "a"]) == [("a", 0, 1), ("b", 2, 2), ("a", 3, 3)]


def test_a_run_of_points_has_a_map_that_moves_with_the_slider() -> None:
    count = len(snapshot_series(REPORT).snapshots)
    regions = np.stack([np.full((4, 4), moment % 3, np.uint8) for moment in range(count)])
    report = with_snapshots(REPORT, maps=np.zeros((count, 4, 0, 0), np.float16), regions=regions)
    drawn = figure([report], LIGHT)
    (slider,) = layout_of(drawn).sliders
    maps = [step.args[1]["images[0].source"] for step in slider.steps]
    assert maps[0] == maps[3] and len(set(maps)) == 3, "equal predictions, equal maps"
    assert layout_of(drawn).images[0].source == maps[-1], "the figure begins at the end"
    assert "a map of decision regions" in CHART.alt_text(report)


def test_without_maps_no_room_is_left_for_them() -> None:
    bare = with_snapshots(REPORT, maps=np.zeros((18, 4, 0, 0), np.float16), no_maps="It has no such layer.")
    assert layout_of(figure([bare], LIGHT)).height < layout_of(figure([REPORT], LIGHT)).height - 200
    assert "It has no such layer." in [note.text for note in layout_of(figure([bare], LIGHT)).annotations]
