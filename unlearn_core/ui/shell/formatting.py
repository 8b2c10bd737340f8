"""Format durations, devices, shares and counts for people."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = 60, 3600, 86400


def format_duration(seconds: float) -> str:
    """A duration: "1.9 s", "14 s", "3 minutes", "2.5 hours"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 1.5 * MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 1.5 * HOUR:
        return f"{seconds / MINUTE:.0f} minutes"
    return f"{seconds / HOUR:.1f} hours"


def format_estimate(seconds: float) -> str:
    """An estimated duration: "about 5 s", "about 2 minutes"."""
    if seconds < 1.5 * MINUTE:
        return f"about {max(1, round(seconds))} s"
    return f"about {format_duration(seconds)}"


def format_age(moment: datetime, now: datetime | None = None) -> str:
    """How long ago a moment was: "8 s ago", "2 minutes ago"; after a day, its date."""
    seconds = max(0.0, ((now or datetime.now(UTC)) - with_utc(moment)).total_seconds())
    if seconds < 2:
        return "just now"
    if seconds < MINUTE:
        return f"{seconds:.0f} s ago"
    for unit, size, until in (("minute", MINUTE, HOUR), ("hour", HOUR, DAY)):
        if seconds < until:
            count = int(seconds // size)
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return f"on {with_utc(moment):%-d %B %Y}"


def format_moment(moment: datetime, timezone: str | None) -> str:
    """A moment in the visitor's time zone, such as "Europe/Berlin": "30 November 2026, 01:09"; None is UTC."""
    try:
        zone = ZoneInfo(timezone or "UTC")
    except (KeyError, ValueError, OSError):  # A browser's time zone is not trusted, and a system may not know it.
        zone = UTC
    return f"{with_utc(moment).astimezone(zone):%-d %B %Y, %H:%M}"


def with_utc(moment: datetime) -> datetime:
    """A moment from the store, which uses UTC, with its time zone set."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def device_name(name: str | None) -> str:
    """The name of a device for people: "CPU", "GPU 0"."""
    if name is None:
        return "no device yet"
    number = name.partition(":")[2]
    return f"{device_kind(name)} {number or '0'}" if device_kind(name) == "GPU" else device_kind(name)


def device_kind(name: str) -> str:
    """The kind of a device: "CPU" or "GPU"."""
    kind = name.partition(":")[0]
    return "GPU" if kind == "cuda" else kind.upper()


def format_share(value: float | None) -> str:
    """A fraction in per cent with one decimal: "86.2 %"; a dash for None."""
    return "–" if value is None else f"{100 * value:.1f} %"


def pluralize(number: int, thing: str) -> str:
    """A number with its noun: "1 run", "3 runs"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
