"""Makes the example reports that ship: the one on the start page, and one of measurements with ensembles of models."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from unlearn_core.domain.jobs import MeasureSpec, UnlearnSpec
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.engine.devices import resolve_device
from unlearn_core.engine.execute import add_to_report, measure_on_demand, unlearn
from unlearn_core.engine.jobs import on_demand_measurement
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.measuring.measure import LoadedRun
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import resolve_run
from unlearn_core.models import bundled_models
from unlearn_core.store.files import reports
from unlearn_core.store.files.artifacts import WEIGHTS_FILE


def make_example(folder: Path, *, device: str) -> None:
    """Forget "cat" with UNSIR's first preset and write the report to `folder`, without the weights.

    The report is complete: what is measured on request is included, but for measurements of ensembles.
    """
    spec = run_spec("resnet20", classes=["cat"], method="unsir")
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "out"
        # The first run of a process also waits for libraries to load, so the second one is shown. It gets its own data
        # folder: in that of the first run its evaluation would exist already and seem to cost nothing.
        unlearn(spec, device=device, data_dir=Path(scratch) / "first", out=out)
        shutil.rmtree(out)
        finished = unlearn(spec, device=device, data_dir=Path(scratch) / "second", out=out)
        model_cache = ModelCache(resolve_device(device), Path(scratch) / "second")
        resolved = resolve_run(spec, model_cache)
        after = model_cache.load_model(resolved.card, "after", (out / WEIGHTS_FILE).read_bytes())
        loaded = LoadedRun(out, finished.report, resolved, after)
        for name in ("relearn", "feature_map", "representation", "difficulty"):
            add_to_report(on_demand_measurement(name), loaded, 0, model_cache, NullListener())
        (out / WEIGHTS_FILE).unlink()
        # The outputs of before and gold ship with the classifier and need not ship twice.
        shipped = tuple(model.weights[:32] for model in bundled_models.bundled("resnet20"))
        for file in (out / "evaluations").rglob("*.npy"):
            if file.stem.endswith(shipped):
                file.unlink()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(out, folder)


def make_ensemble_example(
    folder: Path, spec: UnlearnSpec, *, device: str, data_dir: Path, num_models: int, num_shadows: int
) -> None:
    """Execute a run, measure its score, KLoM and LiRA, and write only these parts to `folder`.

    The models are stored in `data_dir`, so that an interrupted measurement continues.
    """
    finished = unlearn(spec, device=device, data_dir=data_dir)
    assert finished.run is not None, "it has a data folder"
    model_cache = ModelCache(resolve_device(device), data_dir)
    for name, count in (("score", num_models), ("klom", num_models), ("lira", num_shadows)):
        measure_on_demand(MeasureSpec(run=finished.run, what=name, nets=count), model_cache, NullListener())
    whole = reports.read(data_dir, finished.run)
    parts = {name: whole.parts[name] for name in ("score", "klom", "lira")}
    shutil.rmtree(folder, ignore_errors=True)
    reports.write(replace(whole, evaluations={}, parts=parts, missing={}), folder)
