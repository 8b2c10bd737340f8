"""The scene with everything in it, made once."""

import pytest

from tests.probes.tiny import scene
from unlearn_core.probes.scene import Scene


@pytest.fixture(scope="session")
def whole() -> Scene:
    return scene("before", "after", "gold", "other")
