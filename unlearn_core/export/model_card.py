"""The model card of exported weights: the model, what was unlearned, its evaluation and its limits."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from unlearn_core.charts.drawing.wording import is_class_request
from unlearn_core.charts.text import verdict
from unlearn_core.domain.report import Report
from unlearn_core.export import cli_command
from unlearn_core.export.run_summary import metric_lines, version_text

_ACTIVE = re.compile(r"[\\`*_\[\]<>#|~!&]")


def render_model_card(report: Report) -> str:
    """The card as Markdown, with metadata for model hubs. Names from users are escaped."""
    after = report.evaluations.get("after")
    return (
        _environment()
        .get_template("card.md")
        .render(
            model=report.classifier,
            data=report.dataset,
            forgotten=report.forget_set_title,
            what=_what(report),
            method=report.method,
            checksum="" if after is None else after.weights[:16],
            lines=metric_lines(report),
            no_accuracies=report.missing.get("accuracy", "Its accuracies were not measured."),
            verdicts=verdict.verdicts(report),
            doubt=verdict.caveats(report),
            command=" ".join(cli_command.run_command(report.spec, report.dataset).split()),
            seed=report.spec.seed,
            versions=version_text(report),
        )
    )


def _what(report: Report) -> str:
    count = len(report.split.forget_train)
    images = "1 training image" if count == 1 else f"{count:,} training images"
    return f"{report.forget_set_title} ({images})" if is_class_request(report) else images


def _escape(text: str) -> str:
    """Escape text so that Markdown shows it literally."""
    return _ACTIVE.sub(r"\\\g<0>", " ".join(text.split()))


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "template"),
        autoescape=False,  # The output is Markdown; every name from users passes through `plain`.
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"plain": _escape, "numbers": _numbers, "quoted": repr}
    return made
