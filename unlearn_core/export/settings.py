"""A run's settings in words: what was chosen, on which classifier and data, by which knobs."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from unlearn_core.charts.drawing.wording import capitalize
from unlearn_core.domain.method import Method
from unlearn_core.domain.params import HyperparameterInfo
from unlearn_core.domain.report import Report
from unlearn_core.export import cli_command


class Setting(NamedTuple):
    """One knob: what it is called, where it stood, what it does, and where the method's first preset has it if else."""

    title: str
    value: str
    explain: str
    preset_value: str


class Settings(NamedTuple):
    """How one run was made, and how to make it again.

    `idea`, `fails` and `paper` are empty, and `knobs` go by their bare names, where this lab no longer has the method.
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
    """The run that this one went on from: a command cannot say that."""


def settings(report: Report, methods: Mapping[str, Method]) -> Settings:
    """The settings of a report's run; `methods` are those that this lab has, by id."""
    spec, method = report.spec, methods.get(report.spec.method)
    bare = tuple(Setting(name, _format_value(value), "", "") for name, value in spec.params.items())
    return Settings(
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
    """The preset that these are, or the one that they differ from."""
    forget, params = report.spec.request.forget, report.spec.params
    for preset in method.presets.values():
        if preset.for_request(forget).model_dump() == params:
            return f"{capitalize(preset.title)} preset: {preset.summary}"
    return f"{capitalize(next(iter(method.presets.values())).title)} preset, changed where marked."


def _hyperparameters(report: Report, method: Method) -> tuple[Setting, ...]:
    known, first = method.params.hyperparameters(), next(iter(method.presets.values()))
    usual: dict[str, Any] = first.for_request(report.spec.request.forget).model_dump()
    rows = []
    for name, value in report.spec.params.items():
        knob = known.get(name)
        if knob is None:
            rows.append(Setting(name, _format_value(value), "This lab's version of the method has no such knob.", ""))
            continue
        other = "" if usual.get(name) == value else _with_unit(usual.get(name), knob)
        title = f"{knob.title} ({knob.symbol})" if knob.symbol else knob.title
        rows.append(Setting(title, _with_unit(value, knob), knob.explain, other))
    return tuple(rows)


def _with_unit(value: Any, info: HyperparameterInfo) -> str:
    return f"{_format_value(value)} {info.unit}".rstrip()


def _format_value(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)
