"""Stochastic re-initialisation: which layers are chosen, what is re-initialised, and what is then distilled."""

from dataclasses import replace
from math import isclose
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.methods.artifact_recorder import ArtifactRecorder
from tests.methods.small_problem import tiny_problem, tiny_spec
from unlearn_core.domain.errors import UndeclaredDataAccessError
from unlearn_core.domain.method import DataAccess
from unlearn_core.domain.results.method_artifacts import ReinitializedLayers
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.methods import reinit
from unlearn_core.methods.reinit import METHOD, Hyperparameters
from unlearn_core.training.evaluate import accuracy
from unlearn_core.training.problem import Problem
from unlearn_core.training.reinitialize import following_norms

POOL = ["stem.0", "body.0"]
STREAM = torch.Generator


def run(kind: str = "classes", **knobs: Any) -> tuple[Problem, ReinitializedLayers]:
    """A run on the tiny classifier, and what it says that it drew."""
    layout, problem = tiny_problem(tiny_spec("reinit", kind=kind, **knobs))
    track = ArtifactRecorder()
    layout.method.forget(problem, layout.params, track)
    return problem, track[ReinitializedLayers]


def moved(problem: Problem) -> set[str]:
    """The modules whose weights or statistics are no longer the original's."""
    before = problem.original_model.state_dict()
    return {name.rpartition(".")[0] for name, now in problem.model.state_dict().items() if not now.equal(before[name])}


def test_only_layers_of_the_pool_are_drawn() -> None:
    _, problem = tiny_problem(tiny_spec("reinit"))
    assert reinit._pool(problem, Hyperparameters()) == POOL
    assert reinit._pool(problem, Hyperparameters(spare_head=False)) == [*POOL, "head"]
    everything = Hyperparameters(spare_head=False, spare_shortcuts=False)
    assert reinit._pool(problem, everything) == [*POOL, "shortcut.0", "head"]


@pytest.mark.parametrize("seed", range(4))
def test_what_is_redrawn_is_what_was_recorded(seed: int) -> None:
    layout, problem = tiny_problem(tiny_spec("reinit", seed=seed, cycles=1, layers="2", epochs="0"))
    track = ArtifactRecorder()
    layout.method.forget(problem, layout.params, track)
    made = track[ReinitializedLayers]
    assert (made.layers, made.granularity, made.choice) == (POOL, "layers", "random")
    counts = made.counts
    assert counts.shape == (1, 2) and counts.sum() == 2
    drawn = {name for name, count in zip(POOL, counts[0], strict=True) if count}
    assert moved(problem) == drawn
    fresh = problem.fresh_model(0)
    for name in drawn:
        assert problem.model.get_parameter(f"{name}.weight").equal(fresh.get_parameter(f"{name}.weight"))


def test_every_cycle_has_fresh_weights_of_its_own_and_none_are_the_originals_first_ones() -> None:
    layout, problem = tiny_problem(tiny_spec("reinit", seed=0))
    nets = [problem.fresh_model(0), problem.fresh_model(1), layout.before.module]
    torch.manual_seed(0)
    weights = [net.get_parameter("stem.0.weight") for net in nets]
    assert problem.fresh_model(1).get_parameter("stem.0.weight").equal(weights[1])
    assert all(not one.equal(other) for one, other in ((weights[0], weights[1]), (weights[1], weights[2])))


def test_with_replacement_a_layer_may_come_twice_without_only_after_all_others() -> None:
    again = reinit._draws(5, [3] * 40, True, STREAM().manual_seed(1), None)
    assert any(len(draw.unique()) < 3 for draw in again)
    assert torch.cat(again).unique().tolist() == [0, 1, 2, 3, 4]
    deck = torch.cat(reinit._draws(5, [1, 2, 4, 3, 5], False, STREAM().manual_seed(1), None))
    for start in (0, 5, 10):
        assert sorted(deck[start : start + 5].tolist()) == [0, 1, 2, 3, 4]
    assert deck[:5].tolist() != deck[5:10].tolist()
    assert [len(draw) for draw in reinit._draws(5, [0, 2], False, STREAM(), None)] == [0, 2]


