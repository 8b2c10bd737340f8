"""Compares an evidence sheet with the one that is recomputed from the stored outputs, figure by figure."""

from collections.abc import Iterable, Mapping, Sequence
from math import isclose
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel

from unlearn_core.data.atomic_files import sha256
from unlearn_core.export.evidence.fingerprints import CODE, IMAGES
from unlearn_core.export.evidence.sheet import PAGE, EvidenceSheet, Fingerprint, SheetFigure
from unlearn_core.export.evidence.sheet_html import render_sheet

State = Literal["agrees", "differs", "from the run", "not compared"]
"""Recomputed and equal; not equal; equal to what the run recorded, which cannot be recomputed; not possible here."""
ABSENT = "–"
_TOLERANCE = 1e-6
"""Relative: other versions of the libraries round differently."""


class Check(NamedTuple):
    """One thing that the sheet says, and what was recomputed."""

    id: str
    in_sheet: str
    recomputed: str
    state: State
    kind: Literal["figure", "text", "fingerprint"] = "fingerprint"


def check_sheet(sheet: EvidenceSheet, recomputed: EvidenceSheet, page: bytes) -> list[Check]:
    """Return one check for each figure, sentence and fingerprint, in the sheet's order; `page` is its HTML file."""
    prints = [_check_fingerprint(*pair) for pair in _paired(sheet.fingerprints, recomputed.fingerprints)]
    has_same_code = all(one.state == "agrees" for one in prints if one.id == CODE)
    return [
        *(_check_figure(*pair) for pair in _paired(sheet.figures, recomputed.figures)),
        *_check_texts(sheet, recomputed),
        *prints,
        _check_page(sheet, page, compare=has_same_code),
    ]


def _paired(ours: Sequence[Any], theirs: Sequence[Any]) -> Iterable[tuple[Any, Any]]:
    """Pair what has the same id; what one of the sides lacks, or has twice, is paired with None."""
    left = {one.id: one for one in theirs}
    for one in ours:
        yield one, left.pop(one.id, None)
    for one in left.values():
        yield None, one


def _check_figure(ours: SheetFigure | None, theirs: SheetFigure | None) -> Check:
    known = ours or theirs
    assert known is not None
    if ours is None or theirs is None or not _is_same(ours, theirs):
        return Check(known.id, _figure_text(ours, exact=True), _figure_text(theirs, exact=True), "differs", "figure")
    state: State = "agrees" if theirs.source == "outputs" else "from the run"
    return Check(known.id, _figure_text(ours), _figure_text(theirs), state, "figure")


def _is_same(ours: BaseModel, theirs: BaseModel) -> bool:
    mine, other = ours.model_dump(), theirs.model_dump()
    return all(
        isclose(value, other[name], rel_tol=_TOLERANCE, abs_tol=1e-12)
        if isinstance(value, float) and isinstance(other[name], float)
        else value == other[name]
        for name, value in mine.items()
    )


def _figure_text(figure: SheetFigure | None, *, exact: bool = False) -> str:
    """Return value, interval, p-values and finding on one line, and everything else as well if `exact`."""
    if figure is None:
        return ABSENT
    digits = ".10g" if exact else ".4g"
    text = ABSENT if figure.value is None else f"{figure.value:{digits}}"
    if figure.low is not None and figure.high is not None:
        text += f" ({figure.low:{digits}} to {figure.high:{digits}})"
    more = {"p": figure.p, "p of the margin": figure.p_margin} if exact else {"p": figure.p}
    text += "".join(f", {name} {value:{digits}}" for name, value in more.items() if value is not None)
    text += f", {figure.finding}" if figure.finding else ""
    if exact:
        margin = "" if figure.margin is None else f"margin {figure.margin:{digits}}"
        level = "" if figure.level is None else f"level {figure.level:{digits}}"
        of = (figure.evidence, figure.what, figure.set, figure.model, figure.unit, figure.source, margin, level)
        text += f"; {', '.join(filter(None, of))}; {figure.images} images"
    return text


def _check_texts(sheet: EvidenceSheet, recomputed: EvidenceSheet) -> Iterable[Check]:
    ours, theirs = _texts(sheet), _texts(recomputed)
    for name in {**ours, **theirs}:
        one, other = ours.get(name, ABSENT), theirs.get(name, ABSENT)
        yield Check(name, one, other, "agrees" if one == other else "differs", "text")


def _texts(sheet: EvidenceSheet) -> dict[str, str]:
    """Return every sentence of a sheet by what it is about."""
    listed: Mapping[str, Iterable[str]] = {
        "warning": sheet.warnings,
        "not tested": (f"{one.what}: {one.reason}" for one in sheet.untested),
        "limit": sheet.limits,
        "claim": (f"{one.evidence}, {one.direction}: {one.words}" for one in sheet.claims),
        "verdict": (f"{one.about}, {one.title}: {one.words}" for one in sheet.verdicts),
    }
    numbered = {f"{kind}/{place}": text for kind, own in listed.items() for place, text in enumerate(own, 1)}
    return {f"request/{name}": str(value) for name, value in sheet.request.model_dump().items()} | numbered


def _check_fingerprint(ours: Fingerprint | None, theirs: Fingerprint | None) -> Check:
    known = ours or theirs
    assert known is not None
    one, other = (ABSENT if own is None else own.sha256 or own.note for own in (ours, theirs))
    if ours is None or theirs is None or ours.what != theirs.what:
        return Check(known.id, one, other, "differs")
    if ours.sha256 != theirs.sha256:
        elsewhere = known.id == CODE or (known.id in IMAGES and None in (ours.sha256, theirs.sha256))
        return Check(known.id, one, other, "not compared" if elsewhere else "differs")
    if ours.sha256 is None:
        return Check(known.id, one, other, "not compared")
    return Check(known.id, one, other, "from the run" if known.id.startswith("weights/") else "agrees")


def _check_page(sheet: EvidenceSheet, page: bytes, *, compare: bool) -> Check:
    """Check the page by its fingerprint, and by what it shows where the code that made it is here."""
    known, found = sheet.files.get(PAGE, ABSENT), sha256(page)
    if known != found:
        return Check(f"file/{PAGE}", known, found, "differs")
    if compare and render_sheet(sheet.model_copy(update={"files": {}})).encode() != page:
        return Check(f"file/{PAGE}", "shows what sheet.json says", "shows something else", "differs")
    return Check(f"file/{PAGE}", known, found, "agrees")
