"""Grad-CAM queries: classifiers with few spatial layers or none, other algorithms, and uploaded images."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS, started
from tests.pages.lab.gallery_steps import labels, listed, pick
from tests.pages.page_asserts import fine, words
from unlearn_core.domain.cam_algorithms import CAM_ALGORITHMS
from unlearn_core.domain.jobs import ExplainSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.engine.execute import execute_job
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.store.files import artifacts, reports
from unlearn_core.store.queue.run_store import RunStore

GALLERY = f"look-gallery-{CLASS}"


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
    assert labels(app, GALLERY)
    fine(pick(app, 3, key=GALLERY))
    assert "picture" not in app.query_params and not done.list_runs(kinds=("look",))


def test_only_layers_with_heat_maps_are_offered(visit: Visit, done: RunStore, home: Path) -> None:
    with_roles(home, maps=["body"])
    app = visit("run", id=str(CLASS), tab="Images")
    pick(app, listed(app, GALLERY)[0], key=GALLERY)
    assert fine(app).selectbox(key="look-layer").options == ["body (default)"]


def test_a_damaged_result_is_a_sentence(visit: Visit, done: RunStore) -> None:
    app = visit("run", id=str(CLASS), tab="Images")
    pick(app, listed(app, GALLERY)[0], key=GALLERY)
    query = started(done, kinds=frozenset({"look"}))
    artifacts.write_json(artifacts.run_dir(done.data_dir, query.id) / "parts" / "cam.json", {"cards": "none"})
    done.execution.finish(query.id, query.attempt, metrics=RunMetrics(image=0))
    app.run()
    assert "The result of this query is damaged. Press the image again." in words(fine(app))


def png(side: int = 40, tone: int = 200) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), (tone, 30, 30)).save(buffer, "PNG")
    return buffer.getvalue()


def uploaded(app: AppTest, data: bytes) -> AppTest:
    return app.file_uploader(key="own-image-file").upload("me.png", data, "image/png").run()


def answered(done: RunStore, app: AppTest) -> AppTest:
    """The page once a worker has answered the query."""
    run = started(done, kinds=frozenset({"look"}))
    done.execution.finish(
        run.id, run.attempt, metrics=execute_job(run, ModelCache("cpu", done.data_dir), NullListener())
    )
    return app.run()


def test_an_uploaded_image_is_explained_linked_and_removed(visit: Visit, done: RunStore) -> None:
    app = uploaded(fine(visit("run", id=str(CLASS), tab="Images")), png())
    name = app.query_params["picture"]
    (asked,) = done.list_runs(kinds=("look",))
    assert asked.spec == ExplainSpec(run=CLASS, upload=name)
    said = words(fine(answered(done, app)))
    assert "**Your image, evidence for " in said
    assert "What do the numbers mean?" in {one.proto.popover.label for one in app.get("popover")}
    captions = [one.caption for element in app.get("image") for one in element.proto.imgs if one.caption]
    assert any("covered: " in caption and "random: " in caption for caption in captions) or "marks nothing" in said

    linked = fine(visit("run", id=str(CLASS), tab="Images", picture=name))
    assert done.list_runs(kinds=("look",))[0].spec == asked.spec
    linked.selectbox(key="look-target-own").set_value(2).run()
    assert done.list_runs(kinds=("look",))[0].spec == ExplainSpec(run=CLASS, upload=name, target=2)

    app.button(key="remove-own-image").click().run()
    assert "picture" not in fine(app).query_params
    assert not list((done.data_dir / "own-images").iterdir())
    asked = len(done.list_runs(kinds=("look",)))
    app.run()
    assert len(done.list_runs(kinds=("look",))) == asked, "the file in the field is not received again"


def test_a_file_that_is_no_image_is_refused_in_a_sentence(visit: Visit, done: RunStore) -> None:
    app = uploaded(visit("run", id=str(CLASS), tab="Images"), b"<html>")
    (error,) = app.error
    assert "not a PNG" in error.value and "Save it again" in error.value
    assert not done.list_runs(kinds=("look",)) and "picture" not in app.query_params
    assert words(uploaded(app, png())).count("not a PNG") == 0


def test_an_uploaded_image_that_is_gone_says_so(visit: Visit, done: RunStore) -> None:
    app = uploaded(visit("run", id=str(CLASS), tab="Images"), png())
    answered(done, app)
    shutil.rmtree(done.data_dir / "own-images")
    assert "This uploaded image is no longer stored. Upload it again." in words(app.run())


def test_the_algorithm_in_a_link_says_how_it_differs_and_where_it_is_published(visit: Visit, done: RunStore) -> None:
    card = CAM_ALGORITHMS["finercam"]
    app = fine(visit("run", id=str(CLASS), tab="Images", picture="401", **{"look-algorithm": card.title}))
    assert f"{card.difference} [{card.paper}]({card.url})" in words(app)
    target = int(reports.read(done.data_dir, CLASS).labels[401])
    (asked,) = done.list_runs(kinds=("look",))
    assert asked.spec == ExplainSpec(run=CLASS, picture=401, target=target, algorithm="finercam")
