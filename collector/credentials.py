"""One key per probe: made here, shown once, stored only as a hash.

Law: a key opens the write endpoint for its probe and the sites it names, nothing else; a revoked
one is refused from the next request on. Keys live in a file of their own, so that damage to the
data never locks the probes out.

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

from model.errors import InputError, UnavailableError
from model.site import SITE_ID

FILE_NAME = "keys.json"
_KEY = re.compile(r"([0-9a-f]{8})\.([0-9a-f]{64})", re.ASCII)
_PROBE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key. ``sites`` None: may write every site (the operations centre)."""

    id: str
    probe: str
    sha256: str
    sites: tuple[str, ...] | None
    created_ms: int
    revoked_ms: int | None = None

    def may_write(self, site: str) -> bool:
        return self.sites is None or site in self.sites


class Keys:
    """The keys of a data folder. Any process may add and revoke; readers notice at once."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._stamp: tuple[int, int, int] | None = None
        self._keys: Mapping[str, Key] = {}

    def add(self, probe: str, sites: tuple[str, ...] | None, now_ms: int) -> str:
        """Make a key and return its text, which is stored nowhere. A probe may have several, so
        that a new one can be brought out before the old one is revoked."""
        if _PROBE.fullmatch(probe) is None:
            raise InputError(
                f"{probe!r} cannot name a probe: use up to 64 letters, digits and . _ -"
            )
        for site in sites or ():
            if SITE_ID.fullmatch(site) is None:
                raise InputError(f"{site!r} is not a site id: see 'jangkau inventory check'")
        key_id, secret = secrets.token_hex(4), secrets.token_hex(32)
        with self._edited() as keys:
            keys[key_id] = Key(key_id, probe, _hash(secret), sites, now_ms)
        return f"{key_id}.{secret}"

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

    def verify(self, text: str) -> Key | None:
        """The valid key that ``text`` is; None for any other text, in the same time."""
        match = _KEY.fullmatch(text)
        key_id, secret = match.groups() if match else ("", "")
        key = self._current().get(key_id)
        same = hmac.compare_digest(_hash(secret), key.sha256 if key else "0" * 64)
        return key if same and key is not None and key.revoked_ms is None else None

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
            yield keys
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


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
