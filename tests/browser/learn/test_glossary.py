"""Terms of the glossary on the pages: by mouse, by touch and by keyboard; and a level that the browser remembers."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.app_server import Served
from tests.browser.browser_steps import heading, settled
from tests.browser.conftest import NARROW, PATIENCE
from tests.browser.test_accessibility import violations
from tests.pages.finished_runs import CLASS
from unlearn_core.ui.guidance.glossary import BUTTON, terms, terms_in

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

UNDERLINED = """
() => [...CSS.highlights.get("glossary-term") ?? []].map((range) => {
  const box = range.getBoundingClientRect();
  return { text: range.toString(), x: box.x + box.width / 2, y: box.y + box.height / 2 };
})
"""
READY = "() => CSS.highlights.has('glossary-term')"

ADDRESSES = [
    *("", "method", "history", "measures", "datasets"),
    f"run?id={CLASS}&tab=Privacy",
    f"run?id={CLASS}&tab=Inside",
    "compare?ids=1,2",
    "sweep?classifier=tiny&forget=discs&knobs=impair_lr",
]


def tip(page: Page) -> Locator:
    return page.locator(".tip")


def underlined(page: Page, text: str) -> tuple[float, float]:
    """Where a term is underlined on the screen."""
    page.wait_for_function(
        "(text) => [...CSS.highlights.get('glossary-term') ?? []].some((own) => own.toString().toLowerCase() === text)",
        arg=text,
    )
    found = next(one for one in page.evaluate(UNDERLINED) if one["text"].lower() == text)
    return found["x"], found["y"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_each_term_on_a_page_is_explained_on_it(address: str, page: Page, app: Served) -> None:
    page.goto(app.address(address))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    settled(page)
    read = {term.name for line in page.get_by_test_id("stMain").inner_text().splitlines() for term in terms_in(line)}
    assert read
    page.wait_for_function(READY)
    page.get_by_role("button", name=BUTTON).click()
    expect(page.get_by_role("dialog", name=BUTTON)).to_be_visible()
    listed = {name.partition(" (")[0] for name in page.locator(".here dt").all_inner_texts()}
    assert listed >= {name.partition(" (")[0] for name in read}
    marked = {term.name for one in page.evaluate(UNDERLINED) for term in terms_in(one["text"])}
    assert {name.partition(" (")[0] for name in marked} <= listed


def test_the_pointer_and_a_click_show_a_definition_at_its_term(page: Page, app: Served) -> None:
    page.goto(app.address(f"run?id={CLASS}"))
    heading(page, "Forget discs with UNSIR")
    settled(page)
    definitions = {term.name: term.definition for term in terms()}
    x, y = underlined(page, "membership inference")
    page.mouse.move(x, y)
    expect(tip(page)).to_contain_text(definitions["Membership inference"])
    box = tip(page).bounding_box()
    assert box is not None and abs(box["y"] - y) < 40 and box["x"] <= x <= box["x"] + box["width"]
    page.mouse.move(box["x"] + 20, box["y"] + 10, steps=4)
    page.wait_for_timeout(600)
    expect(tip(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(tip(page)).to_be_hidden()
    page.mouse.click(*underlined(page, "retrained model"))
    expect(tip(page)).to_contain_text(definitions["Retrained model"])
    page.mouse.click(5, 500)
    expect(tip(page)).to_be_hidden()


def test_the_list_of_terms_is_used_by_keyboard_alone(page: Page, app: Served) -> None:
    page.goto(app.address(f"run?id={CLASS}"))
    heading(page, "Forget discs with UNSIR")
    settled(page)
    page.wait_for_function(READY)
    page.get_by_role("button", name=BUTTON).focus()
    page.keyboard.press("Enter")
    shown = page.get_by_role("dialog", name=BUTTON)
    expect(shown).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".others dt").last).to_be_visible()
    assert len(page.locator(".terms dt").all()) == len(terms())
    page.keyboard.press("Escape")
    expect(shown).to_be_hidden()
    expect(page.get_by_role("button", name=BUTTON)).to_be_focused()
    page.keyboard.press("Enter")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        settled(page)
        expect(shown).to_be_visible()
        assert violations(page, theme) == [], theme


def test_a_tap_shows_a_definition_within_the_screen_of_a_phone(browser: Browser, app: Served) -> None:
    size = {"width": NARROW[0], "height": NARROW[1]}
    context = browser.new_context(has_touch=True, is_mobile=True, viewport=size)  # pyright: ignore[reportArgumentType]
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(app.address(f"run?id={CLASS}"))
    heading(page, "Forget discs with UNSIR")
    settled(page)
    page.touchscreen.tap(*underlined(page, "retrained model"))
    expect(tip(page)).to_contain_text("trained from scratch on the retain set alone")
    box = tip(page).bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= NARROW[0]
    context.close()


def test_a_chosen_level_holds_on_later_visits(browser: Browser, app: Served) -> None:
    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(app.address("method?classifier=tiny&forget=discs"))
    heading(page, "How should it forget?")
    sweep = page.get_by_role("link", name="Sweep", exact=True)
    expect(sweep).to_be_visible()
    page.get_by_text("First look", exact=True).click()
    page.wait_for_url(re.compile("level=first"))
    expect(sweep).to_have_count(0)
    page.wait_for_function("document.cookie.includes('level=first')")
    later = context.new_page()
    later.goto(app.address("history"))
    heading(later, "What has been tried?")
    later.wait_for_url(re.compile("level=first"))
    expect(later.get_by_role("link", name="Sweep", exact=True)).to_have_count(0)
    later.get_by_text("Explorer", exact=True).click()
    expect(later.get_by_role("link", name="Sweep", exact=True)).to_be_visible()
    later.wait_for_function("document.cookie.includes('level=explorer')")
    context.close()
