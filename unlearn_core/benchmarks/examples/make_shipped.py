"""Makes the finished runs and the sweep that ship: executes them, then packs what pages show, and no weights.

Each run is made in a data folder of its own below the scratch folder, so that an interrupted call goes on where it
stopped. All of it runs on the CPU with one thread, so that the results do not depend on what else the machine does.
"""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
import torch

from unlearn_core.benchmarks.examples.shipped_cases import CASES, ShippedCase, sweep_spec
from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.domain.jobs import MeasureSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.explanations import CamResult
from unlearn_core.domain.results.outputs import FurtherGolds, LogitsResult
from unlearn_core.domain.run import Run, RunState
from unlearn_core.domain.sweeps.sweep import SweepState
from unlearn_core.engine.execute import measure_on_demand, run_title, unlearn
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.installation import ROOT, require_checkout
from unlearn_core.settings import variable
from unlearn_core.store.files import artifacts, reports, restore
from unlearn_core.store.files.shipped_runs import EXAMPLE, INDEX_FILE, SHIPPED_DIR, SWEEP_NUMBER
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.store.queue.sweeps import SweepStore

LEFT_OUT = "The run that ships leaves this out, to stay small. Run it again to see it."
_DERIVED = (FurtherGolds.part, LogitsResult.part)
"""Parts that are read or computed when the report is read."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


SCRATCH = ROOT / "build" / "shipped"
"""Where the runs are made, and stay until somebody deletes the folder: what is there is not made again."""


def make_shipped(folder: Path, scratch: Path) -> int:
    """Write all shipped runs and the sweep to `folder`; return how many bytes they have."""
    torch.set_num_threads(1)
    rows: dict[str, Any] = {}
    example = restore.read_run(reports.EXAMPLE_DIR, -1)
    assert example is not None, "it has a report"
    rows[EXAMPLE] = _row(example, -1)
    for number, (name, case) in enumerate(CASES.items(), 2):
        home = scratch / name
        run = _executed(case, home)
        rows[name] = _row(run, -number)
        atomic_write(folder / f"{name}.zip", packed(reports.read(home, run.id), case.leaves_out, images=case.images))
        print(f"{name}: {(folder / f'{name}.zip').stat().st_size:,} bytes", flush=True)
    index = {"runs": rows, **_swept(scratch / "sweep")}
    atomic_write(folder / INDEX_FILE, json.dumps(index, separators=(",", ":")).encode())
    return sum(path.stat().st_size for path in folder.iterdir())


def _executed(case: ShippedCase, home: Path) -> Run:
    """Return the finished run of a case, which is executed unless it was before; relearning is measured too."""
    done = RunStore(home).list_runs(kinds=("unlearn",), states=(RunState.DONE,))
    if not done:
        unlearn(case.spec(), device="cpu", data_dir=home)
        done = RunStore(home).list_runs(kinds=("unlearn",), states=(RunState.DONE,))
    run = done[-1].id
    if not (artifacts.run_dir(home, run) / "parts" / "relearn.json").exists():
        measure_on_demand(MeasureSpec(run=run, what="relearn"), ModelCache("cpu", home), NullListener())
    return RunStore(home).get(run)


def _row(run: Run, number: int) -> dict[str, Any]:
    own = run.model_copy(update={"id": number, "owner": "shipped", "note": "", "group": None, "parent": None})
    return own.model_dump(mode="json", by_alias=True)


def packed(report: Report, leaves_out: tuple[str, ...], *, images: int) -> bytes:
    """Return the zip of a report: its parts but for some, and what the unlearned model says of unseen and forgotten
    images."""
    parts = {name: part for name, part in report.parts.items() if name not in (*_DERIVED, *leaves_out)}
    if CamResult.part in parts:
        parts = _fewer(report[CamResult], images).add_to(parts)
    head = {
        "spec": report.spec.model_dump(mode="json"),
        "classifier": report.classifier.model_dump(mode="json"),
        "dataset": report.dataset.model_dump(mode="json"),
        "method": report.method,
        "evaluations": {model: one.weights for model, one in report.evaluations.items()},
        "missing": dict(report.missing) | {name: LEFT_OUT for name in leaves_out if name in report.parts},
        "parts": {name: part.facts for name, part in parts.items()},
    }
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as file:
        _add(file, "report.json", json.dumps(head, separators=(",", ":")).encode(), ZIP_DEFLATED)
        _add(file, "outputs.npz", _npz(_outputs(report)), ZIP_STORED)
        for name, part in parts.items():
            if part.arrays:
                _add(file, f"{name}.npz", _npz(part.arrays), ZIP_STORED)
    return buffer.getvalue()


def _fewer(cam: CamResult, count: int) -> CamResult:
    """Return the maps of some images of each set, the first ones in their order."""
    sets = list(dict.fromkeys(image.set for image in cam.images))
    each = max(1, count // len(sets))
    own = {name: [place for place, image in enumerate(cam.images) if image.set == name][:each] for name in sets}
    places = sorted(place for chosen in own.values() for place in chosen)
    return cam.model_copy(
        update={
            "images": [cam.images[place] for place in places],
            "pixels": cam.pixels[places],
            "maps": {model: maps[places] for model, maps in cam.maps.items()},
        }
    )


def _outputs(report: Report) -> dict[str, np.ndarray]:
    split, after = report.split, report.evaluations["after"].logits
    sets = (split.forget_train, split.retain_val, split.forget_val, split.retain_test, split.forget_test)
    rows = np.sort(np.concatenate(sets))
    return {"labels": report.labels.astype(np.uint8), "rows": rows.astype(np.uint16), "logits": _halved(after[rows])}


def _halved(logits: np.ndarray) -> np.ndarray:
    """Return logits as float16, in which every image keeps its prediction: a tie is resolved by the next number."""
    found, best = logits.astype(np.float16), logits.argmax(1)
    tied = np.flatnonzero(found.argmax(1) != best)
    found[tied, best[tied]] = np.nextafter(found[tied].max(1), np.float16(np.inf))
    assert np.array_equal(found.argmax(1), best)
    return found


def _npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # pyright: ignore[reportArgumentType]
    return buffer.getvalue()


def _add(file: ZipFile, name: str, data: bytes, compression: int) -> None:
    """Add a file with a fixed date, so that the same content gives the same bytes."""
    file.writestr(ZipInfo(name, _EPOCH), data, compression)


def _work_until_done(store: SweepStore, number: int, home: Path) -> None:
    """Let a worker of its own, with one thread, make the trials of a sweep; it is stopped in the end."""
    environment = os.environ | {variable("home"): str(home), variable("threads"): "1"}
    worker = subprocess.Popen([sys.executable, "-m", "unlearn_core", "worker"], env=environment)
    try:
        while not store.get(number).state.is_finished and worker.poll() is None:
            time.sleep(1)
    finally:
        worker.terminate()
        worker.wait()


def _swept(home: Path) -> dict[str, Any]:
    """Return the finished sweep and its trials, which a worker makes unless it did so before."""
    store, spec = RunStore(home).sweeps, sweep_spec()
    known = [one for one in store.list_recent() if one.spec == spec]
    number = known[0].id if known else store.submit(spec, title=run_title(spec.run_spec({}), ModelCache("cpu", home)))
    if not store.get(number).state.is_finished:
        _work_until_done(store, number, home)
    sweep = store.get(number)
    assert sweep.state is SweepState.DONE
    trials = [
        {
            "params": trial.params,
            "attributes": trial.attributes,
            "metrics": trial.metrics.to_dict(),
            "started": trial.started,
            "finished": trial.finished,
        }
        for trial in store.trials(sweep.id)
    ]
    own = sweep.model_copy(update={"id": SWEEP_NUMBER, "owner": "shipped"})
    return {"sweep": own.model_dump(mode="json", by_alias=True), "trials": trials}


if __name__ == "__main__":
    require_checkout("`make example`")
    print(f"{make_shipped(SHIPPED_DIR, SCRATCH):,} bytes ship.")
