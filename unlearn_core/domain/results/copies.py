"""How many images outside the forget set are copies of forget images."""

from collections.abc import Mapping

from unlearn_core.domain.results.result import Result


class CopiesResult(Result, part="copies"):
    """The images of the retain sets that are copies, exact or near, of images of the forget sets."""

    counts: Mapping[str, int]
    """By retain set."""
    forget_images: int
    """How many forget images have such a copy."""
