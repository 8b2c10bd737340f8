"""The report file says what it should, holds all that it needs, and lets no name of others act."""

import json
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.charts.fake_reports import made_up_report
from unlearn_core.charts import charts
from unlearn_core.charts.chart import SECTIONS
from unlearn_core.charts.drawing.theme import DARK, LIGHT
from unlearn_core.charts.text.opening import answer
from unlearn_core.charts.text.verdict import verdicts
from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.domain.report import Report
from unlearn_core.export import figures
from unlearn_core.export.extra_sections import ExtraSection
from unlearn_core.export.html_report import render_inline, render_report
from unlearn_core.methods import methods

NASTY = '<script>alert(1)</script> & "quoted" </style> `x` **b**'
REPORT = made_up_report()


class Reader(HTMLParser):
    """What a page consists of: its elements with their attributes, its texts, and which elements hold script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        (self.scripts if self._inside in ("script", "style") else self.words).append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words)).replace("\N{NO-BREAK SPACE}", " ")


def pictures(report: Report) -> dict[str, ImageDataset]:
    count = len(report.labels)
    images = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3)).astype(np.uint8)
    return {report.dataset.id: ImageDataset(images, report.labels, count - 2500, 500, 2000)}


def made(*reports: Report, side: ExtraSection | None = None, known: bool = True) -> str:
    return render_report(
        reports, methods=methods() if known else {}, image_datasets=pictures(reports[0]) if known else {}, extra=side
    )


@cache
def one() -> str:
    return made(REPORT)


def test_it_answers_the_question_of_one_run() -> None:
    text = Reader(one()).text
    assert "Did it forget cat?" in text
    parts = (
        answer(verdicts(REPORT)),
        "Difference (90 % interval): ",
        "Privacy. ",
        "What this does not prove. ",
        "What the verdicts rest on",
        "What was forgotten?",
        "Where does it look?",
        "How was it made?",
    )
    places = [text.index(part) for part in parts]
    assert places == sorted(places), "as on the page: the answer first"
    assert "This does not prove that the images left no trace" in text
    assert "python -m unlearn_core run --classifier made-up-model --forget-classes cat --method unsir" in text
    assert "Licence: MIT, the licence of Unlearn Lab." in text
    assert "torch 2.15.0" in text
    forgotten = [own for tag, own in Reader(one()).elements if tag == "img" and "image" in (own["alt"] or "")]
    assert len(forgotten) >= 24


def test_every_chart_that_applies_is_in_it_with_its_sentence_and_caveat() -> None:
    read = Reader(one())
    shown = {own["id"] for tag, own in read.elements if tag == "div" and (own.get("id") or "").startswith("chart-")}
    able = {f"chart-{name}" for name, chart in charts().items() if chart.applies(REPORT) is True}
    assert able - shown == {"chart-cam"}, "the heat maps have a section of their own"
    assert shown - able == {"chart-seeds-course"}, "the bands over seeds are drawn beside their figures"
    assert "Variation over seeds: accuracy over time" in read.text
    for name in ("accuracy", "membership", "curve"):
        assert render_inline(charts()[name].caveat) in one()
        assert render_inline(charts()[name].summary(REPORT)) in one()


def test_nothing_in_it_points_outside() -> None:
    read = Reader(one())
    for tag, own in read.elements:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            value = own.get(name)
            assert value is None or value.startswith("data:") or (tag == "a" and name == "href"), (tag, value)
    style = re.sub(r"\s", "", "".join(text for text in read.scripts if "@page" in text))
    assert "url(" not in style
    assert "@import" not in style
    policy = next(own for tag, own in read.elements if own.get("http-equiv") == "Content-Security-Policy")["content"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy.partition("style-src")[0]


def test_names_of_others_stay_text() -> None:
    classes = tuple(NASTY if name == "cat" else name for name in REPORT.dataset.classes)
    data = REPORT.dataset.model_copy(update={"classes": classes, "title": NASTY, "source": NASTY, "licence": NASTY})
    net = REPORT.classifier.model_copy(update={"title": NASTY, "source": NASTY})
    found = made(
        replace(REPORT, dataset=data, classifier=net, method=NASTY, missing={"gold": NASTY}),
        side=ExtraSection(title=NASTY, words=NASTY),
    )
    honest, nasty = Reader(one()), Reader(found)
    kinds = ("script", "style", "iframe", "a")
    for kind in kinds:
        assert sum(tag == kind for tag, _ in nasty.elements) == sum(tag == kind for tag, _ in honest.elements), kind
    assert "<script>alert(1)" not in found
    assert "alert(1)" in nasty.text
    assert not [own for _, own in nasty.elements if any(name.startswith("on") for name in own)]


def test_figures_are_json_that_cannot_end_its_element() -> None:
    assert figures.escape_json('{"a": "</script><b>&"}') == '{"a": "\\u003c/script\\u003e\\u003cb\\u003e\\u0026"}'
    found = re.findall(r'<script type="application/json" data-chart="chart-(\w+)">(.*?)</script>', one(), re.DOTALL)
    assert len(found) >= 15
    for name, text in found:
        assert json.loads(text)["data"] or name == "replay"


@pytest.mark.parametrize("chart", [*charts().values()], ids=lambda chart: chart.id)
def test_its_dark_figure_is_the_light_one_in_other_inks(chart) -> None:
    """What the script in the page does to a figure gives the very figure that the dark theme draws."""
    light, dark = (json.loads(chart.figure([REPORT], theme).to_json()) for theme in (LIGHT, DARK))
    assert darkened(light) == darkened(dark, {}) != light


def darkened(value: object, inks: dict[str, str] | None = None) -> object:
    """The same as in report.js; with no inks it only writes colours in one way."""
    inks = dict(figures.dark_palette()) if inks is None else inks
    if isinstance(value, str):
        if value.startswith("data:"):
            return value
        value = re.sub(r"#[0-9a-fA-F]{6}\b", lambda found: inks.get(found[0].upper(), found[0]), value)
        parts = re.compile(r"(rgba?\()(\d+), ?(\d+), ?(\d+)")

        def swapped(found: re.Match[str]) -> str:
            own = ",".join(found.groups()[1:])
            other = inks.get(own, own)
            return f"{found[1]}{other}" if "#" not in other else other

        return parts.sub(swapped, value)
    if isinstance(value, list):
        return [darkened(own, inks) for own in value]
    if isinstance(value, dict):
        return {name: darkened(own, inks) for name, own in value.items()}
    return value


def test_several_runs_stand_side_by_side() -> None:
    text = Reader(made(REPORT, made_up_report(seed=1))).text
    assert "which did better?" in text
    assert "Which settings differ?" in text
    assert "UNSIR · run 42" in text
    assert "UNSIR · run 43" in text
    assert "Differences compare the values after" in text


def test_a_sweep_brings_its_table_and_its_charts() -> None:
    import pandas as pd

    trials = pd.DataFrame({"trial": [1, 2], "rate <b>": [0.1, None], "state": ["done", "failed"]})
    own = figures.render_figure(charts()["accuracy"], [REPORT])._replace(id="trade-off", title="What does it cost?")
    side = ExtraSection(title="A sweep over the rate", words="Eight trials.", trials=trials, figures=(own,))
    found = made(REPORT, made_up_report(seed=1), side=side)
    text = Reader(found).text
    assert "A sweep over the rate" in text
    assert "All trials" in text
    assert "rate <b>" in text
    assert "What does it cost?" in text
    assert text.index("What does it cost?") < text.index("All trials") < text.index("Result")
    assert 'id="chart-trade-off"' in found


def test_what_is_missing_is_said() -> None:
    bare = replace(made_up_report(gold=False), parts={}, missing={"gold": "Gold is being trained."})
    text = Reader(made(bare, known=False)).text
    assert "Gold is being trained. Without this reference the result is incomplete." in text
    assert "are not on the machine that made this file" in text
    assert "no longer has this method" in text
    assert "What is not in this report, and why" in text
    assert "This run has no record of its accuracy, so there is nothing to show." in text


def test_a_run_that_went_on_from_another_says_what_its_command_cannot() -> None:
    spec = REPORT.spec.model_copy(update={"start": 3})
    assert "This run continues run 3 of its data folder." in Reader(made(replace(REPORT, spec=spec))).text


def test_points_of_the_plane_are_not_shown_as_pictures() -> None:
    found = replace(REPORT, dataset=REPORT.dataset.model_copy(update={"size": 1}))
    read = Reader(made(found))
    assert "300 points in the plane" in read.text
    assert not [own for tag, own in read.elements if tag == "img" and (own["alt"] or "").startswith("cat, image")]


def test_charts_stand_where_their_cards_place_them() -> None:
    found = {name: [figure.id for figure in figures.section_figures(name, [REPORT])] for name in SECTIONS}
    headings = re.findall(r"<summary><h2>(.*?)</h2></summary>", one())
    assert headings == list(SECTIONS), "the order of the page"
    assert found["Classes"] == ["classes", "predictions", "confusion"]
    assert all(charts()[name].is_exported for own in found.values() for name in own if name in charts())


def test_single_pictures_are_named_by_their_class() -> None:
    text = Reader(made(made_up_report(images=True))).text
    assert "Did it forget 100 images?" in text
    assert "24 of 100, evenly spaced." in text


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a **b** c", "a <strong>b</strong> c"),
        ("noise *is* it, 2*3*4", "noise <em>is</em> it, 2*3*4"),
        ("`--seed 1` <b>", "<code>--seed 1</code> &lt;b&gt;"),
    ],
)
def test_only_our_marks_become_html(text: str, html: str) -> None:
    assert render_inline(text) == html
