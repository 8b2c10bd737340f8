"""The jobs other than unlearning, one file each: its card is JOB, a kind of job or a measurement on request."""

from unlearn_core.engine.job import Job, OnDemandMeasurement
from unlearn_core.plugins import cards, lookup


def jobs() -> dict[type, Job]:
    """Return all kinds of jobs by the type of their spec."""
    return {card.spec: card for card in cards("engine.jobs", "JOB") if isinstance(card, Job)}


def on_demand_measurements() -> dict[str, OnDemandMeasurement]:
    """Return all measurements that are made on request, by id."""
    return {card.id: card for card in cards("engine.jobs", "JOB") if isinstance(card, OnDemandMeasurement)}


def on_demand_measurement(name: str) -> OnDemandMeasurement:
    """Return one of them. Raises NotFoundError, which lists the known ids."""
    return lookup("measurement", on_demand_measurements(), name)
