"""Choosing images by the names of their files, and classes whatever they are called."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.data import own_dataset
from tests.pages.conftest import Visit
from tests.pages.lab.gallery_steps import labels, listed
from tests.pages.page_asserts import fine, foot, label, words
from unlearn_core.ui.gallery.image_texts import short_name

LABEL = "say *hi* 15 ✓ 48 % 15.png, image of the class say *hi*, predicted correctly, file top/d/15.png"
NAMES = ("tench, Tinca tinca", "dog", "Dog", "say *hi*")
PATHS = [f"top/{'abcd'[number % 4]}/{number}.png" for number in range(16)] + [f"top/x/{n}.png" for n in range(16, 24)]


def opened(visit: Visit, home: Path, text: str = "", paths: list[str] | None = PATHS, **query: str) -> AppTest:
    own_dataset.add(home, NAMES, paths)
    app = fine(visit("forget", **({"classifier": "own", "images": ""} | query)))
    return fine(app.text_area(key="files-own-set").set_value(text).run()) if text else app


def test_names_that_are_all_there_are_selected_by_a_click(visit: Visit, home: Path) -> None:
    app = opened(visit, home, "top/a/4.png\n\n13.png", images="7")
    assert "**1** found by the whole path." in words(app)
    assert "- 13.png → image 13" in words(app)
    assert app.query_params["images"] == "7", "nothing is selected before the click"
    assert app.button(key="take-files").label == "Select the 2 images"
    fine(app.button(key="take-files").click().run())
    assert app.query_params["images"] == "4,7,13" and foot(app)[0] == "3 in the forget set"
    assert "The 2 images found are selected." in words(app)
    assert "take-files" not in {button.key for button in app.button}


def test_names_that_are_not_there_are_listed_and_left_out_only_by_choice(visit: Visit, home: Path) -> None:
    lost = [f"*lost* {number}.png" for number in range(25)]
    app = opened(visit, home, "\n".join(["3.png", "20.png", *lost]))
    assert ":red[**25** of the names are not in this data set:]" in words(app)
    assert "- \\*lost\\* 19.png\n- … and 5 more" in words(app)
    assert ":red[**1** of the names is not of training images but of validation or test images" in words(app)
    assert app.button(key="take-files").label == "Go on with only the 1 image found"
    fine(app.button(key="take-files").click().run())
    assert app.query_params["images"] == "3"


def test_nothing_can_be_selected_where_nothing_is_found(visit: Visit, home: Path) -> None:
    app = opened(visit, home, "lost.png")
    assert "take-files" not in {button.key for button in app.button}
    assert foot(app) == ()


def test_a_name_of_several_files_is_not_guessed(visit: Visit, home: Path) -> None:
    app = opened(visit, home, "1.png", ["a/1.png", "b/1.png", *PATHS[2:]])
    assert "of several files, so more of the path is needed" in words(app)
    app = fine(app.text_area(key="files-own-set").set_value("b/1.png").run())
    fine(app.button(key="take-files").click().run())
    assert app.query_params["images"] == "1"


def test_the_gallery_shows_and_finds_file_names(visit: Visit, home: Path) -> None:
    app = opened(visit, home)
    assert labels(app)[-1] == LABEL and len(labels(app)) == 16
    app = fine(app.text_input(key="gallery-file").set_value(" TOP/B").run())
    assert listed(app) == [1, 5, 9, 13]
    fine(app.text_input(key="gallery-file").set_value("nowhere").run())
    assert "No image matches." in words(app)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"classifier": "own"}, "Own set has no file names: it is not made of files, or an earlier release"),
        ({"classifier": "tiny"}, "is not made of files, so its images have no file names."),
    ],
)
def test_a_data_set_without_file_names_says_so(visit: Visit, home: Path, query: dict[str, str], sentence: str) -> None:
    app = opened(visit, home, paths=None, **query)
    assert sentence in words(app)
    assert not app.text_area and " file " not in labels(app)[0]


def test_a_long_name_is_shortened_in_its_middle() -> None:
    assert short_name("a/b/IMG_1.jpg") == "IMG_1.jpg"
    assert short_name("a/" + "x" * 40 + "0001.jpeg") == "x" * 11 + "…" + "xxx0001.jpeg"


@pytest.mark.parametrize(
    ("text", "ticked"),
    [
        ("tench, Tinca tinca", [0]),
        ('"tench, Tinca tinca"', [0]),
        ("tench, Tinca tinca,Dog", [0, 2]),
        ('"dog","say *hi*"', [1, 3]),
    ],
)
def test_a_class_of_any_name_is_in_the_address(visit: Visit, home: Path, text: str, ticked: list[int]) -> None:
    app = _classes(visit, home, text)
    assert [box.key for box in app.checkbox if box.value] == [f"class-own-set-{number}" for number in ticked]
    again = _classes(visit, home, app.query_params["forget"])
    assert again.query_params["forget"] == app.query_params["forget"]


def test_ticking_a_class_writes_an_address_that_opens(visit: Visit, home: Path) -> None:
    app = _classes(visit, home, "tench, Tinca tinca")
    fine(app.checkbox(key="class-own-set-2").check().run())
    assert app.query_params["forget"] == "tench, Tinca tinca,Dog"
    assert label(_classes(visit, home, "tench, Tinca tinca,Dog"), "strip-forget") == label(app, "strip-forget")


def _classes(visit: Visit, home: Path, text: str) -> AppTest:
    if not (home / "datasets").exists():
        own_dataset.add(home, NAMES)
    return fine(visit("forget", classifier="own", forget=text))
