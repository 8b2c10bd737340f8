"""The ablation: every step is a valid run, one idea beyond another, and its key covers what it depends on."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from unlearn_core.benchmarks import ablation, row_keys
from unlearn_core.data.standard_requests import ENSEMBLE_REQUEST
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.engine.jobs.common import ensemble_members
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.methods import methods
from unlearn_core.models import classifiers
from unlearn_core.probes.common import neurips_score

FINE_TUNE, REDRAWN, *_ = ablation.STEPS[1:]


def test_each_step_is_one_idea_beyond_another() -> None:
    names = [step.name for step in ablation.STEPS]
    assert len(set(names)) == len(names) == 8
    for step in ablation.STEPS[1:]:
        assert step.baseline in names[: names.index(step.name)]
    specs = [ablation.step_spec(step) for step in ablation.STEPS]
    assert len({spec.model_dump_json() for spec in specs}) == len(specs)
    for step, spec in zip(ablation.STEPS[2:], specs[2:], strict=True):
        before = next(own for own, other in zip(specs, ablation.STEPS, strict=True) if other.name == step.baseline)
        changed = {name for name, value in spec.params.items() if before.params[name] != value}
        assert len(changed) == (2 if step.name in ("three cycles", "without head and shortcuts") else 1), changed


def test_a_step_is_measured_anew_when_it_its_method_or_the_score_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [ablation.cache_key(step) for step in ablation.STEPS]
    assert len(set(keys)) == len(keys)
    assert ablation.cache_key(REDRAWN._replace(params=REDRAWN.params | {"lr": 0.001})) != keys[2]
    with monkeypatch.context() as changed:
        changed.setattr(row_keys, "method", lambda name: replace(methods()[name], revision=2))
        assert ablation.cache_key(REDRAWN) != keys[2]
    monkeypatch.setattr(neurips_score, "REVISION", 2)
    assert ablation.cache_key(REDRAWN) != keys[2]


def test_fine_tuning_reinitialises_nothing_and_the_next_step_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a tiny learning rate, what is not re-initialised predicts as before."""
    warm = ModelCache("cpu", tmp_path)

    def moved(step: ablation.AblationStep) -> float:
        knobs = {"lr": 1e-5, "share": 0.05, "epochs": "1"}
        one = ensemble_members.unlearned_outputs(
            ablation.step_spec(step._replace(params=step.params | knobs)), 0, warm, NullTracker()
        )
        return float(one.retain.mean())

    assert moved(FINE_TUNE) > moved(REDRAWN) + 0.1


def test_the_noise_of_the_last_steps_ruins_the_original_itself(tmp_path: Path) -> None:
    model_cache = ModelCache("cpu", tmp_path)
    card = classifiers.card(ENSEMBLE_REQUEST[0])
    data, original = model_cache.dataset(card.dataset), model_cache.original(card)
    assert original is not None
    split = slice(data.card.train, data.card.train + data.card.val)
    images = data.images[split].permute(0, 3, 1, 2).float() / 255
    labels = torch.from_numpy(data.image_dataset.labels[split])
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    for sigma, expected in ((0.0, ablation.ACCURACY_WITHOUT_NOISE), (ablation.NOISE, ablation.ACCURACY_WITH_NOISE)):
        with torch.inference_mode():
            correct = original.module.eval()(images + sigma * noise).argmax(1) == labels
        assert float(correct.float().mean()) == pytest.approx(expected, abs=0.015)
