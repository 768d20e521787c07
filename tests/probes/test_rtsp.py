"""Cameras: that they live, whom they let in, and that no frame is ever asked for."""

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from model.kinds import Rtsp
from model.measurement import Outcome, Reason
from probes.connect import LookError
from probes.rtsp import authorization
from simulator.services import camera, serving
from tests.probes.looking import look, look_at

DEADLINE_SECONDS = 20.0
PICTURE = """v=0\r
o=- 0 0 IN IP4 127.0.0.1\r
s=Loket\r
c=IN IP4 127.0.0.1\r
t=0 0\r
m=video 0 RTP/AVP 96\r
a=rtpmap:96 H264/90000\r
a=control:streamid=0\r
"""


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


def connected(port: int) -> socket.socket:
    """A connection, as soon as somebody listens."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_SECONDS)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


@pytest.fixture
def recorder() -> Iterator[int]:
    """The port of Debian's RTSP server, at which a camera has announced its picture as /loket."""
    program = shutil.which("rtsp-server-perl")
    if program is None:
        pytest.skip("no rtsp-server-perl here (apt install rtsp-server-perl)")
    with ExitStack() as stack:
        held = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        clients, cameras = (str(one.getsockname()[1]) for one in held)
        stack.close()
        command = [program, "--clientport", clients, "--serverport", cameras]
        command += ["--client_listen_address=127.0.0.1", "--source_listen_address=127.0.0.1"]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stack.callback(server.wait)
        stack.callback(server.terminate)
        source = stack.enter_context(connected(int(cameras)))
        url = f"rtsp://127.0.0.1:{cameras}/loket"
        announced = f"Content-Type: application/sdp\r\nContent-Length: {len(PICTURE)}\r\n"
        carried = "Transport: RTP/AVP;unicast;client_port=16000-16001;mode=record\r\n"
        for number, (method, where, headers, body) in enumerate(
            (
                ("ANNOUNCE", url, announced, PICTURE),
                ("SETUP", f"{url}/streamid=0", carried, ""),
                ("RECORD", url, "", ""),
            )
        ):
            head = f"{method} {where} RTSP/1.0\r\nCSeq: {number}\r\n{headers}\r\n"
            source.sendall((head + body).encode())
            answer = b""
            while not answer.endswith(b"\r\n\r\n"):
                answer += source.recv(4096)
            assert answer.startswith(b"RTSP/1.0 200"), answer
        connected(int(clients)).close()
        yield int(clients)


def test_a_recorder_of_somebody_else(recorder: int) -> None:
    """Debian's own RTSP server describes the picture that a camera gave it, and has no other."""
    seen = asyncio.run(look(Rtsp(recorder, "/loket")))
    assert (seen.outcome, seen.readings["rtsp_status"]) == (Outcome.UP, 200)
    other = asyncio.run(look(Rtsp(recorder, "/gudang")))
    assert (other.outcome, other.reason) == (Outcome.DOWN, f"{Reason.WRONG_STATUS} 404")


def test_digest_of_the_rfc() -> None:
    """The example of RFC 2617 section 3.5 without qop is RFC 2069's: the known response."""
    challenge = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    said = authorization((challenge,), "Mufasa", "CircleOfLife", "GET", "/dir/index.html")
    assert 'response="1949323746fe6a43ef61f9606e7febea"' in said


def test_password_is_never_sent_in_clear() -> None:
    """A camera that offers only Basic does not get the password."""
    with pytest.raises(LookError, match="no digest"):
        authorization(('Basic realm="x"',), "u", "p", "DESCRIBE", "rtsp://x/")
