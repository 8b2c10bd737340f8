"""A checkpoint that somebody brought: what fits, what does not, and a gold by a recipe that somebody chose."""

import io
from pathlib import Path

import pytest
import torch
from safetensors.torch import load

from unlearn_core.charts.text import verdict
from unlearn_core.data import user_catalog
from unlearn_core.domain.errors import NotSupported
from unlearn_core.domain.forget_request import ForgetClasses, ForgetRequest
from unlearn_core.domain.jobs import AddSpec, GoldSpec
from unlearn_core.engine.build_spec import spec
from unlearn_core.engine.execute import carry_out, unlearn
from unlearn_core.engine.jobs.add_checkpoint import fit
from unlearn_core.engine.listener import Nobody
from unlearn_core.engine.model_cache import Warm
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
        found = fit({f"{prefix}{name}": value for name, value in bare.items()}, OWN)
        assert found.whole and found.state.keys() == {"net.stem.weight", "net.head.weight"}, prefix
    found = fit({"stem.weight": torch.zeros(5, 3), "aux.weight": torch.zeros(1)}, OWN)
    assert not found.whole and found.missing == ["net.head.weight"] and found.unexpected == ["net.aux.weight"]
    assert found.shapes == [("net.stem.weight", [4, 3], [5, 3])] and not found.state


def test_its_gold_is_trained_by_the_recipe_that_was_confirmed_and_reports_say_so(home: Path) -> None:
    user_catalog.use(home)
    original = bundled_models.find("tiny", None, 0)
    assert original is not None
    upload = receive.receive(io.BytesIO(bundled_models.weights_of(original)))
    card = classifiers.card("tiny")
    wish = AddSpec(upload=upload, architecture="tiny", dataset="shapes", mean=card.mean, std=card.std)
    store, warm = RunStore(home), Warm("cpu", home)

    def work(what: AddSpec | GoldSpec) -> dict:
        return carry_out(store.get(store.submit(what, title="x")), warm, Nobody())

    headline = work(wish)
    assert headline["fits"] and headline["accuracies"]["test"] > 0.9
    name = headline["classifier"]
    user_models.take(name)
    kept = bundled_models.find(name, None, 0)
    assert kept is not None
    theirs, ours = load(bundled_models.weights_of(original)), load(bundled_models.weights_of(kept))
    assert all(torch.equal(ours[one].float(), value.float()) for one, value in theirs.items())

    done = unlearn(spec(name, method="finetune", classes=["rows"]), device="cpu", home=home)
    assert "Confirm a recipe" in done.report.missing["gold"]
    request = ForgetRequest(classifier=name, dataset="shapes", forget=ForgetClasses(classes=(0,)))
    with pytest.raises(NotSupported, match="Nobody has said how"):
        work(GoldSpec(request=request))
    user_models.confirm(name, card.trained_by.model_copy(update={"epochs": 1}))
    work(GoldSpec(request=request))
    (measure,) = store.list(kinds=("measure",))
    carry_out(measure, warm, Nobody())
    report = reports.read(home, done.run or -1)
    assert "gold" in report.evaluations and not report.classifier.original_recipe
    assert "by a recipe that somebody chose" in verdict.doubt(report)
    assert "somebody chose" not in verdict.doubt(done.report)
