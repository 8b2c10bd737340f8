"""Measurements: each file defines a PROBE that writes the report part with its id."""

from unlearn_core.domain.results.measurement import Probe
from unlearn_core.plugins import cards


def probes() -> dict[str, Probe]:
    """Return every measurement by its id."""
    return {probe.id: probe for probe in cards("probes", "PROBE")}
