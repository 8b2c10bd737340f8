"""Two browsers where sharing is private: what one has made is nowhere for the other, until it is shared by its link."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.app_server import Served
from tests.browser.browser_steps import heading, settled
from tests.browser.conftest import PATIENCE
from tests.pages.finished_runs import CLASS
from tests.store.access.test_separation import ANN, BEN
from tests.store.specs import sql
from unlearn_core.store.access.identity_key import identity_key
from unlearn_core.ui.shell.navigation import PAGES

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.usefixtures("context"),
]

SECRET = "what only Ann knows"


@pytest.fixture
def lab(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A private server without a worker; its two runs are Ann's."""
    home = tmp_path / "private"
    shutil.copytree(template, home)
    sql(home, "UPDATE run SET owner = ?, title = ?, note = ?", ANN.id, SECRET, SECRET)
    monkeypatch.setenv("UNLEARN_SHARING", "private")
    with Served(home, worker="none") as served:
        yield served


def _browser(browser: Browser, lab: Served, owner: str) -> BrowserContext:
    key, context = identity_key(lab.home), browser.new_context()
    cookie = {"name": key.cookie, "value": key.sign(owner), "url": lab.address()}
    context.add_cookies([cookie])  # pyright: ignore[reportArgumentType]
    context.set_default_timeout(PATIENCE)
    return context


def _refusals(page: Page) -> list[str]:
    """What the server refuses this page from now on: a font, an icon or an image that it needs."""
    found: list[str] = []
    page.on("response", lambda answer: found.append(answer.url) if answer.status in (401, 403, 404) else None)
    return found


def test_a_run_of_one_is_nowhere_for_the_other_until_it_is_shared(browser: Browser, lab: Served) -> None:
    contexts = [_browser(browser, lab, owner) for owner in (ANN.id, BEN.id)]
    ann, ben = (context.new_page() for context in contexts)
    refused = {page: _refusals(page) for page in (ann, ben)}
    for name in PAGES:
        ben.goto(lab.address("" if name == "start" else name))
        expect(ben.get_by_role("heading", level=1)).to_be_visible()
        settled(ben)
        said = ben.locator("body").inner_text()
        assert "Visitor AAAA" not in said and SECRET not in said, name
    ben.goto(lab.address("history?whose=all"))
    expect(ben.get_by_text("You have run nothing here yet")).to_be_visible()
    link = lab.address(f"run?id={CLASS}")
    ben.goto(link)
    expect(ben.get_by_text("ask them to press Share on its page")).to_be_visible()
    ann.goto(link)
    image = ann.get_by_test_id("stImage").locator("img").first.get_attribute("src") or ""
    assert contexts[0].request.get(image).status == 200
    assert contexts[1].request.get(image).status == 404
    ann.get_by_role("button", name="Share").click()
    expect(ann.get_by_role("button", name="Stop sharing")).to_be_visible()
    ben.goto(link)
    expect(ben.get_by_text(f"Run {CLASS} · by another visitor")).to_be_visible()
    expect(ben.get_by_role("button", name="Stop sharing")).to_have_count(0)
    settled(ben)
    ann.get_by_role("button", name="Stop sharing").click()
    expect(ann.get_by_role("button", name="Share")).to_be_visible()
    ben.goto(link)
    heading(ben, "There is no such run")
    for page, found in refused.items():
        probes = ("/_stcore/", "favicon")  # Streamlit looks for the path of its app.
        assert [url for url in found if not any(one in url for one in probes)] == [], page
    for context in contexts:
        context.close()
