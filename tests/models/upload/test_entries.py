"""The weights of a checkpoint are found wherever they lie in it, and which entry was taken is said."""

from collections import OrderedDict
from itertools import pairwise

import pytest
import torch

from unlearn_core.domain.errors import InvalidCheckpointError
from unlearn_core.models.upload.entries import choose_entry

NET = {"conv.weight": torch.ones(4, 3, 3, 3), "conv.bias": torch.ones(4)}
LARGER = NET | {"fc.weight": torch.ones(2, 4), "fc.bias": torch.ones(2)}
SGD = {"state": {0: {"momentum_buffer": torch.ones(4, 3, 3, 3)}}, "param_groups": [{"lr": 0.1}]}


@pytest.mark.parametrize(
    ("file", "paths"),
    [
        (NET, [""]),
        (OrderedDict(NET), [""]),
        ({"epoch": 3, "state_dict": NET, "optimizer": SGD}, ["state_dict"]),
        ({"classifier": NET}, ["classifier"]),
        ({"ckpt": {"state": NET}}, ["ckpt.state"]),
        ({"a": {"b": {"c": NET}}}, ["a.b.c"]),
        ({"model_ema": NET, "epoch": 3}, ["model_ema"]),
        ({"state_dict_ema": NET, "state_dict": NET.copy()}, ["state_dict", "state_dict_ema"]),
        ({"ema": LARGER, "mine": NET}, ["mine", "ema"]),
        ({"swa.model": NET, "model": NET.copy()}, ["model", "swa.model"]),
        ({"emanuel": LARGER, "ema_net": LARGER.copy()}, ["emanuel", "ema_net"]),
        ({"generator": NET, "discriminator": LARGER}, ["discriminator", "generator"]),
        ({"large": LARGER, "model": NET}, ["model", "large"]),
        ({"model": NET, "acc": torch.tensor(0.9), "rng": {"cpu": torch.zeros(9, dtype=torch.uint8)}}, ["model"]),
        ({"model": NET, "curves": {"loss": torch.zeros(9)}}, ["model"]),
        ({"bias": torch.ones(3)}, [""]),
    ],
)
def test_the_plain_weights_are_taken_and_the_others_offered(file: dict, paths: list[str]) -> None:
    chosen, found = choose_entry(file)
    assert [entry.path for entry in found] == paths
    assert chosen is found[0] and chosen.ignored == []
    assert choose_entry(file, paths[-1])[0].path == paths[-1]


def test_what_stands_between_the_weights_is_named() -> None:
    assert choose_entry(NET | {"epoch": 3, 7: "seven"})[0].ignored == ["epoch", "7"]


def test_an_entry_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(InvalidCheckpointError, match=r"no entry best of weights\. Its entries are: model, model_ema\."):
        choose_entry({"model": NET, "model_ema": NET.copy()}, "best")


def test_mappings_within_one_another_are_searched_once() -> None:
    knot: dict = {}
    knot.update({f"k{number}": knot for number in range(10_000)}, first=NET, net=NET)
    assert [entry.path for entry in choose_entry(knot)[1]] == ["first"]
    knots = [{f"k{number}": knot for number in range(100)} for _ in range(100)]
    for outer, inner in pairwise(knots):
        outer.update(dict.fromkeys(outer, inner))
    with pytest.raises(InvalidCheckpointError, match="nested too deep"):
        choose_entry(knots[0])
