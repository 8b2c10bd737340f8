"""Links from one page to another."""

from collections.abc import Sequence

MAX_RUNS = 6
"""The number of runs that can be compared side by side."""

IDS_PARAM = "ids"
"""The query parameter that lists runs, as in `?ids=3,5`."""


def comparison_params(runs: Sequence[int]) -> dict[str, str]:
    """The query parameters of the page that compares these runs."""
    return {IDS_PARAM: ",".join(map(str, runs))}
