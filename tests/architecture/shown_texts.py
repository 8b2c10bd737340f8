"""Every text that reaches a person and needs no page to be rendered, by where it comes from; and every public name."""

import argparse
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from tests.architecture.vocabulary import ROOT, Shown, figure_texts, literals, public_names, raised, streamlit_texts
from tests.charts.compared_runs import RunPlan, compared_runs
from tests.charts.test_contract import CASES, SHELF
from tests.charts.test_method_comparison import STATES as COMPARISONS
from tests.charts.test_sweeps import CHARTS as SWEEP_CHARTS
from tests.charts.test_sweeps import EMPTY, STATES
from unlearn_core.__main__ import build_parser, commands, main
from unlearn_core.charts import charts
from unlearn_core.charts.comparison import method_results, method_scatter, ranking_tables, run_multiples
from unlearn_core.charts.drawing.theme import LIGHT
from unlearn_core.charts.text.ranking_words import ranking_text
from unlearn_core.data import datasets, sources
from unlearn_core.domain import errors
from unlearn_core.domain.method import Method
from unlearn_core.domain.sweeps.objectives import OBJECTIVES
from unlearn_core.engine.measuring.measurement_infos import measurement_infos
from unlearn_core.export import archive
from unlearn_core.export.evidence import evidence_folder
from unlearn_core.export.html_report import render_report
from unlearn_core.export.model_card import render_model_card
from unlearn_core.export.sweep_report import sweep_section
from unlearn_core.methods import methods
from unlearn_core.models import architectures, classifiers

CORE = ROOT / "unlearn_core"
CHEAP_VERBS = ("methods", "classifiers", "datasets", "architectures", "doctor")
PROSE_FILES = ("README.md", "CONTRIBUTING.md", "RESULTS.md")


def chart_texts() -> Iterator[Shown]:
    """What the charts of a report say of the made-up reports: titles, sentences, tables, and all that is drawn."""
    for name, chart in SHELF.items():
        yield from (Shown(f"chart {name}", text) for text in (chart.title, chart.caveat, *chart.variants))
        for case in ("one", "no gold", "images"):
            (report,) = CASES[case]
            place, reason = f"chart {name}, {case}", chart.applies(report)
            if reason is not True:
                yield Shown(place, reason)
                continue
            drawn = chart.figure([report], LIGHT) if case == "one" else None
            yield from _drawn(place, chart.summary(report), chart.alt_text(report), chart.table([report]), drawn)


def sweep_texts() -> Iterator[Shown]:
    """What the charts of a sweep say of sweeps that were never run, and the head of such a report."""
    for chart in SWEEP_CHARTS[:6]:
        yield from (Shown(f"sweep chart {chart.id}", text) for text in (chart.title, chart.caveat))
        for state, swept in (STATES | EMPTY).items():
            place, reason = f"sweep chart {chart.id}, {state}", chart.applies(swept)
            if reason is not True:
                yield Shown(place, reason)
                continue
            drawn = chart.figure(swept, LIGHT) if state in ("three knobs", "one objective") else None
            yield from _drawn(place, chart.summary(swept), chart.alt_text(swept), chart.table(swept), drawn)
    told = sweep_section(STATES["three knobs"])
    yield from (Shown("report of a sweep", text) for text in (told.title, told.words))


def method_comparison_texts() -> Iterator[Shown]:
    """What the comparison of all methods says of runs that were never made."""
    for state, results in COMPARISONS.items():
        place = f"all methods, {state}"
        yield Shown(place, method_results.explanation(results))
        drawn = method_scatter.figure(results, LIGHT)
        tables = (method_results.table(results), method_results.shown_table(results))
        for table in tables:
            yield from _drawn(place, method_results.summary(results), method_scatter.alt_text(results), table, drawn)


def ranking_texts() -> Iterator[Shown]:
    """What the comparison of runs says, of runs that can be compared and of others."""
    none, some, every = (np.arange(100) < count for count in (0, 60, 100))
    plans = [
        RunPlan("UNSIR", 0, every, some, 1.0),
        RunPlan("UNSIR", 1, every, some, 2.0),
        RunPlan("SSD", 0, none, every, 9.0),
        RunPlan("SCRUB", 0, some, some, 1.0, has_gold=False),
        RunPlan("SCRUB", 0, some, some, 1.0, classifier="another"),
    ]
    for chosen in (plans[:2], plans[1:3], plans[:3], plans[2:4], plans):
        reports = compared_runs(chosen)
        text = ranking_text(reports)
        cards = [part for card in text.cards for part in (card.title, card.words)]
        yield from (Shown("ranking", part) for part in (*cards, text.chance, text.note, run_multiples.NOTE))
        yield Shown("ranking", ranking_tables.explanation("image"))
        drawn = run_multiples.figure(text.rankings[0], text, reports, LIGHT)
        alt = run_multiples.alt_text(text.rankings[0], text)
        for table in (ranking_tables.winners_table(text, reports), ranking_tables.pairs_table(text)):
            yield from _drawn("ranking", text.lead, alt, table, drawn)


