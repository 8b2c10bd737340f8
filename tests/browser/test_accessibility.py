"""Every page, the report file and the evidence sheet by axe-core, in both themes; and the main road by keyboard."""

import lzma
import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.app_server import Served
from tests.browser.browser_steps import CHART, heading, settled
from tests.browser.conftest import PATIENCE, WIDE
from tests.pages.finished_runs import CLASS, PICTURES
from unlearn_core import methods
from unlearn_core.charts.chart import SECTIONS
from unlearn_core.charts.drawing.theme import DARK, LIGHT, Theme
from unlearn_core.charts.measured import equal_forgetting, noise_rates
from unlearn_core.data import datasets
from unlearn_core.export.evidence.evidence_folder import evidence_files
from unlearn_core.export.html_report import render_report
from unlearn_core.store.files import reports
from unlearn_core.ui.shell.navigation import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

AXE = lzma.decompress((Path(__file__).with_name("vendor") / "axe.min.js.xz").read_bytes()).decode()
"""axe-core 4.14.1; its licence is beside it."""

Themed = Literal["light", "dark"]

EXCUSED: dict[str, list[str]] = {
    # The side menu nests its sections and their pages as lists without the roles between them.
    "list": ["[data-testid=stSidebarNavItems]"],
    "listitem": ["[data-testid=stSidebarNavItems]"],
    # The box for files is a button that says it is none.
    "presentation-role-conflict": ["[data-testid=stFileUploaderDropzone]"],
}
"""What Streamlit itself causes: by rule, the elements in which it may be."""

EXCUSED_IN_THE_DARK = {
    # One colour is the ground of white labels and the colour of these: on a dark page none has 4.5 : 1 for both.
    "color-contrast": ["[data-testid=stSliderThumbValue]", "button[data-variant][data-selected=true]"],
}
"""What it causes in the dark theme besides."""

VIOLATIONS = """
async (excused) => {
  const isExcused = (rule, node) => {
    const element = typeof node.target[0] === "string" ? document.querySelector(node.target[0]) : null;
    return (excused[rule] ?? []).some((selector) => element?.closest(selector));
  };
  const { violations } = await axe.run({ resultTypes: ["violations"] });
  const marked = [...document.querySelectorAll("[aria-label]")].map((element) => element.ariaLabel);
  return violations.flatMap(({ id, impact, nodes }) =>
    nodes.filter((node) => !isExcused(id, node)).map((node) => `${impact} ${id}: ${node.html.slice(0, 200)}`)
  ).concat(marked.filter((label) => /\\*\\*|:material/.test(label)).map((label) => `Markdown is read aloud: ${label}`));
}
"""

ADDRESSES = [
    *("" if name == "start" else name for name in PAGES),
    "forget?classifier=tiny&images=1,2",
    "forget?classifier=resnet8-mislabelled&images=1,2",
    "measures?measure=Interclass+confusion",
    "method?classifier=tiny&images=1,2&methods-shown=In+one+table",
    "sweep?classifier=tiny&forget=discs&knobs=impair_lr",
    "compare?ids=1,2",
    "compare?ids=-2,-3",
    "lessons?lesson=unsir&step=2",
    "lessons?lesson=unsir&step=3",
    "lessons?lesson=unsir&step=5",
    "sweep?sweep=-1",
    "playground?data=own",
    *(f"run?id={CLASS}&tab={section.replace(' ', '+')}" for section in SECTIONS),
    f"run?id={CLASS}&tab=Images&picture=401",
    f"run?id={PICTURES}",
    "run?id=example&tab=Inside",
    "run?id=999",
    "nowhere",
]


