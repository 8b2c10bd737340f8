"""The frame around every page: configuration, menu, and the one place that shows errors."""

import ast
import functools
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import streamlit as st
from streamlit.components.v2 import component

from unlearn_core.data import user_catalog
from unlearn_core.domain.errors import SignInError, UnlearnError
from unlearn_core.installation import ASSETS, ROOT, VERSION
from unlearn_core.store import maintenance
from unlearn_core.store.data_folder import data_dir_path, is_writable, storage_problem
from unlearn_core.store.files import error_report
from unlearn_core.store.files.error_report import ErrorReport
from unlearn_core.ui.guidance import glossary, levels
from unlearn_core.ui.server.middleware import MOVED_PAGES
from unlearn_core.ui.shell import account, cache, copy_link, lifespan
from unlearn_core.ui.shell.markdown import escape
from unlearn_core.ui.sign_in import sign_in_page

PRESENT_PARAM = "present"
"""The query parameter of the presenter view: the number of its slide."""
FROM_PARAM = "from"
"""The query parameter of the presenter view that names the tab to return to."""

_logger = logging.getLogger(__name__)
_BUG = ":material/bug_report:"

# Where a page opens another with parameters, Streamlit adds two entries to the browser's history: the parameters under
# the old page's name, then the page. A page that completes its own URL adds one, and so does every choice in a form. Of
# all these, one entry per page is one to go back to. A module runs once, however often the element is drawn.
_ONE_STEP_BACK = """
const add = history.pushState.bind(history), change = history.replaceState.bind(history);
const subject = (url) => ["id", "ids", "sweep", "lesson"].map((name) => url.searchParams.get(name)).join("|");
let acted = true;  // Whether the visitor has done anything since the last change.
let replaced = null;  // The URL before the last change if that changed only parameters, "" if it added an entry.
for (const kind of ["pointerdown", "click", "keydown"]) {
  window.addEventListener(kind, () => { acted = true; }, true);
}
window.addEventListener("popstate", () => { acted = false; replaced = null; });
history.pushState = (state, title, url) => {
  const here = new URL(location.href), next = new URL(url ?? here, here);
  if (here.pathname === next.pathname) {
    const isStep = acted && subject(here) !== subject(next);
    if (acted) replaced = isStep ? "" : here.href;
    (isStep ? add : change)(state, title, url);
  } else {
    if (!acted && replaced) change(state, title, replaced);
    (acted || replaced ? add : change)(state, title, url);
    replaced = null;
  }
  acted = false;
};
export default function () {}
"""
_one_step_back = component("one-step-back", html="<span hidden></span>", js=_ONE_STEP_BACK)


class PageInfo(NamedTuple):
    """One entry of the menu; its name is also its URL."""

    section: str
    file: str
    title: str
    icon: str


PAGES = {
    "start": PageInfo("Lab", "learn/start.py", "Start", ":material/home:"),
    "classifier": PageInfo("Lab", "lab/classifier.py", "Classifier", ":material/neurology:"),
    "forget": PageInfo("Lab", "lab/forget.py", "Forget", ":material/ink_eraser:"),
    "method": PageInfo("Lab", "lab/method.py", "Method", ":material/tune:"),
    "run": PageInfo("Lab", "lab/run.py", "Run", ":material/play_circle:"),
    "datasets": PageInfo("Lab", "lab/datasets.py", "Datasets", ":material/photo_library:"),
    "history": PageInfo("Explore", "explore/history.py", "History", ":material/history:"),
    "queue": PageInfo("Explore", "explore/queue.py", "Queue", ":material/hourglass_top:"),
    "compare": PageInfo("Explore", "explore/compare.py", "Compare", ":material/compare_arrows:"),
    "methods": PageInfo("Explore", "explore/methods.py", "All methods", ":material/leaderboard:"),
    "sweep": PageInfo("Explore", "explore/sweep.py", "Sweep", ":material/scatter_plot:"),
    "storage": PageInfo("Explore", "explore/storage.py", "Storage", ":material/hard_drive:"),
    "lessons": PageInfo("Learn", "learn/lessons.py", "Lessons", ":material/school:"),
    "playground": PageInfo("Learn", "learn/playground.py", "Playground", ":material/gesture:"),
    "board": PageInfo("Learn", "learn/board.py", "Class board", ":material/groups:"),
    "measures": PageInfo("Learn", "learn/measures.py", "Measures", ":material/straighten:"),
}


def page(name: str, *, is_listed: bool = True) -> st.Page:
    """The page of that name, for `st.switch_page` and `st.page_link`; the menu has those that are listed."""
    screen = PAGES[name]
    file = ROOT / "pages" / screen.file
    return st.Page(
        file,
        title=screen.title,
        icon=screen.icon,
        url_path=name,
        default=name == "start",
        help=_purpose(file),
        visibility="visible" if is_listed else "hidden",
    )


