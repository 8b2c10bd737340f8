"""The evidence sheet as one self-contained HTML page that prints on two sheets of paper at most."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from unlearn_core.charts.drawing.wording import capitalize, number, percent
from unlearn_core.charts.text.card import difference, share
from unlearn_core.charts.text.run_comparison import RELATION_WORDS
from unlearn_core.domain.split import SET_LABELS, set_label
from unlearn_core.domain.verdicts.rule import FEWEST_IMAGES
from unlearn_core.export.evidence.sheet import EvidenceSheet, SheetFigure, Unit

_FOLDER = Path(__file__).parents[1] / "template"
_DIGITS: Mapping[Unit, int] = {"AUC": 3, "bits": 3, "nats": 2, "ratio": 2, "steps": 0, "images": 0}
_COLUMNS: tuple[Mapping[str, str], ...] = (
    {"before": ""},
    {"after": ""},
    {"gold": "", "golds": "mean of all: ", "twin": "another: "},
)
"""The models of each column, and the words before a value."""
_BY_CLASS = "accuracy by class"
_MOST_CLASSES, _LONGEST_COMMAND = 8, 400
"""More classes, and a longer command, are only in sheet.json."""


Lines = dict[tuple[str, str], dict[str, SheetFigure]]
"""The figures of one kind of evidence: by quantity and set, then by model."""


class SheetRow(NamedTuple):
    """One line of the table: a quantity of the three models on a set, and what the verdict finds."""

    label: str
    cells: tuple[tuple[str, ...], ...]
    """One for each column, with a value for each of its models."""
    finding: str


class SheetGroup(NamedTuple):
    """One kind of evidence: its lines, and what it says of the forget set."""

    title: str
    words: str
    is_recomputed: bool
    rows: tuple[SheetRow, ...]


def render_sheet(sheet: EvidenceSheet) -> str:
    """Return the page of a sheet; equal sheets give equal pages."""
    command = sheet.request.command
    return (
        _environment()
        .get_template("sheet.html")
        .render(
            sheet=sheet,
            groups=_groups(sheet),
            classes=_classes(sheet),
            command=command if len(command) <= _LONGEST_COMMAND else "",
            style=Markup((_FOLDER / "sheet.css").read_text()),
        )
    )


def _groups(sheet: EvidenceSheet) -> list[SheetGroup]:
    claims = {claim.evidence: claim.words for claim in sheet.claims}
    by_evidence: dict[str, Lines] = {}
    for one in sheet.figures:
        if one.unit != "difference" and one.model and not one.set.endswith("_val"):
            by_evidence.setdefault(one.evidence, {}).setdefault((one.what, one.set), {})[one.model] = one
    known = {one.id: one for one in sheet.figures}
    return [
        SheetGroup(
            title=_group_title(evidence, lines),
            words=capitalize(claims.get(evidence, "")),
            is_recomputed=all(one.source == "outputs" for models in lines.values() for one in models.values()),
            rows=tuple(
                _row(_row_label(evidence, lines, where), where, models, known) for where, models in lines.items()
            ),
        )
        for evidence, lines in by_evidence.items()
    ]


def _group_title(evidence: str, lines: Lines) -> str:
    shared = _shared_set(lines)
    return f"{capitalize(evidence)}, {shared}" if shared else capitalize(evidence)


def _row_label(evidence: str, lines: Lines, where: tuple[str, str]) -> str:
    """Return the quantity and the set, each where the title of the group does not name it."""
    what, _ = where
    parts = [what if what != evidence else "", "" if _shared_set(lines) else _set_label(lines, where)]
    return capitalize(", ".join(filter(None, parts)) or what)


def _shared_set(lines: Lines) -> str:
    """Return the set of all lines of a group; "" if there are several."""
    labels = {_set_label(lines, where) for where in lines}
    return labels.pop() if len(labels) == 1 and len(lines) > 1 else ""


def _set_label(lines: Lines, where: tuple[str, str]) -> str:
    _, name = where
    images = next(iter(lines[where].values())).images
    label = set_label(name) if name in SET_LABELS else ""
    return f"{label} ({images:,})" if label and images else label


def _row(
    label: str, where: tuple[str, str], models: Mapping[str, SheetFigure], known: Mapping[str, SheetFigure]
) -> SheetRow:
    what, name = where
    pairs = ("after-gold", "after", "after-before") if what == "accuracy" else ()
    judged = next((known[key] for pair in pairs if (key := f"difference/{name}/{pair}") in known), None)
    return SheetRow(
        label=label,
        cells=tuple(_cells(models, wanted) for wanted in _COLUMNS),
        finding="" if judged is None else f"{capitalize(judged.finding)}: {_difference(judged)}{_p_value(judged.p)}",
    )


def _cells(models: Mapping[str, SheetFigure], wanted: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of models, each with the words before it."""
    return tuple(f"{words}{_cell(models[model])}" for model, words in wanted.items() if model in models) or ("–",)


def _cell(figure: SheetFigure) -> str:
    """Return a value with its interval."""
    if figure.unit == "steps" and figure.value is None:
        return figure.finding
    if figure.value is None:
        return "–"
    if figure.unit == "share" and figure.images is not None and figure.images < FEWEST_IMAGES:
        return f"{share(figure.value, figure.images)} of {figure.images}"
    text = _number(figure.value, figure.unit)
    if figure.low is None or figure.high is None:
        return text
    return f"{text} ({_number(figure.low, figure.unit).removesuffix(' %')}–{_number(figure.high, figure.unit)})"


def _number(value: float, unit: Unit) -> str:
    return percent(value).replace("\N{NO-BREAK SPACE}", " ") if unit == "share" else number(value, _DIGITS[unit])


def _difference(figure: SheetFigure) -> str:
    """Return the difference that decides, and to what if that is not the retrained model."""
    assert figure.value is not None and figure.low is not None and figure.high is not None
    text = difference(figure.value, figure.low, figure.high, images=figure.images or 0)
    return (
        text if figure.model == "after-gold" else f"{text} to {'none' if figure.model == 'after' else 'the original'}"
    )


def _p_value(value: float | None) -> str:
    if value is None:
        return ""
    return ", p < 0.001" if value < 0.001 else f", p = {value:.2g}"


def _classes(sheet: EvidenceSheet) -> str:
    """Say which retained classes are shown to differ."""
    found = [one for one in sheet.figures if one.evidence == _BY_CLASS]
    if not found:
        return ""
    usual = (RELATION_WORDS["equal"], RELATION_WORDS["unclear"])
    shown = [f"{one.what} {_difference(one)}, {one.finding}" for one in found if one.finding not in usual]
    more = f"; {len(shown) - _MOST_CLASSES} more in sheet.json" if len(shown) > _MOST_CLASSES else ""
    return f"{len(found):,} classes compared: {'; '.join(shown[:_MOST_CLASSES]) or 'none is shown to differ'}{more}."


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
