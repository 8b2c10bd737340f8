"""The pages of runs, of comparisons and of forget sets open whichever sets of a split are empty."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from tests.charts.text.test_empty_sets import COLUMNS, HELD_OUT, IMAGES, IN_TURN, run
from tests.data import sparse_dataset
from tests.pages.conftest import Visit
from tests.pages.page_asserts import fine, words
from unlearn_core.charts.chart import SECTIONS
from unlearn_core.domain.forget_request import Forget

UNDEFINED = re.compile(r"\bnan\b")


@pytest.fixture(autouse=True)
def mine(home: Path) -> Iterator[None]:
    sparse_dataset.forget_images()
    yield
    sparse_dataset.forget_images()


@pytest.mark.slow
@pytest.mark.parametrize("empty", IN_TURN, ids=" ".join)
@pytest.mark.parametrize("forget", [COLUMNS, IMAGES], ids=["classes", "images"])
def test_pages_of_a_run(visit: Visit, home: Path, empty: Collection[str], forget: Forget) -> None:
    number = str(run(home, empty, forget, gold=True).run)
    for section in SECTIONS:
        assert not UNDEFINED.search(words(fine(visit("run", id=number, tab=section)))), section
    for page, query in (
        ("compare", {"runs": f"{number},{number}"}),
        ("history", {}),
        ("classifier", {"classifier": sparse_dataset.NAME}),
        ("forget", {"classifier": sparse_dataset.NAME, "forget": "columns"}),
        ("method", {"classifier": sparse_dataset.NAME, "forget": "columns"}),
        ("datasets", {"dataset": sparse_dataset.NAME}),
    ):
        assert not UNDEFINED.search(words(fine(visit(page, **query)))), page


def test_a_class_without_training_images_cannot_be_chosen(visit: Visit, home: Path) -> None:
    counts = {split: list(numbers) for split, numbers in sparse_dataset.FULL.items()}
    counts["train"][1] = 0
    sparse_dataset.bring(home, counts)
    app = fine(visit("forget", classifier=sparse_dataset.NAME, forget="columns"))
    assert "There is no training image to forget" in words(app)
    assert app.button(key="strip-run").disabled
    assert app.button(key="next").disabled
    note = "The class “columns” has no training image"
    assert note in words(fine(visit("datasets", dataset=sparse_dataset.NAME)))


def test_a_run_without_held_out_images_is_shown(visit: Visit, home: Path) -> None:
    number = str(run(home, HELD_OUT, COLUMNS, gold=True).run)
    app = fine(visit("run", id=number))
    assert "so what was retained was not measured" in words(app)
    assert not UNDEFINED.search(words(app))
