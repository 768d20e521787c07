"""How an SNMP device is spoken to: the words that asking and listening share."""

from dataclasses import dataclass, field
from enum import StrEnum

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
