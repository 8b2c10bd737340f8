"""Why a checkpoint does not fit, in a sentence that says what to do next."""

from unlearn_core.domain.cards import DatasetCard
from unlearn_core.models.matching.find import Found
from unlearn_core.models.matching.match import StateDictMatch
from unlearn_core.models.matching.target import Target, is_weight


def misfit_reason(found: Found, dataset: DatasetCard, *, requested: bool) -> str:
    """Return why nothing fits; `requested` says whether an architecture was chosen. "" if a candidate fits."""
    if found.candidates:
        return ""
    nearest, other = found.nearest, found.other
    if other is not None:
        larger = f"The file is a larger model than {nearest.target.title}. " if nearest.complete else ""
        return (
            f"{larger}Its tensors are those of {other.target.title}, not of {nearest.target.title}. Choose that, or "
            f"let the architecture be found from the file.{_classes(other, dataset)}"
        )
    if nearest.complete and nearest.is_larger:
        return (
            f"The file is a larger model than {nearest.target.title}: it has all tensors of that, but "
            f"{len(nearest.leftover):,} others found no place, such as {nearest.leftover[0][:80]!r}. "
            f"{_what_next(requested)}"
        )
    if nearest.complete:
        return _classes(nearest, dataset).strip()
    if not nearest.sources and not requested:
        return f"No built-in architecture has tensors of these names and shapes. {_what_next(requested)}"
    counts = (
        f"{len(nearest.missing):,} of its {_size(nearest.target):,} tensors are missing in the file, "
        f"{len(nearest.shape_mismatches):,} have another shape, and {len(nearest.leftover):,} tensors of the file have "
        "no place in it."
    )
    where = (
        f"These are not the tensors of {nearest.target.title}:"
        if requested
        else f"No built-in architecture has these tensors. The nearest is {nearest.target.title}:"
    )
    return f"{where} {counts} {_what_next(requested)}"


def _classes(match: StateDictMatch, dataset: DatasetCard) -> str:
    if match.target.classes == len(dataset.classes):
        return ""
    return (
        f" The checkpoint has {match.target.classes:,} classes, but {dataset.title} has {len(dataset.classes):,}. "
        "Choose the data set that it was trained on."
    )


def _what_next(requested: bool) -> str:
    if requested:
        return "Choose the architecture that it was saved from."
    return "If it is a model of torchvision or timm, choose that by its name."


def _size(target: Target) -> int:
    return sum(is_weight(name) for name in target.shapes)
