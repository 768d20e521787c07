"""Cameras: that they live, whom they let in, and that no frame is ever asked for."""

import asyncio
from pathlib import Path

import pytest

from model.kinds import Rtsp
from model.measurement import Outcome, Reason
from probes.connect import LookError
from probes.rtsp import authorization
from simulator.services import camera, serving
from tests.probes.looking import look_at


def test_open_camera() -> None:
    """A camera that describes its picture to everyone is UP."""
    seen = look_at(serving(camera()), Rtsp)
    assert (seen.outcome, seen.readings["rtsp_status"]) == (Outcome.UP, 200)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@pytest.mark.parametrize(("given", "reason"), [("rahasia", ""), ("salah", Reason.WRONG_PASSWORD)])
def test_digest(tmp_path: Path, algorithm: str, given: str, reason: str) -> None:
    """The right password opens, a wrong one is DOWN and says so; it comes from a file."""
    file = tmp_path / "password"
    file.write_text(given + "\n")
    handler = camera("loket", "rahasia", algorithm=algorithm)
    seen = look_at(serving(handler), lambda port: Rtsp(port, user="loket", password_file=str(file)))
    assert seen.reason == reason
    assert seen.readings["rtsp_status"] == (401 if reason else 200)


def test_camera_that_keeps_strangers_out() -> None:
    """Without a user in the settings a camera that asks for one lives, and is UP."""
    seen = look_at(serving(camera("loket", "rahasia")), Rtsp)
    assert (seen.outcome, seen.readings["rtsp_status"]) == (Outcome.UP, 401)


def test_no_password_file() -> None:
    """A password file that is not there is our trouble: UNKNOWN."""
    settings = {"user": "loket", "password_file": "/nowhere"}
    seen = look_at(serving(camera("loket", "x")), lambda port: Rtsp(port, **settings))
    assert seen.outcome is Outcome.UNKNOWN


def test_only_options_and_describe() -> None:
    """What goes to a camera is OPTIONS and DESCRIBE; never SETUP or PLAY."""
    asked: list[str] = []
    inner = camera()

    async def listening(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        real = reader.readuntil

        async def readuntil(separator: bytes = b"\n") -> bytes:
            head = await real(separator)
            asked.append(head.split(b" ", 1)[0].decode())
            return head

        reader.readuntil = readuntil  # type: ignore[method-assign] - to listen in
        await inner(reader, writer)

    assert look_at(serving(listening), Rtsp).outcome is Outcome.UP
    assert asked == ["OPTIONS", "DESCRIBE"]


def test_digest_of_the_rfc() -> None:
    """The example of RFC 2617 section 3.5 without qop is RFC 2069's: the known response."""
    challenge = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    said = authorization((challenge,), "Mufasa", "CircleOfLife", "GET", "/dir/index.html")
    assert 'response="1949323746fe6a43ef61f9606e7febea"' in said


def test_password_is_never_sent_in_clear() -> None:
    """A camera that offers only Basic does not get the password."""
    with pytest.raises(LookError, match="no digest"):
        authorization(('Basic realm="x"',), "u", "p", "DESCRIBE", "rtsp://x/")
