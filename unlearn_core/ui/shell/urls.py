"""Links from one page to another."""

from collections.abc import Sequence

from unlearn_core.domain.run import Run

MOST = 4
"""Runs that fit beside one another."""

IDS = "ids"
"""The address's list of runs, as in `?ids=3,5`."""


def address(runs: Sequence[Run]) -> dict[str, str]:
    """The query parameters under which these runs are compared."""
    return {IDS: ",".join(str(run.id) for run in runs)}
