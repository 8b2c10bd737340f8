"""The matrix of the two visitors once more, with sign-in on: the same actions, pages and addresses."""

from collections.abc import Callable

import pytest

from tests.pages.server.signed_in import claims_of, cookies_of
from tests.pages.shell.test_separation import (
    anns,
    test_a_button_is_there_for_its_owner_only,
    test_a_hand_made_request_changes_nothing,
    test_a_note_of_another_visitor_stays,
    test_a_private_report_opens_once_it_is_shared,
    test_no_address_shows_what_is_private,
)
from unlearn_core.store.access import people
from unlearn_core.ui.server import visitor

__all__ = [
    "anns",
    "test_a_button_is_there_for_its_owner_only",
    "test_a_hand_made_request_changes_nothing",
    "test_a_note_of_another_visitor_stays",
    "test_a_private_report_opens_once_it_is_shared",
    "test_no_address_shows_what_is_private",
]

pytestmark = pytest.mark.slow


@pytest.fixture
def come_as(home: object, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`come_as("a" * 20)` signs in whose subject is that; here it is the owner too, whom the matrix knows."""
    monkeypatch.setenv("UNLEARN_SIGN_IN", "required")
    monkeypatch.setenv("UNLEARN_SIGN_IN_ALLOWED", "*")
    monkeypatch.setenv("UNLEARN_SIGN_IN_ADMINS", "group:local")
    monkeypatch.setattr(people, "owner_of_claims", lambda claims: claims.get("sub"))

    def coming(owner: str) -> None:
        claims = claims_of(f"Visitor {owner[:4].upper()}", groups=[owner]) | {"sub": owner}
        monkeypatch.setattr(visitor, "_cookies", lambda: cookies_of(claims))
        monkeypatch.setattr(visitor, "_signed_in", lambda: claims)

    return coming
