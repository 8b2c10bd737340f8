"""Damaged checkpoints end in success or in a sentence."""

import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.models.upload import fuzz_job
from unlearn_core.data import sandbox, user_catalog
from unlearn_core.domain.errors import InvalidCheckpointError
from unlearn_core.models.upload import receive

LIMITS = sandbox.Limits(1 << 29, 150, 1 << 24, beyond_imports=True)


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_two_thousand_damaged_checkpoints_end_in_success_or_in_a_sentence(tmp_path: Path) -> None:
    job = {"examples": 2_000, "folder": str(tmp_path)}
    ends = sandbox.run("tests.models.upload.fuzz_job:loads_many", job, LIMITS)
    assert "fault" not in ends, ends["fault"]
    assert ends["loaded"] > 20 and ends["refused"] > 200


@pytest.mark.slow
@pytest.mark.timeout(200)
@settings(
    max_examples=10,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(fuzz_job.damaged())
def test_ten_damaged_checkpoints_go_the_whole_way(tmp_path: Path, data: bytes) -> None:
    user_catalog.set_data_dir(tmp_path)
    try:
        assert receive.convert(receive.receive(io.BytesIO(data)))["tensors"]
    except InvalidCheckpointError as problem:
        said = str(problem)
        assert "died" not in said
    finally:
        user_catalog.set_data_dir(None)
