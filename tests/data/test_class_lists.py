"""Class names as text: any names come back, what a person writes is understood, and what is not clear is said."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import settings as drawn
from hypothesis import strategies as st

from unlearn_core.data.class_lists import class_number, format_classes, parse_classes
from unlearn_core.domain.errors import InvalidRequestError, NotFoundError

PIECES = st.sampled_from(["a", "A", ",", '"', "#", "0", "1", " ", "/", "\\", "'", "-", "\n", "\u00a0", "😀", "é"])
NAMES = st.one_of(
    st.lists(PIECES, max_size=6).map("".join), st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
)
CATALOGS = st.lists(NAMES, min_size=1, max_size=8)


@given(st.data())
@drawn(max_examples=150, deadline=None)
def test_any_classes_come_back(data: st.DataObject) -> None:
    classes = data.draw(CATALOGS)
    numbers = sorted(data.draw(st.sets(st.integers(0, len(classes) - 1))))
    assert parse_classes(format_classes(numbers, classes), classes) == tuple(numbers)


@given(st.text(max_size=20), CATALOGS)
@drawn(max_examples=100, deadline=None)
def test_any_text_is_classes_or_a_sentence(text: str, classes: list[str]) -> None:
    with suppress(NotFoundError, InvalidRequestError):  # Anything else that is raised fails the test.
        assert {*parse_classes(text, classes)} <= {*range(len(classes))}


FISH = ["tench, Tinca tinca", "goldfish", "dog", "Dog", " dog", 'the "big" one', "a", "b", "a,b", "c", "twin", "twin"]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", ()),
        (" , ", ()),
        ("goldfish,dog", (1, 2)),
        (" goldfish , Dog ", (1, 3)),
        ("Dog,dog", (2, 3)),
        (" dog", (4,)),
        ("tench, Tinca tinca", (0,)),
        ("tench, Tinca tinca,goldfish", (0, 1)),
        ('"tench, Tinca tinca", dog', None),
        ('"tench, Tinca tinca","dog"', (0, 2)),
        ('"tench, Tinca tinca",goldfish', (0, 1)),
        ('the "big" one', (5,)),
        ('goldfish,the "big" one', (1, 5)),
        ('"the ""big"" one"', (5,)),
        ("a,b", (8,)),
        ('"a","b"', (6, 7)),
        ("a,c", (6, 9)),
        ("a,b,c", None),
        ("#0,#10", (0, 10)),
        ("goldfish,#3", (1, 3)),
        ("twin", None),
        ("goldfish,twin", None),
    ],
)
def test_what_a_person_writes(text: str, numbers: tuple[int, ...] | None) -> None:
    if numbers is None:
        with pytest.raises(InvalidRequestError, match=r"can mean different classes|classes are called"):
            parse_classes(text, FISH)
    else:
        assert parse_classes(text, FISH) == numbers


def test_usual_names_are_written_as_before() -> None:
    assert format_classes([1, 3], ["cat", "dog", "a b", "naïve"]) == "dog,naïve"


@pytest.mark.parametrize(("text", "named"), [("cat", "cat"), ("goldfish,cats", "cats"), ("#12", "#12"), ('"x', '"x')])
def test_an_unknown_class_is_named(text: str, named: str) -> None:
    with pytest.raises(NotFoundError) as problem:
        parse_classes(text, FISH)
    assert f"There is no class called {named!r}" in str(problem.value)


def test_the_sentence_about_an_unknown_class_of_many_is_short() -> None:
    classes = [f"class {number}" for number in range(1000)]
    with pytest.raises(NotFoundError, match=r"'clas 77'. Known: class 77, .*and 995 more\.") as problem:
        parse_classes("clas 77", classes)
    assert len(str(problem.value)) < 200


def test_in_code_a_class_is_its_exact_name_or_number() -> None:
    assert [class_number(name, FISH) for name in ("Dog", "a,b", 11)] == [3, 8, 11]
    with pytest.raises(InvalidRequestError, match="2 classes are called 'twin': write the number of one, '#10' or"):
        class_number("twin", FISH)
    for wrong in ("cat", 12, -1):
        with pytest.raises(NotFoundError):
            class_number(wrong, FISH)
