"""The first page: something real to look at, and one click that does it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages.conftest import ROOT, Visit
from tests.pages.page_asserts import fine, without_words, words
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.results.course import TimingsResult
from unlearn_core.domain.results.metrics import JobSeconds, RunMetrics
from unlearn_core.domain.run import RunState
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.components import run_plan
from unlearn_core.ui.shell import cache, run_setup

WITHOUT_TORCH = """
import json, sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file(sys.argv[1], default_timeout=60)
if sys.argv[2] != "start":
    app.switch_page(sys.argv[3])
app.run()
heavy = [name for name in ("torch", "torchvision", "timm", "pytorch_grad_cam", "cv2") if name in sys.modules]
wrong = [str(one.value) for one in [*app.exception, *app.error]]
print(json.dumps({"title": app.title[0].value, "heavy": heavy, "wrong": wrong}))
"""


@pytest.mark.parametrize(
    ("page", "file", "title"),
    [
        ("start", "learn/start.py", "Make a classifier forget. See what is left."),
        ("history", "explore/history.py", "What has been tried?"),
    ],
)
def test_it_shows_without_torch(home: Path, page: str, file: str, title: str) -> None:
    router = str(ROOT / "unlearn_core" / "ui" / "shell" / "router.py")
    said = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, router, page, str(ROOT / "pages" / file)],
        cwd=ROOT,
        env=os.environ | {"UNLEARN_HOME": str(home), "UNLEARN_WARMUP": "none", "UNLEARN_PLUGINS": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(said.stdout) == {"title": title, "heavy": [], "wrong": []}


def test_one_click_forgets_cats(visit: Visit, store: RunStore) -> None:
    app = fine(visit("start"))
    fine(app.button(key="forget-cats").click().run())
    (run,) = store.list_runs()
    assert isinstance(run.spec, UnlearnSpec)
    assert run.state is RunState.QUEUED
    assert run.title == "Forget cat with UNSIR"
    assert run.spec == run_plan.resolve(run_setup.default_setup()).spec
    assert app.query_params == {"id": str(run.id), "level": "first"}


def test_the_run_on_show_is_the_one_that_ships(visit: Visit) -> None:
    app = fine(visit("start"))
    assert "predictions and heat maps of three models" in words(app)
    shown = [image for element in app.get("image") for image in element.proto.imgs]
    assert [image.caption.partition("  \n")[0] for image in shown] == ["the image", "before", "after", "retrained"]
    assert len(app.get("plotly_chart")) == 1
    assert not without_words(app)


def test_the_time_it_takes_is_this_machines_own_once_it_was_run_here(visit: Visit, store: RunStore) -> None:
    assert re.search(r"Real run, bundled data, \d+ to \d+ s on a typical CPU\.", words(visit("start")))
    number = store.execution.register_running(run_plan.resolve(run_setup.default_setup()).spec, title="x", device="cpu")
    images = cache.example()[TimingsResult].images
    seconds = JobSeconds(total=250.0, load=0.0, forget=200.0, evaluate=30.0, probes=20.0)
    done = RunMetrics(seconds=seconds, seconds_per_image=200.0 / images, planned_images=images)
    store.execution.finish(number, 1, metrics=done)
    for seed in (1, 2):
        spec = run_plan.resolve(run_setup.default_setup()).spec.model_copy(update={"seed": seed})
        store.execution.finish(store.execution.register_running(spec, title="x", device="cpu"), 1, metrics=done)
    assert "Real run, bundled data, 3 to 6 minutes on this machine." in words(fine(visit("start")))
