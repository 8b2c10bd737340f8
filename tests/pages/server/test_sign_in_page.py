"""The page on which people sign in: it stands before every page, and keeps what somebody entered."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS
from tests.pages.page_asserts import fine, words
from tests.pages.server.signed_in import claims_of, cookies_of, owner
from tests.store.access.test_separation import contents
from tests.store.specs import sql
from unlearn_core.store.access.identity_key import new_owner
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.server import sign_in, visitor
from unlearn_core.ui.shell.navigation import PAGES

SignedIn = Callable[..., None]


@pytest.fixture
def signed_in(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> SignedIn:
    """`signed_in("Ann")` is Ann's browser from now on; `signed_in("")` one in which nobody has signed in."""
    monkeypatch.setenv("UNLEARN_SIGN_IN", "required")
    monkeypatch.setenv("UNLEARN_SIGN_IN_ALLOWED", "@uni.example")
    monkeypatch.setenv("UNLEARN_SIGN_IN_ADMINS", "group:ml")
    monkeypatch.setenv("UNLEARN_SHARING", "private")

    def signing(name: str, claims: Mapping[str, Any] | None = None, **options: Any) -> None:
        said = claims_of(name) if claims is None else claims
        cookies = cookies_of(said, **options) if name else {}
        monkeypatch.setattr(visitor, "_cookies", lambda: cookies)
        monkeypatch.setattr(visitor, "_signed_in", lambda: said if name else {})

    signing("")
    return signing


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def test_nobody_sees_any_page_without_signing_in(visit: Visit, done: RunStore, signed_in: SignedIn) -> None:
    done.share(CLASS)
    for name in PAGES:
        app = fine(visit(name, id=str(CLASS), ids=f"{CLASS}"))
        assert [title.value for title in app.title] == ["Sign in"] and labels(app) == ["Sign in"], name
        assert not app.sidebar.button and len(app.markdown) == 1, name


def test_whoever_is_not_on_the_list_is_told_so_and_can_sign_out(visit: Visit, signed_in: SignedIn) -> None:
    signed_in("Eve", claims_of("Eve`*", at="elsewhere.example"))
    app = fine(visit("history"))
    assert "Your address `eve'*@elsewhere.example` is not on this lab's list. Ask the person who" in words(app)
    assert labels(app) == ["Sign out"]
    signed_in("Eve", {"iss": "x", "sub": "y", "is_logged_in": True})
    assert "Your account is not on this lab's list" in words(visit("history"))


def test_streamlit_must_know_of_the_sign_in_too(
    visit: Visit, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes none from a websocket that another site opened."""
    signed_in("Ann")
    assert labels(fine(visit("history"))) != ["Sign in"]
    for other in ({}, claims_of("Ben"), {"email": "ann@uni.example"}):
        monkeypatch.setattr(visitor, "_signed_in", lambda other=other: other)
        assert labels(fine(visit("history"))) == ["Sign in"]


def test_the_account_has_the_name_that_the_provider_gives(visit: Visit, home: Any, signed_in: SignedIn) -> None:
    signed_in("Ann")
    app = fine(visit("history"))
    assert app.sidebar.button(key="account").label == "Ann"
    app.sidebar.button(key="account").click().run()
    assert "You have signed in as **Ann** (`ann@uni.example`)." in words(app)
    assert "administrator" not in words(app)
    assert {"account-sign-out"} <= {button.key for button in app.button}
    assert not {"account-make-code", "account-use-code", "account-save"} & {button.key for button in app.button}
    assert RunStore(home).visitors.labels([owner("Ann")]) == {owner("Ann"): "Ann"}


def test_an_administrator_sees_all_and_owns_what_they_make(visit: Visit, done: RunStore, signed_in: SignedIn) -> None:
    sql(done.data_dir, "UPDATE run SET owner = ?", owner("Ann"))
    signed_in("Ben")
    assert "There is no such run" in words(visit("run", id=str(CLASS)))
    signed_in("Ada", claims_of("Ada", groups=["ml"]))
    app = fine(visit("run", id=str(CLASS)))
    assert f"Run {CLASS}" in words(app) and "There is no such run" not in words(app)
    app.sidebar.button(key="account").click().run()
    assert "You are an administrator" in words(app)


def test_who_signed_in_long_ago_changes_nothing_and_keeps_what_they_entered(
    visit: Visit, done: RunStore, signed_in: SignedIn
) -> None:
    browser = new_owner()
    signed_in("Ann", browser=browser)
    app = fine(visit("forget", classifier="tiny", forget=""))
    app.checkbox(key=_box(app, "discs")).check().run()
    before = contents(done.data_dir)
    signed_in("Ann", browser=browser, hours_ago=13)
    app.run()
    assert [title.value for title in app.title] == ["Sign in again"] and not app.checkbox
    assert "Your sign-in has ended. Sign in again in a new tab" in words(app)
    assert [link.proto.url for link in app.get("link_button")] == ["/sign-in"]  # pyright: ignore
    sign_in._current[browser] = sign_in.found(cookies_of(claims_of("Ann"), browser=browser))
    try:
        app.run()
        assert app.checkbox(key=_box(app, "discs")).value and not app.exception
        assert contents(done.data_dir) == before
    finally:
        sign_in._current.clear()


def test_a_press_after_the_end_of_a_sign_in_does_nothing(visit: Visit, done: RunStore, signed_in: SignedIn) -> None:
    """Streamlit calls what a button does before the page, and so before its first line."""
    sql(done.data_dir, "UPDATE run SET owner = ?", owner("Ann"))
    signed_in("Ann")
    app = fine(visit("run", id=str(CLASS)))
    signed_in("Ann", hours_ago=13)
    app.button(key="share").click().run()
    assert not done.get(CLASS).shared
    signed_in("Ann")
    fine(visit("run", id=str(CLASS))).button(key="share").click().run()
    assert done.get(CLASS).shared


def _box(app: AppTest, label: str) -> str:
    return next(str(box.key) for box in app.checkbox if label in box.label)
