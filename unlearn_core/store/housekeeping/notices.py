"""What retention will delete, in sentences: of whoever acts, or for the operator of everybody."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from unlearn_core.settings import settings
from unlearn_core.store.housekeeping import retention
from unlearn_core.store.housekeeping.retention import Planned
from unlearn_core.store.queue.run_store import RunStore


def own_notices(store: RunStore) -> list[str]:
    """Return what will be deleted of whoever acts, as sentences for them."""
    me = store.access.actor.id
    return _sentences((one for one in planned(store) if one.owner == me), of=" of yours", end=" Pin what you need.")


def all_notices(store: RunStore) -> list[str]:
    """Return what will be deleted of everybody, as sentences for the operator."""
    return _sentences(planned(store), of="", end="")


def planned(store: RunStore) -> list[Planned]:
    """Return what was announced, without what was pinned since then, the first to be deleted first."""
    found = retention.announced(store.data_dir)
    if not found:
        return []
    pinned = store.belongings.all_pinned()
    return [one for one in found if one.run not in pinned]


def rules() -> str:
    """Return what the settings say is kept, as a sentence; "" if retention is off."""
    limits = settings()
    parts = [
        f"runs of the last {limits.keep_days} days" if limits.keep_days else "",
        f"the newest {limits.keep_runs:,} of each visitor" if limits.keep_runs else "",
        f"together {limits.keep_gb:,} GB" if limits.keep_gb else "",
    ]
    told = ", ".join(filter(None, parts))
    return f"This server keeps {told}, and what is pinned." if told else ""


def day(moment: float) -> str:
    """Return the day of a moment (UTC): "3 December 2026"."""
    return f"{datetime.fromtimestamp(moment, UTC):%-d %B %Y}"


def _sentences(found: Iterable[Planned], *, of: str, end: str) -> list[str]:
    """One sentence for each reason, with the first day."""
    groups: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], float] = {}
    for one in found:
        group = (one.what, one.why)
        groups[group] += 1
        first[group] = min(first.get(group, one.due), one.due)
    return [
        f"{_subject(what, number, of)} will be deleted from {day(first[what, why])} on: {why}.{end}"
        for (what, why), number in groups.items()
    ]


def _subject(what: str, number: int, of: str) -> str:
    runs = f"{number:,} {'run' if number == 1 else 'runs'}{of}"
    return runs if what == "run" else f"The weights of {runs}, not the reports,"
