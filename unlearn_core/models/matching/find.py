"""Find the architecture of a checkpoint, and how its tensors match: by known spellings, or else by order and shape."""

from collections.abc import Iterator, Sequence
from math import prod
from typing import NamedTuple

from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.errors import NotSupportedError
from unlearn_core.models import architectures
from unlearn_core.models.matching.dense_channels import newest_first
from unlearn_core.models.matching.match import StateDictMatch, match_order, match_spelled
from unlearn_core.models.matching.spelling import (
    AS_THEY_ARE,
    SCHEMES,
    Spelling,
    respell,
    spellings,
    without_shared_prefix,
)
from unlearn_core.models.matching.target import Shape, Shapes, Target, build_target

MAX_CANDIDATES = 6
"""At most so many matches are returned, because the accuracy of each is measured."""
MAX_SIZE_RATIO, MAX_HEAD_WEIGHTS = 1.1, 100_000
"""An architecture that has more weights than the file by this factor and number is not even built."""
MAX_CLASS_COUNTS = 6
"""At most so many numbers of classes are tried beside the data set's."""


class Found(NamedTuple):
    """The matches that hold every weight of an architecture, the most reliable one first."""

    candidates: Sequence[StateDictMatch]
    """Those with the data set's number of classes; empty if nothing fits."""
    nearest: StateDictMatch
    """The first candidate, or else the match in which most tensors have a partner."""
    other: StateDictMatch | None = None
    """Where the requested architecture does not fit: a built-in one that does."""


def find_matches(file: Shapes, dataset: DatasetCard, *, architecture: str = "") -> Found:
    """Match a file's tensors with one architecture, or with all built-in ones.

    Raises NotFoundError, and NotSupportedError if no such architecture supports the data set's images.
    """
    named, classes = list(spellings(list(file))), len(dataset.classes)
    if not architecture:
        targets = _built_in(file, dataset)
        if not targets:
            raise NotSupportedError(
                f"No built-in architecture supports images of {dataset.size} pixels. Choose one by its name."
            )
        return _best(targets, file, named, classes)
    own = _best([build_target(architecture, classes, dataset.size)], file, named, classes)
    if own.candidates and not own.nearest.leftover:
        return own
    others = [target for target in _built_in(file, dataset) if target.architecture != architecture]
    other = _best(others, file, named, classes).nearest if others else own.nearest
    if _fits(other) and (not own.candidates or not other.leftover):
        return Found((), own.nearest, other)
    return own


def _best(targets: Sequence[Target], file: Shapes, named: Sequence[Spelling], classes: int) -> Found:
    """The best of all matches: those that leave the fewest tensors of the file over."""
    matches = [match for target in targets for match in _matches(target, file, named)]
    fitting = [match for match in matches if _fits(match)]
    fewest = min((len(match.leftover) for match in fitting), default=0)
    exact = [match for match in fitting if len(match.leftover) == fewest]
    right = [match for match in exact if match.target.classes == classes]
    return Found(right[:MAX_CANDIDATES], (right or exact or [max(matches, key=_agreement)])[0])


def _built_in(file: Shapes, dataset: DatasetCard) -> list[Target]:
    """The built-in architectures that support these images and are not far larger than the file."""
    size, found = sum(map(prod, file.values())), []
    for name, card in architectures.cards().items():
        if card.weights and card.weights > MAX_SIZE_RATIO * size + MAX_HEAD_WEIGHTS:
            continue
        try:
            found.append(build_target(name, len(dataset.classes), dataset.size))
        except NotSupportedError:  # It is made for images of another size.
            continue
    return found


def _matches(target: Target, file: Shapes, named: Sequence[Spelling]) -> list[StateDictMatch]:
    """The complete matches with one architecture, or else the nearest one."""
    short = without_shared_prefix(target.shapes)
    ours = {scheme: respell(short, scheme) for scheme in SCHEMES}
    nearest: list[StateDictMatch] = []
    for variant in _variants(target, file):
        by_name = [
            match_spelled(variant, file, spelling.tensors, own, spelling.title)
            for spelling in named
            if (own := ours[spelling.scheme]) is not None and not own.keys().isdisjoint(spelling.tensors)
        ]
        complete = [match for match in by_name if match.complete]
        if complete:
            return _with_channel_orders([min(complete, key=lambda match: len(match.leftover))])
        by_order = match_order(variant, file)
        if by_order:
            return _with_channel_orders(by_order)
        nearest += by_name
    nothing = match_spelled(target, file, {}, ours[AS_THEY_ARE] or {}, AS_THEY_ARE.title)
    return [max([*nearest, nothing], key=_agreement)]


def _with_channel_orders(matches: Sequence[StateDictMatch]) -> list[StateDictMatch]:
    """The matches, and those with the other order of a DenseNet's or a padded ResNet's channels.

    No name or shape tells which one it is, but accuracy does.
    """
    return [
        *matches,
        *(
            match._replace(channels=channels, how=f"{match.how}, newest channels first")
            for match in matches
            if (channels := newest_first(match.target.shapes))
        ),
        *(
            match._replace(zeros_last=True, how=f"{match.how}, zeros of shortcuts last")
            for match in matches
            if match.target.padded
        ),
    ]


def _variants(target: Target, file: Shapes) -> Iterator[Target]:
    """The architecture itself, then with the numbers of classes and of channels that the file may have."""
    counts = [target.classes, *_class_counts(target, file)]
    one_channel = target.with_one_channel()
    first = target.first_convolution
    is_grey = (
        first is not None and one_channel.shapes[first] in file.values() and target.shapes[first] not in file.values()
    )
    for variant in (target, one_channel) if is_grey else (target,):
        for count in counts:
            yield variant.with_classes(count) if count != target.classes else variant


def _class_counts(target: Target, file: Shapes) -> list[int]:
    """The numbers of outputs of those tensors of the file that could be the head's weights."""
    heads: set[Shape] = {target.shapes[name][1:2] for name in target.head if len(target.shapes[name]) > 1}
    found = dict.fromkeys(
        shape[0] for shape in file.values() if len(shape) > 1 and shape[1:2] in heads and set(shape[2:]) <= {1}
    )
    return [count for count in found if count != target.classes][:MAX_CLASS_COUNTS]


def _fits(match: StateDictMatch) -> bool:
    return match.complete and not match.is_larger


def _agreement(match: StateDictMatch) -> float:
    """The share of all tensors of both sides that have a partner, 0 to 1."""
    alone = len(match.missing) + len(match.shape_mismatches) + len(match.leftover)
    return len(match.sources) / max(1, len(match.sources) + alone)
