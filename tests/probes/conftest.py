"""A context with all models, made once."""

import pytest

from tests.probes.small_context import scene
from unlearn_core.probes.common.context import ProbeContext


@pytest.fixture(scope="session")
def whole() -> ProbeContext:
    return scene("before", "after", "gold", "other")
