"""The options that describe a forget request, and how they become a ForgetRequest."""

import argparse

from unlearn_core.domain.forget_request import MAX_IMAGES, ForgetRequest


def add_request_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --classifier, and one of --forget-classes and --forget-images."""
    parser.add_argument("--classifier", required=True, metavar="ID", help="the classifier; `classifiers` lists them")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--forget-classes", metavar="cat,dog", help="forget whole classes, by name")
    what.add_argument("--forget-images", metavar="17,42", help="forget training images, by index; 100-120 is a range")


def forget_classes(args: argparse.Namespace) -> list[str]:
    """Return the class names given."""
    return [name.strip() for name in (args.forget_classes or "").split(",") if name.strip()]


def forget_images(args: argparse.Namespace) -> tuple[int, ...]:
    """Return the image indices given. Raises InvalidRequestError, or NotFoundError for an unknown classifier."""
    if not args.forget_images:
        return ()
    from unlearn_core.data import datasets
    from unlearn_core.models import classifiers
    from unlearn_core.store.image_lists import parse_ranges

    card = datasets.card(classifiers.card(args.classifier).dataset)
    return parse_ranges(args.forget_images, upper_bound=min(card.train, MAX_IMAGES))


def forget_request(args: argparse.Namespace) -> ForgetRequest:
    """Return the forget request. Raises InvalidRequestError or NotFoundError."""
    from unlearn_core.engine.build_spec import forget_request

    return forget_request(args.classifier, classes=forget_classes(args), images=forget_images(args))
