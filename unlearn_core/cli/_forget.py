"""The options that describe a forget request, and how they become a ForgetRequest."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.forget_request import FORGET_SET_KINDS, MAX_IMAGES, ForgetRequest, ForgetSetKind

if TYPE_CHECKING:
    from unlearn_core.data.image_files import FileMatch
    from unlearn_core.domain.cards import DatasetCard

MAX_LISTED = 10
"""The most file names that an error lists of each kind."""


def add_request_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --classifier, and one of --forget-classes, --forget-images and --forget-files."""
    parser.add_argument("--classifier", required=True, metavar="ID", help="the classifier; `classifiers` lists them")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--forget-classes",
        action="append",
        metavar="cat,dog",
        help="forget whole classes, by name, or by number as in '#3'; repeatable",
    )
    what.add_argument(
        "--forget-images",
        metavar="17,42",
        help="forget training images, by index; 100-120 is a range; easy:16, memorised:16 and entangled:16 are sets of "
        "16 by how hard they are to forget",
    )
    what.add_argument(
        "--forget-files", type=Path, metavar="LIST", help="forget the images of these files: a text, a name on a line"
    )
    parser.add_argument(
        "--skip-missing",
        action="store_true",
        help="go on without the files of --forget-files that are no training images of the data set",
    )


def forget_classes(args: argparse.Namespace) -> list[int]:
    """Return the numbers of the classes given. Raises NotFoundError or InvalidRequestError."""
    if not args.forget_classes:
        return []
    from unlearn_core.data.class_lists import parse_classes

    classes = _dataset(args).classes
    return sorted({number for text in args.forget_classes for number in parse_classes(text, classes)})


def forget_images(args: argparse.Namespace) -> tuple[int, ...]:
    """Return the image indices given. Raises InvalidRequestError, or NotFoundError for an unknown classifier."""
    if args.forget_files is not None:
        return _images_of_files(args)
    if not args.forget_images:
        return ()
    kind, _, count = args.forget_images.strip().partition(":")
    if kind in FORGET_SET_KINDS:
        return _images_by_difficulty(args, kind, count)
    from unlearn_core.store.image_lists import parse_ranges

    return parse_ranges(args.forget_images, upper_bound=min(_dataset(args).train, MAX_IMAGES))


def forget_request(args: argparse.Namespace) -> ForgetRequest:
    """Return the forget request. Raises InvalidRequestError or NotFoundError."""
    from unlearn_core.engine.build_spec import forget_request

    return forget_request(args.classifier, classes=forget_classes(args), images=forget_images(args))


def _dataset(args: argparse.Namespace) -> "DatasetCard":
    from unlearn_core.data import datasets
    from unlearn_core.models import classifiers

    return datasets.card(classifiers.card(args.classifier).dataset)


def _images_by_difficulty(args: argparse.Namespace, kind: ForgetSetKind, count: str) -> tuple[int, ...]:
    """Choose so many images by their difficulty. Raises InvalidRequestError, NotFoundError or NotSupportedError."""
    from unlearn_core.domain.tracker import NullTracker
    from unlearn_core.engine.jobs.difficulty import forget_set
    from unlearn_core.engine.model_cache import ModelCache
    from unlearn_core.store.data_folder import open_data_dir

    if not count.isascii() or not count.isdigit():
        raise InvalidRequestError(f"--forget-images {args.forget_images} needs a number of images: {kind}:16.")
    model_cache = ModelCache("cpu", open_data_dir())
    return forget_set(args.classifier, kind, int(count[:9]), model_cache, NullTracker())


def _images_of_files(args: argparse.Namespace) -> tuple[int, ...]:
    """Find the images of a list of files, and say on stderr how they were found.

    Raises InvalidRequestError if some are no training images, unless --skip-missing is given.
    """
    from unlearn_core.data.image_files import find_files, read_list

    found = find_files(read_list(args.forget_files.expanduser()), _dataset(args))
    count = len(found.by_path) + len(found.by_end)
    lost = _lost(found)
    if lost and not (args.skip_missing and count):
        advice = f", or add --skip-missing to go on with the {count:,} that were found" if count else ""
        raise InvalidRequestError(f"{' '.join(lost)} Nothing was run: correct the list{advice}.")
    how = f"{len(found.by_path):,} by their path, {len(found.by_end):,} by the end of it"
    print(f"{count:,} file names lead to {len(found.images):,} training images: {how}.", file=sys.stderr)
    for name, image in list(found.by_end.items())[:MAX_LISTED]:
        print(f"  {name!r} is training image {image}", file=sys.stderr)
    if lost:
        print(" ".join(lost), "They are skipped.", file=sys.stderr)
    return found.images


def _lost(found: "FileMatch") -> list[str]:
    """What was not found, a sentence for each reason."""
    reasons = {
        "not in the data set": found.missing,
        "not of training images but of validation or test images, so no model was trained on them": found.held_out,
        "of several files, so more of the path is needed": found.several,
    }
    return [_sentence(names, reason) for reason, names in reasons.items() if names]


def _sentence(names: list[str], reason: str) -> str:
    listed = ", ".join(repr(name[:80]) for name in names[:MAX_LISTED])
    more = f" and {len(names) - MAX_LISTED:,} more" if len(names) > MAX_LISTED else ""
    return f"{len(names):,} of the file names {'is' if len(names) == 1 else 'are'} {reason}: {listed}{more}."
