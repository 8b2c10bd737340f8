"""The contract of every probe."""

import json
from functools import cache

import numpy as np
import pytest

from tests.probes.small_context import CLASS, IMAGES, scene
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.result import ReportPart, Result
from unlearn_core.plugins import discover
from unlearn_core.probes import probes
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.training.weights import checksum

SCENES = {
    "class": (("before", "after", "gold", "other"), CLASS),
    "class, no gold": (("before", "after"), CLASS),
    "pictures": (("before", "after", "gold"), IMAGES),
    "pictures, no gold": (("before", "after"), IMAGES),
}


every_probe = pytest.mark.parametrize("probe", probes().values(), ids=probes().keys())
of_pictures = {name: probe for name, probe in probes().items() if not probe.points_only}
"""tests/probes has the others on points."""
probes_of_pictures = pytest.mark.parametrize("probe", of_pictures.values(), ids=of_pictures.keys())
every_scene = pytest.mark.parametrize("name", SCENES)


@cache
def made(name: str) -> ProbeContext:
    models, forget = SCENES[name]
    return scene(*models, forget=forget)


def measured(probe: Probe, scene: ProbeContext) -> ReportPart | str:
    """What a report stores of the measurement, or the reason why there is none."""
    result = probe.measure(scene)
    if isinstance(result, Result):
        assert result.part == probe.id
        return result.to_part()
    return result


def test_the_registry_has_the_parts_that_charts_read() -> None:
    assert {"accuracy", "logits", "predictions", "layers", "cam"} <= set(probes())


@every_probe
def test_its_card_is_complete_and_named_like_its_file(probe: Probe) -> None:
    assert discover("probes")[probe.id].PROBE is probe
    assert probe.title
    assert probe.question.endswith("?")
    assert probe.caveat.endswith(".")


@every_probe
@every_scene
def test_its_part_can_be_stored(probe: Probe, name: str) -> None:
    part = measured(probe, made(name))
    if isinstance(part, str):
        assert part.endswith(".")
        assert name != "class" or probe.points_only, "where all is there, all is measured"
        return
    assert json.loads(json.dumps(part.facts, allow_nan=False)) == part.facts
    for array in part.arrays.values():
        assert isinstance(array, np.ndarray)
        assert array.dtype in (np.uint8, np.float32)
        assert np.isfinite(array).all()
    assert part.facts or part.arrays


@every_probe
@every_scene
def test_gold_is_there_exactly_where_there_is_one(probe: Probe, name: str) -> None:
    part = measured(probe, made(name))
    if not isinstance(part, str) and probe.id != "distance":  # All of that one is about gold.
        words = json.dumps(part.facts) + " ".join(part.arrays)
        assert ("gold" in words) == ("gold" in made(name).models)


@probes_of_pictures
def test_it_finds_the_same_twice_and_leaves_the_scene_alone(probe: Probe) -> None:
    scene = made("class")
    nets = {model: checksum(net) for model, net in scene.models.items()}
    logits = {model: own.logits.copy() for model, own in scene.evaluations.items()}
    images, labels = scene.images.clone(), scene.labels.copy()
    first, second = measured(probe, scene), measured(probe, scene)
    assert not isinstance(first, str) and not isinstance(second, str)
    assert first.facts == second.facts
    assert first.arrays.keys() == second.arrays.keys()
    assert all(np.array_equal(array, second.arrays[key]) for key, array in first.arrays.items())
    assert {model: checksum(net) for model, net in scene.models.items()} == nets
    assert all(np.array_equal(own.logits, logits[model]) for model, own in scene.evaluations.items())
    assert scene.images.equal(images)
    assert np.array_equal(scene.labels, labels)
    for net in scene.models.values():
        assert all(not module.training and not module._forward_hooks for module in net.modules())
        assert all(weight.grad is None for weight in net.parameters())
