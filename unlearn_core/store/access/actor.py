"""Who acts: a visitor of the pages, by a random id, or the operator of the data folder."""

from typing import NamedTuple


class Actor(NamedTuple):
    """Whoever reads or changes something. `id` is the owner of what they submit; the operator may do everything."""

    id: str
    is_operator: bool = False


OPERATOR = Actor("local", is_operator=True)
"""The operator: the command line, workers, and the browsers that were let in as the operator.

Whoever can use the command line can change the files of the data folder anyway, so it is allowed everything.
"""


def actor_of(owner: str) -> Actor:
    """Return who acts under this id."""
    return OPERATOR if owner == OPERATOR.id else Actor(owner)
