"""Two browsers and one run: both wait for it, one leaves, and then it answers at once; and a class in the queue."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.app_server import Served
from tests.browser.browser_steps import LONG, begin, heading, settled, until
from tests.browser.conftest import NARROW, PATIENCE
from unlearn_core.domain.run import RunState
from unlearn_core.store.queue.run_store import RunStore

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400), pytest.mark.usefixtures("context")]


@pytest.fixture
def two(browser: Browser, app: Served) -> Iterator[tuple[Page, Page]]:
    """Pages of two visitors, one on a phone."""
    with browser.new_context() as first:  # The first one of all is the operator.
        first.new_page().goto(app.address(""))
    contexts = browser.new_context(), browser.new_context(viewport={"width": NARROW[0], "height": NARROW[1]})
    for context in contexts:
        context.set_default_timeout(PATIENCE)
    ann, ben = (context.new_page() for context in contexts)
    yield ann, ben
    for context in contexts:
        context.close()


def test_two_who_press_run_share_one_run_and_the_next_one_has_it_at_once(two: tuple[Page, Page], app: Served) -> None:
    ann, ben = two
    ahead = [begin(ann, app, f"{LONG}&seed={seed}") for seed in (74, 75, 76)]
    setup = f"{LONG}&seed=77"
    number = begin(ann, app, setup)
    assert begin(ben, app, setup) == number
    expect(ben.get_by_text("for 1 other too").first).to_be_visible()
    ben.goto(app.address("queue"))
    heading(ben, "Who is waiting?")
    expect(ben.get_by_role("link", name=f"Run {number}: ")).to_be_visible()
    ben.get_by_role("button", name="Leave").click()
    expect(ben.get_by_text(f"You left run {number}.")).to_be_visible()
    store = RunStore(app.home)
    until(ben, lambda: store.readers(number).others == 1)
    assert not store.get(number).state.is_finished and not store.get(number).cancelling
    ann.goto(app.address(f"run?id={number}"))
    ann.get_by_role("button", name="Cancel").click()
    until(ann, lambda: store.get(number).state is RunState.CANCELLED)
    for run in ahead:
        store.cancel(run)
    quick = "classifier=tiny&forget=discs&method=unsir&seed=78"
    made = begin(ann, app, quick)
    until(ann, lambda: store.get(made).state is RunState.DONE)
    assert begin(ben, app, quick) == made
    expect(ben.get_by_text("This run was made")).to_be_visible()
    ben.get_by_role("button", name="Run it anyway").click()
    expect(ben.get_by_text("This run was made")).to_have_count(0)
    until(ben, lambda: len(store.list_runs(limit=1)) and store.list_runs(limit=1)[0].spec == store.get(made).spec)


def test_in_a_class_a_second_run_is_refused_with_its_reason(two: tuple[Page, Page], page: Page, app: Served) -> None:
    ann, _ = two
    page.goto(app.address("queue"))
    heading(page, "Who is waiting?")
    page.get_by_text("A class is being held").click()
    store = RunStore(app.home)
    until(page, store.queue.is_class)
    try:
        first = begin(ann, app, f"{LONG}&seed=79")
        ann.goto(app.address("method?classifier=tiny&forget=rows"))
        settled(ann)
        ann.get_by_role("button", name="Run", exact=True).click()
        expect(ann.get_by_text(f"Yours is run {first}")).to_be_visible()
        store.cancel(first)
    finally:
        store.queue.hold_class(on=False)
