"""SCRUB leaves its teacher, comes back on retained images, and rewinds to the right checkpoint."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.methods.artifact_recorder import ArtifactRecorder
from tests.methods.small_problem import tiny_problem, tiny_spec
from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.method import DataAccess
from unlearn_core.domain.results.method_artifacts import RewindErrors
from unlearn_core.methods import scrub
from unlearn_core.training import loops
from unlearn_core.training.evaluate import accuracy
from unlearn_core.training.losses import distillation
from unlearn_core.training.problem import ImageSubset, Problem


class Listening(ArtifactRecorder):
    """Remembers phases, scalars, artifacts, and for every step how many images and the rate."""

    def __init__(self) -> None:
        super().__init__()
        self.phases: list[str] = []
        self.planned: dict[str, int] = {}
        self.logged: list[dict[str, float]] = []
        self.sizes: list[int] = []

    def plan(self, **steps: int) -> None:
        self.planned = steps

    def phase(self, name: str, *, done: int = 0) -> None:
        self.phases.append(name)

    def iterate(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            self.sizes.append(len(item[0]))
            yield item

    def log(self, **scalars: float) -> None:
        self.logged.append(scalars)


def _forgotten(kind: str = "classes", **knobs: Any) -> tuple[Problem, Listening]:
    layout, problem = tiny_problem(tiny_spec("scrub", kind=kind, **knobs))
    track = Listening()
    layout.method.forget(problem, layout.params, track)
    return problem, track


def test_divergence_by_hand() -> None:
    """tau^2 / B * sum_i sum_c t ln(t / s), with t and s the softened answers, in double precision."""
    student, teacher = torch.randn(2, 6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    t, s = (teacher / 4).softmax(1), (student / 4).softmax(1)
    assert distillation(student, teacher, 4.0).item() == pytest.approx((16 / 6 * (t * (t / s).log()).sum()).item())
    student.requires_grad_()
    assert torch.autograd.gradcheck(lambda logits: -distillation(logits, teacher, 4.0), student)


def test_max_comes_before_min_and_only_in_the_first_epochs() -> None:
    _, track = _forgotten(
        max_epochs=1, epochs=3, forget_batch=48, retain_batch=64, kept_per_class=50, decays="1,2", rewind=False
    )
    assert track.sizes == [48, 48, 4, 64, 64, 22] + [64, 64, 22] * 2
    assert track.phases == ["max and min", "min"]
    assert track.planned == {"max and min": 6, "min": 6}
    assert ["leaving" in step for step in track.logged] == [True] * 3 + [False] * 9


def test_as_many_epochs_of_leaving_as_there_are() -> None:
    _, track = _forgotten(max_epochs=5, epochs=2, forget_batch=64, retain_batch=128, kept_per_class=50, rewind=False)
    assert track.phases == ["max and min"]
    assert track.sizes == [64, 36, 128, 22] * 2


def test_the_rate_is_a_tenth_after_each_named_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = []
    descend = loops.optimizer_step
    monkeypatch.setattr(
        loops,
        "optimizer_step",
        lambda optimiser, *rest, **knobs: (
            rates.append(optimiser.param_groups[0]["lr"]) or descend(optimiser, *rest, **knobs)
        ),
    )
    _forgotten(lr=0.01, epochs=4, max_epochs=1, forget_batch=128, retain_batch=512, decays="1,3", rewind=False)
    assert rates == pytest.approx([0.01, 0.01, 0.001, 0.001, 0.0001])


def test_the_student_leaves_on_forgotten_and_follows_on_retained_images() -> None:
    problem, track = _forgotten(
        lr=0.05, clip=1.0, max_epochs=5, epochs=6, forget_batch=64, retain_batch=32, kept_per_class=100, rewind=False
    )
    leaving = [step["leaving"] for step in track.logged if "leaving" in step]
    assert leaving[-1] > leaving[0] + 5
    assert accuracy(problem.model, *problem.forget.tensors()) < 0.1
    assert accuracy(problem.model, *problem.retain.tensors()) > 0.9


def test_with_frozen_batch_norm_the_first_leaving_finds_no_slope() -> None:
    _, track = _forgotten(
        frozen_norm=True, weight_decay=0, max_epochs=1, epochs=1, forget_batch=16, kept_per_class=50, rewind=False
    )
    leaving = [step["leaving"] for step in track.logged if "leaving" in step]
    assert leaving[0] == 0 and leaving == pytest.approx([0.0] * 7, abs=0.1), "the student is still its teacher's equal"


class Rigged(nn.Module):
    """Names the first `wrong` of its images class 0 and all others class 1; `wrong` is state."""

    def __init__(self, wrong: int) -> None:
        super().__init__()
        self.register_buffer("wrong", torch.tensor(wrong))

    def forward(self, pictures: Tensor) -> Tensor:
        """An image's place: its first value."""
        lost = pictures[:, 0, 0, 0] * 255 < self.get_buffer("wrong")
        return torch.stack([lost.float(), (~lost).float()], 1)


