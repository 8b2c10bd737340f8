"""`serve`: start the lab in a browser, and stop its idle worker when the server ends."""

import argparse
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
        "options", nargs="*", metavar="-- OPTION", help="further options of `streamlit run`, such as --server.headless"
    )


def run(args: argparse.Namespace) -> int:
    from unlearn_core.store.data_folder import open_data_dir

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


def command(args: argparse.Namespace) -> list[str]:
    """Return the command that starts the server."""
    given = {"--server.address": args.host, "--server.port": args.port}
    options = [f"{name}={value}" for name, value in given.items() if value is not None]
    return [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), *options, *args.options]
