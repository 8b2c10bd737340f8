"""Who may sign in, by what the identity provider says of a person: the rules behind UNLEARN_SIGN_IN_ALLOWED.

The claims are those of an OpenID Connect ID token whose signature was checked:
https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from unlearn_core.settings import settings
from unlearn_core.store.access.actor import Actor

EVERYBODY, GROUP = "*", "group:"
PREFIX = "oidc-"
"""How the owner of what somebody made who signed in begins; no id of a visitor without an account has a hyphen."""


def owner_of_claims(claims: Mapping[str, Any]) -> str | None:
    """Return the owner of what this person makes: a hash of issuer and subject; None if a claim is missing.

    The subject alone is only unique for its issuer, and an address may pass on to somebody else.
    """
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not (isinstance(issuer, str) and isinstance(subject, str) and issuer and subject):
        return None
    return PREFIX + hashlib.sha256(json.dumps([issuer, subject]).encode()).hexdigest()[:32]


def actor_of_claims(claims: Mapping[str, Any]) -> Actor | None:
    """Return who acts after this person signed in; None if they are not on the lists."""
    owner = owner_of_claims(claims)
    is_admin = _is_listed(claims, settings().sign_in_admins)
    if owner is None or not (is_admin or _is_listed(claims, settings().sign_in_allowed)):
        return None
    return Actor(owner, is_operator=is_admin)


def address(claims: Mapping[str, Any]) -> str:
    """Return the e-mail address of a person, to show it, whether it is verified or not; "" if there is none."""
    given = claims.get("email")
    return given if isinstance(given, str) else ""


def full_name(claims: Mapping[str, Any]) -> str:
    """Return what a person is called: their name, else their address, else ""."""
    given = claims.get("name")
    return given if isinstance(given, str) and given.strip() else address(claims)


def _is_listed(claims: Mapping[str, Any], entries: Iterable[str]) -> bool:
    counts, groups = _verified_address(claims), _groups(claims)
    return any(_is_meant(entry, counts, groups) for entry in entries)


def _is_meant(entry: str, counts: str, groups: frozenset[str]) -> bool:
    if entry == EVERYBODY:
        return True
    if entry.startswith(GROUP):
        return entry.removeprefix(GROUP).strip() in groups
    return bool(counts) and (counts.endswith(entry.lower()) if entry.startswith("@") else counts == entry.lower())


def _verified_address(claims: Mapping[str, Any]) -> str:
    """The address that counts, in small letters; "" if the provider has not verified that it is this person's.

    Only ASCII: other letters may look alike, and some have a letter of ASCII as their small one.
    """
    given, verified = address(claims), claims.get("email_verified")
    is_trusted = verified is True or (verified is None and settings().sign_in_addresses == "all")
    is_plain = given.isascii() and given.count("@") == 1 and not given.startswith("@")
    return given.lower() if is_trusted and is_plain else ""


def _groups(claims: Mapping[str, Any]) -> frozenset[str]:
    found = claims.get(settings().sign_in_groups)
    if isinstance(found, str):
        return frozenset([found])
    listed = cast("list[object]", found) if isinstance(found, list) else []
    return frozenset(one for one in listed if isinstance(one, str))
