"""The files of galleries: sprite sheets, numbers and texts, under names that nobody can guess."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from unlearn_core.data import datasets
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.errors import CorruptAssetError
from unlearn_core.ui.gallery import image_gallery, listings, sprite_sheets
from unlearn_core.ui.gallery.image_texts import DatasetTexts
from unlearn_core.ui.gallery.listings import CACHE_CONTROL, Description, Listing
from unlearn_core.ui.shell import cache

FRONTEND = Path(image_gallery.__file__).parent / "frontend"


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(Starlette(routes=listings.routes())) as opened:
        yield opened


def numbered(images: np.ndarray) -> list[Description]:
    return [Description((f"line {image}",), f"label {image}") for image in images.tolist()]


def shapes(*images: int, version: str = "") -> Listing:
    return Listing("shapes", np.array(images), numbered, version)


def test_a_list_has_numbers_sheets_and_texts_that_browsers_keep(client: TestClient) -> None:
    url = listings.register(shapes(*range(70, 0, -1)))
    numbers = client.get(f"{url}/images")
    assert np.frombuffer(numbers.content, "<u4").tolist() == list(range(70, 0, -1))
    second = client.get(f"{url}/1.json")
    assert json.loads(second.content) == [[[f"line {image}"], f"label {image}"] for image in range(6, 0, -1)]
    sheet = client.get(f"{url}/1.sheet")
    assert Image.open(io.BytesIO(sheet.content)).size == (8 * sprite_sheets.TILE, sprite_sheets.TILE)
    for answer in (numbers, second, sheet):
        assert answer.status_code == 200 and answer.headers["cache-control"] == CACHE_CONTROL
    assert sheet.headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize(
    "file", ["2.json", "2.sheet", "-1.sheet", "x.json", "0.html", "0", "..", "9999999999.json", "²"]
)
def test_a_list_has_no_other_files(client: TestClient, file: str) -> None:
    assert client.get(f"{listings.register(shapes(*range(70)))}/{file}").status_code == 404


def test_only_registered_lists_are_served(client: TestClient) -> None:
    answer = client.get("/gallery/0123456789abcdef0123456789abcdef/images")
    assert answer.status_code == 404 and "Reload the page" in answer.text


def test_a_data_set_that_is_gone_is_said(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    url = listings.register(shapes(1, 2, version="gone"))

    def lost(name: str) -> None:
        raise CorruptAssetError(f"The images of {name} are damaged.")

    monkeypatch.setattr(cache, "image_dataset", lost)
    answer = client.get(f"{url}/0.sheet")
    assert (answer.status_code, answer.text) == (404, "The images of shapes are damaged.")


def test_a_name_stands_for_content_and_texts_and_is_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    first = listings.register(shapes(1, 2))
    assert listings.register(shapes(1, 2)) == first
    assert len({first, *(listings.register(one) for one in (shapes(2, 1), shapes(1, 2, version="2")))}) == 3
    monkeypatch.setattr(listings, "_SECRET", b"another")
    assert listings.register(shapes(1, 2)) != first


def test_the_lists_that_a_server_knows_are_few(monkeypatch: pytest.MonkeyPatch, client: TestClient) -> None:
    monkeypatch.setattr(listings, "MAX_LISTINGS", 2)
    urls = [listings.register(shapes(number)) for number in (1, 2)]
    listings.register(shapes(1))
    listings.register(shapes(3))
    assert [client.get(f"{url}/images").status_code for url in urls] == [200, 404]


def test_the_path_of_the_app_stands_before_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "get_option", lambda name: "/lab/")
    assert listings.register(shapes(1)).startswith("/lab/gallery/")
    assert [route.path for route in listings.routes()] == ["/lab/gallery/{name}/{file}"]


def test_each_image_is_at_its_place_in_the_sheet() -> None:
    every = datasets.load("shapes")
    rows = np.array([7, 3, *range(20, 30)])
    sheet = np.asarray(Image.open(io.BytesIO(sprite_sheets.image_sheet(every, rows).file)).convert("RGB"), int)
    assert sheet.shape == (2 * sprite_sheets.TILE, 8 * sprite_sheets.TILE, 3)
    for place, row in enumerate(rows.tolist()):
        top, left = (part * sprite_sheets.TILE for part in divmod(place, 8))
        tile = sheet[top : top + sprite_sheets.TILE, left : left + sprite_sheets.TILE]
        assert tile.mean((0, 1)) == pytest.approx(every.images[row].mean((0, 1)), abs=6)
    assert not sheet[sprite_sheets.TILE :, 4 * sprite_sheets.TILE + 8 :].any(), "the rest is empty"


def test_a_sheet_of_points_shows_where_each_point_lies() -> None:
    every = datasets.load("moons")
    found = sprite_sheets.image_sheet(every, np.array([0, 1]))
    assert found.media_type == "image/png"
    sheet = np.asarray(Image.open(io.BytesIO(found.file)))
    strong = (sheet[..., 3] == 255) & (sheet[..., 0] > sheet[..., 2].astype(int) + 100)
    for row in (0, 1):
        tile = strong[:, row * sprite_sheets.TILE : (row + 1) * sprite_sheets.TILE]
        y, x = (where.mean() / sprite_sheets.TILE for where in np.nonzero(tile))
        assert (x, 1 - y) == pytest.approx(every.images[row, 0, 0, :2] / 255, abs=0.08)


def test_names_from_files_are_sent_as_they_are_and_written_as_text() -> None:
    hostile = '<img src=x onerror="alert(1)">'
    card = datasets.card("shapes").model_copy(update={"classes": (hostile, "b", "c", "d")})
    (found,) = _texts(card, f"{hostile}.png").describe(np.array([0]))
    assert found.lines[0] == f"{hostile} 0" and found.label.endswith(f"class {hostile}, file {hostile}.png")
    scripts = "".join(file.read_text() for file in FRONTEND.glob("*.js"))
    assert "textContent" in scripts
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "DOMParser", "srcdoc"):
        assert way not in scripts, f"{way} would run a name as HTML"


def test_the_component_loads_nothing_from_elsewhere() -> None:
    files = [file.read_text() for file in FRONTEND.iterdir()]
    assert len(files) == 5 and not any("http" in text or "//cdn" in text or "import " in text for text in files)


def _texts(card: DatasetCard, path: str) -> DatasetTexts:
    return DatasetTexts(card, np.zeros(1, int), paths=[path])
