"""Pictures under heat maps: one scale a row, fair to all three models."""

import numpy as np
import pytest

from tests.charts.fake_reports import made_up_report
from tests.charts.layout import layout_of
from unlearn_core.charts.drawing.heatmap_overlay import MIN_SIZE, colorize, colorize_difference, upscale
from unlearn_core.charts.drawing.heatmap_rows import HeatmapRow
from unlearn_core.charts.drawing.theme import LIGHT
from unlearn_core.charts.report.gradcam import figure, heatmap_rows
from unlearn_core.domain.report import MODELS, Report
from unlearn_core.domain.results.explanations import CamResult, ExplainedImage, Explanation

REPORT = made_up_report()
GREY = np.full((32, 32, 3), 128, np.uint8)


def one_card(peaks: dict[str, float], *, target: int = 3, forgotten: bool = True) -> Report:
    """A report with one grey picture of a cat, whose maps are flat at these heights."""
    models = {
        model: Explanation(predicted=5, probability=0.61, target_probability=0.1, peak=peak)
        for model, peak in peaks.items()
    }
    where = "forget_test" if forgotten else "retain_test"
    shown = ExplainedImage(image=1, set=where, label=3, target=target, models=models)
    maps = {model: np.full((1, 4, 4), peak, np.float32) for model, peak in peaks.items()}
    return REPORT.with_result(CamResult(images=[shown], layer="x", pixels=GREY[None], maps=maps))


def test_forgotten_pictures_come_first() -> None:
    cam = REPORT[CamResult]
    maps = {model: own[::-1] for model, own in cam.maps.items()}
    turned = CamResult(images=cam.images[::-1], layer=cam.layer, pixels=cam.pixels[::-1], maps=maps)
    assert [row.forgotten for row in heatmap_rows(REPORT, turned)] == [True] * 3 + [False] * 3
    assert (heatmap_rows(REPORT, turned)[0].cells[0].image == heatmap_rows(REPORT)[2].cells[0].image).all()


def test_cells_and_captions() -> None:
    row = heatmap_rows(one_card({"before": 2.0, "after": 1.0, "gold": 1.0}))[0]
    captions = [cell.caption.replace("\N{NO-BREAK SPACE}", " ") for cell in row.cells]
    assert captions == [
        "cat, forget set",
        "before · dog 61 %",
        "after · dog 61 %",
        "retrained · dog 61 %",
        "after − retrained",
    ]
    assert all(cell.image.dtype == np.uint8 for cell in row.cells)
    assert {cell.image.shape for cell in row.cells} == {(MIN_SIZE, MIN_SIZE, 3)}


def test_maps_of_a_row_share_one_scale() -> None:
    low, high = (heatmap_rows(one_card({"before": 4.0, "after": peak, "gold": 1.0}))[0] for peak in (1.0, 4.0))
    before, after, gold = (cell.image.astype(int) for cell in low.cells[1:4])
    assert (after == gold).all(), "equal evidence looks equal"
    assert not (after == before).all(), "a quarter of the evidence does not look like all of it"
    assert (high.cells[2].image == high.cells[1].image).all()
    assert (high.cells[1].image == low.cells[1].image).all()


def test_no_evidence_stays_dark() -> None:
    row = heatmap_rows(one_card(dict.fromkeys(MODELS, 0.0)))[0]
    assert (row.cells[1].image == colorize(upscale(GREY), np.zeros((4, 4)))).all()
    assert row.words == "There was no evidence for cat before. There is none after either."


def test_difference_is_bare_at_zero_and_tells_its_sign() -> None:
    same, more, less = (colorize_difference(GREY, np.full((4, 4), gap)).astype(int) for gap in (0.0, 1.0, -1.0))
    assert (same == GREY).all()
    assert more[0, 0, 2] > more[0, 0, 0], "after's colour is blue"
    assert less[0, 0, 0] > less[0, 0, 2], "gold's is not"


def test_pictures_are_enlarged_smoothly_on_the_server() -> None:
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (32, 32, 3)).astype(np.uint8)
    assert upscale(small).shape == (160, 160, 3)
    assert upscale(np.zeros((64, 64, 3), np.uint8)).shape == (192, 192, 3)
    assert upscale(np.zeros((64, 64, 3), np.uint8), side=96).shape == (192, 192, 3)
    assert len(np.unique(upscale(small))) > 200


