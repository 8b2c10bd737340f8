"""An uploaded checkpoint: what fits, what does not, and a gold by a confirmed recipe."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load
from torch import Tensor

from unlearn_core.charts.text import verdict
from unlearn_core.data import sandbox, user_catalog
from unlearn_core.domain.errors import InvalidCheckpointError, NotSupportedError
from unlearn_core.domain.forget_request import ForgetClasses, ForgetRequest
from unlearn_core.domain.jobs import AddCheckpointSpec, TrainGoldSpec
from unlearn_core.domain.results.checkpoint import CheckpointResult
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.engine.execute import execute_job, unlearn
from unlearn_core.engine.jobs.add_checkpoint import validate_checkpoint
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.models import bundled_models, classifiers, user_models
from unlearn_core.models.upload import load_worker, receive
from unlearn_core.store.files import artifacts, reports
from unlearn_core.store.queue.run_store import RunStore

pytestmark = pytest.mark.usefixtures("in_process")
NEVER_TRAINED = 99
CARD = classifiers.card("tiny")


@pytest.fixture
def warm(home: Path) -> ModelCache:
    return ModelCache("cpu", home)


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are converted in this process: that another one does so is tested where they are received."""
    monkeypatch.setattr(sandbox, "run", lambda function, job, limits: load_worker.convert(job, None))  # type: ignore


def tiny() -> dict[str, Tensor]:
    """The bundled tiny model's weights."""
    original = bundled_models.find_bundled("tiny", None, 0)
    assert original is not None
    return {name: value.float() for name, value in load(bundled_models.read_weights(original)).items()}


def validate(
    state: Mapping[str, Any], warm: ModelCache, folder: Path, **options: Any
) -> tuple[CheckpointResult, RunMetrics, AddCheckpointSpec]:
    """Upload a state dict, or what contains one, and validate it."""
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    buffer.seek(0)
    spec = AddCheckpointSpec.model_validate({"upload": receive.receive(buffer), "dataset": "shapes"} | options)
    metrics = validate_checkpoint(spec, warm, NullListener(), folder)
    result = artifacts.read_result(folder, CheckpointResult)
    assert result is not None
    return result, metrics, spec


def test_architecture_and_normalisation_are_found_and_proved(warm: ModelCache, tmp_path: Path) -> None:
    result, metrics, _ = validate({f"module.model.{name}": value for name, value in tiny().items()}, warm, tmp_path)
    assert result.is_proved and result.architecture == "Tiny" and result.architecture_found
    assert result.matched.startswith("names as they are")
    assert len(result.trials) == 6 and result.trial_images == 80 and result.trial_split == "val"
    best = max(trial.accuracy or 0 for trial in result.trials)
    assert result.normalization is not None and result.normalization.accuracy == best
    assert result.accuracies is not None and result.accuracies.val == best
    test = result.accuracy_test
    assert test is not None and (test.split, test.images, test.correct) == ("val", 80, round(best * 80))
    assert test.most_frequent == 0.25 and metrics.classifier == result.classifier
    assert result.classifier is not None and result.classifier.startswith("tiny-shapes-")


def test_a_normalising_layer_in_the_file_is_tried_first(warm: ModelCache, tmp_path: Path) -> None:
    layer = {"0.mean": torch.tensor(CARD.mean).view(1, 3, 1, 1), "0.std": torch.tensor(CARD.std).view(1, 3, 1, 1)}
    result, _, _ = validate(layer | {f"1.{name}": value for name, value in tiny().items()}, warm, tmp_path)
    assert result.fits and not result.unexpected
    assert result.trials[0].title == "the file's own layer" and result.trials[0].mean == pytest.approx(CARD.mean)


def test_a_chosen_normalisation_and_architecture_are_used_as_they_are(warm: ModelCache, tmp_path: Path) -> None:
    result, _, _ = validate(tiny(), warm, tmp_path, architecture="tiny", mean=CARD.mean, std=CARD.std)
    assert result.normalization is not None and result.normalization.mean == CARD.mean
    assert not result.trials and not result.architecture_found and result.is_proved


def test_weights_that_were_never_trained_prove_no_fit(warm: ModelCache, tmp_path: Path) -> None:
    state = warm.new_model(CARD, NEVER_TRAINED).state_dict()
    result, metrics, _ = validate(state, warm, tmp_path)
    assert result.fits and metrics.fits and not result.is_proved
    assert result.accuracy_test is not None and result.accuracy_test.p_value >= 0.01


def test_classes_in_another_order_are_offered_and_only_reordered_on_request(warm: ModelCache, tmp_path: Path) -> None:
    state = tiny()
    turned = [2, 0, 3, 1]
    state |= {name: state[name][turned] for name in ("head.weight", "head.bias")}
    offered, _, spec = validate(state, warm, tmp_path, mean=CARD.mean, std=CARD.std)
    order = offered.class_order
    assert order is not None and not order.applied and list(order.order) == [turned.index(one) for one in range(4)]
    assert order.after - order.before >= 0.1 and order.p_value < 0.01
    assert offered.accuracies is not None and (offered.accuracies.val or 0) < 0.5

    applied, metrics, other = validate(state, warm, tmp_path, mean=CARD.mean, std=CARD.std, reorder=True)
    assert applied.class_order is not None and applied.class_order.applied and applied.is_proved
    assert applied.accuracies is not None and (applied.accuracies.val or 0) > 0.9
    assert applied.classifier != offered.classifier and spec.fingerprint() != other.fingerprint()
    user_models.accept(metrics.classifier or "")
    stored = bundled_models.find_bundled(metrics.classifier or "", None, 0)
    assert stored is not None
    assert torch.equal(load(bundled_models.read_weights(stored))["head.weight"], tiny()["head.weight"])


