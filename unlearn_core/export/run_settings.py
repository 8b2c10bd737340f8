"""A run's settings for the HTML report: method, preset, hyperparameters and the command that reproduces it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from unlearn_core.charts.drawing.wording import capitalize
from unlearn_core.domain.method import Method
from unlearn_core.domain.params import HyperparameterInfo
from unlearn_core.domain.report import Report
from unlearn_core.export import cli_command


class Setting(NamedTuple):
    """One hyperparameter: title, value, explanation, and the value of the method's first preset if it differs."""

    title: str
    value: str
    explain: str
    preset_value: str


class RunSettings(NamedTuple):
    """How one run was made, and how to reproduce it.

    If this installation no longer has the method, `idea`, `failure_modes` and `paper` are empty, and the
    hyperparameters have their plain names as titles.
    """

    method: str
    preset: str
    idea: str
    failure_modes: str
    paper: str
    paper_url: str
    hyperparameters: tuple[Setting, ...]
    command: str
    spec: str
    start: int | None
    """The earlier run that this run continues, which a command cannot express."""


def run_settings(report: Report, methods: Mapping[str, Method]) -> RunSettings:
    """The settings of a report's run; `methods` are the available ones, by id."""
    spec, method = report.spec, methods.get(report.spec.method)
    bare = tuple(Setting(name, _format_value(value), "", "") for name, value in report.params.items())
    return RunSettings(
        method=report.method,
        preset="" if method is None else _preset(report, method),
        idea="" if method is None else method.idea,
        failure_modes="" if method is None else method.failure_modes,
        paper="" if method is None else method.paper.title,
        paper_url="" if method is None else method.paper.url,
        hyperparameters=bare if method is None else _hyperparameters(report, method),
        command=cli_command.run_command(spec, report.dataset),
        spec=spec.model_dump_json(indent=1),
        start=spec.start,
    )


def _preset(report: Report, method: Method) -> str:
    """The preset that equals these settings, or the first preset, from which they differ."""
    if report.spec.auto:
        return "Auto preset: the run found what is marked at its start, from the values beside it."
    known = method.preset_of(report.spec)
    if known is not None:
        return f"{capitalize(method.presets[known].title)} preset: {method.presets[known].summary}"
    return f"{capitalize(next(iter(method.presets.values())).title)} preset, changed where marked."


def _hyperparameters(report: Report, method: Method) -> tuple[Setting, ...]:
    known, first = method.params.hyperparameters(), next(iter(method.presets.values()))
    usual: dict[str, Any] = first.for_request(report.spec.request.forget).model_dump()
    rows = []
    for name, value in report.params.items():
        info = known.get(name)
        if info is None:
            rows.append(
                Setting(
                    name, _format_value(value), "The installed version of the method has no such hyperparameter.", ""
                )
            )
            continue
        other = "" if usual.get(name) == value else _with_unit(usual.get(name), info)
        title = f"{info.title} ({info.symbol})" if info.symbol else info.title
        rows.append(Setting(title, _with_unit(value, info), info.explain, other))
    return tuple(rows)


def _with_unit(value: Any, info: HyperparameterInfo) -> str:
    return f"{_format_value(value)} {info.unit}".rstrip()


def _format_value(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)
