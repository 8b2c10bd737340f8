"""What makes UNSIR UNSIR: the noise is wrong for its own class, and no forget image is ever seen."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.methods.artifact_recorder import ArtifactRecorder
from tests.methods.small_problem import STRONG, tiny_problem, tiny_spec
from unlearn_core.domain.errors import InvalidHyperparameterError, NotSupportedError
from unlearn_core.domain.forget_request import ForgetClasses
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.method import DataAccess
from unlearn_core.domain.results.method_artifacts import NoiseErrors, NoiseImages
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.engine.execute import unlearn
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import build_problem, resolve_run
from unlearn_core.methods import unsir
from unlearn_core.testing.method_contract import CountingTracker
from unlearn_core.training.batches import to_floats
from unlearn_core.training.evaluate import accuracy
from unlearn_core.training.problem import ImageSubset
from unlearn_core.training.weights import checksum


class Keeping(ArtifactRecorder):
    def __init__(self) -> None:
        super().__init__()
        self.phases: list[str] = []

    def phase(self, name: str, *, done: int = 0) -> None:
        self.phases.append(name)


def _two_classes(**knobs: Any) -> UnlearnSpec:
    spec = tiny_spec("unsir", **knobs)
    return spec.model_copy(
        update={"request": spec.request.model_copy(update={"forget": ForgetClasses(classes=(1, 3))})}
    )


def test_the_noise_becomes_more_wrong_for_its_own_class() -> None:
    layout, problem = tiny_problem(_two_classes(noise_steps=30, noise_weight=0.001))
    track = Keeping()
    layout.method.forget(problem, layout.params, track)
    noise = track[NoiseErrors]
    assert noise.errors.shape == (31, 2)
    for own in ("1", "3"):
        assert noise.ends[own].after > noise.ends[own].before + 0.5
    assert track[NoiseImages].pixels.shape == (48, 16, 16, 3)
    assert track.phases == ["noise", "impair", "repair"]


def test_every_noise_image_is_used_once_a_repeat_with_its_own_label() -> None:
    layout, problem = tiny_problem(_two_classes(noise_pictures=48, augment=False))
    knobs = layout.params
    assert isinstance(knobs, unsir.Hyperparameters)
    noise = torch.arange(96.0).view(96, 1, 1, 1).expand(96, 3, 16, 16) + 10
    labels = torch.tensor([1, 3]).repeat_interleave(48)
    batches = unsir._mixed_epoch(problem.retain, noise, labels, params=knobs, generator=problem.random_generator("x"))
    seen = {}
    kept = 0
    for pictures, targets in batches:
        is_noise = pictures[:, 0, 0, 0] >= 10
        kept += int((~is_noise).sum())
        seen |= dict(zip(pictures[is_noise, 0, 0, 0].tolist(), targets[is_noise].tolist(), strict=True))
    assert seen == {float(10 + row): 1 if row < 48 else 3 for row in range(96)}
    assert kept == len(problem.retain) == 200


def test_zero_glance_is_real(monkeypatch: pytest.MonkeyPatch) -> None:
    """No forget image reaches the model, which sees every input here."""
    spec = tiny_spec("unsir", augment=False)
    layout, problem = tiny_problem(spec)
    assert problem.forget_subset is None
    assert not set(problem.retain.rows.tolist()) & set(layout.split.forget_train.tolist())
    forgotten = to_floats(layout.data.images[torch.from_numpy(layout.split.forget_train)]).flatten(1)
    seen = []
    for net in (problem.model, problem.original_model):
        net.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().float().flatten(1)))
    layout.method.forget(problem, layout.params, NullTracker())
    everything = torch.cat(seen)
    assert len(everything) > 500
    assert torch.cdist(everything, forgotten).min() > 0.01
    assert layout.method.needs(layout.params) == DataAccess(forget=False, retain=True)


def test_without_noise_images_there_is_no_noise_phase() -> None:
    layout, problem = tiny_problem(tiny_spec("unsir", noise_pictures=0))
    track = Keeping()
    layout.method.forget(problem, layout.params, track)
    assert track.phases == ["impair", "repair"] and not track.saved


def test_random_noise_is_shown_as_it_was_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Normalised it is a standard normal distribution, with the label of its own class, and nothing is learned."""
    layout, problem = tiny_problem(_two_classes(noise="random", noise_pictures=48))
    given: list[tuple[torch.Tensor, torch.Tensor]] = []
    mixed = unsir._mixed_epoch

    def watched(retained: ImageSubset, noise: torch.Tensor, labels: torch.Tensor, **how: Any) -> Any:
        given.append((noise, labels))
        return mixed(retained, noise, labels, **how)

    monkeypatch.setattr(unsir, "_mixed_epoch", watched)
    track = Keeping()
    layout.method.forget(problem, layout.params, track)
    assert track.phases == ["impair", "repair"] and not track.saved
    ((noise, labels),) = given
    mean, std = (torch.tensor(of).view(3, 1, 1) for of in (problem.classifier.mean, problem.classifier.std))
    normalised = (noise - mean) / std
    assert labels.tolist() == [1] * 48 + [3] * 48
    assert abs(float(normalised.mean())) < 0.02 and abs(float(normalised.std()) - 1) < 0.02


