"""Wrong labels are wrong, spread evenly, and drawn again where asked."""

from typing import Any

import pytest
import torch

from tests.methods.small_problem import tiny_problem, tiny_spec
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.methods import random_labels
from unlearn_core.training.evaluate import accuracy
from unlearn_core.training.problem import Problem


def _labels_of_epochs(kind: str, **knobs: Any) -> tuple[Problem, list[dict[int, int]]]:
    """The label that each forget image carries, by row, in each of three epochs."""
    layout, problem = tiny_problem(tiny_spec("random_labels", kind=kind, epochs=3, augment=False, batch=512, **knobs))
    assert isinstance(layout.params, random_labels.Hyperparameters)
    everyone = problem.forget.images.permute(0, 3, 1, 2).float().flatten(1) / 255
    epochs = []
    for pictures, labels in random_labels._batches(problem, layout.params):
        rows = torch.cdist(pictures.flatten(1), everyone).argmin(1)
        shown = dict(zip(rows.tolist(), labels.tolist(), strict=True))
        kept = {row: label for row, label in shown.items() if row not in set(problem.forget.rows.tolist())}
        assert all(problem.forget.labels[row] == label for row, label in kept.items()), "kept ones keep their names"
        epochs.append({row: shown[row] for row in problem.forget.rows.tolist()})
    assert len(epochs) == 3
    return problem, epochs


@pytest.mark.parametrize("kind", ["classes", "images"])
def test_no_forget_image_ever_carries_its_own_label(kind: str) -> None:
    problem, epochs = _labels_of_epochs(kind)
    for shown in epochs:
        for row, label in shown.items():
            assert label != problem.forget.labels[row]
            assert label in problem.retained_classes


def test_a_class_is_spread_evenly_over_the_kept_ones() -> None:
    _, problem = tiny_problem(tiny_spec("random_labels"))
    drawn = torch.zeros(4)
    for number in range(60):
        pool = problem.forget.with_wrong_labels(problem.retained_classes, problem.random_generator("labels", number))
        assert torch.equal(pool.rows, problem.forget.rows)
        drawn += pool.labels[problem.forget.rows].bincount(minlength=4)
        assert torch.equal(pool.labels[problem.retain.rows], problem.retain.labels[problem.retain.rows])
    assert drawn[1] == 0
    assert (drawn[[0, 2, 3]] / 6000).tolist() == pytest.approx([1 / 3] * 3, abs=0.02)


@pytest.mark.parametrize(("labels", "same"), [("fixed", True), ("redrawn", False)])
def test_labels_are_fixed_or_drawn_anew(labels: str, same: bool) -> None:
    _, (first, second, third) = _labels_of_epochs("classes", labels=labels)
    assert (first == second == third) is same


def test_retained_images_are_as_many_as_asked_and_others_each_time() -> None:
    layout, problem = tiny_problem(tiny_spec("random_labels", epochs=2, augment=False, batch=512, kept_per_class=50))
    assert isinstance(layout.params, random_labels.Hyperparameters)
    first, second = (labels for _, labels in random_labels._batches(problem, layout.params))
    assert len(first) == len(second) == 100 + 150
    one, two = (pictures.flatten(1) for pictures, _ in random_labels._batches(problem, layout.params))
    assert (torch.cdist(one, two).min(1).values > 0.5).sum() > 20


def test_it_forgets_a_class_and_keeps_the_others() -> None:
    layout, problem = tiny_problem(tiny_spec("random_labels", lr=0.05, epochs=5, batch=32))
    layout.method.forget(problem, layout.params, NullTracker())
    assert accuracy(problem.model, *problem.forget.tensors()) < 0.15
    assert accuracy(problem.model, *problem.retain.tensors()) > 0.8