def violations(page: Page, theme: Themed) -> list[str]:
    """What axe finds on the page as it is, but for what Streamlit causes; and labels with Markdown in them."""
    page.evaluate(AXE)
    return page.evaluate(VIOLATIONS, EXCUSED | (EXCUSED_IN_THE_DARK if theme == "dark" else {}))


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_page_violates_a_rule_of_axe(address: str, page: Page, app: Served) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(app.address(address))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    grounds: dict[Themed, Theme] = {"light": LIGHT, "dark": DARK}
    for theme, ground in grounds.items():
        page.emulate_media(color_scheme=theme)
        red, green, blue = (int(ground.page[at : at + 2], 16) for at in (1, 3, 5))
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", f"rgb({red}, {green}, {blue})")
        settled(page)
        assert violations(page, theme) == [], theme


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_forget_set_is_chosen_by_difficulty_and_violates_no_rule(theme: Themed, page: Page, app: Served) -> None:
    page.emulate_media(color_scheme=theme)
    page.goto(app.address("forget?classifier=resnet20&images=&method=ssd"))
    heading(page, "What should it forget?")
    page.get_by_text("Select by difficulty").click()
    page.get_by_role("radio", name="Easy").click()
    expect(page.get_by_text("so there is little to forget")).to_be_visible()
    expect(page.get_by_test_id("stPlotlyChart")).to_be_visible()
    page.get_by_role("heading", level=1).hover()  # Streamlit tints the choice that is pointed at.
    settled(page)
    assert violations(page, theme) == []
    page.get_by_role("button", name="Select these 16 images").click()
    expect(page.get_by_text("16 in the forget set")).to_be_visible()
    page.wait_for_url(re.compile(r"images=\d+"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("method", "question"),
    [("unsir&preset=gentle", noise_rates.QUESTION), ("l2ul&preset=nearest", equal_forgetting.QUESTION)],
    ids=["unsir", "l2ul"],
)
def test_the_chart_of_what_was_measured_is_unfolded_and_violates_no_rule(
    theme: Themed, method: str, question: str, page: Page, app: Served
) -> None:
    page.emulate_media(color_scheme=theme)
    page.goto(app.address(f"method?classifier=tiny&forget=discs&method={method}"))
    heading(page, "How should it forget?")
    page.get_by_text(f"Measured: {question}").click()
    expect(page.get_by_test_id("stPlotlyChart")).to_be_visible()
    settled(page)
    assert violations(page, theme) == []


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the report file and the evidence sheet of the example."""
    report, folder = reports.load_example(), tmp_path_factory.mktemp("files")
    images = {report.dataset.id: datasets.load(report.dataset.id)}
    (folder / "report.html").write_text(render_report([report], methods=methods.methods(), image_datasets=images))
    (folder / "sheet.html").write_bytes(evidence_files(report, None)["sheet.html"])
    return folder


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["report.html", "sheet.html"])
def test_no_file_violates_a_rule_of_axe(name: str, theme: Themed, files: Path, browser: Browser) -> None:
    # The policy of the file allows only its own scripts.
    context = browser.new_context(offline=True, color_scheme=theme, bypass_csp=True)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto((files / name).as_uri())
    if name == "report.html":
        expect(page.locator(f"html[data-drawn={theme}]")).to_be_attached()
    assert violations(page, theme) == []
    context.close()


def test_what_axe_finds_is_not_swallowed(page: Page, app: Served) -> None:
    page.goto(app.address())
    settled(page)
    page.get_by_test_id("stMain").evaluate("box => box.insertAdjacentHTML('beforeend', '<img src=\"data:,\">')")
    assert [found.partition(":")[0] for found in violations(page, "light")] == ["critical image-alt"]


def test_the_main_road_is_walked_by_keyboard_alone(page: Page, app: Served) -> None:
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    page.goto(app.address("forget?classifier=tiny&forget="))
    heading(page, "What should it forget?")
    settled(page)
    tab_to(page, "checkbox", "discs")
    page.keyboard.press("Space")
    page.wait_for_url(re.compile("forget=discs"))
    settled(page)
    tab_to(page, "button", "Next: method")
    page.keyboard.press("Enter")
    heading(page, "How should it forget?")
    settled(page)
    tab_to(page, "button", "Run")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/run\?id=\d+"))
    expect(page.get_by_role("heading", name=CHART)).to_be_visible()
    settled(page)
    tab_to(page, "tab", SECTIONS[0])
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"tab={SECTIONS[1]}"))
    tab_to(page, "tab", SECTIONS[1])


FOCUSED = """
() => {
  const element = document.activeElement;
  const label = element.getAttribute("aria-label") ?? element.closest("label")?.innerText ?? element.innerText;
  return [element.getAttribute("role") ?? element.type ?? element.tagName.toLowerCase(), (label ?? "").trim()];
}
"""


def tab_to(page: Page, role: str, name: str) -> None:
    """Press Tab until an element of that role and name has the focus, which must be visible."""
    for _ in range(120):
        page.keyboard.press("Tab")
        found, label = page.evaluate(FOCUSED)
        if found in (role, "submit") and label.splitlines()[-1:] == [name]:
            return
    raise AssertionError(f"Tab never leads to the {role} {name!r}.")
