"""Own pictures through a real browser: a zip goes up, is prepared beside the page, and can be learned from."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.served import ROOT, Served
from tests.browser.steps import heading, settled
from tests.catalog.zips import faces, picture, write

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

OLIVETTI = ROOT.parent / "shared" / "data" / "olivetti.npz"


def people(count: int) -> dict[str, bytes]:
    """Class folders of Olivetti faces where they are at hand, else of drawn pictures."""
    if not OLIVETTI.exists():
        return faces(count, 10, top="faces/")
    with np.load(OLIVETTI, allow_pickle=False) as file:
        pictures, who = file["x"], file["y"]
    members = {}
    for number in np.flatnonzero(who < count):
        buffer = io.BytesIO()
        Image.fromarray(pictures[number]).save(buffer, "PNG")
        members[f"faces/person {who[number]}/{number}.png"] = buffer.getvalue()
    return members


def bring(page: Page, app: Served, file: Path) -> None:
    page.goto(app.address("pictures"))
    heading(page, "Which pictures are there?")
    page.locator("input[type=file]").set_input_files(file)
    button = page.get_by_role("button", name="Add these pictures")
    expect(button).to_be_enabled()
    settled(page)
    button.click()


def test_a_zip_of_faces_becomes_a_data_set_to_learn_from(page: Page, app: Served, tmp_path: Path) -> None:
    bring(page, app, write(tmp_path / "some_people.zip", people(4)))
    expect(page.get_by_text("is ready.")).to_be_visible()
    expect(page.get_by_role("heading", name="some people")).to_be_visible()
    expect(
        page.get_by_text("28 training, 4 validation and 8 test pictures of 4 classes, 64 pixels wide.")
    ).to_be_visible()
    expect(page).to_have_url(re.compile(r"pictures\?set=some-people-\w{6}"))
    page.reload()
    expect(page.get_by_role("heading", name="some people")).to_be_visible()
    page.get_by_role("button", name="Train a classifier on these").click()
    heading(page, "Which classifier should forget?")
    expect(page.get_by_role("combobox", name="Pictures")).to_have_value("some people")


def test_hostile_names_ask_nobody_for_anything(page: Page, app: Served, tmp_path: Path) -> None:
    """What a stranger's names could set off in a browser: a request to elsewhere, a tag, a script."""
    elsewhere: list[str] = []
    page.on("request", lambda sent: elsewhere.append(sent.url))
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    bad = {
        "anna/![x](http:__evil.invalid_a.png)<img src=x onerror=alert(1)>.png": b"no picture",
        "![b](http:evil.invalid)/1.png": picture(1),
    }
    bring(page, app, write(tmp_path / "bad.zip", faces(each=10) | bad))
    expect(page.get_by_text("could act as markup")).to_be_visible()
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_text("could act as markup")).to_have_count(0)
    bring(page, app, write(tmp_path / "some.zip", faces(each=10) | dict([next(iter(bad.items()))])))
    expect(page.get_by_text("1 file could not be used and was left out")).to_be_visible()
    expect(page.get_by_text("<img src=x onerror")).to_be_visible()
    assert elsewhere and not [url for url in elsewhere if not url.startswith((app.address(), "data:", "blob:"))]
    assert not dialogs
    assert page.locator("img[src='x']").count() == 0
