"""What the charts of distances, features, weights and confusions must get right beyond what all promise."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.charts.fake_curves import agreement
from tests.charts.fake_reports import CAT, CLASSES, made_up_report
from tests.charts.layout import layout_of
from unlearn_core.charts.chart import ONE_GOLD, Chart
from unlearn_core.charts.drawing.theme import DARK, LIGHT
from unlearn_core.charts.report import (
    cka,
    confusion,
    distance,
    gold_metrics,
    layer_shift,
    summary_scores,
    zrf,
)
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.layer_comparison import (
    CkaResult,
    FeatureSimilarity,
    LayerSimilarity,
    WeightDistance,
    WeightDistanceResult,
)
from unlearn_core.domain.results.outputs import (
    ClosenessResult,
    GoldComparison,
    SummaryScoresResult,
    ZrfResult,
    ZrfValues,
)
from unlearn_core.domain.results.predictions import ConfusionResult
from unlearn_core.domain.results.result import ReportPart

REPORT = made_up_report()
TWINS = made_up_report(images=True)
WITHOUT = made_up_report(gold=False)


def with_facts(report: Report, name: str, **facts: Any) -> Report:
    part = ReportPart(report.parts[name].facts | facts, report.parts[name].arrays)
    return replace(report, parts={**report.parts, name: part})


def with_layers(report: Report, layers: list[LayerSimilarity]) -> Report:
    return report.with_result(report[CkaResult].model_copy(update={"layers": layers}))


def plain(words: str) -> str:
    return words.replace("\N{NO-BREAK SPACE}", " ")


def drawn(chart: Chart, report: Report) -> dict[str, Any]:
    return {trace.name: trace for trace in traces(chart, report) if trace.name}


def traces(chart: Chart, report: Report) -> Any:
    return chart.figure([report], LIGHT).data


def measured(before: float | None, after: float | None, golds: float | None) -> Report:
    values = {
        what: {"before-gold": before, "after-gold": after, "gold-twin": golds} for what in gold_metrics.GOLD_METRICS
    }
    same = agreement(0.3)
    agreements = {"before-gold": same, "after-gold": same, "gold-twin": None if golds is None else same}
    own = GoldComparison(images=100, values=values, agreement=agreements)
    return REPORT.with_result(ClosenessResult(sets={"forget_train": own}, reasons={}))


# Closeness.


def test_every_row_of_closeness_is_a_share_of_the_distance_before() -> None:
    marks = drawn(gold_metrics.CHART, TWINS)
    assert {"after", "two retrained"} <= marks.keys()
    values = TWINS[ClosenessResult].sets["forget_train"].values
    for at, what in enumerate(gold_metrics.GOLD_METRICS):
        for pair in ("after-gold", "gold-twin"):
            share = (values[what][pair] or 0) / (values[what]["before-gold"] or 1)
            assert marks[gold_metrics.PAIR_LABELS[pair]].x[at] == pytest.approx(min(share, 2))
    line = layout_of(gold_metrics.CHART.figure([TWINS], LIGHT)).shapes[0]
    assert line.x0 == line.x1 == 1, "before"


@pytest.mark.parametrize(("after", "at", "label"), [(0.2, 0.4, "40 %"), (0.75, 1.5, "150 %"), (5.0, 2.0, "1000 %")])
def test_what_is_left_of_a_distance_stands_beside_its_mark(after: float, at: float, label: str) -> None:
    figure = gold_metrics.CHART.figure([measured(0.5, after, None)], LIGHT)
    *_, mark, words = figure.data
    assert set(mark.x) == {at} == set(words.x) and {plain(text).strip() for text in words.text} == {label}
    assert layout_of(figure).xaxis.range[1] > at


def test_closeness_in_words() -> None:
    assert plain(gold_metrics.CHART.summary(measured(0.5, 0.2, 0.3))) == (
        "By 8 of 8 metrics, it is now closer to the retrained model, on training images of the forget set. The two "
        "agree on 30.0 % of them (95 % interval 25.0 % to 35.0 %); before: 30.0 %; a second retrained model: 30.0 %. "
        "As close as two retrained models by 8 of 8."
    )
    one_gold = plain(gold_metrics.CHART.summary(measured(0.2, 0.5, None)))
    assert one_gold.startswith("By 0 of 8") and one_gold.endswith(ONE_GOLD)


def test_equal_models_and_missing_values_can_be_drawn() -> None:
    for lacking in (measured(0.0, 0.0, 0.0), measured(0.5, None, None)):
        assert "after" not in drawn(gold_metrics.CHART, lacking)
        rows = layout_of(gold_metrics.CHART.figure([lacking], LIGHT)).yaxis.ticktext
        assert all(row.endswith("(no value)") for row in rows)
    assert "no value" not in gold_metrics.CHART.summary(measured(0.5, 0.1, None))


def test_a_set_that_a_request_leaves_empty_says_so() -> None:
    unseen = gold_metrics.CHART.variants["Forget set, test"]
    assert unseen.applies(REPORT) is True
    assert "Single forget images have no test images." in str(unseen.applies(TWINS))
    assert "test images of the retain set" in gold_metrics.CHART.variants["Retain set, test"].summary(TWINS)


# One gold, or two.


def test_one_gold_is_said_and_how_to_get_another() -> None:
    words = distance.CHART.summary(REPORT)
    assert "Spread unknown" in words
    assert "`python -m unlearn_core gold`" in words and "`--seed 1`" in words
    assert "Spread unknown" not in distance.CHART.summary(TWINS)
    for chart in (gold_metrics.CHART, zrf.CHART, cka.CHART, summary_scores.CHART):
        assert "Spread unknown: " in chart.summary(REPORT)
        assert "Spread unknown" not in chart.summary(TWINS)


# Summary scores.


def test_scores_are_drawn_below_the_gaps_that_they_are_made_of() -> None:
    marks, result = drawn(summary_scores.CHART, TWINS), TWINS[SummaryScoresResult]
    for model, name in (("before", "before"), ("after", "after"), ("twin", "two retrained")):
        *gaps, average, tow, tow_mia = marks[name].x
        assert gaps == pytest.approx(list(result.gaps(model).values()))
        assert average == pytest.approx(sum(gaps) / 4)
        assert 1 - tow == pytest.approx((1 - gaps[0]) * (1 - gaps[1]) * (1 - gaps[2]))
        assert 1 - tow_mia == pytest.approx((1 - gaps[3]) * (1 - gaps[1]) * (1 - gaps[2]))
    words = summary_scores.CHART.summary(TWINS)
    assert f"Tug of war is {result.tug_of_war('after'):.3f} of 1" in words
    assert f"A second retrained model is at {result.tug_of_war('twin'):.3f}" in words


def test_runs_of_earlier_releases_say_that_they_have_no_scores() -> None:
    parts = {name: part for name, part in REPORT.parts.items() if name != "summary_scores"}
    assert summary_scores.CHART.applies(replace(REPORT, parts=parts)) == summary_scores.EARLIER_RELEASE


# ZRF.


def test_zrf_names_gold_as_the_aim() -> None:
    values = {"before": 0.2, "after": 0.41, "gold": 0.45}
    models = {model: ZrfValues(proper=value, official=value) for model, value in values.items()}
    report = REPORT.with_result(REPORT[ZrfResult].model_copy(update={"models": models}))
    assert zrf.CHART.summary(report) == (
        f"ZRF went from 0.200 to 0.410; the retrained model, which is the aim, has 0.450. {ONE_GOLD}"
    )


def test_zrf_draws_one_row_a_model_on_one_scale_and_a_line_at_the_aim() -> None:
    figure = zrf.CHART.figure([TWINS], LIGHT)
    assert list(layout_of(figure).yaxis.ticktext) == ["before", "after", "retrained", "second retrained"]
    (aim,) = layout_of(figure).shapes
    assert aim.x0 == TWINS[ZrfResult].models["gold"].proper
    assert not layout_of(zrf.CHART.figure([WITHOUT], LIGHT)).shapes


def test_official_values_are_in_the_table_with_the_reason_where_one_is_missing() -> None:
    models = {"before": ZrfValues(proper=0.2, official=-0.7), "after": ZrfValues(proper=0.4, official=None)}
    reasons = {"after": "A probability is too small."}
    report = WITHOUT.with_result(WITHOUT[ZrfResult].model_copy(update={"models": models, "reasons": reasons}))
    assert zrf.CHART.table([report])["official"].tolist()[0] == -0.7
    assert zrf.CHART.table([report])["missing"].tolist() == ["", "A probability is too small."]


# CKA.


def test_cka_compares_all_with_the_retrained_model_and_has_gaps_where_there_is_no_value() -> None:
    assert list(drawn(cka.CHART, TWINS)) == ["two retrained", "before and retrained", "after and retrained"]
    labels = [label.text for label in layout_of(cka.CHART.figure([TWINS], LIGHT)).annotations]
    assert labels == ["two retrained", "before", "after"]
    assert list(drawn(cka.CHART, WITHOUT)) == ["before and after"]
    result = REPORT[CkaResult]
    undefined = dict.fromkeys(result.layers[2].pairs, FeatureSimilarity(unbiased=None, plain=None))
    rows = [row.model_copy(update={"pairs": undefined}) for row in result.layers]
    gap = with_layers(REPORT, [*result.layers[:2], rows[2], *result.layers[3:]])
    assert drawn(cka.CHART, gap)["after and retrained"].y[2] is None
    assert f"No value for {rows[2].layer}." in cka.CHART.summary(gap)
    assert cka.CHART.summary(with_layers(REPORT, rows)).endswith("any of 11 layers.")
    assert cka.CHART.figure([with_layers(REPORT, rows)], DARK).data


# Weights.


def test_each_view_of_the_weights_draws_its_own_figures() -> None:
    result = REPORT[WeightDistanceResult]
    for words, groups, what in (
        ("Relative", result.layers, "relative"),
        ("L2", result.layers, "l2"),
        ("By kind of weights", result.kinds, "relative"),
    ):
        gold = drawn(layer_shift.CHART.variants[words], REPORT)["retrained"]
        assert list(gold.y) == [getattr(group.pairs["before-gold"], what) for group in groups]
        assert list(gold.x) == [group.name for group in groups]
    assert "L2" in layer_shift.CHART.variants["L2"].summary(REPORT)


def test_the_pointer_names_tensors_and_shapes() -> None:
    hovered = drawn(layer_shift.CHART, REPORT)["retrained"].customdata
    assert "head.weight 10×64<br>head.bias 10" in hovered[-1][1]


def test_a_report_of_an_earlier_release_is_still_drawn() -> None:
    facts = REPORT.parts["layers"].facts
    rows = [{key: value for key, value in row.items() if key not in ("names", "kinds")} for row in facts["rows"]]
    old = ReportPart({"rows": rows, "buffers": facts["buffers"], "total": facts["total"]}, {})
    report = replace(REPORT, parts={**REPORT.parts, "layers": old})
    assert drawn(layer_shift.CHART, report)["retrained"].customdata[-1][1] == "10×64"
    assert layer_shift.CHART.summary(report) == layer_shift.CHART.summary(REPORT)
    assert "earlier release" in str(layer_shift.CHART.variants["By kind of weights"].applies(report))
    assert set(layer_shift.CHART.table([report])["what"]) == {
        "layer",
        "batch-norm statistics",
        "all weights as one vector",
    }
    assert {"kind of weights", "mean of the layers"} <= set(layer_shift.CHART.table([REPORT])["what"])


def test_two_golds_have_a_band_of_their_own() -> None:
    result, distance = REPORT[WeightDistanceResult], WeightDistance(l2=3.0, relative=0.8)
    layers = [layer.model_copy(update={"pairs": {**layer.pairs, "gold-twin": distance}}) for layer in result.layers]
    report = REPORT.with_result(result.model_copy(update={"layers": layers}))
    band = drawn(layer_shift.CHART, report)["two retrained models"]
    assert set(band.y) == {0.8} and band.mode == "lines"


# Confusions.


def confused(before: int, after: int, gold: int) -> Report:
    """Of 200 cats, so many are called dog; all else is right."""
    matrices = {}
    for model, count in (("before", before), ("after", after), ("gold", gold)):
        matrices[model] = 200 * np.eye(10, dtype=np.float32)
        matrices[model][CAT, CAT] -= count
        matrices[model][CAT, CLASSES.index("dog")] += count
    return REPORT.with_result(REPORT[ConfusionResult].model_copy(update={"matrices": matrices}))


def test_confusions_are_shares_of_the_true_class() -> None:
    figure = confusion.CHART.figure([confused(20, 128, 100)], LIGHT)
    heats = drawn(confusion.CHART, confused(20, 128, 100))
    assert list(heats) == ["before", "after", "retrained"]
    heat = heats["after"]
    assert np.array(heat.z)[CAT, CLASSES.index("dog")] == pytest.approx(0.8)
    assert plain(" ".join(map(str, heat.customdata[CAT][CLASSES.index("dog")]))) == "cat dog 128 64.0 %"
    assert {(trace.zmin, trace.zmax) for trace in heats.values()} == {(0, 1)}
    assert layout_of(figure).yaxis.range[0] > layout_of(figure).yaxis.range[1], "the first class is on top"
    _, written = traces(confusion.CHART.variants["after"], confused(20, 128, 100))
    fields = dict(zip(zip(written.y, written.x, strict=True), written.text, strict=True))
    assert fields == {(at, at): "36" if at == CAT else "100" for at in range(10)} | {(CAT, CLASSES.index("dog")): "64"}


def test_no_field_says_nought() -> None:
    _, written = traces(confusion.CHART.variants["after"], confused(1, 1, 1))
    assert "0" not in written.text and len(written.text) == 10


def test_confusions_in_words() -> None:
    assert plain(confusion.CHART.summary(confused(20, 128, 100))) == (
        "The error that grew most: 64.0 % of the test images of cat are predicted as dog, up 54.0 points. "
        "Retrained model: 50.0 %."
    )
    assert "No error became more frequent" in confusion.CHART.summary(confused(20, 20, 20))
    assert confusion.CHART.variants["retrained"].applies(WITHOUT) == WITHOUT.missing["gold"]


def test_a_class_without_unseen_pictures_is_an_empty_row() -> None:
    result = confused(0, 0, 0)[ConfusionResult]
    empty = result.matrices["after"].copy()
    empty[CAT] = 0
    report = REPORT.with_result(result.model_copy(update={"matrices": {**result.matrices, "after": empty}}))
    assert not confusion.class_shares(report, "after")[CAT].any()
    assert confusion.CHART.figure([report], LIGHT).data
