"""`worker`: run the queue on a device, or stop the worker that does."""

import argparse
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from unlearn_core.domain.errors import WorkerAlreadyRunningError, WorkerError

if TYPE_CHECKING:
    from unlearn_core.worker.device_lock import LockInfo

NAME = "worker"
HELP = "Run the queued runs of the data folder until Ctrl-C, or stop the worker that does."

STOP_TIMEOUT = 15.0
"""Seconds that a worker may take to stop."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:0 (auto: every GPU if there is one)")
    parser.add_argument(
        "--from-app", action="store_true", help="started by the web server: stop when idle and no longer needed"
    )
    parser.add_argument(
        "--stop", action="store_true", help="stop the workers of the data folder; running runs return to the queue"
    )
    parser.add_argument(
        "--if-idle", action="store_true", help="with --stop: only idle workers that the web server started"
    )
    parser.add_argument(
        "--wait",
        action="store_true",
        help="with --stop: let running runs end first, for maintenance; queued runs wait for a worker started by hand",
    )


def run(args: argparse.Namespace) -> int:
    from unlearn_core.store.data_folder import open_data_dir, writable_data_dir

    if args.wait and (args.if_idle or not args.stop):
        raise WorkerError("--wait goes with --stop alone: write `worker --stop --wait`.")
    if args.stop and args.wait:
        return drain(open_data_dir())
    if args.stop:
        device = None if args.device == "auto" else args.device
        return stop_workers(open_data_dir(), device=device, only_idle=args.if_idle)
    if args.if_idle:
        raise WorkerError("--if-idle requires --stop: write `worker --stop --if-idle`.")
    from unlearn_core.worker.device_choice import resolve_devices

    devices = resolve_devices(args.device)
    return (
        _serve_all(devices, args.from_app)
        if len(devices) > 1
        else _serve(devices[0], writable_data_dir(), args.from_app)
    )


def _serve(device: str, data_dir: Path, from_app: bool) -> int:
    from unlearn_core.store import maintenance
    from unlearn_core.worker.start import run_worker

    if from_app and maintenance.is_on(data_dir):
        print(maintenance.NOTICE, flush=True)
        return 0
    maintenance.end(data_dir)
    try:
        run_worker(device, data_dir, from_app=from_app)
    except WorkerAlreadyRunningError as problem:
        if not from_app:
            raise
        print(problem, flush=True)
    return 0


def _serve_all(devices: list[str], from_app: bool) -> int:
    """Start one worker process per device, forward signals to them and wait for all."""
    command = [sys.executable, "-m", "unlearn_core", NAME, *(["--from-app"] if from_app else []), "--device"]
    workers = [subprocess.Popen([*command, device]) for device in devices]

    def forward_signal(number: int, _frame: object) -> None:
        for worker in workers:
            worker.send_signal(number)

    signal.signal(signal.SIGTERM, forward_signal)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the workers as well
    return max(worker.wait() for worker in workers)


def stop_workers(data_dir: Path, *, device: str | None = None, only_idle: bool = False) -> int:
    """Stop the workers of a data folder, or only the idle ones that a web server started; return the exit code."""
    from unlearn_core.store.queue.processes import web_servers
    from unlearn_core.worker import device_lock

    paths = device_lock.lock_paths(data_dir, device)
    holders = [(path, holder) for path in paths if (holder := device_lock.read_info(path)) is not None]
    if not holders and not only_idle:
        print(f"No worker is running for {data_dir}.")
    needed = only_idle and web_servers(data_dir)
    codes = [0]
    for path, holder in holders:
        if only_idle and holder.run is not None:
            print(
                f"The worker continues with run {holder.run}. To stop it too: `python -m unlearn_core worker --stop`."
            )
        elif not only_idle or (holder.from_app and not needed):
            codes.append(_end(path, holder, device_lock.LEAVE_SIGNAL if only_idle else device_lock.STOP_SIGNAL))
    return max(codes)


def drain(data_dir: Path) -> int:
    """Let the workers of a data folder end their runs and stop, and return then; Ctrl-C leaves them to it."""
    from unlearn_core.store import maintenance
    from unlearn_core.worker import device_lock

    maintenance.begin(data_dir)
    told: set[int] = set()
    while holders := [held for path in device_lock.lock_paths(data_dir) if (held := device_lock.read_info(path))]:
        for holder in holders:
            if holder.pid in told:
                continue
            told.add(holder.pid)
            with suppress(ProcessLookupError):
                os.kill(holder.pid, device_lock.LEAVE_SIGNAL)
            when = "" if holder.run is None else f" once run {holder.run} has ended"
            print(f"The worker (process {holder.pid}) stops{when}.", flush=True)
        time.sleep(0.1)
    print("No worker is running. Queued runs wait; `python -m unlearn_core worker` continues with them.")
    return 0


def _end(path: Path, info: "LockInfo", how: signal.Signals) -> int:
    from unlearn_core.worker import device_lock

    try:
        os.kill(info.pid, how)
    except ProcessLookupError:
        return 0
    except PermissionError:
        raise WorkerError(
            f"The worker (process {info.pid}) belongs to another user, and only that user can stop it."
        ) from None
    end = time.monotonic() + STOP_TIMEOUT
    while (now := device_lock.read_info(path)) is not None and now.pid == info.pid:
        if time.monotonic() > end:
            print(f"The worker (process {info.pid}) has not stopped yet: see worker.log in the data folder.")
            return 1
        time.sleep(0.05)
    print(f"The worker on {path.stem} (process {info.pid}) has stopped.")
    if info.run is not None:
        print(
            f"Run {info.run} returned to the queue. The next worker resumes it at its last epoch if it trains a model, "
            "and otherwise restarts it."
        )
    return 0
