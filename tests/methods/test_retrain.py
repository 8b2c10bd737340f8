"""Retraining is the classifier's own training without the forget images, to the last bit."""

import pytest

from tests.methods.small_problem import tiny_problem, tiny_spec
from unlearn_core.data import datasets
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.engine.model_cache import trainable_copy
from unlearn_core.methods import retrain
from unlearn_core.models import classifiers
from unlearn_core.training.loops import train
from unlearn_core.training.seeding import seeded
from unlearn_core.training.weights import checksum


@pytest.mark.parametrize("kind", ["classes", "images"])
def test_it_is_the_training_loop_bit_for_bit(kind: str) -> None:
    layout, problem = tiny_problem(tiny_spec("retrain", kind=kind, seed=5))
    by_hand, kept = trainable_copy(problem.fresh_model()), problem.retain
    rows = kept.rows[[row in set(layout.split.retain_train.tolist()) for row in kept.rows.tolist()]]
    train(by_hand, layout.card.required_recipe, kept.images, kept.labels, rows, seed=5, tracker=NullTracker())
    layout.method.forget(problem, layout.params, NullTracker())
    assert checksum(problem.model) == checksum(by_hand)


def test_nothing_of_the_original_is_left() -> None:
    layout, problem = tiny_problem(tiny_spec("retrain", seed=5))
    _, other = tiny_problem(tiny_spec("retrain", seed=5))
    other.model.load_state_dict({name: 0 * value for name, value in other.model.state_dict().items()})
    for one in (problem, other):
        layout.method.forget(one, layout.params, NullTracker())
    assert checksum(problem.model) == checksum(other.model), "it ends the same wherever it starts"


def test_a_share_of_the_recipe_is_at_least_one_epoch() -> None:
    assert [retrain._epochs(retrain.Hyperparameters(share=share), 4) for share in (0.05, 0.5, 1.0)] == [1, 2, 4]
    assert retrain._epochs(retrain.Hyperparameters(share=0.25), 40) == 10


def test_the_original_shares_no_draw_with_it_even_at_its_own_seed() -> None:
    layout, problem = tiny_problem(tiny_spec("retrain", seed=0))
    assert layout.card.seed == 0
    with seeded(0, "init"):
        first = classifiers.build(classifiers.card("tiny"), datasets.card("shapes"))
    assert checksum(first) != checksum(problem.fresh_model())
