"""Every architecture runs with every kind of method from spec to report: a few images, a step or two."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.uploaded_model import DATASET, bring
from unlearn_core.charts import charts
from unlearn_core.charts.drawing.theme import LIGHT
from unlearn_core.data import user_catalog
from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.forget_request import ForgetClasses, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.results.explanations import CamResult, SnapshotsResult
from unlearn_core.domain.results.layer_comparison import CkaResult, WeightDistanceResult
from unlearn_core.engine.execute import RunResult, unlearn
from unlearn_core.methods import method as find_method
from unlearn_core.methods import methods
from unlearn_core.models import architectures, classifiers

TINY: dict[str, dict[str, Any]] = {
    "unsir": {"noise_pictures": 16, "noise_steps": 1, "batch": 32, "augment": False},
    "l2ul": {"guard": "adv-imp", "copies": 1, "attacked": 4, "attack_steps": 1, "max_steps": 1, "stops": False},
    "reinit": {"cycles": 1, "layers": "1", "epochs": "1", "batch": 32, "share": 0.5},
    "finetune": {"lr": 1e-3, "batch": 32},
    "ssd": {"batch": 12},
}
"""Hyperparameters with which each method takes a step or two."""
REST: dict[str, dict[str, Any]] = {
    "bad_teacher": {},
    "boundary": {"way": "expand", "epochs": 1},
    "cfk": {"epochs": 1, "layers": 2},
    "delete": {"epochs": 1},
    "fisher": {"pictures": 10},
    "l1_sparse": {"epochs": 1},
    "msg": {"epochs": 1},
    "neggrad": {"lr": 1e-4},
    "neggrad_plus": {"lr": 1e-4},
    "random_labels": {"epochs": 1},
    "retrain": {},
    "salun": {"epochs": 1},
    "scrub": {},
    "sfron": {"epochs": 1},
}
FAST = ("resnet20", "resnet20_plain", "mobilenet_v2", "vit_tiny")
SLOW = ("all_cnn", "resnet18", "resnet18_torchvision", "resnet50")
ONE_METHOD = {
    "resnet32": "reinit",
    "resnet32_plain": "ssd",
    "resnet44": "fisher",
    "resnet44_plain": "l2ul",
    "resnet56": "l1_sparse",
    "resnet56_plain": "salun",
    "resnet110": "reinit",
    "resnet110_plain": "finetune",
    "densenet121": "l2ul",
    "vgg16_bn": "salun",
    "vgg16_bn_maxpool": "l1_sparse",
    "resnet34": "fisher",
    "swin_tiny": "l2ul",
    "convnext_tiny": "salun",
    "wide_resnet28_10": "ssd",
}
"""Large ones, or of the same code as others: with one method each. The contracts try what methods need of all."""
LIBRARY = ("timm:test_vit", "timm:test_convnext", "torchvision:shufflenet_v2_x0_5")


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder that gets each architecture once, so that its original is evaluated only once."""
    yield tmp_path_factory.mktemp("catalog")
    user_catalog.set_data_dir(None)


def forgets(name: str, architecture: str, home: Path, **knobs: Any) -> RunResult:
    return made_to_forget(name, bring(architecture, home), home, **knobs)


def made_to_forget(name: str, card: ClassifierCard, home: Path, **knobs: Any) -> RunResult:
    forget = ForgetClasses(classes=(1,))
    first = next(iter(find_method(name).presets.values())).for_request(forget)
    request = ForgetRequest(classifier=card.id, dataset=card.dataset, forget=forget)
    spec = UnlearnSpec(request=request, method=name, params=first.updated(knobs).model_dump(), seed=1)
    return unlearn(spec, device="cpu", data_dir=home)


def looks_right(finished: RunResult) -> None:
    """A complete report, with maps that are not constant."""
    report = finished.report
    weights = {model: one.weights for model, one in report.evaluations.items()}
    assert weights["before"] != weights["after"]
    assert {"accuracy", "logits", "layers", "cka", "cam", "predictions"} <= set(report.parts), report.missing
    maps = report[CamResult].maps
    assert maps["before"].shape == maps["after"].shape and min(maps["before"].shape[1:]) > 1
    assert np.isfinite(maps["after"]).all()
    assert (maps["before"].std((1, 2)) > 0).any()
    layers = [layer.name for layer in report[WeightDistanceResult].layers]
    assert [name for name in layers if name != "other"] == list(report.classifier.roles.layers)
    assert [row.layer for row in report[CkaResult].layers] == list(report.classifier.roles.layers)
    assert not report[SnapshotsResult].no_maps


