"""Who acts: a visitor of the pages, by a random id, somebody who signed in, or the operator of the data folder."""

from typing import NamedTuple

LOCAL = "local"
"""The owner of what the command line and former releases made."""


class Actor(NamedTuple):
    """Whoever reads or changes something. `id` is the owner of what they submit.

    The operator may do everything; so may administrators who signed in, who own what they make under their own id.
    """

    id: str
    is_operator: bool = False

    @property
    def is_local(self) -> bool:
        """Whether they own what the command line makes."""
        return self.id == LOCAL


OPERATOR = Actor(LOCAL, is_operator=True)
"""The operator: the command line, workers, and the browsers that were let in as the operator.

Whoever can use the command line can change the files of the data folder anyway, so it is allowed everything.
"""


def actor_of(owner: str) -> Actor:
    """Return who acts under this id."""
    return OPERATOR if owner == OPERATOR.id else Actor(owner)
