"""`architectures` lists the built-in architectures and shows one."""

import json

import pytest

from unlearn_core.__main__ import main
from unlearn_core.models import architectures


def test_the_built_in_architectures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["architectures", "--json"]) == 0
    assert {one["id"] for one in json.loads(capsys.readouterr().out)} == set(architectures.cards())
    assert main(["architectures"]) == 0
    said = capsys.readouterr().out
    assert all(f"{name}: {card.title}\n  {card.summary}" in said for name, card in architectures.cards().items())
    assert "from torchvision (torchvision:NAME) and 1," in said


def test_one_of_a_library(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["architectures", "timm:test_resnet", "--size", "64"]) == 0
    said = capsys.readouterr().out
    assert "head: net.fc; projection shortcuts: net.layer2.0.downsample" in said
    assert "Grad-CAM layer: net.layer" in said


def test_a_mistake_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["architectures", "timm:resnet_26"]) == 2
    assert "There is no model of timm called 'resnet_26'. Known: resnet26" in capsys.readouterr().err
    assert main(["architectures", "torchvision:alexnet", "--size", "32"]) == 2
    said = capsys.readouterr().err
    assert "does not support images of 32 pixels" in said and said.count("\n") == 1
