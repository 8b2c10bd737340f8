"""Grad-CAM of an image that a person uploads: from the file to the maps of all models, and by a link."""

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.app_server import Served
from tests.browser.browser_steps import settled
from tests.browser.conftest import NARROW
from tests.pages.finished_runs import CLASS
from unlearn_core.data import datasets

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

ANSWER = re.compile("^(before|after|retrained) · .*(covered|marks nothing)", re.DOTALL)


def test_an_uploaded_image_is_explained_by_all_models(page: Page, app: Served, tmp_path: Path) -> None:
    photograph, trap = tmp_path / "me.png", tmp_path / "trap.png"
    Image.fromarray(datasets.load("shapes").images[450]).resize((300, 200)).save(photograph)
    trap.write_bytes(b"<script>alert(1)</script>")
    page.goto(app.address(f"run?id={CLASS}&tab=Images"))
    page.get_by_text("Upload an image of your own").click()
    field = page.get_by_test_id("stFileUploaderDropzoneInput")
    field.set_input_files(trap)
    expect(page.get_by_text("This file is not a PNG")).to_be_visible()
    field.set_input_files(photograph)
    maps = page.get_by_test_id("stImageCaption").filter(has_text=ANSWER)
    expect(maps).to_have_count(3)
    expect(page.get_by_text(re.compile("^Your image, evidence for"))).to_be_visible()
    expect(page.get_by_text("This file is not a PNG")).to_have_count(0)
    page.wait_for_url(re.compile("picture=[0-9a-f]{64}"))

    page.get_by_role("combobox", name="Algorithm").click()
    page.get_by_role("option", name="ScoreCAM").click()
    expect(page.get_by_text("Compare places, not brightness.")).to_be_visible()
    page.wait_for_url(re.compile("look-algorithm=ScoreCAM"))

    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    page.goto(page.url)
    expect(page.get_by_text("Compare places, not brightness.")).to_be_visible()
    expect(maps).to_have_count(3)
    assert page.get_by_test_id("stMain").evaluate("box => box.scrollWidth - box.clientWidth") <= 0
    page.get_by_role("button", name="Remove this image").click()
    expect(maps).to_have_count(0)
    settled(page)
    assert "picture=" not in page.url
    assert not list((app.home / "own-images").iterdir())
