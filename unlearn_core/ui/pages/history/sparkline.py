"""Sparklines for table cells: accuracy before, after and retrained on one line from 0 to 100 %."""

from collections.abc import Sequence
from urllib.parse import quote

from unlearn_core.charts.drawing.theme import Theme

WIDTH, HEIGHT, EDGE = 66, 36, 8
_MIDDLE = HEIGHT // 2


def dumbbell(shares: Sequence[float | None], theme: Theme) -> str | None:
    """Return a hollow circle, filled circle and diamond at three shares (0 to 1) as a data URL; None without after.

    A page of the table has hundreds of them, so each is short.
    """
    before, after, gold = shares
    if after is None:
        return None
    parts = [f"<path d='M{EDGE} {_MIDDLE}h{WIDTH - 2 * EDGE}' stroke='{theme.border}'/>"]
    if before is not None:
        parts.append(
            f"<path d='M{_x(before)} {_MIDDLE}H{_x(after)}' stroke='{theme.after}' stroke-width='3' opacity='.4'/>"
            f"<circle cx='{_x(before)}' cy='{_MIDDLE}' r='4.5' fill='{theme.page}' stroke='{theme.before}' "
            "stroke-width='2'/>"
        )
    parts.append(f"<circle cx='{_x(after)}' cy='{_MIDDLE}' r='5' fill='{theme.after}'/>")
    if gold is not None:
        parts.append(f"<path d='M{_x(gold)} 6l4.5 4.5-4.5 4.5-4.5-4.5z' fill='{theme.gold}'/>")
    drawing = f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{HEIGHT}'>{''.join(parts)}</svg>"
    return f"data:image/svg+xml,{drawing.translate(_ENCODED)}"


_ENCODED = str.maketrans({character: quote(character) for character in "<>#"})
"""The characters of a drawing that may not stand in a data URL as they are."""


def _x(share: float) -> str:
    return f"{EDGE + share * (WIDTH - 2 * EDGE):.1f}"
