"""What a datagram claims and proves, against messages that snmptrap really made."""

import asyncio
import socket

import pytest

from collector.trap_message import claim_of, master_key, proves, require_whole
from model.snmp import Credentials, Version
from tests.collector.test_traps import DOWN, send

ENGINE = "80000000aabbcc"
HASHES = {
    "md5": "MD5",
    "sha1": "SHA",
    "sha224": "SHA-224",
    "sha256": "SHA-256",
    "sha384": "SHA-384",
    "sha512": "SHA-512",
}


def caught(*words: str) -> bytes:
    """The datagram that snmptrap sends with these words."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(10)
        place = f"127.0.0.1:{listener.getsockname()[1]}"
        assert asyncio.run(send(*words, place, "1", DOWN)) == 0
        return listener.recv(4096)


def user_with(name: str, password: str) -> Credentials:
    """The user with this hash and password."""
    return Credentials(
        Version.V3, user="jangkau", authentication=name, authentication_password=password
    )


@pytest.mark.parametrize("name", HASHES)
def test_every_hash(name: str) -> None:
    """A message proves its password by every hash; not another one, nor when a bit is changed."""
    words = ("-v3", "-u", "jangkau", "-l", "authNoPriv", "-e", f"0x{ENGINE}")
    datagram = caught(*words, "-a", HASHES[name], "-A", "right-password")
    credentials = user_with(name, "right-password")
    claim = claim_of(datagram + b"behind it")
    assert claim.engine_id.hex() == ENGINE
    assert proves(claim, credentials)
    assert not proves(claim, user_with(name, "wrong-password"))
    for at in range(len(datagram)):
        spoilt = bytearray(datagram)
        spoilt[at] ^= 1
        try:
            assert not proves(claim_of(bytes(spoilt)), credentials)
        except ValueError:
            continue


def test_without_authentication() -> None:
    """Nothing can be proven, and nothing is asked for; where a password is, that is too little."""
    datagram = caught("-v3", "-u", "jangkau", "-l", "noAuthNoPriv", "-e", f"0x{ENGINE}")
    assert proves(claim_of(datagram), Credentials(Version.V3, user="jangkau"))
    assert not proves(claim_of(datagram), user_with("md5", "right-password"))


def test_master_key() -> None:
    """The worked examples of RFC 3414, A.3."""
    assert master_key("maplesyrup", "md5").hex() == "9faf3283884e92834ebc9847d8edd963"
    assert master_key("maplesyrup", "sha1").hex() == "9fb5cc0381497b3793528939ff788d5d79145211"


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\x30",
        b"\x30\x05\x02\x01\x03",
        b"\x02\x01\x03",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x80",
    ],
)
def test_what_is_no_message(datagram: bytes) -> None:
    """Empty, cut, of another type, too large or endless: refused before any decoder sees it."""
    with pytest.raises(ValueError, match=r"message|length"):
        require_whole(datagram)
    with pytest.raises(ValueError, match=r"message|length"):
        claim_of(datagram)
