"""The relearn chart says no more than its curves, however the comparison with gold comes out."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.charts.fake_reports import made_up_report
from tests.charts.layout import layout_of
from tests.charts.test_figures import plain
from unlearn_core.charts.chart import NO_GOLD
from unlearn_core.charts.drawing.theme import LIGHT
from unlearn_core.charts.privacy import relearn
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.privacy import EvaluatedImages, EvaluatedSet, RelearnResult, RelearnTimes
from unlearn_core.domain.results.relearn_protocol import EVAL_STEPS, anamnesis_index

REPORT = made_up_report()
Times = tuple[int | None, ...]


def told(after: Times, gold: Times | None, **values: Any) -> Report:
    """A report whose nets were back after these steps: the time of the mean first, then those of the draws."""
    own = {"after": after, "fresh": (None, None, None)} | ({} if gold is None else {"gold": gold})
    index = "There is no index without gold." if gold is None else anamnesis_index(after[0], gold[0])
    values |= {
        "models": {name: RelearnTimes(time=times[0], by_draw=times[1:]) for name, times in own.items()},
        "index": None if isinstance(index, str) else index,
    }
    return REPORT.with_result(REPORT[RelearnResult].model_copy(update=values))


@pytest.mark.parametrize(
    ("after", "gold", "words"),
    [
        (
            (3, 3, 4),
            (12, 10, 15),
            "Relearned in 3 steps; the retrained model takes 12: some information was left (anamnesis index 0.25).",
        ),
        (
            (0, 0, 0),
            (12, 10, 15),
            "Relearned before the first step; the retrained model takes 12: some information was left (anamnesis index",
        ),
        ((12, 8, 15), (10, 10, 12), "so no difference to a model that was not trained on them is visible (anam"),
        (
            (25, 20, 32),
            (10, 8, 10),
            "takes 10: it learns more slowly than a model that was not trained on them, so unlearning did",
        ),
        (
            (1, 1, 1),
            (None, 32, None),
            "Relearned in 1 step; the retrained model does not get there within 32: some information was left.",
        ),
        (
            (None, None, None),
            (10, 8, 12),
            "Not relearned within 32 steps; the retrained model takes 10: it learns more slowly",
        ),
        (
            (None, None, None),
            (None, None, None),
            "retrained model does not get there within 32: neither relearns, so no difference",
        ),
        ((0, 0, 0), (0, 0, 0), "Relearned before the first step; the retrained model needs none: the draws overlap"),
        ((3, 3, 4), None, f"Relearned in 3 steps. {NO_GOLD}"),
    ],
)
def test_the_sentence_compares_with_gold(after: Times, gold: Times | None, words: str) -> None:
    said = plain(relearn.summary(told(after, gold)))
    assert words in said
    assert ("anamnesis" in said) == (gold is not None and None not in (after[0], gold[0]) and gold[0] != 0)
    assert "A fresh model does not get there within 32." in said


@pytest.mark.parametrize(
    ("kind", "count", "words"),
    [
        ("forget_val", 50, "evaluated on 50 validation images; relearned means 86 % accuracy."),
        ("forget_train", 7, "evaluated on 7 other forget images;"),
        ("taught", 1, "Fine-tuned and evaluated on the same image, as there are no others."),
    ],
)
def test_it_says_who_was_asked(kind: EvaluatedSet, count: int, words: str) -> None:
    evaluated = EvaluatedImages(set=kind, forget=count, retain=50)
    assert words in plain(relearn.summary(told((3,), (9,), evaluated=evaluated)))


def test_what_calls_everything_alike_is_drawn_thin_and_never_counts() -> None:
    figure: Any = relearn.figure([REPORT], LIGHT)
    by_name = {trace.name: trace for trace in figure.data if trace.mode == "lines+markers"}
    assert set(by_name) == {"after", "retrained", "fresh model"}
    assert list(by_name["fresh model"].y) == [None] * len(EVAL_STEPS)
    assert None not in by_name["after"].y
    thin = [trace for trace in figure.data if trace.line.width == 1 and len(trace.y) == len(EVAL_STEPS)]
    assert len(thin) == 3 and all(max(trace.y) > 0.9 for trace in thin)
    texts = [note.text for note in layout_of(figure).annotations]
    heights = {trace.name: trace.y[0] for trace in figure.data if trace.mode == "lines" and len(trace.y) == 2}
    assert heights == {"before": 0.9, "counts as relearned": 0.95 * 0.9}
    assert "fresh model, never" in texts and any(text.startswith("before 90") for text in texts)


def test_the_band_spans_the_draws() -> None:
    result = REPORT[RelearnResult]
    draws = np.stack([np.full(len(EVAL_STEPS), share, np.float32) for share in (0.2, 0.5, 0.8)])
    report = REPORT.with_result(result.model_copy(update={"forget": {**result.forget, "after": draws}}))
    figure: Any = relearn.figure([report], LIGHT)
    (band,) = [trace for trace in figure.data if trace.name == "draws, after"]
    assert (min(band.y), max(band.y)) == pytest.approx((0.2, 0.8))


def test_an_unasked_report_says_that_one_has_to_ask() -> None:
    assert "only measured on request" in str(relearn.CHART.applies(replace(REPORT, parts={})))
