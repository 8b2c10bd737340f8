"""How long a job will take: said before it starts, and asked about if it may take hours."""

import argparse
import os
import sys
from typing import TYPE_CHECKING

from unlearn_core.domain.errors import CancelledError

if TYPE_CHECKING:
    from unlearn_core.engine.forecasts.duration import Forecast


def add_yes(parser: argparse.ArgumentParser) -> None:
    """Add --yes."""
    parser.add_argument("--yes", action="store_true", help="start a job of hours without asking")


def say_and_ask(forecast: "Forecast | None", *, yes: bool) -> None:
    """Say on stderr how long a job takes; on a terminal, ask before one that may take hours.

    Without a terminal there is nobody to ask, and it starts. Raises CancelledError if the answer is no.
    """
    if forecast is None:
        return
    where = "on this machine" if forecast.measured else "on a typical CPU"
    print(f"It takes {forecast} {where}.", file=sys.stderr, flush=True)
    if not forecast.is_long or yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    print("Start it? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CancelledError("Not started. With --yes it starts without asking.")


def adapt_threads() -> None:
    """Let torch use as many threads as there are idle cores, and let them soon sleep; before torch is imported."""
    from unlearn_core.store.queue import cpu_load
    from unlearn_core.training import cpu_threads

    cpu_threads.limit_spinning(os.environ)
    if not cpu_threads.is_set_outside():
        cpu_threads.adapt(cpu_load.measure(), cpu_load.usable_cores())
