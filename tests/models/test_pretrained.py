"""Published weights: found locally, downloaded by a stand-in, or refused with a sentence; and no code is run."""

import hashlib
import io
import json
import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import URLError

import huggingface_hub
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from unlearn_core.domain.errors import (
    CorruptAssetError,
    FileUnavailableError,
    InvalidCheckpointError,
    NotFoundError,
    NotSupportedError,
)
from unlearn_core.models import architectures, external, weight_cache
from unlearn_core.models.pretrained import pretrained

SQUEEZE = "torchvision:squeezenet1_1:IMAGENET1K_V1"
TIMM = "timm:test_resnet.r160_in1k"


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection, and an empty folder for weights."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.delenv("UNLEARN_ALLOW_HUB", raising=False)

    def unreachable(*_: Any, **__: Any) -> str:
        raise URLError("no such host")

    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", unreachable)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: None)


def brings(monkeypatch: pytest.MonkeyPatch, data: bytes) -> list[str]:
    """Stands in for the internet: every download returns this data; gives the requested URLs."""
    asked: list[str] = []

    def download(address: str, path: Path, expected: str) -> None:
        asked.append(address)
        path.write_bytes(data)

    monkeypatch.setattr(weight_cache, "_download", download)
    return asked


def saved(net: nn.Module, path: Path) -> bytes:
    torch.save(net.state_dict(), path)
    return path.read_bytes()


def test_offline_it_says_what_to_put_where(tmp_path: Path) -> None:
    with pytest.raises(FileUnavailableError) as refused:
        pretrained(SQUEEZE)
    said = str(refused.value)
    assert "https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth (about 5 MB)" in said
    assert str(tmp_path / "torch/hub/checkpoints/squeezenet1_1-b8a52dc0.pth") in said
    assert "no such host" in said and "TORCH_HOME" in said
    with pytest.raises(FileUnavailableError) as refused:
        pretrained(TIMM)
    said = str(refused.value)
    assert "https://huggingface.co/timm/test_resnet.r160_in1k/resolve/main/model.safetensors (about 2 MB)" in said
    assert str(tmp_path / "torch/hub/checkpoints/test_resnet.r160_in1k.safetensors") in said and "HF_HOME" in said


