"""`python -m unlearn_core VERB ...`: the lab without a browser."""

import argparse
import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence

from unlearn_core import cli
from unlearn_core.data import user_catalog
from unlearn_core.domain.errors import CancelledError, UnlearnError
from unlearn_core.store.data_folder import data_dir_path

MISTAKE, STOPPED = 2, 130
"""Exit codes: of what a person can put right, and of Ctrl-C."""


def commands() -> list[str]:
    """The names of all verbs."""
    return [entry.name for entry in pkgutil.iter_modules(cli.__path__) if not entry.name.startswith("_")]


def build_parser(names: Sequence[str]) -> argparse.ArgumentParser:
    """A parser that knows these verbs."""
    whole = argparse.ArgumentParser(
        prog="python -m unlearn_core", description="Unlearn Lab on the command line.", allow_abbrev=False
    )
    group = whole.add_subparsers(required=True, metavar="VERB", dest="verb")
    for name in names:
        verb = importlib.import_module(f"{cli.__name__}.{name}")
        one = group.add_parser(name, help=verb.HELP, description=verb.HELP, allow_abbrev=False)
        verb.arguments(one)
        one.set_defaults(act=verb.run)
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    """Carries out one verb and gives the exit code; a person's mistake is one sentence on stderr."""
    argv = sys.argv[1:] if argv is None else argv
    known = commands()
    user_catalog.set_data_dir(data_dir_path())
    args = build_parser([argv[0]] if argv and argv[0] in known else known).parse_args(argv)
    try:
        return args.act(args)
    except CancelledError as problem:
        print(problem, file=sys.stderr)
        return STOPPED
    except UnlearnError as problem:
        print(problem, file=sys.stderr)
        return MISTAKE
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return STOPPED
    except BrokenPipeError:
        # Whoever read our output has gone (`... | head`): leave quietly, also when Python flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
