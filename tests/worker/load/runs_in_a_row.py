"""Many runs in a row through one worker, whose reports a visitor opens: memory, and what is left."""

import asyncio
from pathlib import Path
from typing import Any

from tests.worker.faults import kills
from tests.worker.load.process_usage import UsageLog, not_flat
from unlearn_core.benchmarks.pages.viewer import Viewer
from unlearn_core.domain.run import RunState

WARM_UP = 0.3
"""The share of the runs after which memory counts."""
SHORTEST_WARM_UP = 15
WINDOWS = 5


def session(runs: int, folder: Path) -> dict[str, Any]:
    """Carry out so many runs, and return what was measured, with a list of problems."""
    lab, errors = kills.Lab(folder, "web"), list[str]()
    usage = UsageLog(lab.home)
    try:
        lab.start()
        for done in range(runs):
            lab.fill(1)
            if not kills.until(lambda: not lab.store.list_runs(states=(RunState.QUEUED, RunState.RUNNING))):
                errors.append("the queue stood still")
                break
            newest = lab.store.list_runs(kinds=("unlearn",), states=(RunState.DONE,), limit=1)[0].id
            asyncio.run(_open_report(lab.server.address(f"run?id={newest}"), errors))
            usage.sample((done + 1) / runs)
    finally:
        lab.stop()
    found = lab.store.list_runs(limit=None)
    errors += [f"run {run.id} is {run.state}: {run.error}" for run in found if run.state is not RunState.DONE]
    errors += [*kills.damage(lab), *(f"half-written: {path}" for path in kills.half_written(lab.home))]
    errors += [f"bug report: {path.name}" for path in (lab.home / "errors").glob("*.txt")]
    if not kills.until(lambda: not list(kills.processes(str(lab.home))), 30):
        errors.append(f"processes are left: {list(kills.processes(str(lab.home)))}")
    windows = usage.windows(max(WARM_UP, min(0.5, SHORTEST_WARM_UP / runs)), WINDOWS)
    return {
        "kind": "row",
        "runs": sum(run.state is RunState.DONE for run in found),
        "usage": windows,
        "other_cores": usage.other_cores,
        "problems": sorted({*errors, *not_flat(windows)}),
        "machine": kills.machine(),
    }


async def _open_report(url: str, errors: list[str]) -> None:
    viewer = Viewer(url)
    async with asyncio.timeout(kills.PATIENCE), viewer:
        pass
    errors += viewer.errors + ([] if viewer.opened is not None else [f"{url} did not open"])
