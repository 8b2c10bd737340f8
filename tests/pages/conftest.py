"""Pages as Streamlit runs them, without a browser, each time with a fresh data folder."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.finished_runs import done, template
from tests.pages.rendered_texts import glossary
from unlearn_core.store.access.actor import OPERATOR
from unlearn_core.store.access.identity_key import identity_key
from unlearn_core.store.data_folder import data_dir_path
from unlearn_core.store.housekeeping import quota
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.server import visitor
from unlearn_core.ui.shell import cache, drawings

__all__ = ["done", "glossary", "template"]  # fixtures, made once for all modules

ROOT = Path(__file__).resolve().parents[2]
FILES = {path.stem: path for path in (ROOT / "pages").glob("*/*.py")}

Visit = Callable[..., AppTest]


@pytest.fixture
def come_as(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`come_as("a" * 20)` makes that visitor the one who looks at all pages from now on, by the cookie."""

    def coming(owner: str) -> None:
        key = identity_key(data_dir_path())
        monkeypatch.setattr(visitor, "_cookies", lambda: {key.cookie: key.sign(owner)})

    return coming


@pytest.fixture
def visit(home: Path, monkeypatch: pytest.MonkeyPatch, come_as: Callable[[str], None]) -> Iterator[Visit]:
    """`visit("forget", forget="cat")` opens that page in a new session, with these parameters in its URL.

    The visitor is the operator, as whoever works alone on their machine, unless a test says otherwise.
    """
    monkeypatch.setenv("UNLEARN_WARMUP", "none")
    come_as(OPERATOR.id)

    def opened(page: str, **query: str) -> AppTest:
        app = AppTest.from_file(ROOT / "unlearn_core" / "ui" / "shell" / "router.py", default_timeout=60)
        app.query_params.update(query)
        return turn(app, page) if page != "start" else app.run()

    yield opened
    # Images and what is drawn from them are the same for every test; what depends on a data folder is not.
    cache._store.clear()
    cache._report.clear()
    drawings._once.clear()
    cache.example.clear()  # type: ignore[attr-defined]


@pytest.fixture
def full_quota(visit: Visit, monkeypatch: pytest.MonkeyPatch, come_as: Callable[[str], None]) -> None:
    """A visitor looks at the pages who has as much as they may."""
    monkeypatch.setattr(quota, "uploaded_bytes", lambda _: 5_000_000_000)
    come_as("a" * 20)


def turn(app: AppTest, page: str) -> AppTest:
    """Opens another page in the same session, as a click in the menu does."""
    return app.switch_page(str(FILES[page])).run()


@pytest.fixture
def store(home: Path) -> RunStore:
    """The runs of the data folder that the pages under test see."""
    return RunStore(home)
