"""How a forget set is named in titles."""

import pytest

from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetImages, ForgetRequest
from unlearn_core.domain.jobs import TrainGoldSpec
from unlearn_core.domain.report import describe_forget_set, gold_title


def card(size: int) -> DatasetCard:
    classes = ("bird", "cat", "dog")
    return DatasetCard(
        id="x", title="X", summary="", classes=classes, size=size, train=30, val=6, test=9, licence="", source=""
    )


@pytest.mark.parametrize(
    ("forget", "size", "words"),
    [
        (ForgetClasses(classes=(1,)), 4, "cat"),
        (ForgetClasses(classes=(0, 1, 2)), 4, "bird, cat and dog"),
        (ForgetImages(images=(7,)), 4, "1 image"),
        (ForgetImages(images=tuple(range(1_200))), 4, "1,200 images"),
        (ForgetImages(images=(7,)), 1, "1 point"),
        (ForgetImages(images=(7, 8)), 1, "2 points"),
    ],
)
def test_a_forget_set_in_words(forget: Forget, size: int, words: str) -> None:
    assert describe_forget_set(forget, card(size)) == words


def test_a_retraining_run_is_titled_by_its_forget_set() -> None:
    request = ForgetRequest(classifier="n", dataset="x", forget=ForgetClasses(classes=(1,)))
    assert gold_title(TrainGoldSpec(request=request), card(4)) == "Retrain without cat"
    assert gold_title(TrainGoldSpec(request=request, seed=1), card(4)) == "Retrain without cat, number 2"
