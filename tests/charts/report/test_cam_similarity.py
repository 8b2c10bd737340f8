"""Likeness of maps in words: beside gold where there is one, and where maps are flat."""

from tests.charts.fake_reports import made_up_report
from tests.charts.layout import layout_of
from unlearn_core.charts.chart import NO_GOLD
from unlearn_core.charts.drawing.theme import LIGHT
from unlearn_core.charts.report.cam_similarity import CHART, OLD_REPORT, summary
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.explanations import CamResult, MapSimilarity, Quartiles

REPORT = made_up_report()


def ranked(blank: int = 0, **ranks: float | None) -> Report:
    """The report with these median rank correlations on both sides, by pair (before_after=0.5)."""
    gold = "before_gold" in ranks
    report = made_up_report(gold=gold)

    def one(rank: float | None) -> MapSimilarity:
        quartiles = None if rank is None else Quartiles(rank - 0.1, rank, rank + 0.1)
        return MapSimilarity(images=40, flat=blank, cosine=quartiles, rank=quartiles, top=quartiles)

    pairs = {pair.replace("_", "-"): one(rank) for pair, rank in ranks.items()}
    similarity = {"forget": pairs, "retain": pairs}
    return report.with_result(report[CamResult].model_copy(update={"similarity": similarity}))


def test_after_is_held_against_what_gold_and_before_have_in_common() -> None:
    same = summary(ranked(before_after=0.5, gold_after=0.3, before_gold=0.45))
    assert same.startswith(
        "On forget images, the maps before and after have a rank correlation of 0.50, similar to before and retrained "
        "(0.45); after and retrained have 0.30. On retained images"
    )
    assert "higher than before and retrained" in summary(ranked(before_after=0.9, gold_after=0.3, before_gold=0.45))
    assert "lower than before and retrained" in summary(ranked(before_after=0.1, gold_after=0.3, before_gold=0.45))


def test_without_gold_it_says_so() -> None:
    assert summary(ranked(before_after=0.5)).endswith(NO_GOLD)


def test_flat_maps_are_said_and_may_be_all_there_is() -> None:
    assert "On 7 of 40 forget images one map is flat" in summary(ranked(blank=7, before_after=0.5))
    assert "flat" in str(CHART.applies(ranked(blank=40, before_after=None)))


def test_a_run_that_was_measured_earlier_says_so() -> None:
    cam = REPORT[CamResult]
    old = CamResult(images=cam.images, layer=cam.layer, pixels=cam.pixels, maps=cam.maps)
    assert "similarity" not in old.to_part().facts
    assert CHART.applies(REPORT.with_result(old)) == OLD_REPORT


def test_each_pair_has_a_row_of_its_own_and_only_where_it_has_a_value() -> None:
    report = ranked(before_after=0.5, gold_after=None, before_gold=0.45)
    figure = CHART.figure([report], LIGHT)
    rows = list(layout_of(figure).yaxis.ticktext)
    assert rows == [
        f"<b>{side}</b><br>{pair}"
        for side in ("forget", "retained")
        for pair in ("before and after", "before and retrained")
    ]
    lines = [trace for trace in figure.data if trace.name == "reference"]
    assert [set(line.x) for line in lines] == [{0.45}, {0.45}], "one reference a side"


def test_each_way_to_compare_maps_has_a_scale_of_its_own() -> None:
    report = ranked(before_after=0.5, gold_after=0.3, before_gold=0.45)
    titles = [layout_of(chart.figure([report], LIGHT)).xaxis.title.text for chart in CHART.variants.values()]
    assert len(set(titles)) == len(titles) == 3