def _drawn(place: str, sentence: str, alt: str, table: pd.DataFrame, figure: go.Figure | None) -> Iterator[Shown]:
    yield Shown(place, sentence)
    yield Shown(f"{place}, alt text", alt)
    yield from (Shown(f"{place}, table", str(name)) for name in table.columns)
    cells = {value for name in table for value in table[name] if isinstance(value, str)}
    yield from (Shown(f"{place}, table", value) for value in sorted(cells))
    if figure is not None:
        yield from (Shown(f"{place}, figure", text) for text in figure_texts(figure.to_dict()))


def method_texts() -> Iterator[Shown]:
    """The cards of the methods, their presets and their hyperparameters; and the objectives of a sweep."""
    for name, method in methods().items():
        yield from (Shown(f"method {name}", text) for text in _card(method))
        for preset, one in method.presets.items():
            yield from (Shown(f"method {name}, preset {preset}", text) for text in (one.title, one.summary))
        for own, knob in method.params.hyperparameters().items():
            texts = (knob.title, knob.explain, knob.unit, *knob.choices)
            yield from (Shown(f"method {name}, hyperparameter {own}", text) for text in texts)
    for name, one in OBJECTIVES.items():
        yield from (Shown(f"objective {name}", text) for text in (one.title, one.axis, one.explanation))


def _card(method: Method) -> tuple[str, ...]:
    return method.title, method.group, method.summary, method.idea, method.failure_modes


def measurement_texts() -> Iterator[Shown]:
    """What the page of measurements says of each."""
    for name, one in measurement_infos(charts()).items():
        texts = (one.title, one.question, one.caveat, *one.paragraphs)
        yield from (Shown(f"measurement {name}", text) for text in texts)


def catalog_texts() -> Iterator[Shown]:
    """The cards of data sets, classifiers and architectures, and the sources with their options."""
    cards = {"data set": datasets.cards(), "classifier": classifiers.cards(), "architecture": architectures.cards()}
    for kind, every in cards.items():
        for name, one in every.items():
            texts = (one.title, one.summary, one.source, getattr(one, "licence", ""))
            yield from (Shown(f"{kind} {name}", text) for text in texts)
    for name, one in sources.sources().items():
        texts = [one.title, one.summary, one.licence, one.origin]
        texts += [text for option in one.options for text in (option.title, option.explain, option.placeholder)]
        yield from (Shown(f"source {name}", text) for text in texts)


def command_line_texts() -> Iterator[Shown]:
    """The help of every verb, and what the cheap ones print."""
    yield from _help(build_parser(commands()), "command line")
    with TemporaryDirectory() as empty, patch.dict(os.environ, UNLEARN_HOME=empty):
        for verb in CHEAP_VERBS:
            printed = io.StringIO()
            with redirect_stdout(printed):
                main([verb])
            lines = (re.sub(r"^ +[\w-]+ {2,}", "", line) for line in printed.getvalue().splitlines())  # a column of ids
            yield from (Shown(f"output of {verb}", line) for line in lines)


def _help(one: argparse.ArgumentParser, place: str) -> Iterator[Shown]:
    yield from (Shown(f"{place} --help", text) for text in (one.description, one.epilog) if text)
    for action in one._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from (Shown(f"{place} --help", str(choice.help)) for choice in action._choices_actions)
            for name, child in action.choices.items():
                yield from _help(child, f"{place} {name}")
        else:
            shown = [*action.option_strings, action.metavar, action.help]
            yield from (Shown(f"{place} --help", text) for text in shown if isinstance(text, str))


def document_texts() -> Iterator[Shown]:
    """README, CONTRIBUTING, RESULTS.md and all of docs."""
    for path in (*(ROOT / name for name in PROSE_FILES), *sorted((ROOT / "docs").rglob("*.md"))):
        yield from markdown_texts(path.read_text(), path.relative_to(ROOT).as_posix())


