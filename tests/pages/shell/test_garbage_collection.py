"""No click waits for the garbage collector: it never walks through all of torch while a page is made."""

import gc
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

ROOT = Path(__file__).resolve().parents[3]
WARMED = """
import gc, json, sys, threading
from unlearn_core.ui.shell import lifespan

lifespan.warm_up()
for thread in threading.enumerate():
    if thread.name == "warm-up":
        thread.join()
print(json.dumps({"torch": "torch" in sys.modules, "frozen": gc.get_freeze_count() > 0}))
"""


def test_the_server_collects_nothing_after_a_page() -> None:
    assert config.get_option("runner.postScriptGC") is False


def test_a_page_run_makes_no_full_collection(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_WARMUP", "none")
    monkeypatch.delattr(LocalScriptRunner, "_on_script_finished")  # Runs end as they do in the server.
    app = AppTest.from_file(ROOT / "unlearn_core" / "ui" / "shell" / "router.py", default_timeout=60).run()
    made: list[int] = []

    def note(phase: str, info: dict[str, Any]) -> None:
        if phase == "start":
            made.append(info["generation"])

    gc.callbacks.append(note)
    gc.disable()  # What is left is asked for, not due.
    try:
        app.run()
    finally:
        gc.enable()
        gc.callbacks.remove(note)
    assert not app.exception
    assert made == []


@pytest.mark.parametrize(("warmup", "done"), [("auto", True), ("none", False)])
def test_what_the_warm_up_imports_is_never_walked_through_again(home: Path, warmup: str, done: bool) -> None:
    said = subprocess.run(
        [sys.executable, "-c", WARMED],
        cwd=ROOT,
        env=os.environ | {"UNLEARN_HOME": str(home), "UNLEARN_WARMUP": warmup},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(said.stdout) == {"torch": done, "frozen": done}
