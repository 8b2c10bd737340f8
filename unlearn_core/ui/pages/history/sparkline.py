"""Sparklines for table cells: accuracy before, after and retrained on one line from 0 to 100 %."""

import base64
from collections.abc import Sequence

from unlearn_core.charts.drawing.theme import Theme

WIDTH, HEIGHT, EDGE = 92, 36, 8


def dumbbell(shares: Sequence[float | None], theme: Theme) -> str | None:
    """Return a hollow circle, filled circle and diamond at three shares (0 to 1) as a data URL; None without after."""
    before, after, gold = shares
    if after is None:
        return None
    y = HEIGHT / 2
    parts = [_line(EDGE, WIDTH - EDGE, y, theme.border, 1)]
    if before is not None:
        parts.append(_line(_x(before), _x(after), y, theme.after, 3, opacity=0.4))
        parts.append(
            f'<circle cx="{_x(before):.1f}" cy="{y}" r="4.5" fill="{theme.page}" stroke="{theme.before}" '
            'stroke-width="2"/>'
        )
    parts.append(f'<circle cx="{_x(after):.1f}" cy="{y}" r="5" fill="{theme.after}"/>')
    if gold is not None:
        x, top = _x(gold), y - 7.5
        corners = f"{x:.1f},{top - 4.5} {x + 4.5:.1f},{top} {x:.1f},{top + 4.5} {x - 4.5:.1f},{top}"
        parts.append(f'<polygon points="{corners}" fill="{theme.gold}"/>')
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">{"".join(parts)}</svg>'
    return data_uri(drawing.encode(), "image/svg+xml")


def data_uri(data: bytes, kind: str) -> str:
    """Return a file as a data URL."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _x(share: float) -> float:
    return EDGE + share * (WIDTH - 2 * EDGE)


def _line(start: float, end: float, y: float, color: str, width: float, *, opacity: float = 1) -> str:
    return (
        f'<line x1="{start:.1f}" y1="{y}" x2="{end:.1f}" y2="{y}" stroke="{color}" stroke-width="{width}" '
        f'stroke-opacity="{opacity}"/>'
    )
