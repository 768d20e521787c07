"""One key per probe or reader: made here, shown once, stored only as a hash.

Law: a key opens what its role and its sites or region say, nothing else; a revoked or expired one
is refused from the next request on. Keys live in a file of their own, so that damage to the data
never locks the probes out.

A plain SHA-256 is enough: the secret is 256 random bits, so nothing can be guessed that a slow
password hash would protect, and a slow hash would let strangers burn our CPU.
"""

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from model.errors import InputError, UnavailableError
from model.site import SITE_ID

FILE_NAME = "keys.json"
WRITE, READ, ENROL = "write", "read", "enrol"
"""Roles: a probe that writes, a person or program that reads, a token that buys one key."""
OVERLAP_MS = 7 * 86_400_000
"""How long a key stays valid after its successor was given out."""
ROTATE_PAUSE_MS = 60_000
"""A probe gets no new key more often: every rotation rewrites and fsyncs the file."""

_KEY = re.compile(r"([0-9a-f]{8})\.([0-9a-f]{64})", re.ASCII)
_PROBE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_REGION = re.compile(r"\d\d(\.\d\d(\.\d\d(\.\d{4})?)?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key. ``sites`` None: may write every site (the operations centre).

    ``probe``: who holds it. ``expires_ms``: not valid from then on. ``region``: a reader's code.
    ``after``: the key that this one succeeds. ``used_ms``: when an enrolment token was spent.
    """

    id: str
    probe: str
    sha256: str
    sites: tuple[str, ...] | None
    created_ms: int
    revoked_ms: int | None = None
    role: str = WRITE
    expires_ms: int | None = None
    region: str | None = None
    after: str | None = None
    used_ms: int | None = None

    def may_write(self, site: str) -> bool:
        return self.sites is None or site in self.sites

    def valid(self, now_ms: int) -> bool:
        """Whether it opens anything at that time."""
        expired = self.expires_ms is not None and now_ms >= self.expires_ms
        return (self.revoked_ms is None) & (self.used_ms is None) & (not expired)


_NOBODY = Key("", "", "0" * 64, (), 0)
"""Whom an unknown key belongs to; no secret has this hash."""


class TooSoonError(Exception):
    """A rotation so soon after the last one; wait ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the last key was given out a moment ago: wait {seconds:.0f} s")
        self.seconds = seconds


class Enrolled(NamedTuple):
    """What a token bought: the key's text and what is known of it."""

    text: str
    key: Key


class Keys:
    """The keys of a data folder. Any process may add and revoke; readers notice at once."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._stamp: tuple[int, int, int] | None = None
        self._keys: Mapping[str, Key] = {}

    def add(self, probe: str, sites: tuple[str, ...] | None, now_ms: int) -> str:
        """Make a key and return its text, which is stored nowhere. A probe may have several, so
        that a new one can be brought out before the old one is revoked."""
        _check(probe, sites)
        with self._edited() as keys:
            return _new(keys, probe=probe, sites=sites, created_ms=now_ms).text

    def add_reader(self, name: str, region: str | None, now_ms: int) -> str:
        """Make a key that reads, everything or one region's sites (``61`` or ``61.06`` ...)."""
        _check(name, None)
        if region is not None and _REGION.fullmatch(region) is None:
            raise InputError(f"{region!r} is not a Kemendagri code: write it as 61.06")
        with self._edited() as keys:
            return _new(
                keys, probe=name, sites=(), created_ms=now_ms, role=READ, region=region
            ).text

    def add_token(self, probe: str, site: str, life_seconds: float, now_ms: int) -> str:
        """Make an enrolment token: good for one key, for that site, until its life is over."""
        _check(probe, (site,))
        with self._edited() as keys:
            return _new(
                keys,
                probe=probe,
                sites=(site,),
                created_ms=now_ms,
                role=ENROL,
                expires_ms=now_ms + round(life_seconds * 1000),
            ).text

    def enrol(self, token: str, probe: str | None, now_ms: int) -> Enrolled | None:
        """Spend a token: the key of its probe, or None where the token is none (any more) or
        belongs to another probe. Token and key change in one write: both or neither."""
        if self.verify(token, role=ENROL, now_ms=now_ms) is None:
            return None
        with self._edited() as keys:  # looked at again under the lock: one of two callers wins
            found = _match(keys, token, ENROL, now_ms)
            if found is None or probe not in (None, found.probe):
                return None
            keys[found.id] = replace(found, used_ms=now_ms)
            return _new(keys, probe=found.probe, sites=found.sites, created_ms=now_ms)

    def rotate(self, key_id: str, now_ms: int) -> str:
        """A successor for a valid key; both open for OVERLAP_MS. A successor that was given out
        before for the same key is taken back: its answer was lost, nobody has it.

        Raises InputError when the key is not valid any more, TooSoonError.
        """
        with self._edited() as keys:
            old = keys.get(key_id)
            if old is None or not old.valid(now_ms) or old.role != WRITE:
                raise InputError("this key is not valid any more")
            newest = max(key.created_ms for key in keys.values() if key.probe == old.probe)
            if now_ms < newest + ROTATE_PAUSE_MS and old.created_ms != newest:
                raise TooSoonError((newest + ROTATE_PAUSE_MS - now_ms) / 1000)
            for key in [key for key in keys.values() if key.after == key_id]:
                del keys[key.id]
            expires = min(old.expires_ms or now_ms + OVERLAP_MS, now_ms + OVERLAP_MS)
            keys[key_id] = replace(old, expires_ms=expires)
            return _new(
                keys, probe=old.probe, sites=old.sites, created_ms=now_ms, after=key_id
            ).text

    def revoke(self, name: str, now_ms: int) -> list[Key]:
        """Revoke a key by its id, or every key of a probe. Raises InputError when there is none."""
        with self._edited() as keys:
            found = [
                key for key in keys.values() if name in (key.id, key.probe) and not key.revoked_ms
            ]
            for key in found:
                keys[key.id] = replace(key, revoked_ms=now_ms)
        if not found:
            raise InputError(f"no valid key or probe {name!r}: see 'jangkau keys list'")
        return found

    def all(self) -> list[Key]:
        """Every key ever made, oldest first."""
        return sorted(self._current().values(), key=lambda key: (key.created_ms, key.id))

    def verify(self, text: str, *, role: str = WRITE, now_ms: int) -> Key | None:
        """The valid key of that role that ``text`` is; None for any other, in the same time."""
        return _match(self._current(), text, role, now_ms)

    def _current(self) -> Mapping[str, Key]:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return {}
        stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
        if stamp != self._stamp:
            self._keys, self._stamp = self._load(), stamp
        return self._keys

    def _load(self) -> dict[str, Key]:
        if not self.path.exists():
            return {}
        try:
            documents = json.loads(self.path.read_text())
            keys = [
                Key(**{**item, "sites": None if item["sites"] is None else tuple(item["sites"])})
                for item in documents
            ]
        except (ValueError, TypeError, KeyError) as error:
            raise UnavailableError(
                f"{self.path} is damaged ({error}): restore it from a backup, or delete it and "
                "make the keys anew"
            ) from error
        return {key.id: key for key in keys}

    @contextmanager
    def _edited(self) -> Iterator[dict[str, Key]]:
        """The keys for a change; written back whole, or not at all on an error."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            keys = self._load()
            before = dict(keys)
            yield keys
            if keys == before:
                return
            text = json.dumps([asdict(key) for key in keys.values()], indent=1)
            temporary = self.path.with_suffix(".tmp")
            write_private(temporary, text)
            temporary.replace(self.path)
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read (0600), whatever it was before."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w") as file:
        os.fchmod(handle, 0o600)
        file.write(text)
        file.flush()
        os.fsync(handle)


def _check(probe: str, sites: tuple[str, ...] | None) -> None:
    if _PROBE.fullmatch(probe) is None:
        raise InputError(f"{probe!r} cannot name a probe: use up to 64 letters, digits and . _ -")
    for site in sites or ():
        if SITE_ID.fullmatch(site) is None:
            raise InputError(f"{site!r} is not a site id: see 'jangkau inventory check'")


def _new(keys: dict[str, Key], **known: Any) -> Enrolled:
    key_id, secret = secrets.token_hex(4), secrets.token_hex(32)
    while key_id in keys:
        key_id = secrets.token_hex(4)
    keys[key_id] = key = Key(id=key_id, sha256=_hash(secret), **known)
    return Enrolled(f"{key_id}.{secret}", key)


def _match(keys: Mapping[str, Key], text: str, role: str, now_ms: int) -> Key | None:
    match = _KEY.fullmatch(text)
    key_id, secret = match.groups() if match else ("", "")
    key = keys.get(key_id, _NOBODY)
    # All of it, always: how long we take must not tell which of them it was.
    same = hmac.compare_digest(_hash(secret), key.sha256)
    opens = same & (key.role == role) & key.valid(now_ms)
    return key if opens else None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