def test_torchvisions_weights_come_with_all_that_is_known_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = external.build_backbone(external.parse("torchvision:squeezenet1_1"), 1000, 224)
    asked = brings(monkeypatch, saved(net, tmp_path / "net.pth"))
    found = pretrained(SQUEEZE)
    assert asked == ["https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth"]
    assert found.classes[0] == "tench" and len(found.classes) == 1000
    assert (found.size, found.mean, found.std) == (224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert "BSD" in found.license and found.source == asked[0] and not found.model.training
    own = found.model.get_submodule("net").state_dict()
    assert all(torch.equal(own[name], value) for name, value in net.state_dict().items())
    again = architectures.build(found.architecture, 1000, 224, nn.Identity())
    again.load_state_dict(found.model.state_dict())


def test_a_head_for_other_classes_is_new_and_the_rest_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = external.build_backbone(external.parse("torchvision:squeezenet1_1"), 1000, 224)
    brings(monkeypatch, saved(net, tmp_path / "net.pth"))
    heads = []
    for _ in range(2):
        torch.manual_seed(8)
        # The stand-in's file has not the checksum in its name, which a second look would notice.
        (weight_cache.cache_dir() / "squeezenet1_1-b8a52dc0.pth").unlink(missing_ok=True)
        found = pretrained(SQUEEZE, classes=6, size=64)
        assert found.model(torch.rand(2, 3, 64, 64)).shape == (2, 6) and len(found.classes) == 6
        heads.append(found.model.get_parameter("net.classifier.1.weight"))
        assert torch.equal(found.model.get_parameter("net.features.0.weight"), net.get_parameter("features.0.weight"))
        architectures.build(found.architecture, 6, 64, nn.Identity()).load_state_dict(found.model.state_dict())
    assert torch.equal(*heads)


def test_a_file_that_lies_there_is_verified_and_not_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"weights"
    folder = weight_cache.cache_dir()
    folder.mkdir(parents=True)
    right = folder / f"net-{hashlib.sha256(data).hexdigest()[:8]}.pth"
    right.write_bytes(data)
    found = weight_cache.from_url(f"https://example.com/{right.name}", title="it", megabytes=1)
    assert found == right
    right.write_bytes(b"other weights")
    with pytest.raises(CorruptAssetError, match="damaged"):
        weight_cache.from_url(f"https://example.com/{right.name}", title="it", megabytes=1)


def test_a_download_comes_whole_with_the_right_checksum_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"weights"
    monkeypatch.setattr(urllib.request, "urlopen", lambda address, timeout: io.BytesIO(data))
    name = f"net-{hashlib.sha256(data).hexdigest()[:8]}.pth"
    path = weight_cache.from_url(f"https://example.com/{name}", title="it", megabytes=1)
    assert path.read_bytes() == data and [each.name for each in path.parent.iterdir()] == [name]
    with pytest.raises(FileUnavailableError, match="checksum differs"):
        weight_cache.from_url("https://example.com/net-0123abcd.pth", title="it", megabytes=1)
    assert [each.name for each in path.parent.iterdir()] == [name]


class Runs:
    """A pickle that writes a file when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self.path, "ran")


def test_a_file_that_would_run_code_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proof = tmp_path / "proof"
    torch.save({"features.0.weight": Runs(proof)}, tmp_path / "net.pth")
    brings(monkeypatch, (tmp_path / "net.pth").read_bytes())
    with pytest.raises(CorruptAssetError, match="does not contain weights of that model"):
        pretrained(SQUEEZE)
    assert not proof.exists()
    what, given = Runs(proof).__reduce__()
    what(*given)
    assert proof.exists(), "else it would prove nothing"


def by_hand(net: nn.Module, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in net.state_dict().items()}, path)


def test_timms_weights_may_be_put_there_by_hand() -> None:
    net = external.build_backbone(external.parse("timm:test_resnet"), 1000, 160)
    by_hand(net, weight_cache.cache_dir() / "test_resnet.r160_in1k.safetensors")
    found = pretrained(TIMM)
    assert found.architecture == "timm:test_resnet" and len(found.classes) == 1000
    assert found.classes[0].startswith("tench") and found.size == 160 and found.license == "apache-2.0"
    own = found.model.get_submodule("net").state_dict()
    assert all(torch.equal(own[name], value) for name, value in net.state_dict().items())
    other = pretrained("timm:test_resnet", classes=3, size=64)
    assert other.model(torch.rand(2, 3, 64, 64)).shape == (2, 3)
    architectures.build(other.architecture, 3, 64, nn.Identity()).load_state_dict(other.model.state_dict())


def test_weights_of_another_net_are_refused() -> None:
    net = external.build_backbone(external.parse("timm:test_convnext"), 1000, 160)
    by_hand(net, weight_cache.cache_dir() / "test_resnet.r160_in1k.safetensors")
    with pytest.raises(CorruptAssetError, match="does not contain weights of that model"):
        pretrained(TIMM)


def test_a_name_without_weights_is_refused() -> None:
    with pytest.raises(NotSupportedError, match="no weights of a classifier"):
        pretrained("timm:vit_small_patch14_reg4_dinov2")


def test_pictures_that_the_net_does_not_take_are_refused_before_anything_is_downloaded() -> None:
    with pytest.raises(NotSupportedError, match="does not support images of 33 pixels"):
        pretrained("timm:test_vit", size=33)
    with pytest.raises(NotSupportedError, match="only images of 224 pixels"):
        pretrained("torchvision:vit_b_16", size=32)


def test_the_hub_is_closed_unless_the_operator_opens_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotSupportedError, match="UNLEARN_ALLOW_HUB=1"):
        pretrained("hf_hub:owner/name")
    monkeypatch.setenv("UNLEARN_ALLOW_HUB", "1")
    for name in ("hf_hub:owner", "hf_hub:../name", "hf_hub:a/b/c", "hf_hub:/etc", "hf_hub:a/b:c", "hf_hub:a/b\n"):
        with pytest.raises(NotFoundError, match="hf_hub:owner/name"):
            pretrained(name)
    for name in ("local-dir:/tmp", "https://huggingface.co/a/b", "hf-hub:a/b"):
        with pytest.raises(NotFoundError, match="library"):
            pretrained(name)
    with pytest.raises(FileUnavailableError, match=r"owner/name/resolve/main/config.json"):
        pretrained("hf_hub:owner/name")


def repository(changes: dict[str, Any], net: nn.Module) -> None:
    folder = weight_cache.cache_dir() / "owner--name"
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "architecture": "test_resnet",
        "num_classes": 3,
        "label_names": ["cat", "dog", "<b>" * 50],
        "pretrained_cfg": {"mean": [0.5] * 3, "std": [0.2] * 3, "input_size": [3, 64, 64], "custom_load": True},
    }
    (folder / "config.json").write_text(json.dumps(config | changes))
    by_hand(net, folder / "model.safetensors")


def test_a_repository_of_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_ALLOW_HUB", "1")
    net = external.build_backbone(external.parse("timm:test_resnet"), 3, 64)
    repository({}, net)
    found = pretrained("hf_hub:owner/name")
    assert found.architecture == "timm:test_resnet" and found.size == 64 and found.std == (0.2,) * 3
    assert found.classes[:2] == ("cat", "dog") and len(found.classes[2]) == 100
    assert torch.equal(found.model.get_submodule("net").get_parameter("fc.weight"), net.get_parameter("fc.weight"))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"architecture": "of_mine"}, NotSupportedError),
        ({"architecture": "test_resnet.r160_in1k"}, NotSupportedError),
        ({"model_args": {"block": "os.system"}}, NotSupportedError),
        ({"num_classes": 4}, InvalidCheckpointError),
        ({"num_classes": 10**12}, InvalidCheckpointError),
        ({"pretrained_cfg": {"mean": [0, 0, 0], "std": [0, 1, 1], "input_size": [3, 64, 64]}}, InvalidCheckpointError),
        (
            {"pretrained_cfg": {"mean": [0, 0, 0], "std": [1, 1, 1], "input_size": [3, 10**6, 64]}},
            InvalidCheckpointError,
        ),
    ],
)
def test_a_repository_that_holds_something_else_is_refused(
    changes: dict[str, Any], error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNLEARN_ALLOW_HUB", "1")
    repository(changes, external.build_backbone(external.parse("timm:test_resnet"), 3, 64))
    with pytest.raises(error):
        pretrained("hf_hub:owner/name")
