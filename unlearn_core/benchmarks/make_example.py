"""Makes the finished runs that ship: the one that a visitor sees before any click, and one for what many nets tell."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from unlearn_core.domain.jobs import RunSpec
from unlearn_core.engine.build_spec import spec
from unlearn_core.engine.devices import resolve
from unlearn_core.engine.execute import unlearn
from unlearn_core.engine.jobs import lira, neurips_score, relearn
from unlearn_core.engine.listener import Nobody
from unlearn_core.engine.measure import Reopened
from unlearn_core.engine.model_cache import Warm
from unlearn_core.engine.setup import lay_out
from unlearn_core.models import bundled_models
from unlearn_core.store.files import reports
from unlearn_core.store.files.artifacts import WEIGHTS


def make(folder: Path, *, device: str) -> None:
    """Forgets "cat" with UNSIR's first preset for real and keeps the report in `folder`, without the weights.

    The report is a whole one: what somebody must ask for on the page (relearning) is measured too.
    """
    wish = spec("resnet20", classes=["cat"], method="unsir")
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "out"
        # The first run of a process also waits for libraries to wake up, so the second is the one to show. It gets
        # a data folder of its own: in the first one's its evaluation would be there already, and seem to cost nothing.
        unlearn(wish, device=device, home=Path(scratch) / "first", out=out)
        shutil.rmtree(out)
        finished = unlearn(wish, device=device, home=Path(scratch) / "second", out=out)
        warm = Warm(resolve(device), Path(scratch) / "second")
        layout = lay_out(wish, warm)
        after = warm.from_bytes(layout.card, "after", (out / WEIGHTS).read_bytes())
        relearn.complete(Reopened(out, finished.report, layout, after), warm, Nobody())
        (out / WEIGHTS).unlink()
        # What before and gold answer ships with the classifier, and need not ship twice.
        shipped = tuple(net.weights[:32] for net in bundled_models.shipped("resnet20"))
        for file in (out / "evaluations").rglob("*.npy"):
            if file.stem.endswith(shipped):
                file.unlink()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(out, folder)


def make_crowd(folder: Path, wish: RunSpec, *, device: str, home: Path, nets: int, shadows: int) -> None:
    """Carries a run out, takes its score and tries the attack with shadow nets; `folder` gets these two parts alone.

    `home` is a data folder in which every net is kept, so that what was interrupted goes on.
    """
    finished = unlearn(wish, device=device, home=home)
    assert finished.run is not None, "it has a data folder"
    warm = Warm(resolve(device), home)
    neurips_score.add(finished.run, nets, warm, Nobody())
    lira.add(finished.run, shadows, warm, Nobody())
    whole = reports.read(home, finished.run)
    parts = {name: whole.parts[name] for name in ("score", "lira")}
    shutil.rmtree(folder, ignore_errors=True)
    reports.write(replace(whole, evaluations={}, parts=parts, missing={}), folder)