def _rigged(wrong: int, validation: list[int]) -> Problem:
    """20 images of class 1 in places 0 to 19: the forgotten 10, then validation images in the places given."""
    _, problem = tiny_problem(tiny_spec("scrub", kind="images"))
    images = torch.zeros(20, 1, 1, 3, dtype=torch.uint8)
    images[:10, 0, 0, 0] = torch.arange(10, dtype=torch.uint8)
    images[10:, 0, 0, 0] = torch.tensor(validation, dtype=torch.uint8)
    labels = torch.ones(20, dtype=torch.long)
    return replace(
        problem,
        model=Rigged(wrong),
        classes=2,
        forget_subset=ImageSubset(images, labels, torch.arange(10)),
        validation_subset=ImageSubset(images, labels, torch.arange(10, 20)),
    )


def test_it_rewinds_to_the_checkpoint_as_wrong_as_unseen_images_are() -> None:
    # The last model is wrong about places 0 to 5: of the validation images three lie there, an error of 0.3.
    problem = _rigged(6, [0, 1, 2, 6, 7, 8, 9, 9, 9, 9])
    assert scrub.validation_error(problem.model, problem) == pytest.approx(0.3)
    errors = [0.0, 0.8, 0.2, 0.6]
    states = [({"wrong": torch.tensor(round(10 * error))}, error) for error in errors]
    track = Listening()
    scrub._rewind(problem, states, track)
    assert int(problem.model.get_buffer("wrong")) == 2, "the third, 0.1 away; the highest error would be the second"
    assert accuracy(problem.model, *problem.forget.tensors()) == pytest.approx(0.8)
    rewind = track[RewindErrors]
    assert rewind.epoch == 3 and rewind.reference == pytest.approx(0.3)
    assert rewind.errors.tolist() == pytest.approx(errors)


def test_of_equally_close_checkpoints_the_last_is_taken() -> None:
    assert scrub.closest_index([0.5, 0.25, 0.0, 0.25], 0.25) == 3
    assert scrub.closest_index([0.5, 0.0], 0.25) == 1
    assert scrub.closest_index([0.9, 0.2, 0.0], 0.5) == 1


def test_the_reference_has_the_classes_of_the_forget_images() -> None:
    """Two thirds of the forgotten are of class 0 (error 1/4 when unseen), one third of class 1 (error 1), none of 2."""
    _, problem = tiny_problem(tiny_spec("scrub", kind="images"))
    images = torch.arange(14, dtype=torch.uint8).view(14, 1, 1, 1).expand(14, 1, 1, 3)
    labels = torch.tensor([0, 0, 1, 0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 2])
    rigged = replace(
        problem,
        model=nn.Identity(),
        forget_subset=ImageSubset(images, labels, torch.arange(3)),
        validation_subset=ImageSubset(images, labels, torch.arange(3, 14)),
    )

    class Answers(nn.Module):
        def forward(self, pictures: Tensor) -> Tensor:
            place = (pictures[:, 0, 0, 0] * 255).round().long()
            return nn.functional.one_hot((place == 3).long(), 4).float()  # Class 1 for place 3, else class 0.

    assert scrub.validation_error(Answers(), rigged) == pytest.approx(2 / 3 * 1 / 4 + 1 / 3 * 1)
    nobody = replace(rigged, validation_subset=ImageSubset(images, labels, torch.arange(9, 14)))
    with pytest.raises(InvalidRequestError, match="Switch Rewind off"):
        scrub.validation_error(Answers(), nobody)


def test_a_real_run_returns_one_of_its_checkpoints_bit_for_bit() -> None:
    hard = {"lr": 0.05, "max_epochs": 2, "epochs": 4, "forget_batch": 16, "retain_batch": 64, "kept_per_class": 50}
    problem, track = _forgotten("images", rewind=True, **hard)
    rewind = track[RewindErrors]
    assert rewind.errors.tolist() == pytest.approx(
        [step["forget_error"] for step in track.logged if "forget_error" in step]
    )
    assert 1 - accuracy(problem.model, *problem.forget.tensors()) == pytest.approx(rewind.errors[rewind.epoch - 1])
    # An earlier end with the same seed is that checkpoint, whatever epochs came after it.
    short, _ = _forgotten("images", rewind=False, **hard | {"epochs": rewind.epoch})
    for one, other in zip(problem.model.state_dict().values(), short.model.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_validation_images_are_asked_for_only_to_rewind() -> None:
    assert scrub.METHOD.needs(scrub.Hyperparameters(rewind=False)) == DataAccess(
        forget=True, retain=True, validation=False
    )
    assert scrub.METHOD.needs(scrub.Hyperparameters(rewind=True)) == DataAccess(
        forget=True, retain=True, validation=True
    )
