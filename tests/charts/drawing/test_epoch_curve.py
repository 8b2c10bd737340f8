"""The curve of a training: one point an epoch, and a sentence with its figures."""

import numpy as np

from unlearn_core.charts.drawing.epoch_curve import figure, summary
from unlearn_core.charts.drawing.theme import DARK, LIGHT
from unlearn_core.domain.results.course import TrainingResult


def training(loss: list[float], right: list[float]) -> TrainingResult:
    return TrainingResult(epochs=5, images=80, classes=4, loss=np.array(loss), accuracy=np.array(right))


def said(loss: list[float], right: list[float]) -> str:
    return summary(training(loss, right)).replace("\N{NO-BREAK SPACE}", " ")


def test_the_sentence_has_the_last_figures_and_the_best_where_it_was_better() -> None:
    assert said([1.2, 0.5], [0.4, 0.6]) == (
        "After epoch 2 of 5 the mean training loss is 0.500. Accuracy on 80 validation images is 60.0 %; "
        "guessing would give 25.0 %."
    )
    assert "(best: 70.0 %, after epoch 1)" in said([1.2, 0.5], [0.7, 0.6])
    assert "best" not in said([1.2, 0.5, 0.4], [0.7, 0.6, 0.7])
    assert "no validation images" in said([1.2], [np.nan])


def test_both_lines_are_drawn_over_all_planned_epochs() -> None:
    for theme in (LIGHT, DARK):
        drawn = figure(training([1.2, 0.5], [0.4, 0.6]), theme)
        assert [list(trace.y) for trace in drawn.data] == [[1.2, 0.5], [0.4, 0.6]]  # type: ignore[union-attr]
        assert tuple(drawn.layout.xaxis.range) == (0.5, 5.5)  # type: ignore[union-attr]
