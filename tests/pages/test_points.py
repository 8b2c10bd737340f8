"""Runs on points in the plane: their galleries, where a point is drawn instead of an image."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS, made_again
from tests.pages.lab import gallery_steps
from tests.pages.page_asserts import fine, without_words, words
from unlearn_core.charts import charts
from unlearn_core.data import datasets
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.engine.execute import unlearn
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.report import explain
from unlearn_core.ui.shell import thumbnails


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a run that forgot a half-moon; nobody may write to it."""
    folder = tmp_path_factory.mktemp("points")
    unlearn(run_spec("mlp-moons", method="finetune", classes=["dawn"]), device="cpu", data_dir=folder)
    return folder


@pytest.fixture
def runs(points: Path, home: Path) -> list[int]:
    """That run and one more like it, in a data folder that the pages under test see."""
    shutil.copytree(points, home, dirs_exist_ok=True)
    return [CLASS, made_again(RunStore(home))]


@pytest.mark.parametrize("page", ["run", "compare"])
@pytest.mark.parametrize("chosen", explain.SETS)
def test_each_set_of_points_has_its_gallery(visit: Visit, runs: list[int], page: str, chosen: str) -> None:
    query = {"id": str(runs[0])} if page == "run" else {"ids": ",".join(map(str, runs))}
    app = fine(visit(page, tab="Images", **query))
    fine(app.segmented_control(key="look-set").set_value(chosen).run())
    rows = gallery_steps.listed(app, f"look-gallery-{runs[0]}")
    assert rows
    assert all((row >= datasets.card("moons").train) is chosen.endswith("test") for row in rows)
    assert not without_words(app)


def test_the_first_screen_shows_the_regions_of_each_model(visit: Visit, runs: list[int]) -> None:
    app = fine(visit("run", id=str(runs[0])))
    assert len(app.metric) >= 2 and "**Privacy.**" in words(app) and "a single point" in words(app)
    drawn = [chart.proto.id for chart in app.get("plotly_chart") if "regions" in chart.proto.id]
    assert len(drawn) == 1, "not in the Overview too"
    assert fine(visit("run", id=str(runs[0]), present="2")).title[0].value == charts()["regions"].title


def test_a_point_can_be_followed_through_all_runs(visit: Visit, runs: list[int]) -> None:
    app = fine(visit("compare", ids=",".join(map(str, runs)), tab="Images"))
    assert "MLP · Moons has no spatial layers, so Grad-CAM is not available." in words(app)
    gallery = f"look-gallery-{runs[0]}"
    number = gallery_steps.listed(app, gallery)[0]
    fine(gallery_steps.pick(app, number, key=gallery))
    assert app.number_input(key="focus-picture").label == "Point"
    assert app.query_params["picture"] == str(number)
    shown = [picture for element in app.get("image") for picture in element.proto.imgs]
    assert (shown[0].alt, shown[0].caption) == (f"dawn, point {number}", f"dawn, point {number}")
    tables = [one.value for one in app.dataframe if "selected" in one.value]
    assert f"point {number}: prediction" in tables[0]["selected"].tolist()


def test_the_maps_of_all_runs_stand_side_by_side(visit: Visit, runs: list[int]) -> None:
    app = fine(visit("compare", ids=",".join(map(str, runs))))
    assert "Decision regions" in [one.value for one in app.header]
    maps = [one.proto.id for one in app.get("plotly_chart") if "compare-map-" in one.proto.id]
    assert len(maps) == len(runs) + 2, "one for each run, one of the original and one of the retrained model"
    assert not without_words(app)


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_a_point_of_any_part_is_marked_where_it_lies(part: str) -> None:
    every = datasets.load("moons")
    row = {"train": 0, "val": every.train, "test": len(every.labels) - 1}[part]
    image = np.asarray(Image.open(io.BytesIO(thumbnails.points_png(every, np.array([row])))))
    strong = (image[..., 3] == 255) & (image[..., 0] > image[..., 2] + 100)
    y, x = (where.mean() / thumbnails.POINTS_SIZE for where in np.nonzero(strong))
    place = every.images[row, 0, 0, :2] / 255
    assert (x, 1 - y) == pytest.approx(place, abs=0.08)
