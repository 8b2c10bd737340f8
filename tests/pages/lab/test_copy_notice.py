"""The notice on the forget page that retained images are copies of forget images."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.data import sparse_dataset
from tests.pages.conftest import Visit
from tests.pages.page_asserts import fine, foot, words
from unlearn_core.data import user_catalog
from unlearn_core.data.duplicates import record

NOTICE = "of forget images"


@pytest.fixture(autouse=True)
def mine(home: Path) -> Iterator[None]:
    sparse_dataset.forget_images()
    yield
    sparse_dataset.forget_images()


def test_a_copy_of_a_selected_image_is_named_and_one_click_selects_it(visit: Visit) -> None:
    app = fine(visit("forget", images="84"))
    assert "1 retained training image is an exact or near copy of forget images: what it teaches stays." in words(app)
    assert "copy: horse 8357" in words(app)
    fine(app.button(key="take-copies").click().run())
    assert app.query_params["images"] == "84,8357"
    assert foot(app)[0] == "2 in the forget set"
    assert NOTICE not in words(app)


def test_an_image_without_copies_has_no_notice(visit: Visit) -> None:
    assert NOTICE not in words(fine(visit("forget", images="3")))
    assert NOTICE not in words(fine(visit("forget", classifier="tiny", forget="discs")))


def test_a_request_of_classes_names_the_classes_of_the_copies(visit: Visit, home: Path) -> None:
    _with_copies(home)
    app = fine(visit("forget", classifier=sparse_dataset.NAME, forget="columns"))
    assert "2 retained training images are exact or near copies" in words(app)
    assert "1 retained validation or test image is an exact or near copy" in words(app)
    assert "Forget rows as well" in words(app)
    assert not [button for button in app.button if button.key == "take-copies"]
    assert NOTICE not in words(fine(visit("forget", classifier=sparse_dataset.NAME, forget="checks")))


def test_no_page_waits_for_the_search(visit: Visit, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _with_copies(home)
    (home / "datasets" / sparse_dataset.NAME / record.RECORD_FILE).unlink()
    gate, search = threading.Event(), record.find_duplicates
    monkeypatch.setattr(record, "find_duplicates", lambda *given: (gate.wait(60), search(*given))[1])
    app = fine(visit("forget", classifier=sparse_dataset.NAME, forget="columns"))
    assert "Looking for copies" in words(app)
    gate.set()
    for thread in [one for one in threading.enumerate() if one.name.startswith("copies in")]:
        thread.join(60)
    assert NOTICE in words(fine(app.run()))


def _with_copies(home: Path) -> None:
    """Two training images and one test image of rows are copies of columns."""
    sparse_dataset.bring(home, sparse_dataset.FULL)
    file = home / "datasets" / sparse_dataset.NAME / user_catalog.IMAGES_FILE
    images = np.load(file, allow_pickle=False)
    images[[0, 1, 144]] = images[[30, 31, 32]]
    np.save(file, images)
    record.record_duplicates(file.parent, images)