def markdown_texts(text: str, place: str) -> Iterator[Shown]:
    """The paragraphs, items and rows of a Markdown document with their lines, code blocks left out."""
    bare = re.sub(r"^ *```.*?^ *```", lambda block: "\n" * block[0].count("\n"), text, flags=re.MULTILINE | re.DOTALL)
    line = 1
    for part in re.split(r"(\n(?=\n|\s*[*|#-] ?))", bare):
        if part.strip():
            yield Shown(f"{place}:{line}", part)
        line += part.count("\n")


def report_texts() -> Iterator[Shown]:
    """The visible text of a report file, the model card, and the list of an archive; and their templates."""
    (report,) = CASES["one"]
    for name, html in {
        "report file of two": render_report(CASES["two"], methods=methods(), image_datasets={}),
        "report file": render_report(
            [report], methods=methods(), image_datasets={}, extra=sweep_section(STATES["three knobs"])
        ),
    }.items():
        yield from (Shown(name, text) for text in _Reader(html).texts)
    sheet = evidence_folder.evidence_files(report, None)["sheet.html"].decode()
    yield from (Shown("evidence sheet", text) for text in _Reader(sheet).texts)
    yield from markdown_texts(render_model_card(report), "MODEL_CARD.md")
    for text in (archive.README_TEXT, evidence_folder.README_TEXT):
        yield from (Shown("README.txt of an archive", line) for line in text.splitlines())
    for path in sorted((CORE / "export").rglob("template/*")):
        place = path.relative_to(ROOT).as_posix()
        if path.suffix in (".html", ".md"):
            bare = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " … ", path.read_text(), flags=re.S)
            yield from (Shown(place, text) for text in (_Reader(bare).texts if path.suffix == ".html" else [bare]))
        elif path.suffix == ".js":
            yield from (Shown(place, text[1:-1]) for text in re.findall(r"\"[^\"\n]* [^\"\n]*\"", path.read_text()))


class _Reader(HTMLParser):
    """The texts of an HTML document that are seen or read aloud."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._hidden = False
        self.feed(re.sub(r"<(script|style)\b.*?</\1>", "", html, flags=re.DOTALL))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden = tag in ("script", "style", "code", "pre")
        self.texts += [text for name, text in attrs if text and name in ("alt", "title", "aria-label", "placeholder")]

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden and data.strip():
            self.texts.append(data)


def error_texts() -> Iterator[Shown]:
    """The messages of all errors."""
    known = [name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, Exception)]
    for path, source in _sources():
        yield from raised(source, path, known)
    path = Path(errors.__file__)
    yield from literals(path.read_text(), path.relative_to(ROOT).as_posix(), lambda text: " " in text)


def literal_texts() -> Iterator[Shown]:
    """What `st` is called with, and every other literal with a space in it: nearly all of these are shown."""
    for path, source in _sources():
        yield from literals(source, path, lambda text: " " in text.strip())
        yield from streamlit_texts(source, path)


SOURCES: dict[str, Callable[[], Iterable[Shown]]] = {
    "literals": literal_texts,
    "errors": error_texts,
    "documents": document_texts,
    "command line": command_line_texts,
    "methods": method_texts,
    "measurements": measurement_texts,
    "catalog": catalog_texts,
    "charts": chart_texts,
    "sweep charts": sweep_texts,
    "method comparison": method_comparison_texts,
    "ranking": ranking_texts,
    "report files": report_texts,
}


def every_text() -> Iterator[Shown]:
    """All texts, those first of which the line is known."""
    return (shown for source in SOURCES.values() for shown in source())


def every_name() -> Iterator[Shown]:
    """Every public name of the package, its modules and folders included."""
    own = [(path, source) for path, source in _sources() if path.startswith("unlearn_core/")]
    return (name for path, source in own for name in public_names(source, path))


def every_literal() -> Iterator[Shown]:
    """Every literal in the code."""
    return (one for path, source in _sources() for one in literals(source, path, bool))


def everything_written() -> str:
    """The whole of the code and of the documents."""
    return "\n".join([*(source for _, source in _sources()), *((ROOT / name).read_text() for name in PROSE_FILES)])


@cache
def _sources() -> list[tuple[str, str]]:
    paths = [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py")), *sorted(CORE.rglob("*.py"))]
    return [(path.relative_to(ROOT).as_posix(), path.read_text()) for path in paths]
