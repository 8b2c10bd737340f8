"""Who may sign in: the lists, the addresses that count, groups, and the owner that a person becomes."""

import re
from typing import Any

import pytest

from unlearn_core.domain.errors import InvalidSettingError
from unlearn_core.settings import is_sign_in_required, settings
from unlearn_core.store.access import people
from unlearn_core.store.access.actor import OPERATOR, actor_of
from unlearn_core.store.access.identity_key import IdentityKey, new_owner
from unlearn_core.store.access.labels import usual_name

ANN = {"iss": "https://id.uni.example", "sub": "ann-1", "email": "ann@uni.example", "email_verified": True}


def allowed(monkeypatch: pytest.MonkeyPatch, entries: str, /, admins: str = "", **claims: Any) -> bool | None:
    """Whether Ann with these claims is an administrator; None if she may not come in."""
    monkeypatch.setenv("UNLEARN_SIGN_IN_ALLOWED", entries)
    monkeypatch.setenv("UNLEARN_SIGN_IN_ADMINS", admins)
    actor = people.actor_of_claims({name: value for name, value in (ANN | claims).items() if value is not None})
    return None if actor is None else actor.is_operator


@pytest.mark.parametrize(
    ("entries", "claims"),
    [
        ("ann@uni.example", {}),
        ("Ann@Uni.Example", {"email": "ANN@uni.example"}),
        (" ben@uni.example , ann@uni.example,", {}),
        ("@uni.example", {}),
        ("group:ml", {"groups": ["staff", "ml"], "email": None}),
        ("group:ml", {"groups": "ml"}),
        ("*", {"email": None}),
    ],
)
def test_who_is_on_the_list_may(monkeypatch: pytest.MonkeyPatch, entries: str, claims: dict[str, Any]) -> None:
    assert allowed(monkeypatch, entries, **claims) is False


@pytest.mark.parametrize(
    ("entries", "claims"),
    [
        ("", {}),
        ("ben@uni.example", {}),
        ("@uni.example", {"email": "ann@mail.uni.example"}),
        ("@uni.example", {"email": "ann@evil-uni.example"}),
        ("@uni.example", {"email": "ann@uni.example.evil.example"}),
        ("@uni.example", {"email": "ann@evil.example@uni.example"}),
        ("@uni.example", {"email": "@uni.example"}),
        ("@uni.example", {"email": "uni.example"}),
        ("@uni.example", {"email": ["ann@uni.example"]}),
        ("@uni.example", {"email": None}),
        ("ank@uni.example", {"email": "an\u212a@uni.example"}),  # The Kelvin sign has a small k.
        ("@uni.example", {"email_verified": False}),
        ("@uni.example", {"email_verified": None}),
        ("@uni.example", {"email_verified": "true"}),
        ("*", {"sub": None}),
        ("*", {"iss": None}),
        ("*", {"sub": ""}),
        ("*", {"sub": 7}),
        ("group:ml", {}),
        ("group:ml", {"groups": ["ML", "m", "mlx", 7, None]}),
        ("group:ml", {"groups": {"ml": True}}),
        ("group:ml", {"roles": ["ml"]}),
    ],
)
def test_who_is_not_may_not(monkeypatch: pytest.MonkeyPatch, entries: str, claims: dict[str, Any]) -> None:
    assert allowed(monkeypatch, entries, **claims) is None


def test_an_address_without_a_word_on_it_counts_where_the_operator_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_SIGN_IN_ADDRESSES", "all")
    assert allowed(monkeypatch, "@uni.example", email_verified=None) is False
    assert allowed(monkeypatch, "@uni.example", email_verified=False) is None


def test_the_claim_with_the_groups_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_SIGN_IN_GROUPS", "roles")
    assert allowed(monkeypatch, "group:ml", roles=["ml"]) is False


def test_an_administrator_needs_no_other_list(monkeypatch: pytest.MonkeyPatch) -> None:
    assert allowed(monkeypatch, "", "ann@uni.example") is True
    assert allowed(monkeypatch, "@uni.example", "group:ml") is False
    assert allowed(monkeypatch, "@uni.example", "group:ml", groups=["ml"]) is True
    actor = people.actor_of_claims(ANN | {"groups": ["ml"]})
    assert actor is not None and actor.id == people.owner_of_claims(ANN), "and owns what they make"
    assert OPERATOR.is_local and not actor.is_local, "but not what the command line makes"


@pytest.mark.parametrize("entry", ["uni.example", "ann@", "ann@@uni.example", "group:", "a b@uni.example", "@", "**"])
@pytest.mark.parametrize("name", ["ALLOWED", "ADMINS"])
def test_a_bad_entry_is_a_sentence(monkeypatch: pytest.MonkeyPatch, name: str, entry: str) -> None:
    monkeypatch.setenv(f"UNLEARN_SIGN_IN_{name}", f"ben@uni.example,{entry}")
    wanted = f"UNLEARN_SIGN_IN_{name} is {entry!r}: set it to addresses (anna@uni.example), domains (@uni.example)"
    with pytest.raises(InvalidSettingError, match=re.escape(wanted)):
        settings()


@pytest.mark.parametrize(
    ("value", "required"),
    [("required", True), ("off", False), ("", False), (" ", False), ("yes", True), ("REQUIRED", True)],
)
def test_in_doubt_people_must_sign_in(monkeypatch: pytest.MonkeyPatch, value: str, required: bool) -> None:
    monkeypatch.setenv("UNLEARN_SIGN_IN", value)
    monkeypatch.setenv("UNLEARN_MOST_PIXELS", "many")  # Another setting that cannot be read.
    assert is_sign_in_required() is required


SUBJECTS = [
    ("https://a.example", "1"),
    ("https://b.example", "1"),
    ("https://a.example", "local"),
    ("https://a.example", "a" * 20),
    ("https://a.example,1", "2"),
    ("https://a.example", "1,2"),
    ("local", "local"),
    ("x", "é\u202e\n\0 "),
    ("x", "s" * 255),
]


def test_an_owner_is_of_one_issuer_and_never_a_visitor_or_the_operator(home: Any) -> None:
    owners = [people.owner_of_claims({"iss": issuer, "sub": subject}) for issuer, subject in SUBJECTS]
    assert len(set(owners)) == len(SUBJECTS)
    key = IdentityKey(home, b"x" * 32)
    for owner in owners:
        assert owner is not None and re.fullmatch(r"oidc-[0-9a-f]{32}", owner), "as long as the database allows"
        assert owner not in (OPERATOR.id, new_owner()) and not actor_of(owner).is_operator
        assert key.owner(key.sign(owner)) is None, "no cookie of a visitor makes anybody that person"


def test_people_without_a_name_are_told_apart() -> None:
    owner = people.owner_of_claims(ANN)
    assert owner is not None and usual_name(owner) == f"Visitor {owner[5:9].upper()}"
    assert people.full_name(ANN) == "ann@uni.example" and people.full_name(ANN | {"name": "Ann"}) == "Ann"
    assert people.full_name({"name": ["x"]}) == ""
