"""Interclass confusion against its closed form, the confusion matrix of scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from tests.probes.small_context import CLASS, answering, scene
from unlearn_core.domain.results.predictions import InterclassConfusionResult
from unlearn_core.domain.results.result import Result
from unlearn_core.probes.interclass_confusion import PROBE

ANSWERS = {
    "before": [0, 1, 1, 0, 0, 1, 2, 1, 0, 3],
    "after": [0, 0, 1, 1, 0, 1, 2, 1, 0, 3],
    "gold": [1, 0, 0, 1, 0, 1, 2, 1, 0, 3],
}
TRUE, GIVEN = [0, 0, 1, 1, 0, 0, 0, 1, 1, 2], [0, 1, 0, 1, 0, 0, 0, 1, 1, 2]
"""Two training images, 1 and 2, have each other's label; from 4 on they are test images."""


def measured(**changes: object) -> Result | str:
    own = answering(
        scene("before"), ANSWERS, GIVEN, forget_train=[1, 2], retain_train=[0, 3], retain_test=[*range(4, 10)]
    )
    return PROBE.measure(own._replace(**{"true_labels": np.array(TRUE), **changes}))


@pytest.mark.parametrize("model", ANSWERS)
def test_shares_are_those_of_the_confusion_matrix(model: str) -> None:
    found = measured()
    assert isinstance(found, InterclassConfusionResult)
    matrix = confusion_matrix(GIVEN[4:], ANSWERS[model][4:], labels=range(4))
    images = matrix[[0, 1]].sum()
    assert found.classes == [0, 1] and (found.num_mislabelled, found.num_forgotten) == (2, 2)
    assert found.confused[model].accuracy == pytest.approx((matrix[0, 1] + matrix[1, 0]) / images, abs=1e-6)
    assert found.accuracy[model].accuracy == pytest.approx((matrix[0, 0] + matrix[1, 1]) / images, abs=1e-6)
    by_class = [matrix[number, number] / matrix[number].sum() for number in (0, 1)]
    assert [one.accuracy for one in found.by_class[model]] == pytest.approx(by_class, abs=1e-6)
    memorized = np.mean(np.array(ANSWERS[model])[[1, 2]] == np.array(GIVEN)[[1, 2]])
    assert found.memorized[model].accuracy == pytest.approx(memorized, abs=1e-6)
    assert found.correct[model].sum() == found.accuracy[model].correct
    assert found.taken_for_other[model].sum() == found.confused[model].correct


def test_only_the_confused_classes_count_and_any_other_error_is_no_confusion() -> None:
    found = measured()
    assert isinstance(found, InterclassConfusionResult)
    assert found.accuracy["after"].total == 5, "image 9 is of another class"
    assert found.confused["after"].correct == 2, "image 6 is wrong, but it is not taken for the other class"


def test_of_wrong_labels_only_those_in_the_forget_set_count_as_memorised() -> None:
    sets = {"forget_train": [2], "retain_train": [0, 1, 3], "retain_test": [*range(4, 10)]}
    own = answering(scene("before"), ANSWERS, GIVEN, **sets)._replace(true_labels=np.array(TRUE))
    found = PROBE.measure(own)
    assert isinstance(found, InterclassConfusionResult)
    assert (found.num_mislabelled, found.num_forgotten) == (2, 1)
    assert found.memorized["gold"].total == 1 and found.memorized["gold"].correct == 1


@pytest.mark.parametrize("true", [None, np.array(GIVEN)])
def test_without_wrong_labels_there_is_nothing_to_measure(true: np.ndarray | None) -> None:
    assert measured(true_labels=true) == "No label of this data set is known to be wrong, so no classes were confused."


def test_without_test_images_it_says_so() -> None:
    own = answering(scene("before"), ANSWERS, GIVEN, forget_train=[1, 2])._replace(true_labels=np.array(TRUE))
    assert PROBE.measure(own) == (
        "There are no test images of the classes with wrong labels, so their accuracy is unknown."
    )


def test_the_context_of_a_class_has_it_too() -> None:
    found = PROBE.measure(scene("before", "after", forget=CLASS))
    assert isinstance(found, InterclassConfusionResult) and found.classes == [2, 3]
    assert found.num_mislabelled == 40 and 0 < found.num_forgotten < 40
