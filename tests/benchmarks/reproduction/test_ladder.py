"""The ladder: each step is one idea beyond another, and scores, errors and findings follow from what was measured."""

from pathlib import Path

import numpy as np
import pytest

from unlearn_core.benchmarks.reproduction.ladder import ladder_rows, ladder_section, resampling, setting
from unlearn_core.benchmarks.reproduction.ladder.ladder_rows import CEILING, Entry
from unlearn_core.benchmarks.reproduction.ladder.setting import RATES, REPORTED, TUNING, LadderStep, steps
from unlearn_core.domain.forget_request import ForgetImages, ForgetRequest
from unlearn_core.models import classifiers
from unlearn_core.models.ensembles import EnsembleOutputs
from unlearn_core.probes.common import neurips_score

CHANGED = {
    "+ random re-initialisation": {"layers"},
    "+ Gaussian noise": {"sigma"},
    "MSE instead of CE": {"loss"},
    "three cycles": {"cycles", "epochs"},
    "without the head": {"spare_head"},
    "without head and shortcuts": {"spare_shortcuts"},
    "Fisher-chosen layers": {"choice"},
    "crops and flips": {"augment"},
    "L1 instead of CE": {"loss"},
    "single weights instead of layers": {"granularity"},
}


def test_each_step_is_one_idea_beyond_its_baseline() -> None:
    changed = {}
    for step in steps().values():
        own = setting.step_spec(step, REPORTED, sigma=0.01, rate=0.001 if step.rate_of else None)
        if step.baseline is not None:
            other = setting.step_spec(steps()[step.baseline], REPORTED, sigma=0.01, rate=0.001)
            changed[step.name] = {name for name, value in own.params.items() if other.params[name] != value}
    assert changed == CHANGED


def test_learning_rates_are_chosen_on_other_images() -> None:
    reported, tuning = (setting.forget_request(name).forget for name in (REPORTED, TUNING))
    assert isinstance(reported, ForgetImages) and isinstance(tuning, ForgetImages)
    assert len(reported.images) == len(set(tuning.images)) == 200
    assert not set(reported.images) & set(tuning.images)
    assert max(tuning.images) < 10_000, "training images"

    def tried(step: LadderStep, request: str, rate: float, score: float, noise: float = 0.02) -> dict[str, str]:
        sigma = str(noise * step.is_noisy)
        return {"request": request, "step": step.name, "sigma": sigma, "rate": str(rate), "score": str(score)}

    two = setting.tuned_steps()[1:3]
    scores = dict(zip(RATES, (0.1, 0.3, 0.2, 0.0), strict=True))
    rows = [tried(step, TUNING, rate, score) for step in two for rate, score in scores.items()]
    rows += [tried(step, REPORTED, rate, 1 - score) for step in two for rate, score in scores.items()]
    rows.append(tried(two[1], TUNING, RATES[0], 9, noise=0.5))
    chosen = ladder_rows.chosen_rates({str(number): row for number, row in enumerate(rows)}, 0.02)
    assert chosen == {"+ random re-initialisation": RATES[1], "+ Gaussian noise": RATES[1]}


def test_the_noise_is_the_largest_that_the_original_tolerates() -> None:
    accuracies = dict(zip((0.0, *setting.SIGMAS), (0.65, 0.651, 0.645, 0.63, 0.645, 0.4), strict=True))
    assert ladder_rows.tolerated_noise(accuracies) == 0.01, "what comes after an intolerable one does not count"
    assert ladder_rows.tolerated_noise({**accuracies, 0.005: 0.6}) == 0.0


def made_up(seed: int, *, shift: float = 0.0, count: int = 8) -> EnsembleOutputs:
    chance = np.random.default_rng(seed)
    logits = chance.normal(size=(count, 30, 3)).astype(np.float32)
    logits[:, :, 0] += shift
    return EnsembleOutputs(logits, *chance.uniform(0.5, 0.9, (2, count)).astype(np.float32))


def test_resamples_are_scores_of_drawn_models_and_images() -> None:
    ours, golds, labels = made_up(0, shift=1), made_up(1), np.arange(30) % 3
    found = resampling.resampled_scores(ours, golds, labels, times=3)
    shared, own = np.random.default_rng(0), np.random.default_rng(1)
    for score in found:  # The same draws, and the score of the challenge on whole arrays.
        theirs, images, chosen = shared.integers(8, size=8), shared.integers(30, size=30), own.integers(8, size=8)
        left, right = ours.logits[chosen][:, images], golds.logits[theirs][:, images]
        expected = neurips_score.neurips_score(
            neurips_score.phi(left, labels[images]),
            neurips_score.phi(right, labels[images]),
            retain=(ours.retain[chosen].mean(), golds.retain[theirs].mean()),
            test=(ours.test[chosen].mean(), golds.test[theirs].mean()),
        )
        assert score == pytest.approx(expected.final)


def test_a_direction_is_told_beyond_two_standard_errors_of_paired_resamples() -> None:
    shared = np.random.default_rng(0).normal(size=100)
    found = resampling.difference(0.3, shared + 0.3, 0.2, shared + 0.2)
    assert found.value == pytest.approx(0.1) and found.error == pytest.approx(0) and found.is_clear
    noise = np.random.default_rng(1).normal(size=100)
    assert not resampling.difference(0.3, noise, 0.2, -noise).is_clear


