"""`unlearn-lab VERB ...`, or `python -m unlearn_core VERB ...`: the command line, which runs the verb that is given."""

import argparse
import importlib
import os
import pkgutil
import shlex
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

from unlearn_core import cli
from unlearn_core.data import user_catalog
from unlearn_core.domain.errors import CancelledError, UnlearnError
from unlearn_core.installation import VERSION
from unlearn_core.settings import settings
from unlearn_core.store.data_folder import data_dir_path
from unlearn_core.store.files import error_report

COMMAND = "unlearn-lab"
"""The name of the installed command."""
UNFORESEEN, MISTAKE, STOPPED = 1, 2, 130
"""Exit codes: of an error that nobody foresaw, of one that the user can fix, and of Ctrl-C."""


def commands() -> list[str]:
    """Return the names of all verbs: those of their files, with hyphens."""
    return [
        entry.name.replace("_", "-") for entry in pkgutil.iter_modules(cli.__path__) if not entry.name.startswith("_")
    ]


def build_parser(verbs: Sequence[str]) -> argparse.ArgumentParser:
    """Return a parser for these verbs."""
    parser = argparse.ArgumentParser(
        prog=COMMAND if Path(sys.argv[0]).stem == COMMAND else "python -m unlearn_core",
        description="Unlearn Lab on the command line.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"Unlearn Lab {VERSION}")
    group = parser.add_subparsers(required=True, metavar="VERB", dest="verb")
    for name in verbs:
        module = importlib.import_module(f"{cli.__name__}.{name.replace('-', '_')}")
        command = group.add_parser(name, help=module.HELP, description=module.HELP, allow_abbrev=False)
        module.arguments(command)
        command.set_defaults(handler=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code; an error that the user can fix is one sentence on stderr."""
    argv = sys.argv[1:] if argv is None else argv
    known = commands()
    try:
        user_catalog.set_data_dir(data_dir_path())
        args = build_parser([argv[0]] if argv and argv[0] in known else known).parse_args(argv)
        return args.handler(args)
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
        # The reader of our output is gone (`... | head`): exit quietly, also when Python flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as problem:  # noqa: BLE001 (whatever nobody foresaw: a sentence, and the rest in a bug report)
        print(_explain(problem, argv), file=sys.stderr)
        return UNFORESEEN


def _explain(problem: Exception, argv: Sequence[str]) -> str:
    """Say what failed and where its bug report is; with UNLEARN_LOG_LEVEL=debug with the traceback too."""
    folder = data_dir_path()
    reason = error_report.foreseen_reason(problem, folder)
    if reason is not None:
        return reason
    report = error_report.record(problem, folder, task=shlex.join([COMMAND, *argv]))
    path = report.path
    if path is None:
        with tempfile.NamedTemporaryFile(prefix="unlearn-lab-", suffix=".txt", delete=False) as file:
            file.write(report.text.encode())
            path = Path(file.name)
    trace = "".join(traceback.format_exception(problem)) if settings().log_level == "debug" else ""
    return (
        f"{trace}{report.sentence}\nIts bug report is {path}. It has versions, settings and the traceback, but no "
        "images: read it before you send it."
    )


if __name__ == "__main__":
    sys.exit(main())
