"""`serve`: start the lab in a browser, and stop its idle worker when the server ends."""

import argparse
import json
import signal
import subprocess
import sys

from unlearn_core.cli.worker import stop_workers
from unlearn_core.installation import ROOT

HELP = "Start the lab in a browser until Ctrl-C, which also stops a worker that is idle."


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", metavar="ADDRESS", help="the address to listen on (127.0.0.1: only this machine)")
    parser.add_argument("--port", type=int, help="the port (8501)")
    parser.add_argument(
        "--visitors", action="store_true", help="list the visitors of the pages instead, and their runs"
    )
    parser.add_argument("--json", action="store_true", help="with --visitors: print one JSON list")
    parser.add_argument(
        "--code",
        nargs="?",
        const="local",
        metavar="ID",
        help="make a one-time code instead, with which a browser becomes that of this visitor; without an id that of "
        "the operator",
    )
    parser.add_argument(
        "options", nargs="*", metavar="-- OPTION", help="further options of `streamlit run`, such as --server.headless"
    )


def run(args: argparse.Namespace) -> int:
    from unlearn_core.store.data_folder import open_data_dir

    if args.code is not None or args.visitors:
        return _about_visitors(args)
    # The folder of app.py has Streamlit's settings. A session of its own lets each signal arrive once: from us.
    server = subprocess.Popen(command(args), start_new_session=True)
    stops: list[int] = []

    def forward_signal(number: int, _frame: object) -> None:
        stops.append(number)
        server.send_signal(signal.SIGINT if number == signal.SIGINT else signal.SIGTERM)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, forward_signal)
    code = server.wait()
    return stop_workers(open_data_dir(), only_idle=True) if stops else code


def _about_visitors(args: argparse.Namespace) -> int:
    """Print a code, or everybody who has runs or a name."""
    from unlearn_core.store.access.visitor_store import CODE_MINUTES
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.queue.run_store import RunStore

    visitors = RunStore(open_data_dir()).visitors
    if args.code is not None:
        print(visitors.make_code(args.code))
        print(f"Press your name in the side menu of the lab, and enter it there within {CODE_MINUTES} minutes.")
        return 0
    found = visitors.list()
    if args.json:
        print(json.dumps([one._asdict() for one in found], indent=1))
        return 0
    for one in found:
        print(f"{one.id:<20} {one.runs:>5} {'run ' if one.runs == 1 else 'runs'}  {one.name}")
    return 0


def command(args: argparse.Namespace) -> list[str]:
    """Return the command that starts the server."""
    given = {"--server.address": args.host, "--server.port": args.port}
    options = [f"{name}={value}" for name, value in given.items() if value is not None]
    return [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), *options, *args.options]
