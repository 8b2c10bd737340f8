"""A data set of one's own in a real browser: a zip is uploaded, imported in the background, and trained on."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.app_server import ROOT, Served
from tests.browser.browser_steps import CHART, heading, settled
from tests.data.zips import faces, picture, write

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

OLIVETTI = ROOT.parent / "shared" / "data" / "olivetti.npz"
WHO = "person 1" if OLIVETTI.exists() else "ben"
EPOCHS = 40
"""Of ResNet-8, some five seconds: enough to distinguish four people."""


def people(count: int) -> dict[str, bytes]:
    """Class folders of Olivetti faces where they are at hand, else of drawn images."""
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


def choose_file(page: Page, app: Served, file: Path) -> None:
    page.goto(app.address("datasets"))
    heading(page, "Which data sets are there?")
    page.locator("input[type=file]").set_input_files(file)


def upload(page: Page, app: Served, file: Path) -> None:
    choose_file(page, app, file)
    button = page.get_by_role("button", name="Add data set")
    expect(button).to_be_enabled()
    settled(page)
    button.click()


def choose(page: Page, label: str, title: str) -> None:
    """Picks an entry of a searchable list by typing its name."""
    box = page.get_by_role("combobox", name=label)
    box.click()
    box.fill(title)
    page.get_by_role("option", name=title, exact=True).click()
    settled(page)


def enter(page: Page, label: str, number: float) -> None:
    field = page.get_by_role("spinbutton", name=label)
    field.fill(f"{number:g}")
    field.press("Tab")
    settled(page)


def test_one_person_of_a_zip_of_faces_is_forgotten(page: Page, app: Served, tmp_path: Path) -> None:
    """The whole road: a zip goes up, a classifier learns it, one person is forgotten, the report shows it."""
    upload(page, app, write(tmp_path / "some_people.zip", people(4)))
    expect(page.get_by_text("is ready.")).to_be_visible()
    expect(page.get_by_role("heading", name="some people")).to_be_visible()
    expect(
        page.get_by_text("28 training, 4 validation and 8 test images of 4 classes, 64 pixels wide.")
    ).to_be_visible()
    expect(page).to_have_url(re.compile(r"datasets\?dataset=some-people-\w{6}"))
    page.reload()
    expect(page.get_by_role("heading", name="some people")).to_be_visible()

    page.get_by_role("button", name="Train a classifier on this").click()
    heading(page, "Which classifier should forget?")
    expect(page.get_by_role("combobox", name="Data set")).to_have_value("some people")
    expect(page.get_by_role("combobox", name="Data set")).to_be_in_viewport()
    expect(page.get_by_text("Part of this link could not be used")).to_have_count(0)
    choose(page, "Architecture", "ResNet-8")
    enter(page, "Epochs", EPOCHS)
    page.get_by_role("button", name="Train", exact=True).click()
    heading(page, "Train ResNet-8 · some people")
    expect(page.get_by_text("is now in the list of classifiers.")).to_be_visible()

    page.get_by_role("button", name="Make it forget").click()
    heading(page, "What should it forget?")
    page.get_by_text(WHO, exact=True).first.click()
    expect(page.get_by_text("7 in the forget set")).to_be_visible()
    expect(page.get_by_text("21 in the retain set")).to_be_visible()
    page.get_by_role("button", name="Next: method").click()
    heading(page, "How should it forget?")
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url(re.compile(r"/run\?id=\d+"))
    _is_told(page)


def _is_told(page: Page) -> None:
    """What the report says without a retrained model, and then, when one has been trained, with it."""
    heading(page, f"Forget {WHO} with UNSIR")
    told = re.compile(rf"\d of [27] (training|test) images of {WHO} are still predicted as {WHO}")
    expect(page.get_by_role("heading", name=CHART)).to_be_visible()
    expect(page.get_by_text(told)).to_be_visible()
    before = re.compile(rf"Of the test images of {WHO}, [\d.]+.% were classified correctly before and [\d.]+.% after")
    expect(page.get_by_text(before)).to_be_visible()
    expect(page.get_by_text("There is no retrained model for this request yet").first).to_be_visible()
    page.get_by_role("button", name="Train the retrained model in the background").click()
    expect(page.get_by_text("Retrained model: 0.0").first).to_be_visible()
    expect(page.get_by_text("It agrees with the retrained model on").first).to_be_visible()


def test_hostile_names_ask_nobody_for_anything(page: Page, app: Served, tmp_path: Path) -> None:
    """What hostile file names could trigger in a browser: a request to elsewhere, a tag, a script."""
    elsewhere: list[str] = []
    page.on("request", lambda sent: elsewhere.append(sent.url))
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    bad = {
        "anna/![x](http:__evil.invalid_a.png)<img src=x onerror=alert(1)>.png": b"no picture",
        "![b](http:evil.invalid)/1.png": picture(1),
    }
    choose_file(page, app, write(tmp_path / "bad.zip", faces(each=10) | bad))
    expect(page.get_by_text("could act as markup")).to_be_visible()
    expect(page.get_by_role("button", name="Add data set")).to_be_disabled()
    upload(page, app, write(tmp_path / "some.zip", faces(each=10) | dict([next(iter(bad.items()))])))
    expect(page.get_by_text("1 image could not be used and was left out")).to_be_visible()
    expect(page.get_by_text("<img src=x onerror")).to_be_visible()
    assert elsewhere and not [url for url in elsewhere if not url.startswith((app.address(), "data:", "blob:"))]
    assert not dialogs
    assert page.locator("img[src='x']").count() == 0


def test_the_uploads_of_all_visitors_are_bounded(
    context: BrowserContext, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One visitor's upload takes most of what the server may hold, and the next one's is refused until it is gone."""
    monkeypatch.setenv("UNLEARN_MOST_UPLOADS_MB", "1")
    file = write(tmp_path / "some.zip", faces() | {"LICENSE": bytes(600_000)})
    with Served(home, worker="none") as served, context.new_page() as page, context.new_page() as other:
        choose_file(page, served, file)
        expect(page.get_by_text("LICENSE")).to_be_visible()
        choose_file(other, served, file)
        expect(other.get_by_text("status code 503")).to_be_visible()
        page.get_by_role("button", name="Remove some.zip").click()
        expect(page.get_by_text("LICENSE")).to_have_count(0)
        choose_file(other, served, file)
        expect(other.get_by_text("LICENSE")).to_be_visible()
