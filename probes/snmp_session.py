"""The seam between what we ask of a device and the library that speaks SNMP.

Law: two methods, both reading. There is no way to write to a device, so no profile, no inventory
and no mistake of ours can make one.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from model.snmp import Credentials

Value = int | float | str | bytes | None
"""What an object holds: whole numbers, octets, a dotted OID or an address as text."""

Row = tuple[str, Value]


class RefusedError(Exception):
    """The device answered and does not let us in: wrong user, password or security level (USM
    report), or its answer does not prove that it knows the password."""


class Session(Protocol):
    """One device. One packet is out for each step; nothing is repeated here.

    All methods raise TimeoutError without an answer in time, RefusedError, OSError from the socket
    (ConnectionRefusedError: the address lives and the port is closed), and ValueError for an OID
    that must not be asked (``probes/snmp_allowed.py``).
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
