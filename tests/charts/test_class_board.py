"""The charts of a class board: counts beside choices, and runs by what they forgot and kept."""

from datetime import UTC, datetime

from unlearn_core.charts import class_board
from unlearn_core.charts.drawing.theme import DARK, LIGHT
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import Priority, Run, RunState
from unlearn_core.engine.build_spec import run_spec

CHOICES = ("nothing is left", "about half, as with the retrained model", "everything")


def run(number: int, forget: float | None, retain: float | None, *, train: float | None = None) -> Run:
    sets = {"forget_test": forget, "retain_test": retain, "forget_train": train}
    now = datetime.now(UTC)
    return Run(
        id=number,
        spec=run_spec("tiny", method="finetune", classes=[0]),
        title=f"Run {number}",
        state=RunState.DONE,
        owner="local",
        priority=Priority.INTERACTIVE,
        group=None,
        parent=None,
        note="",
        device="cpu",
        attempt=1,
        created=now,
        started=now,
        finished=now,
        error=None,
        progress=None,
        metrics=RunMetrics(accuracy={"after": sets, "gold": sets}),
        cancelling=False,
    )


def test_every_choice_has_a_bar_and_the_result_is_marked_only_when_shown() -> None:
    hidden = class_board.choices_figure(CHOICES, {1: 4}, LIGHT)
    assert list(hidden.data[0].x) == [0, 4, 0] and list(hidden.data[0].text) == ["0", "4", "0"]
    shown = class_board.choices_figure(CHOICES, {1: 4}, DARK, right=(1,))
    assert shown.data[0].text[1].startswith("4") and "what happened" in shown.data[0].text[1]
    assert len(set(shown.data[0].marker.color)) == 2 and len(set(hidden.data[0].marker.color)) == 1
    assert class_board.choices_sentence("What?", CHOICES, {1: 4}).endswith("everything: 0 of 4.")


def test_runs_stand_where_their_accuracies_are() -> None:
    runs = [run(1, 0.0, 0.8), run(2, None, 0.9, train=0.4), run(3, None, None)]
    figure = class_board.runs_figure(runs, LIGHT)
    assert [list(trace.x) for trace in figure.data] == [[0.0, 0.4], [0.0, 0.4]]
    assert [text.partition(":")[0] for text in figure.data[1].hovertext] == ["run 1", "run 2"]
    said = class_board.runs_sentence(runs).replace("\N{NO-BREAK SPACE}", " ")
    assert said == "2 finished runs: forget accuracy from 0 % to 40 % and retain accuracy from 80 % to 90 %."
    assert class_board.runs_sentence(runs[2:]) == "No run of this room is finished yet."
    assert class_board.runs_sentence(runs[:1]).startswith("1 finished run: forget accuracy 0")
