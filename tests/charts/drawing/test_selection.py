"""What is said of a class, layer or image that is highlighted in all charts."""

from unlearn_core.charts.drawing.selection import MISSING, Selection, selection_rows
from unlearn_core.store.files import shipped_runs


def test_an_image_without_outputs_has_no_predictions() -> None:
    report = shipped_runs.read_report(shipped_runs.named("unsir-ship").id)
    predictions = []
    for rows in (report.split.retain_test, report.split.retain_train):  # Outputs on the latter do not ship.
        image = int(rows[0])
        said = dict(selection_rows([report], Selection(image=image)))
        predictions += said[f"image {image}: prediction"]
    assert " → " in predictions[0] and "%" in predictions[0] and predictions[1] == MISSING