def show() -> None:
    """Draw the frame and run the page of the current URL."""
    icon = str(ASSETS / "logo.svg")
    presents = PRESENT_PARAM in st.query_params
    # Without this, the side menu would leave an empty column behind.
    sidebar = "collapsed" if presents else "auto"
    st.set_page_config("Unlearn Lab", icon, layout="wide", initial_sidebar_state=sidebar)
    if not presents:
        st.logo(str(ASSETS / f"logo-{st.context.theme.type or 'light'}.svg"), size="large", icon_image=icon)
    is_in = sign_in_page.admit()
    asked = _asked_page()
    levels.write_url()
    menu: dict[str, list[st.Page]] = {}
    for name, screen in PAGES.items():
        is_left_out = levels.is_first_look() and name in levels.LATER_PAGES and name != asked
        menu.setdefault(screen.section, []).append(page(name, is_listed=not is_left_out))
    if asked not in PAGES:
        # For a URL that the menu does not have, Streamlit would show a dialog in front of the first page.
        content = _moved if asked in MOVED_PAGES else _not_found
        menu["Lab"].append(st.Page(content, title="Not found", url_path=asked or "not-found", visibility="hidden"))
    if is_in and not presents:
        with st.sidebar:
            _account()
            levels.choice()
            glossary.show()
            copy_link.copy_link_button("frame")
            _one_step_back(key="one-step-back", height="content", width="content")
    current = st.navigation(menu, position="sidebar" if is_in and not presents else "hidden", expanded=True)
    if not is_in:
        sign_in_page.show()
        st.stop()  # Unlike the end of a script, it keeps what was entered.
    with show_errors():
        user_catalog.set_data_dir(data_dir_path())
        user_catalog.set_reader(cache.readable_ids)
        _show_notices()
        current.run()
        lifespan.warm_up()
    if presents:
        glossary.show(has_button=False)
        _one_step_back(key="one-step-back", height="content", width="content")
    else:
        st.caption(f"Unlearn Lab {VERSION}")


def _show_notices() -> None:
    """Say on every page that the data folder can only be read, or that the lab is being maintained."""
    folder = data_dir_path()
    if folder.is_dir() and not is_writable(folder):
        st.warning(escape(storage_problem(folder)), icon=":material/hard_drive:")
    if maintenance.is_on(folder):
        st.info(maintenance.NOTICE, icon=":material/construction:")


def _account() -> None:
    """Show who the visitor is, unless the data folder cannot be read: then the page says so."""
    with suppress(UnlearnError):
        account.show(storage=page("storage"))


@contextmanager
def show_errors() -> Iterator[None]:
    """Show one of our errors as a sentence; any other exception propagates to `on_unhandled`."""
    try:
        yield
    except UnlearnError as problem:
        st.error(escape(problem), icon=":material/error:")


def on_unhandled(problem: Exception) -> bool:
    """Handle an error that no page caught, in callbacks and fragments too: a visitor never sees a traceback."""
    with show_errors():
        if isinstance(problem, SignInError):  # In a callback, since which nothing was drawn.
            sign_in_page.show()
            return True
        if isinstance(problem, UnlearnError):
            raise problem
        folder = data_dir_path()
        reason = error_report.foreseen_reason(problem, folder)
        if reason is not None:
            raise UnlearnError(reason)
        request = json.dumps(st.query_params.to_dict(), indent=1, ensure_ascii=False)
        report = error_report.record(problem, folder, task=f"the page {_asked_page() or 'start'}", request=request)
        _logger.error(f"{report.sentence} Its traceback is above.")  # Streamlit has just logged it.
        words = error_report.describe(problem, with_message=False)  # a message may contain what is not for visitors
        st.error(
            f"An unforeseen error stopped this page: {words}. Error id {report.id}. "
            "Reload the page to continue; your runs are not affected.",
            icon=_BUG,
        )
        _bug_report(report, key_scope="page")
    return True


def bug_report(sentence: str | None, *, key_scope: str) -> None:
    """Offer the bug report that the sentence about an error names; nothing if it names none."""
    found = error_report.find(data_dir_path(), sentence or "")
    if found is not None:
        _bug_report(found, key_scope=key_scope)


def _bug_report(report: ErrorReport, *, key_scope: str) -> None:
    with st.popover("Bug report", icon=_BUG):
        st.markdown(
            "**To report this error**, copy this text or download it. It has versions, settings, the traceback and the "
            "end of the worker's log; no images, no passwords, and no paths of your own folders. Read it before you "
            "send it."
        )
        st.code(report.text, language=None, height=260, wrap_lines=True)
        st.download_button(
            "Download",
            report.text,
            file_name=f"unlearn-lab-bug-{report.id}.txt",
            mime="text/plain",
            icon=":material/download:",
            key=f"bug-report-{key_scope}-{report.id}",
            on_click="ignore",
        )


def _asked_page() -> str:
    """Return the name of the page in the visitor's URL."""
    return unquote(urlsplit(st.context.url or "").path).rstrip("/").rpartition("/")[2]


def _moved() -> None:
    """Open a page that was renamed; the middleware misses tabs that reconnect to a new server under the old name."""
    st.switch_page(page(MOVED_PAGES[_asked_page()]), query_params=st.query_params.to_dict())


def _not_found() -> None:
    st.title("There is no page here", anchor=False)
    st.markdown("The link may be mistyped, or the page may have been renamed. None of your work is lost.")
    for name, label in (("start", "To the start"), ("forget", "To the lab"), ("history", "To your runs")):
        st.page_link(page(name), label=label, icon=PAGES[name].icon)


@functools.cache
def _purpose(file: Path) -> str:
    """The first sentence of a page's docstring, which the menu shows as a hint."""
    return re.split(r"\n\n|(?<=\.)\s", ast.get_docstring(ast.parse(file.read_text())) or "")[0]