def test_fisher_takes_the_same_layers_whatever_the_seed() -> None:
    ranking = torch.tensor([2, 0, 1])
    for seed in range(3):
        draws = reinit._draws(3, [2, 2], True, STREAM().manual_seed(seed), ranking)
        assert [draw.tolist() for draw in draws] == [[2, 0], [2, 0]]
        draws = reinit._draws(3, [2, 2], False, STREAM().manual_seed(seed), ranking)
        assert [draw.tolist() for draw in draws] == [[2, 0], [1, 2]]
    scores = {"a.weight": torch.tensor([1.0, 2.0]), "b.weight": torch.tensor([[9.0]]), "c.weight": torch.zeros(4)}
    assert reinit._ranking(scores, ["a", "b", "c"]).tolist() == [1, 0, 2]
    drawn = [run(choice="fisher", layers="1", epochs="0", cycles=2)[1].counts.tolist() for _ in range(2)]
    assert drawn[0] == drawn[1] and [1.0, 0.0] in (drawn[0][0], drawn[0][0][::-1])


def test_single_weights_are_redrawn_in_the_same_share_of_every_layer() -> None:
    problem, made = run(granularity="weights", cycles=1, layers="1", epochs="0", spare_shortcuts=False)
    assert made.granularity == "weights" and np.allclose(made.counts, 1 / 3)
    assert moved(problem) == {"stem.0", "body.0", "shortcut.0"}
    fresh = problem.fresh_model(0)
    for name in ("stem.0.weight", "body.0.weight", "shortcut.0.weight"):
        now, before = problem.model.get_parameter(name), problem.original_model.get_parameter(name)
        changed = now != before
        assert int(changed.sum()) == round(now.numel() / 3)
        assert now[changed].equal(fresh.get_parameter(name)[changed])


def test_batch_norm_follows_its_layer_if_asked() -> None:
    _, tiny = tiny_problem(tiny_spec("reinit"))
    assert following_norms(tiny.model) == {"stem.0": "stem.1", "body.0": "body.1", "shortcut.0": "shortcut.1"}
    problem, made = run(cycles=1, layers="1", epochs="0", reset_norm=True)
    (drawn,) = [name for name, count in zip(POOL, made.counts[0], strict=True) if count]
    assert moved(problem) == {drawn, following_norms(problem.model)[drawn]}
    assert not problem.model.get_buffer(f"{following_norms(problem.model)[drawn]}.running_mean").any()


@pytest.mark.parametrize("sigma", [0.0, 0.1])
def test_both_models_see_the_same_images_under_the_same_noise(sigma: float) -> None:
    layout, problem = tiny_problem(
        tiny_spec("reinit", sigma=sigma, cycles=1, epochs="1", batch=512, share=1, augment=False)
    )
    seen: dict[nn.Module, Tensor] = {}
    for net in (problem.model, problem.original_model):
        net.register_forward_pre_hook(lambda net, inputs: seen.update({net: inputs[0].detach()}))
    layout.method.forget(problem, layout.params, NullTracker())
    learnt, taught = seen[problem.model], seen[problem.original_model]
    assert learnt.equal(taught) and not problem.original_model.training
    clean, _ = next(problem.retain.batches(512, problem.random_generator("epoch", 0, 0), augment=False))
    assert isclose(float((learnt - clean).std()), sigma, rel_tol=0.02, abs_tol=1e-7)


ONE_LAYER: dict[str, Any] = {
    "layers": "1",
    "cycles": 1,
    "epochs": "6",
    "lr": 0.01,
    "batch": 16,
    "share": 1.0,
    "sigma": 0.1,
    "augment": False,
    "optimiser": "AdamW",
}


def test_masked_answers_by_hand() -> None:
    taught = torch.tensor([[5.0, 1.0, -2.0, 3.0], [0.0, 4.0, 9.0, 7.0]])
    masked = reinit._masked(taught, torch.tensor([0, 1, 3]))
    assert masked.tolist() == [[5.0, 1.0, 1.0, 3.0], [0.0, 4.0, 0.0, 7.0]]
    assert reinit._masked(taught, torch.arange(4)).equal(taught), "single pictures have nothing to mask"


