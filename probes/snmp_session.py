"""The seam between what we ask of a device and the library that speaks SNMP.

Law: two methods, both reading. There is no way to write to a device, so no profile, no inventory
and no mistake of ours can make one.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

Value = int | float | str | bytes | None
"""What an object holds: whole numbers, octets, a dotted OID or an address as text."""

Row = tuple[str, Value]

PORT = 161


class Version(StrEnum):
    """How a device is asked."""

    V1 = "v1"
    V2C = "v2c"
    V3 = "v3"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What opens a device for reading. Its text form shows no secret.

    ``authentication`` and ``privacy`` are names of docs/snmp.md (``sha256``, ``aes128`` ...), empty
    where none is used; the passwords are at least 8 characters (RFC 3414, 11.2).
    """

    version: Version
    community: str = field(default="", repr=False)
    user: str = ""
    authentication: str = ""
    authentication_password: str = field(default="", repr=False)
    privacy: str = ""
    privacy_password: str = field(default="", repr=False)
    port: int = PORT


class RefusedError(Exception):
    """The device answered and does not let us in: wrong user, password or security level (USM
    report), or its answer does not prove that it knows the password."""


class Session(Protocol):
    """One device. One packet is out for each step; nothing is repeated here.

    All methods raise TimeoutError without an answer in time, RefusedError, OSError from the socket,
    and ValueError for an OID that must not be asked (``probes/snmp_allowed.py``).
    """

    async def get(self, oids: Sequence[str]) -> Mapping[str, Value]:
        """One GET. What the device does not have is missing. An answer with an error status (too
        big, or a v1 device that lacks one of them) is empty, as if it had nothing."""
        ...

    def walk(self, column: str, repetitions: int) -> AsyncIterator[Sequence[Row]]:
        """The rows of one table column, one request a step. Ends with the column or the MIB; an
        error status looks like such an end."""
        ...


class Opener(Protocol):
    """How a session is opened: ``probes/snmp_fast.py``, or a test's own."""

    async def __call__(
        self, address: str, credentials: Credentials, timeout_seconds: float
    ) -> Session:
        """A session with a device; asks a v3 device for its engine first (two packets)."""
        ...
