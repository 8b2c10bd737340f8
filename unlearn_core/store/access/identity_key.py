"""The key of a data folder that signs who a browser is, so that nobody can pretend to be another visitor."""

import hashlib
import hmac
import logging
import os
import re
import secrets
import tempfile
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from unlearn_core.store.access.actor import OPERATOR

KEY_FILE, OPERATOR_FILE = "key", "operator"
KEY_BYTES = 32
TICKET_SECONDS = 60
"""Seconds in which a browser must use a ticket."""

_ID = re.compile(r"[0-9a-f]{20}|" + OPERATOR.id, re.ASCII)
_MOST_LETTERS = 200
_logger = logging.getLogger(__name__)


class IdentityKey:
    """Signs and checks the ids of visitors."""

    def __init__(self, folder: Path, secret: bytes) -> None:
        self._folder, self._secret = folder, secret
        self.cookie = f"unlearn-lab-{hashlib.sha256(b'name' + secret).hexdigest()[:8]}"
        """The name of the cookie: cookies are shared by all ports of a host, which may serve other data folders."""

    def sign(self, owner: str) -> str:
        """Return the value of the cookie of a visitor."""
        return f"{owner}.{self._signature('visitor', owner)}"

    def owner(self, value: object) -> str | None:
        """Return whose cookie this is; None if it was not made with this key."""
        if not isinstance(value, str):
            return None
        owner, _, signature = value[:_MOST_LETTERS].partition(".")
        if not _ID.fullmatch(owner) or not _is_equal(signature, self._signature("visitor", owner)):
            return None
        return owner

    def for_sign_in(self) -> "IdentityKey":
        """Return the key of browsers where people sign in: no cookie of the time before or after is valid there."""
        return IdentityKey(self._folder, hashlib.sha256(b"sign-in" + self._secret).digest())

    def seal(self, sign_in: str) -> str:
        """Return what shows that a sign-in was recorded by this server, as a whole."""
        return self._signature("sign-in", sign_in)

    def ticket(self, old: str, new: str) -> str:
        """Return a ticket with which the browser of one visitor becomes that of another, within a minute."""
        end = str(int(time.time()) + TICKET_SECONDS)
        return f"{new}.{end}.{self._signature('ticket', old, new, end)}"

    def accept_ticket(self, ticket: str, old: str) -> str | None:
        """Return who the browser of a visitor becomes by a ticket; None if it is not valid for that browser."""
        new, end, signature = [*ticket[:_MOST_LETTERS].split("."), "", "", ""][:3]
        if not _ID.fullmatch(new) or not _is_equal(signature, self._signature("ticket", old, new, end)):
            return None
        return new if time.time() <= int(end) else None

    def claim_operator(self) -> bool:
        """Return True to the first who asks in the life of a data folder."""
        try:
            (self._folder / OPERATOR_FILE).touch(0o600, exist_ok=False)
        except OSError:
            return False
        return True

    def _signature(self, *parts: str) -> str:
        return hmac.new(self._secret, "\0".join(parts).encode(), "sha256").hexdigest()[:40]


def new_owner() -> str:
    """Return a random id for a new visitor."""
    return secrets.token_hex(10)


@lru_cache(maxsize=8)
def identity_key(data_dir: Path) -> IdentityKey:
    """Return the key of a data folder, made once and kept there for this user only.

    Where nothing can be written, the key lasts as long as this process.
    """
    folder = data_dir / "identity"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return IdentityKey(folder, _read_or_make(folder / KEY_FILE))
    except OSError as problem:
        _logger.warning(f"No key can be kept in {folder} ({problem.strerror}): visitors are new after a restart.")
        return IdentityKey(folder, secrets.token_bytes(KEY_BYTES))


def _read_or_make(file: Path) -> bytes:
    with suppress(FileNotFoundError):
        secret = file.read_bytes()
        if len(secret) == KEY_BYTES:
            return secret
        _logger.warning(f"The key {file} is damaged and replaced: every visitor is new.")
        file.unlink()
    handle, name = tempfile.mkstemp(dir=file.parent)  # Readable for this user only.
    try:
        with os.fdopen(handle, "wb") as new:
            new.write(secrets.token_bytes(KEY_BYTES))
            new.flush()
            os.fsync(new.fileno())
        with suppress(FileExistsError):  # Another process was faster.
            os.link(name, file)
    finally:
        Path(name).unlink()
    return file.read_bytes()


def _is_equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
