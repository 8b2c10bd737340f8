"""The whole round of signing in, with a real provider: in and back to one's page, refused, ended, out, and forged."""

import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from playwright.sync_api import TimeoutError as WaitedTooLongError

from tests.browser.access.identity_provider import ServedSignIn, provider
from tests.browser.browser_steps import heading, settled
from tests.browser.conftest import PATIENCE
from tests.browser.test_accessibility import violations
from tests.pages.finished_runs import CLASS, PICTURES
from tests.store.specs import sql
from unlearn_core.store.access import people
from unlearn_core.store.queue.run_store import RunStore

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("context"),
]

Arrive = Callable[[], BrowserContext]


@pytest.fixture(scope="module")
def lab(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedSignIn]:
    """The app with sign-in on, private, on a data folder with two finished runs; one of them is Ann's."""
    home = tmp_path_factory.mktemp("signed-in") / "home"
    shutil.copytree(template, home)
    with provider() as issuer, ServedSignIn(home, issuer) as served:
        sql(home, "UPDATE run SET owner = ? WHERE id = ?", _owner(served, "ann-1"), CLASS)
        yield served


@pytest.fixture
def arrive(browser: Browser) -> Iterator[Arrive]:
    """A new browser, each time."""
    opened: list[BrowserContext] = []

    def arriving() -> BrowserContext:
        context = browser.new_context()
        context.set_default_timeout(PATIENCE)
        opened.append(context)
        return context

    yield arriving
    for context in opened:
        context.close()


def _owner(served: ServedSignIn, subject: str) -> str:
    found = people.owner_of_claims({"iss": served.issuer, "sub": subject})
    assert found is not None
    return found


def _sign_in(page: Page, address: str, subject: str) -> None:
    page.goto(address)
    heading(page, "Sign in")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=subject).click()


def _account(page: Page, name: str):
    return page.get_by_test_id("stSidebar").get_by_role("button", name=name)


def _sign_out(page: Page, name: str) -> None:
    _account(page, name).click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("/oauth2/end_session"))


def test_signing_in_leads_back_to_the_page_and_signing_out_ends_every_tab(lab: ServedSignIn, arrive: Arrive) -> None:
    context = arrive()
    page = context.new_page()
    page.goto(lab.address(f"run?id={CLASS}"))
    heading(page, "Sign in")
    assert violations(page, "light") == []
    expect(page.get_by_test_id("stSidebarNav")).to_have_count(0)
    _sign_in(page, lab.address(f"run?id={CLASS}&tab=Images"), "ann-1")
    page.wait_for_url(re.compile(rf"/run\?id={CLASS}&tab=Images"))
    expect(page.get_by_text(f"Run {CLASS}", exact=True).or_(page.get_by_text(f"Run {CLASS} "))).to_be_visible()
    second = context.new_page()
    second.goto(lab.address("history"))
    expect(_account(second, "Ann")).to_be_visible()
    cookies = {str(one.get("name")): one for one in context.cookies()}
    assert {one.get("httpOnly") for name, one in cookies.items() if "xsrf" not in name} == {True}
    kept = context.cookies()
    _sign_out(page, "Ann")
    second.get_by_test_id("stSidebarNav").get_by_role("link", name="Datasets").click()
    heading(second, "Sign in again")
    assert violations(second, "light") == []
    copied = arrive()
    copied.add_cookies(kept)  # pyright: ignore[reportArgumentType] (what it gave)
    page = copied.new_page()
    page.goto(lab.address("history"))
    heading(page, "Sign in")


def test_two_people_see_and_change_only_their_own_and_an_administrator_all(lab: ServedSignIn, arrive: Arrive) -> None:
    ben, ada = arrive().new_page(), arrive().new_page()
    _sign_in(ben, lab.address(f"run?id={CLASS}"), "ben-2")
    expect(ben.get_by_text("There is no such run")).to_be_visible()
    ben.goto(lab.address("history"))
    expect(ben.get_by_text("You have run nothing here yet")).to_be_visible()
    _sign_in(ada, lab.address("history?whose=all"), "ada-4")
    heading(ada, "What has been tried?")
    _account(ada, "Ada").click()
    expect(ada.get_by_text("You are an administrator")).to_be_visible()
    ada.keyboard.press("Escape")
    ada.goto(lab.address(f"run?id={CLASS}"))
    expect(ada.get_by_role("button", name="Share")).to_be_enabled()
    ada.get_by_role("button", name="Share").click()
    expect(ada.get_by_role("button", name="Stop sharing")).to_be_visible()
    ben.goto(lab.address(f"run?id={CLASS}"))
    expect(ben.get_by_text(f"Run {CLASS} · by another visitor")).to_be_visible()
    RunStore(lab.home).share(CLASS, shared=False)
    ada.goto(lab.address("method?classifier=tiny&forget=discs&method=ssd"))
    ada.get_by_role("button", name="Run", exact=True).click()
    ada.wait_for_url(re.compile(r"/run\?id=\d+"))
    number = int(ada.url.partition("id=")[2].partition("&")[0])
    assert RunStore(lab.home).get(number).owner == _owner(lab, "ada-4")


