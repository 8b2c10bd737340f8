"""Bad Teacher: who teaches which image, and what the loss is."""

import pytest
import torch
from torch.nn import functional as F

from tests.methods.small_problem import tiny_problem, tiny_spec
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.methods import bad_teacher
from unlearn_core.training.evaluate import accuracy
from unlearn_core.training.losses import distillation
from unlearn_core.training.weights import checksum


def test_each_side_has_its_teacher() -> None:
    _, problem = tiny_problem(tiny_spec("bad_teacher"))
    knowing, fresh = problem.original_model, problem.fresh_model().eval()
    pictures = torch.cat([problem.forget.tensors()[0][:3], problem.retain.tensors()[0][:5]])
    is_forgotten = torch.tensor([True] * 3 + [False] * 5)
    taught = bad_teacher.teacher_logits(knowing, fresh, pictures, is_forgotten)
    with torch.no_grad():
        torch.testing.assert_close(taught[:3], fresh(pictures[:3]))
        torch.testing.assert_close(taught[3:], knowing(pictures[3:]))
        torch.testing.assert_close(
            bad_teacher.teacher_logits(knowing, fresh, pictures, torch.zeros(8).bool()), knowing(pictures)
        )
    assert not taught.requires_grad


def test_the_loss_by_hand_and_beside_the_official_one() -> None:
    """KL(target || student) with the target l softmax(T_d) + (1 - l) softmax(T_s), mean over images, not classes."""
    make = torch.Generator().manual_seed(2)
    student, knowing, fresh = torch.randn(3, 6, 4, dtype=torch.float64, generator=make)
    forgotten = torch.tensor([1, 0, 1, 0, 0, 1], dtype=torch.float64)[:, None]
    taught = torch.where(forgotten.bool(), fresh, knowing)
    target = forgotten * fresh.softmax(1) + (1 - forgotten) * knowing.softmax(1)
    by_hand = (target * (target.log() - student.log_softmax(1))).sum(1).mean()
    assert distillation(student, taught).item() == pytest.approx(by_hand.item())
    official = F.kl_div(student.log_softmax(1), target, reduction="sum") / target.numel()  # torch calls it "mean".
    assert distillation(student, taught).item() == pytest.approx(4 * official.item()), "C times theirs"
    student.requires_grad_()
    assert torch.autograd.gradcheck(lambda logits: distillation(logits, taught, 2.0), student)


@pytest.mark.parametrize("kind", ["classes", "images"])
def test_batches_know_which_images_are_forgotten(kind: str) -> None:
    layout, problem = tiny_problem(
        tiny_spec("bad_teacher", kind=kind, augment=False, kept_share=0.2, epochs=2, batch=512)
    )
    assert isinstance(layout.params, bad_teacher.Hyperparameters)
    batches = list(bad_teacher._batches(problem, layout.params))
    assert len(batches) == 2
    own = problem.forget.tensors()[0].flatten(1)
    for pictures, is_forgotten in batches:
        assert torch.equal(torch.cdist(pictures.flatten(1), own).min(1).values < 0.1, is_forgotten)
        assert int(is_forgotten.sum()) == len(problem.forget)
        assert int((~is_forgotten).sum()) == int(0.2 * len(problem.retain))


def test_the_student_comes_to_answer_as_its_teachers_do() -> None:
    layout, problem = tiny_problem(tiny_spec("bad_teacher", lr=0.01, epochs=12, kept_share=1.0, batch=32, seed=1))
    fresh = problem.fresh_model().eval()
    before = checksum(fresh)
    pictures = problem.forget.tensors()[0]
    with torch.no_grad():
        far = distillation(problem.model.eval()(pictures), fresh(pictures)).item()
    layout.method.forget(problem, layout.params, NullTracker())
    with torch.no_grad():
        near = distillation(problem.model.eval()(pictures), fresh(pictures)).item()
    assert near < far / 5
    assert accuracy(problem.model, *problem.retain.tensors()) > 0.85
    assert checksum(problem.fresh_model().eval()) == before, (
        "the fresh teacher is the run's own, and drawn from its seed"
    )


def test_of_several_fresh_models_the_one_that_names_the_fewest_teaches() -> None:
    """With tiny's forgotten class some draws answer it to everything, and would teach the class that is to go."""
    layout, problem = tiny_problem(tiny_spec("bad_teacher", seed=3, teachers=8))
    assert isinstance(layout.params, bad_teacher.Hyperparameters)
    pictures, labels = problem.forget.tensors()
    named = [accuracy(problem.fresh_model(number), pictures, labels) for number in range(8)]
    assert max(named) > min(named), "otherwise nothing is to choose"
    worst = named.index(max(named))
    chosen = bad_teacher.fresh_teacher(problem, layout.params, NullTracker())
    assert checksum(chosen) == checksum(problem.fresh_model(named.index(min(named))))
    assert checksum(chosen) != checksum(problem.fresh_model(worst))
    assert not chosen.training
    alone = bad_teacher.fresh_teacher(problem, bad_teacher.Hyperparameters(), NullTracker())
    assert checksum(alone) == checksum(problem.fresh_model()), "the paper's: one draw"


@pytest.mark.parametrize("frozen", [True, False])
def test_batch_norm_is_frozen_where_asked(frozen: bool) -> None:
    layout, problem = tiny_problem(tiny_spec("bad_teacher", frozen_norm=frozen))
    layout.method.forget(problem, layout.params, NullTracker())
    pairs = zip(problem.model.buffers(), problem.original_model.buffers(), strict=True)
    assert all(torch.equal(after, before) for after, before in pairs) is frozen
