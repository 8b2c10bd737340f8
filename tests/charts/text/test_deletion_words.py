"""What the deletion test says beside each map and below them."""

from unlearn_core.charts.text import deletion_words
from unlearn_core.domain.results.explanations import DeletionTest, ExplainedImage, Explanation

CLASSES = ("cat", "dog", "frog")


def outcome(uncovered: float, covered: float, *, as_low: int = 4, predicted: int = 0) -> DeletionTest:
    return DeletionTest(
        area=0.2, uncovered=uncovered, covered=covered, predicted=predicted, random=0.71, places=32, as_low=as_low
    )


def shown(**tests: DeletionTest | None) -> ExplainedImage:
    models = {
        model: Explanation(predicted=0, probability=0.9, target_probability=0.9, peak=1.0, deletion=test)
        for model, test in tests.items()
    }
    return ExplainedImage(image=None, set="upload", label=None, target=0, models=models)


def said(**tests: DeletionTest | None) -> str:
    return deletion_words.summary(shown(**tests), CLASSES)


def test_the_numbers_stand_beside_the_map() -> None:
    note = deletion_words.note(outcome(0.94, 0.12)).replace("\N{NO-BREAK SPACE}", " ")
    assert note == "covered: 94 → 12 %\nrandom: 71 %"
    assert deletion_words.note(None) == "marks nothing"


def test_the_random_places_are_the_yardstick() -> None:
    assert said(before=outcome(0.94, 0.12, as_low=1), after=outcome(0.5, 0.5, as_low=16)) == (
        "Covering what lights up lowers cat more than random places do: before 31 of 32, after 16 of 32."
    )


def test_an_answer_that_changes_is_said() -> None:
    assert said(before=outcome(0.9, 0.1, predicted=1), gold=outcome(0.9, 0.8)).endswith(
        "The answer changes: before then predicts dog."
    )


def test_a_class_that_is_not_seen_has_nothing_to_lower() -> None:
    assert said(before=outcome(0.9, 0.1), after=outcome(0.002, 0.001, predicted=1)) == (
        "Covering what lights up lowers cat more than random places do: before 28 of 32. There is nothing to lower, "
        "because cat has under 1 %: after."
    )


def test_maps_that_mark_nothing_say_nothing() -> None:
    assert said(before=None, after=None) == ""
