"""The shelf of measurements: each file has a PROBE, and writes the part of the report that bears its id."""

from unlearn_core.domain.measurement import Probe
from unlearn_core.plugins import modules


def probes() -> dict[str, Probe]:
    """Every probe by its id; a module without one (the scene) is none."""
    found = [module.PROBE for module in modules("probes").values() if hasattr(module, "PROBE")]
    return {probe.id: probe for probe in found}