@pytest.mark.parametrize(("side", "shown"), [(96, 288), (128, 256), (160, 320), (224, 224), (256, 256)])
def test_large_images_do_not_grow_without_need(side: int, shown: int) -> None:
    assert upscale(np.zeros((side, side, 3), np.uint8)).shape == (shown, shown, 3)


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (0.21, "The evidence for cat is gone. The peak fell to 0.21 of before; retrained: 0.18."),
        (0.5, "The evidence for cat is weaker. The peak fell to 0.50 of before; retrained: 0.18."),
        (1.0, "The evidence for cat is still there. The peak came to 1.00 of before; retrained: 0.18."),
        (1.5, "The evidence for cat has grown. The peak rose to 1.50 of before; retrained: 0.18."),
    ],
)
def test_words_come_from_the_peaks(after: float, words: str) -> None:
    assert heatmap_rows(one_card({"before": 2.0, "after": 2 * after, "gold": 0.36}))[0].words == words


def test_without_gold_there_is_no_difference() -> None:
    row = heatmap_rows(one_card({"before": 2.0, "after": 1.0}))[0]
    assert [cell.caption.split(" ")[0] for cell in row.cells[1:]] == ["before", "after"]
    assert "retrained" not in row.words


def test_a_query_is_shown_with_both_differences() -> None:
    report = one_card({"before": 2.0, "after": 1.0, "gold": 1.0})
    (row,) = heatmap_rows(report, report[CamResult], differences=("before", "gold"))
    assert [cell.caption for cell in row.cells[4:]] == ["after − before", "after − retrained"]
    assert (row.cells[5].image == row.cells[0].image).all(), "equal maps have no difference"
    assert not (row.cells[4].image == row.cells[0].image).all()
    report = one_card({"before": 2.0, "after": 1.0})
    (row,) = heatmap_rows(report, report[CamResult], differences=("before", "gold"))
    assert [cell.caption for cell in row.cells[3:]] == ["after − before"]


def of_query(**changes: object) -> HeatmapRow:
    """The row of a query about the grey picture, whose image has these other fields."""
    report = one_card({"before": 2.0, "after": 0.2})
    cam = report[CamResult]
    algorithm = changes.pop("algorithm", "gradcam")
    images = [cam.images[0].model_copy(update=changes)]
    (row,) = heatmap_rows(report, cam.model_copy(update={"images": images, "algorithm": algorithm}))
    return row


def test_an_uploaded_image_has_no_class_of_its_own() -> None:
    row = of_query(image=None, set="upload", label=None)
    assert (row.title, row.cells[0].caption) == ("Your image, evidence for cat", "your image")


def test_finercam_names_the_classes_that_it_compares_with() -> None:
    row = of_query(algorithm="finercam", compared=[5, 4])
    assert row.title == "Cat, forget set, evidence for cat against dog and deer"
    assert row.words.startswith("The evidence for cat against dog and deer is gone.")


def test_scorecam_says_nothing_about_the_amount_of_evidence() -> None:
    row = of_query(algorithm="scorecam")
    assert row.words == "This is where the layer's channels raise cat. Compare places, not brightness."


def test_asking_for_another_class_is_said() -> None:
    row = heatmap_rows(one_card({"before": 2.0, "after": 1.0}, target=5, forgotten=False))[0]
    assert row.title == "Cat, retain set, evidence for dog"
    assert "evidence for dog" in row.words


def test_the_figure_shows_every_cell_as_a_picture() -> None:
    drawn = figure([REPORT], LIGHT)
    assert len(layout_of(drawn).images) == 6 * 5
    assert all(image.source.startswith("data:image/") for image in layout_of(drawn).images)
    assert all(0 <= image.y <= 1 and image.sizing == "contain" for image in layout_of(drawn).images)


def test_an_algorithm_that_asks_about_no_class_is_not_said_to_show_evidence() -> None:
    report = one_card({"before": 2.0, "after": 1.0, "gold": 1.0}, target=5)
    (row,) = heatmap_rows(report, report[CamResult].model_copy(update={"algorithm": "eigencam"}))
    assert row.title == "Cat, forget set, class-independent"
    assert row.words.endswith("The peak after is 0.50 of before; retrained: 0.50.")
    assert "evidence" not in row.words
