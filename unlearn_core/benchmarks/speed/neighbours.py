"""Measures a run beside other programs: for `bench --neighbours`, and the process that makes the runs.

Two processes take turns. In one, threads spin while they wait, as PyTorch's do by default; in the other, they are those
of a worker. Then the latter runs beside two busy programs with one thread each.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from unlearn_core.installation import IMPORT_DIR

ROUNDS, BUSY = 3, 2
BUSY_PROGRAM = "while True: pass"
SETTLE = 1.0
"""Seconds over which the load is measured before a run."""


class Timed(NamedTuple):
    """The seconds of a run, and its threads."""

    seconds: float
    threads: int


class Runner:
    """A warm process that makes runs of one spec; `adaptive` as a worker, else with PyTorch's defaults."""

    def __init__(self, spec: str, *, adaptive: bool) -> None:
        from unlearn_core.training import cpu_threads

        environment = dict(os.environ)
        if adaptive:
            cpu_threads.limit_spinning(environment)
        else:
            for name in cpu_threads.WAIT_VARIABLES:
                environment.pop(name, None)
        path = [str(IMPORT_DIR), os.environ.get("PYTHONPATH")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, path))
        self._adaptive = adaptive
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, spec],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )

    def run(self) -> Timed:
        """Make a run, with threads for the load that there is now."""
        from unlearn_core.store.queue import cpu_load

        load = cpu_load.measure(SETTLE) if self._adaptive else None
        assert self._process.stdin is not None and self._process.stdout is not None
        print("" if load is None else load, file=self._process.stdin, flush=True)
        seconds, threads = self._process.stdout.readline().split()
        return Timed(float(seconds), int(threads))

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


def measure(spec: Any) -> dict[str, float]:
    """Return the medians in seconds, and their ratios. It takes about four minutes on two idle cores."""
    text = spec.model_dump_json()
    with ExitStack() as until_end:
        default, adaptive = Runner(text, adaptive=False), Runner(text, adaptive=True)
        for runner in (default, adaptive):
            until_end.callback(runner.close)
            runner.run()  # Exclude one-time costs.
        turns = [(default.run(), adaptive.run()) for _ in range(ROUNDS)]
        with _busy_programs(BUSY):
            beside = [adaptive.run() for _ in range(ROUNDS)]
    before, alone = (median(one.seconds for one in column) for column in zip(*turns, strict=True))
    slow = median(one.seconds for one in beside)
    return {
        "alone, threads that spin (s)": before,
        "alone (s)": alone,
        "alone: threads": median(own.threads for _, own in turns),
        f"beside {BUSY} busy programs (s)": slow,
        f"beside {BUSY} busy programs: threads": median(one.threads for one in beside),
        "alone: now / with threads that spin (at most 1.03)": alone / before,
        f"beside {BUSY} busy programs / alone (at most 4)": slow / alone,
    }


@contextmanager
def _busy_programs(count: int) -> Iterator[None]:
    programs = [subprocess.Popen([sys.executable, "-c", BUSY_PROGRAM], start_new_session=True) for _ in range(count)]
    try:
        time.sleep(SETTLE)
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def serve(spec_text: str) -> None:
    """For each line, the load in cores or nothing, make a run and print its seconds and threads."""
    import torch

    from unlearn_core.domain.jobs import UnlearnSpec
    from unlearn_core.engine.execute import ModelCache, execute_job
    from unlearn_core.engine.listener import NullListener
    from unlearn_core.store.queue.cpu_load import usable_cores
    from unlearn_core.store.queue.run_store import RunStore
    from unlearn_core.training import cpu_threads

    spec = UnlearnSpec.model_validate_json(spec_text)
    with tempfile.TemporaryDirectory(prefix="unlearn-bench-") as folder:
        store, model_cache = RunStore(Path(folder)), ModelCache("cpu", Path(folder))
        for line in sys.stdin:
            if line.strip():
                cpu_threads.adapt(float(line), usable_cores())
            run = store.execution.register_running(spec, title="bench", device="cpu")
            began = time.perf_counter()
            execute_job(store.get(run), model_cache, NullListener())
            print(time.perf_counter() - began, torch.get_num_threads(), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1])
