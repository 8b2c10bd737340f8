"""Copies within a data set: which images are the same, or nearly the same, in whichever split they are."""

from unlearn_core.data.duplicates.groups import NO_GROUP, Duplicates
from unlearn_core.data.duplicates.search import find_duplicates

__all__ = ["NO_GROUP", "Duplicates", "find_duplicates"]
