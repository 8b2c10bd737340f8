"""Makes the finished runs that ship: the one that a visitor sees before any click, and one for what many nets tell."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.engine.devices import resolve_device
from unlearn_core.engine.execute import unlearn
from unlearn_core.engine.jobs import lira, neurips_score, relearn
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.measure import LoadedRun
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import resolve_run
from unlearn_core.models import bundled_models
from unlearn_core.store.files import reports
from unlearn_core.store.files.artifacts import WEIGHTS_FILE


def make_example(folder: Path, *, device: str) -> None:
    """Forgets "cat" with UNSIR's first preset for real and keeps the report in `folder`, without the weights.

    The report is a whole one: what somebody must ask for on the page (relearning) is measured too.
    """
    wish = run_spec("resnet20", classes=["cat"], method="unsir")
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "out"
        # The first run of a process also waits for libraries to wake up, so the second is the one to show. It gets
        # a data folder of its own: in the first one's its evaluation would be there already, and seem to cost nothing.
        unlearn(wish, device=device, data_dir=Path(scratch) / "first", out=out)
        shutil.rmtree(out)
        finished = unlearn(wish, device=device, data_dir=Path(scratch) / "second", out=out)
        warm = ModelCache(resolve_device(device), Path(scratch) / "second")
        layout = resolve_run(wish, warm)
        after = warm.load_model(layout.card, "after", (out / WEIGHTS_FILE).read_bytes())
        relearn.add_to_loaded(LoadedRun(out, finished.report, layout, after), warm, NullListener())
        (out / WEIGHTS_FILE).unlink()
        # What before and gold answer ships with the classifier, and need not ship twice.
        shipped = tuple(net.weights[:32] for net in bundled_models.bundled("resnet20"))
        for file in (out / "evaluations").rglob("*.npy"):
            if file.stem.endswith(shipped):
                file.unlink()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(out, folder)


def make_ensemble_example(
    folder: Path, spec: UnlearnSpec, *, device: str, data_dir: Path, num_models: int, num_shadows: int
) -> None:
    """Carries a run out, takes its score and tries the attack with shadow nets; `folder` gets these two parts alone.

    `home` is a data folder in which every net is kept, so that what was interrupted goes on.
    """
    finished = unlearn(spec, device=device, data_dir=data_dir)
    assert finished.run is not None, "it has a data folder"
    warm = ModelCache(resolve_device(device), data_dir)
    neurips_score.add_to_report(finished.run, num_models, warm, NullListener())
    lira.add_to_report(finished.run, num_shadows, warm, NullListener())
    whole = reports.read(data_dir, finished.run)
    parts = {name: whole.parts[name] for name in ("score", "lira")}
    shutil.rmtree(folder, ignore_errors=True)
    reports.write(replace(whole, evaluations={}, parts=parts, missing={}), folder)
