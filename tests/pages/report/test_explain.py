"""The gallery of a report whose classifier has few spatial layers, or none."""

import json
from pathlib import Path
from typing import Any

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS, started
from tests.pages.page_asserts import fine, words
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.store.files import artifacts
from unlearn_core.store.queue.run_store import RunStore


def with_roles(home: Path, **roles: Any) -> None:
    """Makes the finished run one of a classifier with other roles."""
    path = artifacts.run_dir(home, CLASS) / artifacts.REPORT_FILE
    head = json.loads(path.read_text())
    head["classifier"]["roles"] |= roles
    path.write_text(json.dumps(head))


def test_a_model_without_spatial_layers_has_a_gallery_and_a_sentence(visit: Visit, done: RunStore, home: Path) -> None:
    with_roles(home, cam=None)
    app = fine(visit("run", id=str(CLASS), tab="Images"))
    assert "Tiny · Shapes has no spatial layers, so Grad-CAM is not available." in words(app)
    pictures = [one for one in app.button if (one.key or "").startswith("look-")]
    assert pictures and all(one.disabled for one in pictures)


def test_only_layers_with_heat_maps_are_offered(visit: Visit, done: RunStore, home: Path) -> None:
    with_roles(home, maps=["body"])
    app = visit("run", id=str(CLASS), tab="Images")
    next(one for one in app.button if (one.key or "").startswith("look-")).click().run()
    assert fine(app).selectbox(key="look-layer").options == ["body (default)"]


def test_a_damaged_result_is_a_sentence(visit: Visit, done: RunStore) -> None:
    app = visit("run", id=str(CLASS), tab="Images")
    next(one for one in app.button if (one.key or "").startswith("look-")).click().run()
    query = started(done, kinds=frozenset({"look"}))
    artifacts.write_json(artifacts.run_dir(done.data_dir, query.id) / "parts" / "cam.json", {"cards": "none"})
    done.finish(query.id, query.attempt, metrics=RunMetrics(image=0))
    app.run()
    assert "The result of this query is damaged. Press the image again." in words(fine(app))
