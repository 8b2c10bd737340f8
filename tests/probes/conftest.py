"""The scene with everything in it, made once."""

import pytest

from tests.probes.small_context import scene
from unlearn_core.probes.common.context import Scene


@pytest.fixture(scope="session")
def whole() -> Scene:
    return scene("before", "after", "gold", "other")
