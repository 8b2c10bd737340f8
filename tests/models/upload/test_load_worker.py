"""Weights are loaded out of whatever torch.save was given; all else in the file becomes an empty object."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import nn

from tests.data.hostile_files import good, saved
from tests.models.upload.checkpoints import BESIDE, FORMATS, LEGACY, AttributeDict, Net, beside_weights, loaded, named
from unlearn_core.domain.errors import InvalidCheckpointError
from unlearn_core.models.upload import stubs


def same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> bool:
    return found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("how", FORMATS)
@pytest.mark.parametrize("what", BESIDE)
def test_what_stands_beside_the_weights_does_not_forbid_them(what: str, how: str, tmp_path: Path) -> None:
    found = loaded(saved({"net": good(), "more": BESIDE[what]}, **FORMATS[how]), tmp_path)
    assert same(found["tensors"], good()) and found["entry"] == "net"


@pytest.mark.parametrize("how", FORMATS)
def test_an_optimiser_and_a_schedule_are_no_weights(how: str, tmp_path: Path) -> None:
    net = nn.Linear(3, 2)
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 3)
    file = {"optimizer": optimizer.state_dict(), "whole": optimizer, "schedule": schedule, "weights": net.state_dict()}
    found = loaded(saved(file, **FORMATS[how]), tmp_path)
    assert same(found["tensors"], net.state_dict()) and [one["name"] for one in found["entries"]] == ["weights"]


@pytest.mark.parametrize("how", FORMATS)
@pytest.mark.parametrize(
    ("wrap", "entry"),
    [
        (lambda net: net, ""),
        (nn.DataParallel, ""),
        (lambda net: {"net": net, "acc": 90.1, "epoch": 3}, "net"),
        (lambda net: AttributeDict(a={"b": AttributeDict(c=net)}), "a.b.c"),
        (lambda net: AttributeDict(weights=net.state_dict()), "weights"),
    ],
)
def test_a_whole_module_is_read_as_its_state_dict(how: str, wrap: Any, entry: str, tmp_path: Path) -> None:
    net = Net()
    found = loaded(saved(wrap(net), **FORMATS[how]), tmp_path)
    assert same(found["tensors"], net.state_dict()) and found["entry"] == entry
    assert "passing" not in found["tensors"] and "same.weight" in found["tensors"]


def test_all_buffers_of_a_module_of_early_pytorch_are_read(tmp_path: Path) -> None:
    net = Net()
    for module in net.modules():
        del module.__dict__["_non_persistent_buffers_set"]
    assert "passing" in loaded(saved(net), tmp_path)["tensors"]


def test_averaged_weights_are_read_where_they_are_chosen(tmp_path: Path) -> None:
    average = {name: value + 1 for name, value in good().items()}
    file = saved({"model_ema": average, "model": good()}, **LEGACY)
    plain = loaded(file, tmp_path)
    assert plain["entries"] == [{"name": "model", "tensors": 2}, {"name": "model_ema", "tensors": 2}]
    assert plain["entry"] == "model" and same(plain["tensors"], good())
    assert same(loaded(file, tmp_path, "model_ema")["tensors"], average)


@pytest.mark.parametrize("how", FORMATS)
def test_views_of_one_storage_and_halves_keep_their_values(how: str, tmp_path: Path) -> None:
    base = torch.arange(12.0)
    weights = {"a": base[:6].view(2, 3), "b": base[6:].view(3, 2).t(), "c": base[::4].half(), "d": base.bfloat16()}
    assert same(loaded(saved(weights, **FORMATS[how]), tmp_path)["tensors"], weights)


def test_a_legacy_file_of_a_gpu_and_of_python_2_is_read(tmp_path: Path) -> None:
    data = saved(good(), **LEGACY).replace(b"ctorch\nFloatStorage\n", b"ctorch.cuda\nFloatStorage\n")
    assert b"torch.cuda" in data
    assert same(loaded(data.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0"), tmp_path)["tensors"], good())
    old = beside_weights(named("__builtin__", "xrange") + named("copy_reg", "_reconstructor") + b"\x86", data)
    assert same(loaded(old, tmp_path)["tensors"], good())


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_another_pickle_protocol_is_refused_with_the_reason(tmp_path: Path) -> None:
    assert same(loaded(saved(good(), pickle_protocol=3), tmp_path)["tensors"], good())
    for how in FORMATS.values():
        with pytest.raises(InvalidCheckpointError, match=r"protocol 4, and only torch\.save's own, 2.*state_dict"):
            loaded(saved(good(), pickle_protocol=4, **how), tmp_path)


def test_a_stub_takes_everything_and_does_nothing() -> None:
    made = stubs.Stub("given", {"a": 1})
    made["b"] = 2
    made.__setstate__(({"c": 3}, {"d": 4}))
    made.__setstate__("other")
    made.append(5)
    assert made.entries == {"a": 1, "b": 2, "c": 3, "d": 4} and {made: 1}[made] == 1 and made != stubs.Stub()
    assert stubs.as_mapping(made) is made.entries and stubs.as_mapping([]) is None


@pytest.mark.slow
@pytest.mark.parametrize("how", FORMATS)
@pytest.mark.parametrize("name", ["resnet18", "densenet121", "mobilenet_v2", "swin_t", "convnext_tiny", "googlenet"])
def test_whole_models_of_torchvision_are_read(name: str, how: str, tmp_path: Path) -> None:
    more = {"init_weights": False} if name == "googlenet" else {}
    net = torchvision.models.get_model(name, weights=None, num_classes=3, **more)
    assert same(loaded(saved(net, **FORMATS[how]), tmp_path)["tensors"], net.state_dict())
