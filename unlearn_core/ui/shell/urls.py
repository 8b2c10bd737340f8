"""Links from one page to another."""

from collections.abc import Sequence

from unlearn_core.domain.run import Run

MAX_RUNS = 4
"""Runs that fit beside one another."""

IDS_PARAM = "ids"
"""The address's list of runs, as in `?ids=3,5`."""


def comparison_params(runs: Sequence[Run]) -> dict[str, str]:
    """The query parameters under which these runs are compared."""
    return {IDS_PARAM: ",".join(str(run.id) for run in runs)}
