"""Whatever a URL says, a page shows sentences, never a traceback, and nothing is written outside the data folder."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import strategies as st
from streamlit.components.v2 import manifest_scanner

from tests.pages.conftest import FILES, Visit
from tests.pages.fuzz.hostile import few_and_many, texts, try_all
from tests.pages.fuzz.written_files import written_outside
from tests.pages.page_asserts import words
from unlearn_core.store.files import error_report
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.components import run_plan
from unlearn_core.ui.pages.playground import playground_state
from unlearn_core.ui.shell import run_setup

SETUP = ["classifier", "forget", "images", "set", "method", "preset", "seed", "start", "impair_lr", "epochs", "level"]
KNOWN = [
    "tiny",
    "shapes",
    "discs",
    "rows",
    "resnet20",
    "cat",
    "unsir",
    "bundled",
    "example",
    "-2",
    "1,2",
    "Images",
    "full",
]
OWN = {
    "run": ["id", "tab", "present", "from", "picture", "look-order"],
    "compare": ["ids", "class", "layer", "picture"],
    "history": ["ticked", "find-owner", "find-text", "whose"],
    "sweep": ["sweep", "knobs", "sampler", "aim", "points", "trials", "minutes", "early", "impair_lr-range"],
    "datasets": ["dataset"],
    "lessons": ["lesson", "step", "present", "board"],
    "board": ["board", "lesson", "question", "shown", "present"],
    "playground": ["data", "method", "points", "drawn", "classes", "seed", "hidden", "speed", "epochs"],
    "forget": ["gallery-classes", "gallery-find", "gallery-chosen", "gallery-page", "gallery-ticked"],
    "method": ["methods-view", "advanced-unsir"],
    "measures": ["measure"],
    "start": ["board"],
}
"""The parameters of a page beside those of the setup."""


def queries(names: list[str]) -> st.SearchStrategy[dict[str, str]]:
    return st.dictionaries(st.sampled_from(names) | texts.filter(bool), texts | st.sampled_from(KNOWN), max_size=5)


pages = st.sampled_from(sorted(FILES)).flatmap(
    lambda page: st.tuples(st.just(page), queries([*SETUP, *OWN.get(page, [])]))
)


@pytest.fixture(autouse=True)
def glossary() -> None:
    """Pages quote what a URL says, in whatever words; other tests hold their own words to the glossary."""


@pytest.fixture
def quick_visit(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> Visit:
    """The same, with one look at what is installed: Streamlit's tests look for components before each page."""
    found = cache(manifest_scanner.scan_component_manifests)
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", found)
    visit("run", id="1")  # What is imported and made once comes before.
    return visit


@few_and_many(quick=16, many=500)
def test_no_page_shows_a_traceback(examples: int, done: RunStore, quick_visit: Visit, home: Path) -> None:

    def check(asked: tuple[str, dict[str, str]]) -> None:
        page, query = asked
        with written_outside(home) as outside:
            app = quick_visit(page, **query)
        assert not app.exception, app.exception
        assert "Traceback" not in words(app)
        assert not list((home / error_report.FOLDER).glob("*"))
        assert not outside

    try_all(examples, check, pages)


@few_and_many(quick=48, many=1_500)
def test_what_a_url_says_is_used_or_named(examples: int, home: Path) -> None:
    def check(said: dict[str, str]) -> None:
        with written_outside(home) as outside:
            setup, trouble = run_setup.from_params(said)
            run_plan.resolve(replace(setup, start=None))
            playground_state.from_params(said)
        assert all(len(sentence) < 500 and "Traceback" not in sentence for sentence in trouble)
        assert not outside

    try_all(examples, check, queries([*SETUP, *OWN["playground"]]))
