"""The strength of a method: which hyperparameters it gives, within their bounds."""

import pytest

from unlearn_core.domain.method import TUNED_ON
from unlearn_core.domain.results.found_settings import Goal
from unlearn_core.domain.tuning import batch_for, epochs_for
from unlearn_core.methods import AUTO, TUNED_CLASSIFIER, method, methods, preset, presets


@pytest.mark.parametrize(
    ("images", "classes", "epochs"),
    [
        *((9000, 10, 2), (100_000, 10, 2), (4500, 10, 4), (900, 10, 18), (128, 10, 142), (1, 10, 142)),
        *((9000, 100, 20), (45_000, 100, 5), (900, 2, 18)),
    ],
    ids=[
        *("as many", "more", "half", "a tenth", "one batch", "one image"),
        *("a hundred classes", "a hundred large ones", "two classes"),
    ],
)
def test_small_data_has_as_many_steps_as_the_data_of_the_preset(images: int, classes: int, epochs: int) -> None:
    assert epochs_for(2, 128, images=images, tuned_on=9000, classes=classes) == epochs


def test_a_strength_stays_within_the_bounds_and_leaves_what_is_fixed() -> None:
    unsir = method("unsir")
    assert unsir.tuning is not None
    base = unsir.presets["bundled"].params
    small = TUNED_ON._replace(forget=300, retain=600, retained_classes=2)
    most = {"impair_lr": 0.05, "repair_lr": 0.05, "impair_epochs": 5, "repair_epochs": 5, "batch": 32}
    assert unsir.tuning.settings(base, small, 1000.0) == base.updated(most)
    fixed = unsir.tuning.settings(base, small, 4.0, only=("repair_lr",))
    assert fixed == base.updated({"repair_lr": 0.01})


def test_auto_is_the_default_but_where_the_presets_were_tuned() -> None:
    for one in methods().values():
        first = next(iter(presets(one, "mlp-moons")))
        assert first == (next(iter(one.presets)) if one.tuning is None else AUTO)
        assert list(presets(one, TUNED_CLASSIFIER)) == list(one.presets)
        assert preset(one, TUNED_CLASSIFIER, AUTO) == preset(one, TUNED_CLASSIFIER, "")
    assert [one.id for one in methods().values() if one.tuning is None] == ["retrain"]


def test_a_destroyed_model_falls_shorter_of_the_goal_than_one_that_forgot_nothing() -> None:
    goal = Goal(forget_low=0.0, forget_high=0.02, retain_low=0.95)
    assert goal.shortfall(0.02, 0.95) == 0
    assert goal.shortfall(1.0, 0.97) < goal.shortfall(0.0, 0.5)
    assert Goal(forget_low=0.7, forget_high=0.8, retain_low=0.9).shortfall(0.6, 1.0) == pytest.approx(0.1)


@pytest.mark.parametrize(("images", "batch"), [(9000, 128), (2048, 128), (2047, 64), (280, 16), (1, 16)])
def test_small_data_has_smaller_batches(images: int, batch: int) -> None:
    assert batch_for(128, images=images) == batch


def test_a_shorter_try_has_fewer_epochs_before_it_has_fewer_images() -> None:
    scrub, reinit = method("scrub"), method("reinit")
    assert scrub.tuning is not None and reinit.tuning is not None
    long = scrub.presets["bundled"].params.updated({"epochs": 20})
    assert scrub.tuning.shortened(long, 1 / 4) == (long.updated({"epochs": 5}), 1.0)
    assert scrub.tuning.shortened(long, 1 / 80) == (long.updated({"epochs": 1}), 1 / 4)
    cycles = reinit.presets["bundled"].params.updated({"epochs": "4,8,8"})
    assert reinit.tuning.shortened(cycles, 1 / 4) == (cycles.updated({"epochs": "1,2,2"}), 1.0)


def test_a_shorter_try_is_as_much_stronger_as_it_has_fewer_steps_that_forget() -> None:
    finetune, scrub, unsir = method("finetune"), method("scrub"), method("unsir")
    assert finetune.tuning is not None and scrub.tuning is not None and unsir.tuning is not None
    once = finetune.presets["bundled"].params
    assert finetune.tuning.compensation(once, 1 / 8) == pytest.approx(8)
    assert finetune.tuning.compensation(once, 1.0) == 1
    long = scrub.presets["bundled"].params.updated({"epochs": 20, "max_epochs": 2})
    assert scrub.tuning.compensation(long, 1 / 4) == 1, "it moves away in the first two epochs of either"
    assert unsir.tuning.compensation(unsir.presets["bundled"].params, 1 / 8) == 1
