"""Models of torchvision and timm in the forms: found, unknown, unsuitable, and with published weights."""

import re
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Visit
from tests.pages.page_asserts import fine, without_words, words
from unlearn_core.domain.errors import NotFoundError, NotSupportedError
from unlearn_core.domain.jobs import TrainSpec
from unlearn_core.models import external, weight_cache
from unlearn_core.models.model_summary import architecture_cost, pretrained_weights, summarize
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.components.architecture_picker import OTHER

SMALL = "mobilenet_v3_small"


def asked(visit: Visit, part: str = "train") -> AppTest:
    """The form, opened, with the choice of a library's model."""
    app = visit("classifier")
    app.session_state[f"{part}-part"] = True
    app = fine(app.run())
    return fine(app.selectbox(key=f"{part}-architecture").set_value(OTHER).run())


def picked(app: AppTest, name: str, *, part: str = "train", source: str = "torchvision") -> AppTest:
    app.session_state[f"{part}-{source}-name"] = name  # Typed, so that it need not be on the list.
    return fine(app.run())


def keys(app: AppTest) -> list[str | None]:
    return [button.key for button in app.button]


def test_a_model_of_torchvision_is_described_and_trained(
    visit: Visit, store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    app = asked(visit)
    assert "Nothing is downloaded for that" in words(app) and "train-go" not in keys(app)
    assert SMALL in app.selectbox(key="train-torchvision-name").options and not without_words(app)
    app = picked(app, SMALL)
    said = words(app).replace("\\", "")
    assert "mobilenet_v3_small, 1.5 million weights, made for images of 224 pixels." in said
    assert "It takes 6 MB on disk, as does each retrained model" in said
    assert re.search(r"\*\*Estimated cost:\*\* \d.* on a typical CPU", said)
    weights = f"torchvision:{SMALL}:IMAGENET1K_V1"
    start = app.selectbox(key=f"train-start-torchvision:{SMALL}")
    assert start.options == ["fresh weights", f"{weights} (published, to be downloaded)"]
    app = fine(start.set_value(weights).run())
    assert "are not on this machine. The run downloads them first" in words(app)
    fine(app.button(key="train-go").click().run())
    (run,) = store.list_runs(kinds=("train",))
    assert isinstance(run.spec, TrainSpec) and (run.spec.architecture, run.spec.start) == (
        f"torchvision:{SMALL}",
        weights,
    )
    assert run.title == f"Train {SMALL} (torchvision) · CIFAR-10 sample"


def test_weights_that_lie_here_are_said_to(visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    file = external.torchvision_weights(external.parse(f"torchvision:{SMALL}")).url.rpartition("/")[2]
    weight_cache.cache_dir().mkdir(parents=True)
    (weight_cache.cache_dir() / file).touch()
    app = picked(asked(visit), SMALL)
    start = app.selectbox(key=f"train-start-torchvision:{SMALL}")
    assert start.options[1].endswith("(published, on this machine)")
    assert "not on this machine" not in words(fine(start.select_index(1).run()))


def description(name: str) -> None:
    from unlearn_core.data import datasets
    from unlearn_core.ui.components import architecture_picker

    architecture_picker.describe_architecture(name, datasets.card("cifar10-sample"))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("mobilenet_v3_smal", "There is no model of torchvision called 'mobilenet_v3_smal'. Known: mobilenet_v3_small"),
        ("../../etc/<b>", "There is no model of torchvision called"),
        ("alexnet", "torchvision:alexnet does not support images of 32 pixels"),
    ],
)
def test_what_cannot_be_had_is_said_plainly(name: str, told: str) -> None:
    """AppTest cannot type into such a list what is not on it, so the words are asked for without the form."""
    app = AppTest.from_function(description, args=(f"torchvision:{name}",), default_timeout=60).run()
    (said,) = fine(app).warning
    assert told in said.value.replace("\\", "") and "/<b>" not in said.value


def test_with_a_model_that_does_not_fit_there_is_no_button(visit: Visit) -> None:
    app = picked(asked(visit), "alexnet")
    assert "does not support images of 32 pixels" in app.warning[0].value and "train-go" not in keys(app)


def test_a_checkpoint_may_be_of_such_a_model(visit: Visit) -> None:
    app = asked(visit, "bring")
    assert app.button(key="bring-go").disabled
    app = picked(app, SMALL, part="bring")
    assert "mobilenet_v3_small, 1.5 million" in words(app).replace("\\", "")
    app.file_uploader(key="bring-file").set_value(("model.pt", b"nothing", "application/octet-stream"))
    app = fine(app.run())
    assert not app.button(key="bring-go").disabled
    assert "was refused" in app.button(key="bring-go").click().run().error[0].value


def test_timm_is_imported_only_when_it_is_selected(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in sys.modules if one == "timm" or one.startswith("timm.")]:
        monkeypatch.delitem(sys.modules, name)
    asked_for = external.architectures.cache_info().misses
    app = asked(visit)
    assert "timm" not in sys.modules
    assert external.architectures.cache_info().misses <= asked_for + 1
    monkeypatch.undo()
    monkeypatch.setenv("UNLEARN_WARMUP", "none")
    app = fine(app.segmented_control(key="train-library").set_value("timm").run())
    assert "resnet26" in app.selectbox(key="train-timm-name").options
    app = picked(app, "resnet26", source="timm")
    assert "resnet26, 14.0 million weights" in words(app)
    start = app.selectbox(key="train-start-timm:resnet26")
    assert any(option.startswith("timm:resnet26.bt_in1k (published") for option in start.options)


def test_a_summary_needs_no_memory_for_weights() -> None:
    found = summarize("timm:vit_giant_patch14_224", 224)
    assert found.weights is not None and found.weights > 1e9 and found.cost and found.cost.operations > 1e11
    assert "Its size is known only after it is built" in summarize("torchvision:regnet_x_400mf", 32).summary
    assert summarize("torchvision:resnet18", 32).recipe == external.card("torchvision:resnet18", 32).recipe
    assert (
        next(iter(pretrained_weights("torchvision:regnet_x_400mf"))).name == "torchvision:regnet_x_400mf:IMAGENET1K_V1"
    )
    with pytest.raises(NotSupportedError, match="does not support images of 16 pixels"):
        summarize("torchvision:alexnet", 16)
    with pytest.raises(NotFoundError):
        summarize("torchvision:nothing", 32)


def test_a_depthwise_network_is_not_promised_the_speed_of_its_multiplications() -> None:
    small = summarize("torchvision:mobilenet_v2", 96).cost
    reference = architecture_cost("resnet20", 32)
    assert small is not None and reference is not None
    assert small.operations < 1.5 * reference.operations
    assert 6 < small.relative_to(reference) < 9  # Measured: 8 to 9 times as long.
