"""The filter of a list of runs: what the command line and the history page can select them by."""

from typing import NamedTuple

from unlearn_core.domain.run import RunState


class RunFilter(NamedTuple):
    """Which runs are listed: those that match every field; an empty field matches all runs.

    `methods` and `classifiers` are ids. Runs without a method or a forget request never match these. `text` holds
    words that must all occur in the title or the note; upper and lower case are the same.
    """

    states: tuple[RunState, ...] = ()
    methods: tuple[str, ...] = ()
    classifiers: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    text: str = ""


ALL_RUNS = RunFilter()
"""The filter that matches all runs."""
