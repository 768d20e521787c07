"""What a probe owns: its name, its site, its collector and its key; how it gets and renews them.

Law: the key is in one file that only the probe can read (0600), and in no argument, log or URL.
"""

import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from model.errors import InputError, UnavailableError
from model.site import SITE_ID
from probes.ledger import sync_directory
from probes.link import Link
from probes.receipt import Reply

KEY = re.compile(r"[\x21-\x7e]{1,256}")
PROBE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
KEY_LIFE_MS = 30 * 86_400_000


@dataclass(frozen=True)
class Home:
    """An enrolled probe's folder. ``key_since_ms`` is when its key was given."""

    probe: str
    site: str
    collector: str
    ca_file: str | None
    key_since_ms: int

    @classmethod
    def read(cls, folder: Path) -> "Home":
        """Raises InputError when the folder is not one of an enrolled probe."""
        try:
            return cls(**json.loads((folder / "probe.json").read_bytes()))
        except (OSError, ValueError, TypeError) as error:
            raise InputError(
                f"{folder} holds no enrolled probe ({error}): run 'jangkau probe enrol' first"
            ) from None

    def write(self, folder: Path, key: str) -> None:
        """Keep the key first: a probe without it is nobody."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(folder / "key", key + "\n")
        write_private(folder / "probe.json", json.dumps(asdict(self)) + "\n")


def read_key(path: Path) -> str:
    """The key in a file. Raises InputError; never shows the key."""
    try:
        key = path.read_text(encoding="ascii").strip()
    except UnicodeDecodeError:
        key = ""
    except OSError as error:
        raise InputError(f"--key-file {path}: {error.strerror}") from None
    if not KEY.fullmatch(key):
        raise InputError(f"--key-file {path}: it must hold one key and nothing else")
    return key


def write_private(path: Path, text: str) -> None:
    """Replace a file by one that only its owner can read; whole or not at all."""
    draft = path.with_name(path.name + ".tmp")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)
    sync_directory(path.parent)


def enrol(link: Link, token: str, probe: str | None) -> tuple[str, str, str]:
    """Spend a token: (probe, site, key). Raises InputError for a token that is none, and
    UnavailableError when the collector cannot be asked."""
    if not KEY.fullmatch(token):
        raise InputError("that is no enrolment token: ask the operations centre for one")
    body = json.dumps({"token": token, "probe": probe}).encode()
    reply = _asked(link, "/api/v1/enrol", body)
    if reply.status in (400, 401, 403):
        raise InputError(
            "the collector does not take this token: it is spent, too old or another probe's;"
            " ask for a new one"
        )
    document = _document(reply)
    found = [document.get(name) for name in ("probe", "site", "key")]
    if not all(isinstance(text, str) for text in found):
        raise UnavailableError("the collector's answer has no probe, site and key")
    name, site, key = (str(text) for text in found)
    if not (PROBE_NAME.fullmatch(name) and SITE_ID.fullmatch(site) and KEY.fullmatch(key)):
        raise UnavailableError("the collector's answer has no sound probe, site and key")
    return name, site, key


def rotated_key(reply: Reply) -> str | None:
    """The new key in the answer to a rotation; None when there is none (yet)."""
    if reply.status != 200:
        return None
    key = _document(reply).get("key")
    return key if isinstance(key, str) and KEY.fullmatch(key) else None


def _asked(link: Link, path: str, body: bytes) -> Reply:
    try:
        return link.ask("POST", path, body, {"Content-Type": "application/json"})
    except OSError as error:
        raise UnavailableError(
            f"the collector cannot be asked ({type(error).__name__}: {error}); check the address,"
            " the line and --ca-file"
        ) from None


def _document(reply: Reply) -> dict[str, Any]:
    try:
        document = json.loads(reply.body) if reply.status == 200 else None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise UnavailableError(
            f"the answer (status {reply.status}) is not a collector's: is there a portal between?"
        )
    return document
