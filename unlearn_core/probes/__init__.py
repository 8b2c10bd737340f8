"""Measurements: each file has a PROBE that writes the part of the report with its id."""

from unlearn_core.domain.measurement import Probe
from unlearn_core.plugins import cards


def probes() -> dict[str, Probe]:
    """Every measurement by its id."""
    return {probe.id: probe for probe in cards("probes", "PROBE")}
