"""What opens the devices: one TOML file of credentials by name, readable by its owner alone.

Law: a secret stands in this file or in the environment and nowhere else: not in the inventory, not
in an address, not on a command line, not in a message, not in a log.
"""

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model.errors import InputError
from model.snmp import PORT, Credentials, Version

FILE_VARIABLE = "JANGKAU_SNMP_SECRETS"
DEFAULT_FILE = Path("snmp_secrets.toml")
MAX_BYTES = 2**20

KEYS = (
    *("version", "community", "user", "authentication", "authentication_password"),
    *("privacy", "privacy_password", "port"),
)
"""The keys of one entry."""
AUTHENTICATIONS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
PRIVACIES = ("des", "aes128", "aes192", "aes256")
_SECRET_KEYS = ("community", "authentication_password", "privacy_password")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", re.ASCII)
_SHORTEST_PASSWORD = 8
"""RFC 3414, 11.2."""


def load_secrets(
    path: Path | None = None, environment: Mapping[str, str] = os.environ
) -> dict[str, Credentials]:
    """All credentials by name.

    ``path``: default what ``JANGKAU_SNMP_SECRETS`` names, or ``snmp_secrets.toml`` here. A secret
    may come from the environment instead: ``JANGKAU_SNMP_ROUTERS_COMMUNITY`` for the key
    ``community`` of the entry ``routers``. Raises InputError; no message shows a secret.
    """
    path = path or Path(environment.get(FILE_VARIABLE) or DEFAULT_FILE)
    try:
        mode = path.stat()
        if not stat.S_ISREG(mode.st_mode) or mode.st_size > MAX_BYTES:
            raise InputError(f"{path}: is not a file of credentials")
        if mode.st_mode & 0o077:
            raise InputError(f"{path}: others can read it: chmod 600 {path}")
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror}: name the file of SNMP credentials in {FILE_VARIABLE}"
        ) from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: this is not TOML ({_place(str(error))})") from None
    return {
        name: _credentials(name, entry, str(path), environment) for name, entry in table.items()
    }


def _place(said: str) -> str:
    """The place in an error's text; the rest of it may quote the file."""
    match = re.search(r"line \d+, column \d+|end of document", said)
    return f"at {match[0]}" if match else "somewhere"


def _credentials(
    name: str, entry: object, file: str, environment: Mapping[str, str]
) -> Credentials:
    place = f"{file}: [{name[:40]}]"
    if not _NAME.fullmatch(name) or not isinstance(entry, dict):
        raise InputError(f"{place}: write each entry as [name], in lower-case letters and hyphens")
    for key in entry:
        if key not in KEYS:
            raise InputError(f"{place}: {key!r} is not a key: use {', '.join(KEYS)}")
    found: dict[str, Any] = dict(entry)
    for key in _SECRET_KEYS:
        variable = f"JANGKAU_SNMP_{name}_{key}".upper().replace("-", "_")
        if variable in environment:
            found[key] = environment[variable]
    port = found.pop("port", PORT)
    if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536:
        raise InputError(f"{place}: port: write a number from 1 to 65535")
    for key, value in found.items():
        if not isinstance(value, str) or not value:
            raise InputError(f"{place}: {key}: write it as text in quotation marks")
    try:
        version = Version(found.pop("version", "v3"))
    except ValueError:
        raise InputError(f"{place}: version: write v3, v2c or v1") from None
    allowed = {"community"} if version is not Version.V3 else set(KEYS) - {"community"}
    for key in found:
        if key not in allowed:
            raise InputError(f"{place}: {key} is not for {version}: remove it")
    needed = "user" if version is Version.V3 else "community"
    if needed not in found:
        raise InputError(f"{place}: {needed!r} is missing: add it")
    _check_level(found, place)
    return Credentials(version=version, port=port, **found)


def _check_level(found: Mapping[str, str], place: str) -> None:
    for what, known in (("authentication", AUTHENTICATIONS), ("privacy", PRIVACIES)):
        password = f"{what}_password"
        if (what in found) != (password in found):
            raise InputError(f"{place}: give both {what!r} and {password!r}, or neither")
        if what in found and found[what] not in known:
            raise InputError(f"{place}: {what}: use one of {', '.join(known)}")
        if len(found.get(password, "x" * _SHORTEST_PASSWORD)) < _SHORTEST_PASSWORD:
            raise InputError(f"{place}: {password}: needs 8 characters or more (RFC 3414)")
    if "privacy" in found and "authentication" not in found:
        raise InputError(f"{place}: privacy needs authentication (RFC 3414): add it")
