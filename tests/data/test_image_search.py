"""The search among images, their order, and their likeness."""

import numpy as np
import pytest

from unlearn_core.data.image_search import ALIKE, ORDERS, RANDOM, STORED, found, image_facts, likeness, ordered

LABELS = np.array([0, 1, 2, 0, 1])
LOGITS = np.array([[4.0, 1, 0], [3, 2, 0], [0, 0, 9], [1, 2, 0], [0, 9, 0]], dtype=np.float32)
FACTS = image_facts(LOGITS, LABELS)
CLASSES, PATHS = ("Cat", "dog", "tench, Tinca"), ["a/1.png", "a/40.png", "b/3.png", "b/DOG.png", "c.png"]
EVERY = np.arange(5)


def test_the_facts_are_those_of_the_softmax() -> None:
    probabilities = np.exp(LOGITS.astype(float)) / np.exp(LOGITS.astype(float)).sum(1, keepdims=True)
    assert FACTS.predictions.tolist() == [0, 0, 2, 1, 1]
    assert FACTS.confidence == pytest.approx(probabilities.max(1))
    assert FACTS.loss == pytest.approx(-np.log(probabilities[EVERY, LABELS]))
    assert FACTS.margin.tolist() == [3, -1, 9, -1, 9]


def test_large_logits_do_not_overflow() -> None:
    facts = image_facts(np.array([[1000.0, 0.0]]), np.array([1]))
    assert facts.loss.tolist() == [1000] and facts.confidence.tolist() == [1]


@pytest.mark.parametrize(
    ("order", "first"),
    [(STORED, [0, 1, 2, 3, 4]), ("loss", [3, 1, 0]), ("margin", [1, 3, 0, 2, 4]), ("confidence", [3, 1, 0])],
)
def test_images_are_ordered_by_what_the_classifier_makes_of_them(order: str, first: list[int]) -> None:
    assert ordered(EVERY, order, facts=FACTS)[: len(first)].tolist() == first
    assert ordered(EVERY, order, facts=None).tolist() == EVERY.tolist(), "without facts as they are"
    assert set(ordered(np.array([4, 2]), order, facts=FACTS).tolist()) == {2, 4}, "only those given"


def test_a_random_order_is_that_of_its_seed() -> None:
    one, again, other = (ordered(np.arange(100), RANDOM, facts=None, seed=seed).tolist() for seed in (1, 1, 2))
    assert one == again != other and sorted(one) == list(range(100))


def test_images_are_ordered_by_likeness_to_the_chosen_ones() -> None:
    features = np.array([[1, 0], [0, 1], [0.8, 0.6], [-1, 0]], dtype=np.float16)
    alike = likeness(features, [0])
    assert alike == pytest.approx([1, 0, 0.8, -1], abs=1e-3)
    assert ordered(np.arange(4), ALIKE, facts=None, likeness=alike).tolist() == [0, 2, 1, 3]
    assert ordered(np.arange(4), ALIKE, facts=None).tolist() == [0, 1, 2, 3]
    assert np.argmax(likeness(features, [0, 1])) == 2, "between both"
    assert likeness(features, [0, 3]).tolist() == [0, 0, 0, 0], "opposite ones have no direction"
    assert set(ORDERS) == {STORED, RANDOM, ALIKE, "loss", "margin", "confidence"}


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("", [0, 1, 2, 3, 4]),
        (" CAT ", [0, 1, 3]),  # image 1 is predicted as one
        ("dog", [1, 3, 4]),
        ("tench, t", [2]),
        ("a/", [0, 1]),
        ("3", [2, 3]),  # a file and a number
        ("0, 2-3", [0, 2, 3]),
        ("4-", []),
        ("2-1", []),
        ("٣", []),
        ("nothing", []),
        ("[", []),
    ],
)
def test_a_search_finds_classes_predictions_files_and_numbers(text: str, images: list[int]) -> None:
    hits = found(EVERY, text, labels=LABELS, classes=CLASSES, facts=FACTS, paths=PATHS)
    assert hits.tolist() == images


def test_a_search_keeps_the_order_and_needs_neither_facts_nor_files() -> None:
    hits = found(EVERY[::-1], "cat", labels=LABELS, classes=CLASSES, facts=None, paths=None)
    assert hits.tolist() == [3, 0]
