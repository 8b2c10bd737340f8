"""An uploaded checkpoint: what fits, what does not, and a gold by a confirmed recipe."""

import io
from pathlib import Path

import pytest
import torch
from safetensors.torch import load

from unlearn_core.charts.text import verdict
from unlearn_core.data import user_catalog
from unlearn_core.domain.errors import NotSupportedError
from unlearn_core.domain.forget_request import ForgetClasses, ForgetRequest
from unlearn_core.domain.jobs import AddCheckpointSpec, TrainGoldSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.engine.execute import execute_job, unlearn
from unlearn_core.engine.jobs.add_checkpoint import match_state_dict
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.models import bundled_models, classifiers, user_models
from unlearn_core.models.upload import receive
from unlearn_core.store.files import reports
from unlearn_core.store.queue.run_store import RunStore

OWN = {
    "net.stem.weight": torch.ones(4, 3),
    "net.head.weight": torch.ones(2, 4),
    "net.norm.num_batches_tracked": torch.ones(()),
}


def test_names_match_under_the_prefix_by_which_most_agree() -> None:
    bare = {"stem.weight": torch.zeros(4, 3), "head.weight": torch.zeros(2, 4)}
    for prefix in ("", "net.", "model.", "backbone."):
        found = match_state_dict({f"{prefix}{name}": value for name, value in bare.items()}, OWN)
        assert found.complete and found.state.keys() == {"net.stem.weight", "net.head.weight"}, prefix
    found = match_state_dict({"stem.weight": torch.zeros(5, 3), "aux.weight": torch.zeros(1)}, OWN)
    assert not found.complete and found.missing == ["net.head.weight"] and found.unexpected == ["net.aux.weight"]
    assert found.shape_mismatches == [("net.stem.weight", [4, 3], [5, 3])] and not found.state


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