def test_whoever_is_not_on_the_list_sees_nothing_and_can_sign_out(lab: ServedSignIn, arrive: Arrive) -> None:
    page = arrive().new_page()
    _sign_in(page, lab.address(f"run?id={PICTURES}"), "eve-3")
    heading(page, "You are not on the list")
    expect(page.get_by_text("Your address eve@elsewhere.example is not on this lab's list.")).to_be_visible()
    assert violations(page, "light") == []
    for place in ("", "history", f"run?id={PICTURES}", f"compare?ids={CLASS},{PICTURES}", "nowhere"):
        page.goto(lab.address(place))
        heading(page, "You are not on the list")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("/oauth2/end_session"))
    page.goto(lab.address())
    heading(page, "Sign in")


def test_an_ended_sign_in_is_renewed_in_another_tab_and_nothing_entered_is_lost(
    lab: ServedSignIn, arrive: Arrive
) -> None:
    context = arrive()
    page = context.new_page()
    _sign_in(page, lab.address("board"), "ann-1")
    field = page.get_by_role("textbox", name="Code of a board that is open")
    field.fill("ABCD23")
    field.press("Enter")
    settled(page)
    ended = lab.home / "identity" / "ended"
    _end_sign_ins(lab, context)
    assert list(ended.iterdir())
    with suppress(WaitedTooLongError):  # The page may notice by itself meanwhile, and the menu is gone.
        page.get_by_test_id("stSidebar").get_by_text("Expert").click(timeout=5_000)
    heading(page, "Sign in again")
    with context.expect_page() as opening:
        page.get_by_role("link", name="Sign in again").click()
    again = opening.value
    again.get_by_role("button", name="ann-1").click()
    expect(_account(again, "Ann")).to_be_visible()
    expect(field).to_have_value("ABCD23")
    assert "/board" in page.url


def _end_sign_ins(lab: ServedSignIn, context: BrowserContext) -> None:
    """End them as age does: the browser keeps its cookies."""
    sent = "; ".join(f"{one.get('name')}={one.get('value')}" for one in context.cookies(lab.address()))
    asked = urllib.request.Request(lab.address("auth/logout"), headers={"Cookie": sent})
    opener = urllib.request.build_opener(_NoRedirect)
    with pytest.raises(urllib.error.HTTPError):
        opener.open(asked)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        return None


HEADERS = {
    "X-Forwarded-User": "ann-1",
    "X-Forwarded-Email": "ann@uni.example",
    "X-Auth-Request-Email": "ann@uni.example",
    "Remote-User": "ann-1",
    "X-Forwarded-For": "127.0.0.1",
}


def test_forged_headers_and_cookies_change_nothing(lab: ServedSignIn, arrive: Arrive) -> None:
    signed = arrive()
    page = signed.new_page()
    _sign_in(page, lab.address("history"), "ben-2")
    expect(_account(page, "Ben")).to_be_visible()
    context = arrive()
    context.set_extra_http_headers(HEADERS)
    page = context.new_page()
    page.goto(lab.address("history"))
    heading(page, "Sign in")
    real = [one for one in signed.cookies() if str(one.get("name")).startswith(("_streamlit_user", "unlearn"))]
    for change in (lambda text: text[:-2] + "xx", lambda text: "x" + text, lambda _: "local", lambda text: text * 3):
        context.clear_cookies()
        for one in real:
            changed = change(str(one.get("value"))) if one.get("name") == "_streamlit_user" else one.get("value")
            context.add_cookies([{**one, "value": changed}])  # pyright: ignore[reportArgumentType]
        page.goto(lab.address("history"))
        heading(page, "Sign in")
    log = (lab.home / "server.log").read_text()
    assert "Traceback" not in log
    assert RunStore(lab.home).get(CLASS).owner == _owner(lab, "ann-1")