def test_every_architecture_and_method_is_named_here() -> None:
    shipped = set(architectures.cards()) - {"tiny", "resnet8", "mlp"}
    assert shipped == {*FAST, *SLOW, *ONE_METHOD}
    assert set(methods()) == {*TINY, *REST}


@pytest.mark.parametrize("method", TINY)
@pytest.mark.parametrize("architecture", FAST)
def test_forgets(architecture: str, method: str, catalog: Path) -> None:
    looks_right(forgets(method, architecture, catalog, **TINY[method]))


@pytest.mark.parametrize("architecture", ["all_cnn", "resnet18_torchvision"])
def test_forgets_at_once(architecture: str, catalog: Path) -> None:
    looks_right(forgets("ssd", architecture, catalog, **TINY["ssd"]))


@pytest.mark.slow
@pytest.mark.parametrize("method", TINY)
@pytest.mark.parametrize("architecture", SLOW)
def test_forgets_large(architecture: str, method: str, catalog: Path) -> None:
    looks_right(forgets(method, architecture, catalog, **TINY[method]))


@pytest.mark.slow
@pytest.mark.parametrize(("architecture", "method"), ONE_METHOD.items())
def test_forgets_by_one_method(architecture: str, method: str, catalog: Path) -> None:
    card = bring(architecture, catalog, max(16, architectures.card(architecture).smallest))
    looks_right(made_to_forget(method, card, catalog, **(TINY | REST)[method]))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:There is a performance drop:UserWarning")  # One by one where attention is fused.
@pytest.mark.parametrize("method", TINY)
@pytest.mark.parametrize("architecture", LIBRARY)
def test_forgets_by_name(architecture: str, method: str, catalog: Path) -> None:
    looks_right(forgets(method, architecture, catalog, **TINY[method]))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:There is a performance drop:UserWarning")
@pytest.mark.parametrize("method", REST)
@pytest.mark.parametrize("architecture", ["vit_tiny", "mobilenet_v2", "timm:test_vit"])
def test_no_method_needs_batch_norm_or_a_convolution(architecture: str, method: str, catalog: Path) -> None:
    looks_right(forgets(method, architecture, catalog, **REST[method]))


@pytest.mark.parametrize("method", TINY | REST)
def test_every_method_forgets_points(method: str, catalog: Path) -> None:
    report = made_to_forget(method, classifiers.card("mlp-blobs"), catalog, **(TINY | REST)[method]).report
    assert report.evaluations["before"].weights != report.evaluations["after"].weights
    assert {"accuracy", "logits", "layers", "regions"} <= set(report.parts), report.missing
    assert "cam" in report.missing


@pytest.mark.slow
def test_the_published_settings_of_unsir_run_on_their_architecture(catalog: Path) -> None:
    card = bring("resnet18_torchvision", catalog)
    forget = ForgetClasses(classes=(1,))
    knobs = find_method("unsir").presets["paper"].params.updated({"noise_repeats": 1, "noise_steps": 2})
    request = ForgetRequest(classifier=card.id, dataset=DATASET.id, forget=forget)
    spec = UnlearnSpec(request=request, method="unsir", params=knobs.model_dump(), seed=1)
    looks_right(unlearn(spec, device="cpu", data_dir=catalog))


def test_every_chart_can_be_drawn_of_a_transformer(catalog: Path) -> None:
    report = forgets("ssd", "vit_tiny", catalog, **TINY["ssd"]).report
    drawn = [chart for chart in charts().values() if chart.applies(report) is True]
    assert {"layers", "cam", "cka", "ssd"} & {chart.id for chart in drawn}
    for chart in drawn:
        assert chart.figure([report], LIGHT).to_dict()["layout"] and chart.summary(report)


def test_dropout_is_drawn_from_the_seed(catalog: Path) -> None:
    """MobileNetV2 has dropout: two runs in one process would otherwise draw different parts of one random stream."""
    runs = [forgets("finetune", "mobilenet_v2", catalog, **TINY["finetune"]) for _ in range(2)]
    assert len({run.metrics.weights for run in runs}) == 1
