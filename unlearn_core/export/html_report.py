"""The report as one self-contained HTML file: interactive charts, no network access, and good to print."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from plotly.offline import get_plotlyjs

from unlearn_core.charts.chart import SECTIONS, report_labels
from unlearn_core.charts.drawing.theme import THEMES
from unlearn_core.charts.text import run_comparison
from unlearn_core.charts.text.ranking_words import ranking_text
from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.domain.method import Method
from unlearn_core.domain.report import Report
from unlearn_core.export import figures
from unlearn_core.export.extra_sections import ExtraSection
from unlearn_core.export.run_settings import run_settings
from unlearn_core.export.run_summary import summarize_run, version_text
from unlearn_core.installation import VERSION

_FOLDER = Path(__file__).parent / "template"
NOT_COMPLETE = "This report is not complete: its run was stopped after the verdict, and the rest was not measured."
_MARKS = (
    (re.compile(r"\*\*(.+?)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"(?<![\w*])\*([^\s*][^*]*?)\*(?![\w*])"), r"<em>\1</em>"),
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
)


def render_report(
    reports: Sequence[Report],
    *,
    methods: Mapping[str, Method],
    image_datasets: Mapping[str, ImageDataset],
    extra: ExtraSection | None = None,
) -> str:
    """The report of one run, or of several side by side, as a complete HTML document.

    `methods` and `image_datasets` are the available ones, by id; the report states what is missing. The file is about
    5 MB, of which plotly's own code is 4.8.
    """
    extra, several = extra or ExtraSection(), len(reports) > 1
    subjects = [
        summarize_run(report, name=name, image_dataset=image_datasets.get(report.dataset.id))
        for report, name in zip(reports, report_labels(reports), strict=True)
    ]
    return (
        environment()
        .get_template("report.html")
        .render(
            **page_frame(),
            title=extra.title or (_compared(reports) if several else subjects[0].title),
            words=extra.words or ("" if several else subjects[0].question),
            several=several,
            subjects=subjects,
            **_differences(reports, methods),
            trials=extra.trials,
            first_figures=extra.figures,
            names=SECTIONS,
            charts={name: figures.section_figures(name, reports) for name in SECTIONS},
            absent=figures.missing_charts(reports),
            settings=[run_settings(report, methods) for report in reports],
            origins=_origins(reports),
            versions=dict.fromkeys(version_text(report) for report in reports),
            plotly=version("plotly"),
            made=datetime.now(UTC).strftime("%-d %B %Y, %H:%M UTC"),
        )
    )


def _compared(reports: Sequence[Report]) -> str:
    names = list(dict.fromkeys(report_labels(reports)))
    return f"{', '.join(names[:-1])} and {names[-1]}: which did better?"


def _differences(reports: Sequence[Report], methods: Mapping[str, Method]) -> dict[str, Any]:
    """The differences between several runs; empty for one."""
    several = len(reports) > 1
    return {
        "warning": _warning(reports),
        "ranking": ranking_text(reports) if several else None,
        "differing": _differing(reports, methods) if several else [],
        "figures": run_comparison.metrics_table(reports) if several else None,
        "apart": [run_comparison.summary(reports[0], other) for other in reports[1:]],
    }


def _warning(reports: Sequence[Report]) -> str:
    """What reports do not show because they are not complete, and what several have not in common."""
    incomplete = NOT_COMPLETE if any(report.pending for report in reports) else ""
    return " ".join(filter(None, (incomplete, run_comparison.mismatch_warning(reports) if len(reports) > 1 else "")))


def _differing(reports: Sequence[Report], methods: Mapping[str, Method]) -> list[tuple[str, list[str]]]:
    """The settings in which the runs differ, with the hyperparameters' titles where the methods are available."""
    titles = {
        report.spec.method: {name: info.title for name, info in method.params.hyperparameters().items()}
        if (method := methods.get(report.spec.method))
        else {}
        for report in reports
    }
    return run_comparison.differing_settings(reports, titles)


def _origins(reports: Sequence[Report]) -> list[tuple[str, str, str]]:
    """Title, source and licence of each data set and classifier, once."""
    cards = [card for report in reports for card in (report.dataset, report.classifier)]
    return list(dict.fromkeys((card.title, card.source, card.licence) for card in cards))


def page_frame() -> dict[str, Any]:
    """What `base.html` needs: colours, style, scripts, and the policy that runs only these scripts."""
    scripts = {"plotly": get_plotlyjs(), "report": (_FOLDER / "report.js").read_text()}
    return {
        "themes": THEMES,
        "inks": figures.dark_palette(),
        "style": Markup((_FOLDER / "report.css").read_text()),
        "scripts": {name: Markup(text) for name, text in scripts.items()},
        "policy": _policy(scripts.values()),
        "lab": VERSION,
    }


def _policy(scripts: object) -> str:
    """The content security policy: run only these scripts, show only embedded images, load nothing."""
    digests = (hashlib.sha256(text.encode()).digest() for text in scripts)  # type: ignore[attr-defined]
    allowed = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def environment() -> Environment:
    """The templates, which escape everything but what is marked as HTML."""
    made = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["marked"] = render_inline
    made.filters["embedded"] = lambda text: Markup(text)
    return made


def render_inline(text: str) -> Markup:
    """Text as HTML: escaped, except for **bold**, *italics* and `code`."""
    html = str(escape(text))
    for mark, instead in _MARKS:
        html = mark.sub(instead, html)
    return Markup(html)
