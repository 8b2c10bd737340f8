"""Every measurement keeps the contract of a measurement; run the tests of one with `-k its_id`."""

import json
from collections.abc import Callable

import pytest

from tests.probes.small_context import scene
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.probes import probes
from unlearn_core.testing.measurement_contract import MEASUREMENT_CHECKS, measured

every_probe = pytest.mark.parametrize("probe", probes().values(), ids=probes().keys())


def test_the_registry_has_the_parts_that_charts_read() -> None:
    assert {"accuracy", "logits", "predictions", "layers", "cam"} <= set(probes())


@every_probe
@pytest.mark.parametrize("check", MEASUREMENT_CHECKS, ids=lambda check: check.__name__)
def test_it_keeps_the_contract(probe: Probe, check: Callable[[Probe], None]) -> None:
    check(probe)


@every_probe
def test_gold_is_measured_where_there_is_one(probe: Probe) -> None:
    """A rule of our own, which is no part of the contract: all of ours compare with gold."""
    part = measured(probe, scene("before", "after", "gold", "other"))
    if not isinstance(part, str) and probe.id != "distance":  # All of that one is about gold.
        assert "gold" in json.dumps(part.facts) + " ".join(part.arrays)
