"""A process that claims runs until there are none: `python -m tests.store.claim_process HOME NAME`."""

import sys
from pathlib import Path

from tests.store.specs import EVERY
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.store.queue.run_store import RunStore

if __name__ == "__main__":
    store, claimed = RunStore(Path(sys.argv[1])), []
    print("ready", flush=True)
    sys.stdin.readline()  # all begin together
    while (run := store.execution.claim(sys.argv[2], device="cpu", kinds=EVERY)) is not None:
        claimed.append(run.id)
        store.execution.heartbeat(run.id, run.attempt)
        store.execution.finish(run.id, run.attempt, metrics=RunMetrics())
    print(*claimed)