def row(step: str, score: float, sigma: float = 0.0, request: str = REPORTED, spread: float = 0.001) -> dict[str, str]:
    again = score + spread * np.random.default_rng(len(step)).normal(size=20)
    figures = {"forgetting": score, "retain": 1.0, "test": 1.0, "score": score, "error": spread}
    return {"key": f"{step} {sigma}", "request": request, "step": step, "sigma": str(sigma), "rate": "0.001"} | {
        "models": "16", **{name: f"{value:.5f}" for name, value in figures.items()},
        "resampled": " ".join(f"{value:.5f}" for value in again), "device": "CPU",
    }  # fmt: skip


def test_the_section_says_what_was_measured_and_what_was_not() -> None:
    assert ladder_section.COMMAND in ladder_section.ladder_section([])
    rows = [
        row("+ Gaussian noise", 0.08, 0.02, TUNING),
        row(CEILING, 0.16),
        row("fine-tune", 0.02),
        row("+ random re-initialisation", 0.08),
        row("+ Gaussian noise", 0.07, 0.02),
        row("+ Gaussian noise", 0.01, 0.1),
        row("MSE instead of CE", 0.0701, 0.02, spread=0.02),
    ]
    text = ladder_section.ladder_section(rows)
    assert "| fine-tune | 0.0496 | 0.0200 ± 0.0010 | 12 % |  | 0.0200 | 1.000 | 1.000 | 0.001 |" in text
    assert "| + Gaussian noise | 0.0653 | 0.0700 ± 0.0010 | 44 % | 0.0100 |" in text
    assert "| three cycles | 0.0856 | not measured |" in text and "0.02, is the largest" in text
    findings = {claim.words: claim.finding for claim in ladder_section.ladder_claims(rows)}
    words = "On an original that memorises, "
    assert findings[f'{words}"+ random re-initialisation" scores more than "fine-tune"'] == "holds"
    assert findings[f'{words}"+ Gaussian noise" scores more than "+ random re-initialisation"'] == "does not hold"
    assert findings[f'{words}"MSE instead of CE" scores more than "+ Gaussian noise"'] == "not shown"
    assert findings[f'{words}"three cycles" scores more than "MSE instead of CE"'] == "not measured"
    assert findings[f'{words}"L1 instead of CE" scores less than "+ Gaussian noise"'] == "not measured"


def test_a_row_is_measured_anew_when_its_original_noise_or_rate_changes() -> None:
    step = steps()["+ Gaussian noise"]
    entries = [
        Entry(step, REPORTED, 0.01, 0.001),
        Entry(step, REPORTED, 0.02, 0.001),
        Entry(step, REPORTED, 0.01, 0.003),
    ]
    keys = [entry.key(original) for entry in entries for original in ("a" * 64, "b" * 64)]
    keys += [Entry(None, REPORTED, 0.0, None).key(original) for original in ("a" * 64, "b" * 64)]
    assert len(set(keys)) == len(keys)


@pytest.mark.slow
def test_it_is_measured_in_slices_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = [steps()["fine-tune"], steps()["+ Gaussian noise"]]
    few = [step._replace(params=step.params | {"epochs": "1"}) for step in known]

    def request(name: str) -> ForgetRequest:
        images = range(10) if name == REPORTED else range(10, 20)
        return ForgetRequest(classifier="tiny", dataset="shapes", forget=ForgetImages(images=tuple(images)))

    recipe = classifiers.card("tiny").required_recipe.model_copy(update={"epochs": 1})
    changes = {
        "NUM_MODELS": 3, "NUM_GOLDS": {TUNING: 3, REPORTED: 6}, "RATES": (0.001,), "recipe": lambda: recipe,
        "steps": lambda: {step.name: step for step in few}, "tuned_steps": lambda: few, "forget_request": request,
        "FOLDER": tmp_path, "ORIGINAL": tmp_path / "original.safetensors", "MEMORISED_LADDER": tmp_path / "scores.csv",
    }  # fmt: skip
    monkeypatch.setattr(setting, "forget_request", request)
    for name, value in changes.items():
        monkeypatch.setattr(ladder_rows, name, value)
    monkeypatch.setattr(ladder_rows, "PRINTED_AS_VARIANCE", setting.SIGMAS[0])
    monkeypatch.setattr(ladder_rows.os, "cpu_count", lambda: 1)
    assert list(ladder_rows.measure_all(ladder_rows.Ladder("cpu", tmp_path / "scratch", 0.0)))[1:] == [], "time is over"
    said = list(ladder_rows.measure_all(ladder_rows.Ladder("cpu", tmp_path / "scratch", float("inf"))))
    rows = ladder_rows.read_rows(tmp_path / "scores.csv", "key")
    assert {row["step"] for row in rows.values()} == {CEILING, *(step.name for step in few)}
    for row in rows.values():
        product = float(row["forgetting"]) * float(row["retain"]) * float(row["test"])
        assert float(row["score"]) == pytest.approx(product, abs=1e-4)
        if row["resampled"]:
            assert float(row["error"]) == pytest.approx(
                np.std(np.array(row["resampled"].split(), float), ddof=1), abs=2e-5
            )
    again = list(ladder_rows.measure_all(ladder_rows.Ladder("cpu", tmp_path / "other", float("inf"))))
    assert len(said) > len(again) == 1, "all of it is known"
