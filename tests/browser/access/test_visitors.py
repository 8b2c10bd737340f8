"""Two browsers: each has its own identity from the first answer on, and one becomes the other by a code."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.app_server import Served
from tests.browser.browser_steps import heading
from tests.browser.conftest import PATIENCE
from tests.browser.test_accessibility import violations
from tests.pages.finished_runs import CLASS, by_class
from tests.store.specs import sql
from unlearn_core.store.access.actor import Actor
from unlearn_core.store.queue.run_store import RunStore

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400), pytest.mark.usefixtures("context")]


def _owner(context: BrowserContext) -> str:
    """Who the browser is, by its cookie."""
    (cookie,) = (one for one in context.cookies() if one.get("name", "").startswith("unlearn-lab-"))
    assert cookie.get("httpOnly") and cookie.get("sameSite") == "Lax" and not cookie.get("secure")
    return str(cookie.get("value")).partition(".")[0]


def _name(page: Page, name: str):
    return page.get_by_test_id("stSidebar").get_by_role("button", name=name)


def test_two_browsers_are_two_visitors_until_one_has_the_others_code(
    browser: Browser, app: Served, tmp_path: Path
) -> None:
    first, second = browser.new_context(), browser.new_context()
    first.set_default_timeout(PATIENCE)
    second.set_default_timeout(PATIENCE)
    ann, ben = first.new_page(), second.new_page()
    for page in (ann, ben):
        page.goto(app.address("history"))
        heading(page, "What has been tried?")
    sql(app.home, "UPDATE run SET owner = ? WHERE id = ?", _owner(first), CLASS)
    try:
        assert _owner(first) != _owner(second)
        # The websocket of the first visit has the cookie of the first answer: the script knows the same visitor.
        usual = f"Visitor {_owner(second)[:4].upper()}"
        expect(_name(ben, usual)).to_be_visible()
        _walk(ann, ben, app)
        expect(_name(ben, "Table 4")).to_be_visible()
        assert _owner(second) == _owner(first)
        ben.goto(app.address("history"))
        heading(ben, "What has been tried?")
        expect(ben.get_by_text("None of these runs is yours")).to_have_count(0)
    finally:
        sql(app.home, "UPDATE run SET owner = 'local' WHERE id = ?", CLASS)
        first.close()
        second.close()


def _walk(ann: Page, ben: Page, app: Served) -> None:
    """Ann gives herself a name; Ben sees it beside her run, which he cannot change, and then becomes Ann."""
    _name(ann, "Visitor").or_(_name(ann, "Operator")).click()
    assert violations(ann, "light") == []
    ann.get_by_role("textbox", name="Your name").fill("Table 4")
    ann.get_by_role("button", name="Save").click()
    expect(_name(ann, "Table 4")).to_be_visible()
    ben.goto(app.address(f"run?id={CLASS}"))
    expect(ben.get_by_text(f"Run {CLASS} · by Table 4")).to_be_visible()
    _name(ann, "Table 4").click()
    ann.get_by_role("button", name="Make a code").click()
    code = ann.get_by_test_id("stCode").inner_text().split()[0]
    _name(ben, "Visitor").click()
    for wrong in ("AAAA-AAAA", code):
        ben.get_by_role("textbox", name="Code from the other browser").fill(wrong)
        ben.get_by_role("button", name="Use the code").click()
        if wrong != code:
            expect(ben.get_by_text("This code is not known")).to_be_visible()


def test_a_visitor_deletes_everything_of_theirs(browser: Browser, app: Served) -> None:
    with browser.new_context() as first:  # The first one of all is the operator.
        first.new_page().goto(app.address("history"))
    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(app.address("history"))
    heading(page, "What has been tried?")
    store = RunStore(app.home).acting_as(Actor(_owner(context)))
    store.visitors.rename("Table 9")
    number = store.submit(by_class(), title="Forget discs with UNSIR")
    page.reload()
    _name(page, "Table 9").click()
    page.get_by_role("link", name="What is stored of you").click()
    heading(page, "What is stored here?")
    page.get_by_role("button", name="List what would be deleted").click()
    expect(page.get_by_text("runs with their reports and weights: 1")).to_be_visible()
    assert violations(page, "light") == []
    page.get_by_text("Delete all of this permanently").click()
    page.get_by_role("button", name="Delete everything").click()
    expect(page.get_by_text("Everything of yours was deleted from this server")).to_be_visible()
    expect(_name(page, f"Visitor {_owner(context)[:4].upper()}")).to_be_visible()
    assert not store.belongings.runs() and not (app.home / "runs" / str(number)).exists()
    assert RunStore(app.home).get(CLASS)
    context.close()


def test_a_hostile_cookie_gets_a_page_and_a_new_identity(browser: Browser, app: Served) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(app.address("history"))
    known = context.cookies()
    for value in ("local." + "0" * 40, "x" * 3_000, "%00%0a"):
        context.clear_cookies()
        context.add_cookies([{**one, "value": value} for one in known])  # pyright: ignore
        page.goto(app.address("history"))
        heading(page, "What has been tried?")
        assert _owner(context) not in ("local", value)
    assert "Traceback" not in (app.home / "server.log").read_text()
    context.close()
    assert RunStore(app.home).get(CLASS)