def test_masked_answers_make_a_class_go_that_is_never_seen() -> None:
    """Where one layer is re-initialised the original teaches the class anew through images that are like it."""
    forgotten = {}
    for mask in (False, True):
        layout, problem = tiny_problem(tiny_spec("reinit", **ONE_LAYER, mask=mask))
        layout.method.forget(problem, layout.params, NullTracker())
        pool = replace(problem.retain, rows=torch.from_numpy(layout.split.forget_val))
        forgotten[mask] = accuracy(problem.model, *pool.tensors())
        kept = replace(problem.retain, rows=torch.from_numpy(layout.split.retain_val))
        assert accuracy(problem.model, *kept.tensors()) > 0.9
    assert forgotten[True] <= 0.1 and forgotten[False] > 0.5


def test_losses_by_hand() -> None:
    learnt, taught = torch.tensor([[1.0, 2.0], [0.0, -1.0]]), torch.tensor([[0.0, 4.0], [1.0, -1.0]])
    labels = torch.tensor([1, 0])
    assert reinit._distance(learnt, taught, labels, "mse") == (1 + 4 + 1 + 0) / 2
    assert reinit._distance(learnt, taught, labels, "l1") == (1 + 2 + 1 + 0) / 2
    error = (np.log(1 + np.exp(-1)) + np.log(1 + np.exp(-1))) / 2
    assert isclose(float(reinit._distance(learnt, taught, labels, "ce")), error, rel_tol=1e-6)


@pytest.mark.parametrize("loss", ["mse", "l1", "ce"])
def test_gradients_of_the_losses(loss: str) -> None:
    generator = STREAM().manual_seed(3)
    learnt = torch.randn(4, 5, dtype=torch.float64, generator=generator, requires_grad=True)
    taught = torch.randn(4, 5, dtype=torch.float64, generator=generator)
    labels = torch.tensor([0, 1, 2, 4])
    assert torch.autograd.gradcheck(lambda x: reinit._distance(x, taught, labels, loss), learnt)


def test_rates() -> None:
    each = reinit._rates(Hyperparameters(lr=0.1, schedule="each cycle"), [2, 4])
    assert (
        each[0] == pytest.approx([0.1, 0.05]) and each[1][0] == pytest.approx(0.1) and each[1][2] == pytest.approx(0.05)
    )
    whole = reinit._rates(Hyperparameters(lr=0.1, schedule="whole run"), [2, 4])
    run = [*whole[0], *whole[1]]
    assert run[3] == pytest.approx(0.05) and run == sorted(run, reverse=True)
    half = reinit._rates(Hyperparameters(lr=0.1, schedule="half then full", epochs="2,1", cycles=2), [6, 3])
    assert half == [[0.05] * 3 + [0.1] * 3, [0.1] * 3]


def test_the_last_number_holds_for_the_cycles_after_it() -> None:
    assert reinit._each("1,2", Hyperparameters(cycles=4)) == [1, 2, 2, 2]
    assert reinit._each("3,1,9", Hyperparameters(cycles=2)) == [3, 1]


def test_no_forget_image_is_handed_over() -> None:
    layout, problem = tiny_problem(tiny_spec("reinit"))
    assert layout.method.needs(layout.params) == DataAccess(forget=False, retain=True)
    with pytest.raises(UndeclaredDataAccessError):
        _ = problem.forget
    assert not set(problem.retain.rows.tolist()) & set(layout.split.forget_train.tolist())
    assert METHOD.needs(Hyperparameters(choice="fisher")) == DataAccess(forget=True, retain=True)


def test_labels_are_not_used() -> None:
    nets = []
    for shift in (0, 1):
        layout, problem = tiny_problem(tiny_spec("reinit", cycles=1, epochs="1"))
        assert problem.retain_subset is not None
        changed = replace(problem.retain_subset, labels=(problem.retain_subset.labels + shift) % 4)
        problem = replace(problem, retain_subset=changed)
        layout.method.forget(problem, layout.params, NullTracker())
        nets.append(problem.model)
    assert all(one.equal(other) for one, other in zip(*(net.state_dict().values() for net in nets), strict=True))


def test_a_share_of_the_retained_images_is_seen() -> None:
    layout, problem = tiny_problem(tiny_spec("reinit", share=0.3, cycles=1, epochs="2", batch=16))
    seen = []
    problem.model.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    layout.method.forget(problem, layout.params, NullTracker())
    assert (
        sum(seen)
        == 2 * round(0.3 * len(problem.retain))
        == layout.method.images_processed(layout.params, problem.sizes)
    )
