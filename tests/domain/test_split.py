"""A split is disjoint and covers the data set, for every request."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.forget_request import ForgetClasses, ForgetImages, ForgetRequest
from unlearn_core.domain.split import SET_LABELS, Split, make_split, set_label

CARD = DatasetCard(
    id="x", title="X", summary="", classes=("a", "b", "c"), size=4, train=30, val=6, test=9, licence="", source=""
)
LABELS = np.arange(45) % 3


@given(
    st.one_of(
        st.sets(st.integers(0, 2), min_size=1, max_size=2).map(lambda ids: ForgetClasses(classes=tuple(ids))),
        st.sets(st.integers(0, 29), min_size=1, max_size=29).map(lambda ids: ForgetImages(images=tuple(ids))),
    )
)
def test_disjoint_and_exhaustive(forget: ForgetClasses | ForgetImages) -> None:
    split = make_split(CARD, LABELS, forget)
    everything = np.concatenate(split)
    assert sorted(everything) == list(range(45)), "each image is in exactly one set"
    for number, part in enumerate(split):
        low, high = [(0, 30), (30, 36), (36, 45)][number // 2]
        assert all((part >= low) & (part < high))
    if isinstance(forget, ForgetClasses):
        assert all(np.isin(LABELS[np.concatenate(split[0::2])], forget.classes))
    else:
        assert split.forget_train.tolist() == list(forget.images)
        assert not len(split.forget_val) and not len(split.forget_test)


@pytest.mark.parametrize(
    ("forget", "words"),
    [
        (ForgetClasses(classes=(0, 3)), "no class 3: its class numbers go from 0 to 2"),
        (ForgetClasses(classes=(-1,)), "no class -1"),
        (ForgetImages(images=(30,)), "no training image 30"),
        (ForgetClasses(classes=(0, 1, 2)), "retain at least one class"),
        (ForgetImages(images=tuple(range(30))), "retain set would be empty"),
    ],
)
def test_impossible_requests_are_rejected(forget: ForgetClasses | ForgetImages, words: str) -> None:
    with pytest.raises(InvalidRequestError, match=words):
        make_split(CARD, LABELS, forget)


def test_the_same_request_has_the_same_fingerprint_in_any_order() -> None:
    one, two = (
        ForgetRequest(classifier="n", dataset="x", forget=ForgetClasses(classes=ids)) for ids in ((2, 0, 2), (0, 2))
    )
    assert one == two and one.fingerprint() == two.fingerprint() and len(one.fingerprint()) == 16


def test_every_set_has_a_label() -> None:
    assert set(SET_LABELS) == set(Split._fields)
    assert set_label("retain_val") == "retain set, validation"
