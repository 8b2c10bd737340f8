"""A run's settings in words: what was chosen, on which classifier and data, by which knobs."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from unlearn_core.charts.drawing.wording import capital
from unlearn_core.domain.method import Method
from unlearn_core.domain.params import Knob
from unlearn_core.domain.report import Report
from unlearn_core.export import cli_command


class Setting(NamedTuple):
    """One knob: what it is called, where it stood, what it does, and where the method's first preset has it if else."""

    title: str
    value: str
    explain: str
    usual: str


class Settings(NamedTuple):
    """How one run was made, and how to make it again.

    `idea`, `fails` and `paper` are empty, and `knobs` go by their bare names, where this lab no longer has the method.
    """

    method: str
    preset: str
    idea: str
    fails: str
    paper: str
    address: str
    knobs: tuple[Setting, ...]
    command: str
    spec: str
    start: int | None
    """The run that this one went on from: a command cannot say that."""


def settings(report: Report, methods: Mapping[str, Method]) -> Settings:
    """The settings of a report's run; `methods` are those that this lab has, by id."""
    spec, method = report.spec, methods.get(report.spec.method)
    bare = tuple(Setting(name, _said(value), "", "") for name, value in spec.params.items())
    return Settings(
        method=report.method,
        preset="" if method is None else _preset(report, method),
        idea="" if method is None else method.idea,
        fails="" if method is None else method.fails,
        paper="" if method is None else method.paper.title,
        address="" if method is None else method.paper.url,
        knobs=bare if method is None else _knobs(report, method),
        command=cli_command.run(spec, report.dataset),
        spec=spec.model_dump_json(indent=1),
        start=spec.start,
    )


def _preset(report: Report, method: Method) -> str:
    """The preset that these are, or the one that they differ from."""
    forget, params = report.spec.request.forget, report.spec.params
    for preset in method.presets.values():
        if preset.params_for(forget).model_dump() == params:
            return f"{capital(preset.title)} preset: {preset.summary}"
    return f"{capital(next(iter(method.presets.values())).title)} preset, changed where marked."


def _knobs(report: Report, method: Method) -> tuple[Setting, ...]:
    known, first = method.params.knobs(), next(iter(method.presets.values()))
    usual: dict[str, Any] = first.params_for(report.spec.request.forget).model_dump()
    rows = []
    for name, value in report.spec.params.items():
        knob = known.get(name)
        if knob is None:
            rows.append(Setting(name, _said(value), "This lab's version of the method has no such knob.", ""))
            continue
        other = "" if usual.get(name) == value else _with_unit(usual.get(name), knob)
        title = f"{knob.title} ({knob.symbol})" if knob.symbol else knob.title
        rows.append(Setting(title, _with_unit(value, knob), knob.explain, other))
    return tuple(rows)


def _with_unit(value: Any, knob: Knob) -> str:
    return f"{_said(value)} {knob.unit}".rstrip()


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)
