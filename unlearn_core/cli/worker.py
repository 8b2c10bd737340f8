"""`worker`: serve the queue on a device, or end who serves it."""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from unlearn_core.domain.errors import WorkerAlreadyRunningError, WorkerError

if TYPE_CHECKING:
    from unlearn_core.worker.device_lock import LockInfo

NAME = "worker"
HELP = "Carry out the queued runs of the data folder, until Ctrl-C; or end the worker that does."

STOP_TIMEOUT = 15.0
"""Seconds that a worker may take to go."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:0 (auto: every GPU if there is one)")
    parser.add_argument("--from-app", action="store_true", help="the web server started it: go when nobody needs it")
    parser.add_argument("--stop", action="store_true", help="end the workers of the data folder; a run goes back")
    parser.add_argument("--if-idle", action="store_true", help="with --stop: only those idle ones that the app started")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.store.data_folder import open_data_dir

    if args.stop:
        return _stop(open_data_dir(), None if args.device == "auto" else args.device, only_idle=args.if_idle)
    if args.if_idle:
        raise WorkerError("--if-idle goes with --stop: write `worker --stop --if-idle`.")
    from unlearn_core.worker.device_choice import resolve_devices

    devices = resolve_devices(args.device)
    return (
        _serve_all(devices, args.from_app) if len(devices) > 1 else _serve(devices[0], open_data_dir(), args.from_app)
    )


def _serve(device: str, data_dir: Path, from_app: bool) -> int:
    from unlearn_core.worker.start import run_worker

    try:
        run_worker(device, data_dir, from_app=from_app)
    except WorkerAlreadyRunningError as problem:
        if not from_app:
            raise
        print(problem, flush=True)
    return 0


def _serve_all(devices: list[str], from_app: bool) -> int:
    """One process for each device; this one waits for them all, and passes on what it is told."""
    command = [sys.executable, "-m", "unlearn_core", NAME, *(["--from-app"] if from_app else []), "--device"]
    workers = [subprocess.Popen([*command, device]) for device in devices]

    def pass_on(number: int, _frame: object) -> None:
        for worker in workers:
            worker.send_signal(number)

    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the workers as well
    return max(worker.wait() for worker in workers)


def _stop(data_dir: Path, device: str | None, *, only_idle: bool) -> int:
    from unlearn_core.store.queue.processes import locks_dir, web_servers
    from unlearn_core.worker import device_lock

    wanted = "*" if device is None else device_lock.lock_path(data_dir, device).stem
    # Those that wait for their turn first, so that none takes the place of one that goes.
    paths = [*locks_dir(data_dir).glob(f"{wanted}.next"), *locks_dir(data_dir).glob(f"{wanted}.lock")]
    holders = [(path, holder) for path in paths if (holder := device_lock.read_info(path)) is not None]
    if not holders and not only_idle:
        print(f"No worker serves {data_dir}.")
    spared = only_idle and web_servers(data_dir)
    codes = [0]
    for path, holder in holders:
        if only_idle and holder.run is not None:
            print(f"The worker goes on with run {holder.run}. To end it too: `python -m unlearn_core worker --stop`.")
        elif not only_idle or (holder.from_app and not spared):
            codes.append(_end(path, holder, device_lock.LEAVE_SIGNAL if only_idle else device_lock.STOP_SIGNAL))
    return max(codes)


def _end(path: Path, info: "LockInfo", how: signal.Signals) -> int:
    from unlearn_core.worker import device_lock

    try:
        os.kill(info.pid, how)
    except ProcessLookupError:
        return 0
    except PermissionError:
        raise WorkerError(f"The worker (process {info.pid}) belongs to another user, who alone may end it.") from None
    end = time.monotonic() + STOP_TIMEOUT
    while (now := device_lock.read_info(path)) is not None and now.pid == info.pid:
        if time.monotonic() > end:
            print(f"The worker (process {info.pid}) has not gone yet: look at worker.log in the data folder.")
            return 1
        time.sleep(0.05)
    back = "" if info.run is None else f" Run {info.run} went back to the queue: a gold goes on from its last epoch, "
    again = "" if info.run is None else "anything else starts again when a worker is there."
    print(f"The worker on {path.stem} (process {info.pid}) has gone.{back}{again}")
    return 0
