"""What there is to know about each measurement, for the page that explains them and for docs."""

import inspect
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from unlearn_core.engine.jobs import on_demand_measurements
from unlearn_core.plugins import discover
from unlearn_core.probes import probes


class HasTexts(Protocol):
    """A chart: this layer imports none."""

    @property
    def question(self) -> str: ...

    @property
    def caveat(self) -> str: ...


class MeasurementInfo(NamedTuple):
    """A measurement: the part of a report that holds it, and its texts."""

    part: str
    title: str
    question: str
    documentation: str
    """What it measures, by which formula and from which source, in paragraphs of Markdown."""
    caveat: str

    @property
    def paragraphs(self) -> list[str]:
        return inspect.cleandoc(self.documentation).split("\n\n")


def measurement_infos(charts: Mapping[str, HasTexts]) -> dict[str, MeasurementInfo]:
    """Return the measurements of every run, and those on request with the texts of their charts, by their parts."""
    modules = discover("probes")
    found = {
        name: MeasurementInfo(name, probe.title, probe.question, inspect.getdoc(modules[name]) or "", probe.caveat)
        for name, probe in probes().items()
    }
    for name, one in on_demand_measurements().items():
        chart = charts[name]
        found[name] = MeasurementInfo(name, one.title, chart.question, one.documentation, chart.caveat)
    return found
