"""A function that stands in for loading a checkpoint in a sandboxed process, which has imported torch."""

from typing import Any

import torch

from tests.data.sandbox.sandbox_jobs import reports_limits
from unlearn_core.data.sandbox import JobContext


def reports_torch_limits(job: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Says how the process is limited, and why torch does not get four gigabytes."""
    try:
        torch.zeros(10**9)
    except RuntimeError as problem:
        return reports_limits(job, context) | {"torch": str(problem), "threads": torch.get_num_threads()}
    raise AssertionError("four gigabytes are granted")