def test_no_noise_is_the_same_as_no_noise_images() -> None:
    def weights(noise: str = "learned", images: int = 16) -> str:
        layout, problem = tiny_problem(tiny_spec("unsir", noise=noise, noise_pictures=images))
        layout.method.forget(problem, layout.params, NullTracker())
        return checksum(problem.model)

    every = {kind: weights(kind) for kind in ("learned", "random", "none")}
    assert len({*every.values()}) == 3
    assert every["none"] == weights(images=0)


@pytest.mark.parametrize("kind", ["learned", "random", "none"])
def test_the_cost_of_each_kind_of_noise_is_announced(kind: str) -> None:
    layout, problem = tiny_problem(_two_classes(noise=kind))
    track = CountingTracker()
    layout.method.forget(problem, layout.params, track)
    assert track.images == layout.method.images_processed(layout.params, problem.sizes)
    assert track.steps == track.planned


def test_another_kind_of_noise_is_refused() -> None:
    with pytest.raises(InvalidHyperparameterError, match=r"'loud': it takes one of learned, random, none"):
        unsir.Hyperparameters.parse({"noise": "loud"})


def test_learned_noise_is_left_out_of_specs_as_before_there_was_a_choice() -> None:
    assert "noise" not in unsir.Hyperparameters().model_dump()
    assert unsir.Hyperparameters(noise="none").model_dump()["noise"] == "none"


@pytest.mark.parametrize("left_out", ["impair", "repair"])
def test_without_impair_or_repair_the_other_remains(left_out: str) -> None:
    layout, problem = tiny_problem(tiny_spec("unsir", **unsir.METHOD.presets[f"no-{left_out}"].params.model_dump()))
    track = Keeping()
    layout.method.forget(problem, layout.params, track)
    assert set(track.phases) == {"noise", "impair", "repair"} - {left_out}


def test_requests_can_follow_each_other(home: Path) -> None:
    """The second run forgets its own class, and is handed nothing from which it could learn the first one again."""
    first = unlearn(tiny_spec("unsir", **STRONG), device="cpu", data_dir=home)
    request = first.report.spec.request.model_copy(update={"forget": ForgetClasses(classes=(3,))})
    spec = first.report.spec.model_copy(update={"request": request, "start": first.run})
    layout = resolve_run(spec, warm := ModelCache("cpu", home))
    problem = build_problem(layout, warm)
    assert set(problem.retain.labels[problem.retain.rows].tolist()) == {0, 2} == set(problem.retained_classes.tolist())
    assert (problem.sizes.retain, problem.sizes.retained_classes, problem.previously_forgotten) == (
        len(problem.retain),
        2,
        (1,),
    )

    unseen = np.concatenate([layout.split.forget_val, layout.split.retain_val])
    pictures, labels = ImageSubset(layout.data.images, layout.data.labels, torch.from_numpy(unseen)).tensors()
    layout.method.forget(problem, layout.params, NullTracker())
    shares = [
        [accuracy(net, pictures[labels == own], labels[labels == own]) for own in range(4)]
        for net in (problem.original_model, problem.model)
    ]
    assert shares[0][1] < 0.2 and shares[1][1] < 0.2, "the first class stays forgotten"
    assert shares[0][3] > 0.8 and shares[1][3] < 0.2, "the second one goes"
    assert shares[1][0] > 0.8 and shares[1][2] > 0.8


def test_single_images_are_refused_with_the_methods_that_can() -> None:
    with pytest.raises(NotSupportedError, match=r"UNSIR cannot forget single images. These methods can: .*Fine-tune"):
        tiny_problem(tiny_spec("unsir", kind="images"))
