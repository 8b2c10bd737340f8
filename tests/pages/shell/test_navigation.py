"""The frame: the menu, what goes wrong, and addresses that lead nowhere."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import FILES, ROOT, Visit
from tests.pages.page_asserts import fine, without_words, words
from unlearn_core.domain.errors import StoreError
from unlearn_core.store.files.log_file import MAX_LOG_BYTES
from unlearn_core.store.queue import processes
from unlearn_core.ui.server import middleware
from unlearn_core.ui.shell import lifespan, navigation
from unlearn_core.ui.shell.markdown import escape


def test_every_page_is_in_the_menu_and_in_the_folder_of_a_section() -> None:
    assert {ROOT / "pages" / screen.file for screen in navigation.PAGES.values()} == set(FILES.values())
    assert not list((ROOT / "pages").glob("*.py")), "Streamlit would make a menu of its own of these"


def test_nothing_beside_the_script_is_taken_for_pages() -> None:
    assert not (ROOT / "unlearn_core" / "ui" / "shell" / "pages").exists()


@pytest.mark.parametrize("page", ["start", "classifier", "forget", "method"])
def test_whatever_can_be_seen_is_also_said_in_words(visit: Visit, page: str) -> None:
    assert not without_words(fine(visit(page)))
    assert not without_words(fine(visit(page, images="4,7")))


@pytest.mark.parametrize("page", ["start", "classifier", "forget", "method", "run", "history"])
def test_a_data_folder_that_cannot_be_written_is_a_sentence(
    visit: Visit, page: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("UNLEARN_HOME", str(tmp_path / "file" / "home"))
    app = visit(page)
    assert not app.exception
    assert "cannot be written to" in words(app)


@pytest.mark.parametrize("page", ["start", "forget", "history"])
def test_a_setting_that_is_not_allowed_is_a_sentence(visit: Visit, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_MOST_PIXELS", "many")
    app = visit(page)
    assert not app.exception
    assert "UNLEARN_MOST_PIXELS is 'many': set it to a whole number" in words(app).replace("\\", "")


def test_an_address_that_no_page_has_leads_on(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    app = AppTest.from_file(ROOT / "unlearn_core" / "ui" / "shell" / "router.py", default_timeout=60)
    app.context["url"] = "http://localhost:8501/no-such%20page"
    app.run()
    assert not app.exception
    hidden = [info for info in app._registered_pages.values() if info.get("url_pathname") == "no-such page"]
    assert len(hidden) == 1


def test_a_renamed_page_opens_in_a_tab_that_has_its_former_url(visit: Visit) -> None:
    app = AppTest.from_file(ROOT / "unlearn_core" / "ui" / "shell" / "router.py", default_timeout=60)
    app.context["url"] = "http://localhost:8501/pictures?dataset=shapes"
    app.query_params["dataset"] = "shapes"
    app.run()
    (app._page_hash,) = [
        number for number, info in app._registered_pages.items() if info.get("url_pathname") == "pictures"
    ]
    fine(app.run())
    assert app.title[0].value == "Which data sets are there?"
    assert "Rows, columns" in words(app)


def test_an_error_of_ours_is_said_where_it_is_not_caught(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(st, "error", lambda text, **_: said.append(text))
    assert navigation.on_unhandled(StoreError("The disk is full."))
    assert navigation.on_unhandled(ZeroDivisionError("secret/path"))
    assert said[0] == "The disk is full."
    assert "secret/path" not in said[1]


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/run/42", "/run?id=42"),
        ("/run/example", "/run?id=example"),
        ("/run/../../etc", "/run"),
        ("/nowhere/at/all", "/nowhere"),
        ("//elsewhere.example/x", "/elsewhere.example"),
        ("/start", "/"),
        ("/start?level=first", "/?level=first"),
        ("/pictures", "/datasets"),
        ("/pictures/", "/datasets"),
        ("/pictures?dataset=moons&x=a%20b", "/datasets?dataset=moons&x=a%20b"),
        ("/pictures/moons?x=y", "/datasets?x=y"),
        ("/run", None),
        ("/datasets", None),
        ("/static/js/index.js", None),
        ("/_stcore/health", None),
    ],
)
def test_longer_addresses_are_led_to_a_page(asked: str, led: str | None) -> None:
    sent = _get(asked, accept=b"text/html,*/*")
    assert sent == led


def test_the_pieces_of_a_page_are_not_led_anywhere() -> None:
    assert _get("/nowhere/picture.png", accept=b"image/*") is None


def _get(path: str, *, accept: bytes) -> str | None:
    """Where the middleware leads a visit, or None where it lets it pass."""
    sent: list[dict] = []

    async def inner(scope, receive, send) -> None:
        pass

    async def send(message) -> None:
        sent.append(message)

    async def receive() -> dict:
        return {"type": "http.request"}

    path, _, query = path.partition("?")
    headers = [(b"accept", accept)]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": headers}
    asyncio.run(middleware.RedirectMiddleware(inner)(scope, receive, send))
    return dict(sent[0]["headers"])[b"location"].decode() if sent else None


def test_the_server_leaves_a_mark_while_it_lives(home: Path) -> None:
    mark = home / "locks" / f"web-{os.getpid()}"

    async def live() -> None:
        async with lifespan.lifespan(st.App(ROOT / "unlearn_core" / "ui" / "shell" / "router.py")):
            assert mark.read_text() == processes.birth(os.getpid())

    asyncio.run(live())
    assert not mark.exists()


def test_a_server_with_a_bad_setting_keeps_running_and_logs_why(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("UNLEARN_LOG_LEVEL", "loud")

    async def live() -> None:
        async with lifespan.lifespan(st.App(ROOT / "unlearn_core" / "ui" / "shell" / "router.py")):
            assert "UNLEARN_LOG_LEVEL is 'loud'" in caplog.text

    asyncio.run(live())


def test_the_server_starts_a_worker_that_holds_none_of_its_pipes(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[tuple] = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **how: begun.append((command, how)))
    lifespan.start_worker()
    assert not begun
    monkeypatch.setenv("UNLEARN_WORKER", "auto")
    lifespan.start_worker()
    ((command, how),) = begun
    (home / "worker.log").write_bytes(b"." * (MAX_LOG_BYTES + 1))
    lifespan.start_worker()
    assert (home / "worker.log").stat().st_size == 0, "a new one, for it has grown too long"
    assert command == [sys.executable, "-m", "unlearn_core", "worker", "--device", "auto", "--from-app"]
    assert how["stdout"].name == how["stderr"].name == str(home / "worker.log")
    assert how["stdin"] == subprocess.DEVNULL
    assert how["start_new_session"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cat", "cat"),
        ("![x](http://a/b.png)", "\\!\\[x\\](http\\://a/b.png)"),
        (":material/home: :red[x]", "\\:material/home: \\:red\\[x\\]"),
        ("$a$ *b* _c_ <d> # e | f & ~g~", "\\$a\\$ \\*b\\* \\_c\\_ \\<d\\> \\# e \\| f \\& \\~g\\~"),
        ("say `make x_y` now", "say `make x_y` now"),
        ("a `b", "a \\`b"),
        ("``![x](u)`", "\\`\\`\\!\\[x\\](u)\\`"),
        ("two\n\n- lines", "two - lines"),
        ("back\\slash", "back\\\\slash"),
    ],
)
def test_words_of_others_are_shown_letter_for_letter(text: str, shown: str) -> None:
    assert escape(text) == shown