def test_the_order_of_the_classes_does_not_mislead_the_choice_of_a_normalisation(
    warm: ModelCache, tmp_path: Path
) -> None:
    right, _, _ = validate(tiny(), warm, tmp_path)
    turned = {name: value[[1, 2, 3, 0]] if name.startswith("head.") else value for name, value in tiny().items()}
    result, _, _ = validate(turned, warm, tmp_path)
    assert result.class_order is not None and result.normalization is not None and right.normalization is not None
    assert result.normalization.title == right.normalization.title


def test_a_right_order_is_not_offered_another_one(warm: ModelCache, tmp_path: Path) -> None:
    result, _, spec = validate(tiny(), warm, tmp_path, mean=CARD.mean, std=CARD.std, reorder=True)
    assert result.class_order is None and result.is_proved and spec.reorder


def test_one_channel_is_repeated_and_said(warm: ModelCache, tmp_path: Path) -> None:
    state = tiny()
    state["stem.0.weight"] = state["stem.0.weight"].sum(1, keepdim=True)
    result, _, _ = validate(state, warm, tmp_path)
    assert result.fits and result.one_channel


def test_an_entry_is_chosen_by_its_name(warm: ModelCache, tmp_path: Path) -> None:
    averaged = {name: value + 1 if value.is_floating_point() else value for name, value in tiny().items()}
    file = {"state_dict": tiny(), "state_dict_ema": averaged}
    plain, _, first = validate(file, warm, tmp_path)
    assert plain.entry == "state_dict" and {entry.name for entry in plain.entries} == {"state_dict", "state_dict_ema"}
    other, _, second = validate(file, warm, tmp_path, entry="state_dict_ema")
    assert other.entry == "state_dict_ema" and other.classifier != plain.classifier
    assert first.fingerprint() != second.fingerprint() and plain.is_proved and not other.is_proved


def test_what_does_not_fit_gives_its_reason_and_no_classifier(warm: ModelCache, tmp_path: Path) -> None:
    result, metrics, _ = validate({"stem.0.weight": torch.zeros(8, 3, 3, 3)}, warm, tmp_path)
    assert not result.fits and not metrics.fits and result.classifier is None and result.missing
    assert "No built-in architecture has these tensors" in metrics.why == result.reason


def test_a_model_without_finite_outputs_is_refused(warm: ModelCache, tmp_path: Path) -> None:
    huge = {name: value * 1e30 if value.is_floating_point() else value for name, value in tiny().items()}
    with pytest.raises(InvalidCheckpointError, match="not finite"):
        validate(huge, warm, tmp_path)


OLD_SPEC = {
    "kind": "add",
    "upload": "ab" * 32,
    "architecture": "resnet20",
    "dataset": "cifar10-sample",
    "name": "mine",
    "mean": [0.5, 0.5, 0.5],
    "std": [0.25, 0.25, 0.25],
}


def test_specs_of_former_releases_are_read_and_have_the_same_fingerprint() -> None:
    spec = AddCheckpointSpec.model_validate(OLD_SPEC)
    assert spec.model_dump(mode="json") == OLD_SPEC
    assert spec.fingerprint() == "7a1cb0d692ffa7c5"
    assert "entry" in spec.model_copy(update={"entry": "ema"}).model_dump()
    with pytest.raises(ValueError, match="given together"):
        AddCheckpointSpec.model_validate({**OLD_SPEC, "std": None})


def test_its_gold_is_trained_by_the_recipe_that_was_confirmed_and_reports_say_so(home: Path) -> None:
    user_catalog.set_data_dir(home)
    original = bundled_models.find_bundled("tiny", None, 0)
    assert original is not None
    upload = receive.receive(io.BytesIO(bundled_models.read_weights(original)))
    card = classifiers.card("tiny")
    wish = AddCheckpointSpec(upload=upload, architecture="tiny", dataset="shapes", mean=card.mean, std=card.std)
    store, warm = RunStore(home), ModelCache("cpu", home)

    def work(what: AddCheckpointSpec | TrainGoldSpec) -> RunMetrics:
        return execute_job(store.get(store.submit(what, title="x")), warm, NullListener())

    metrics = work(wish)
    assert metrics.fits and metrics.accuracies is not None and (metrics.accuracies.test or 0) > 0.9
    name = metrics.classifier
    assert name is not None
    user_models.accept(name)
    kept = bundled_models.find_bundled(name, None, 0)
    assert kept is not None
    theirs, ours = load(bundled_models.read_weights(original)), load(bundled_models.read_weights(kept))
    assert all(torch.equal(ours[one].float(), value.float()) for one, value in theirs.items())

    done = unlearn(run_spec(name, method="finetune", classes=["rows"]), device="cpu", data_dir=home)
    assert "Confirm a recipe" in done.report.missing["gold"]
    request = ForgetRequest(classifier=name, dataset="shapes", forget=ForgetClasses(classes=(0,)))
    with pytest.raises(NotSupportedError, match="It is unknown how"):
        work(TrainGoldSpec(request=request))
    user_models.set_recipe(name, card.required_recipe.model_copy(update={"epochs": 1}))
    work(TrainGoldSpec(request=request))
    (measure,) = store.list_runs(kinds=("measure",))
    execute_job(measure, warm, NullListener())
    report = reports.read(home, done.run or -1)
    assert "gold" in report.evaluations and not report.classifier.original_recipe
    assert "uses a recipe chosen by hand" in verdict.caveats(report)
    assert "chosen by hand" not in verdict.caveats(done.report)
