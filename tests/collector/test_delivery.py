"""Delivery against servers on loopback: what arrives, and that no secret is told."""

import base64
import email
import json
import logging
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from collector.delivery import deliver, read_targets
from model.errors import InputError, UnavailableError

# Apprise's own import; gone with Python 3.13.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
SECRET = "kata-sandi-9731"  # noqa: S105 - the very thing that must not be told


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[int]:
    """Run a server on a thread of its own; gives its port."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def chat(got: list[dict[str, Any]], status: int = 200) -> ThreadingHTTPServer:
    """A chat's web hook: keeps the JSON that is posted to it."""

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing: the test looks at what came."""

    return ThreadingHTTPServer(("127.0.0.1", 0), Hook)


def mail(got: list[Message]) -> socketserver.ThreadingTCPServer:
    """As much of a mail server (RFC 5321) as a message needs to arrive."""

    class Smtp(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 ready\r\n")
            while line := self.rfile.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = list(iter(self.rfile.readline, b".\r\n"))
                    got.append(email.message_from_bytes(b"".join(lines)))
                self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
                if verb == b"QUIT":
                    return

    return socketserver.ThreadingTCPServer(("127.0.0.1", 0), Smtp)


def targets_file(folder: Path, *lines: str, mode: int = 0o600) -> Path:
    path = folder / "targets"
    path.write_text("\n".join(["# to whom", "", *lines, ""]))
    path.chmod(mode)
    return path


def test_a_chat_gets_the_words_and_the_files(tmp_path: Path) -> None:
    """Title, body and attachment arrive as they were given, also what looks like markup."""
    report = tmp_path / "laporan.pdf"
    report.write_bytes(b"%PDF-1.7 halo")
    got: list[dict[str, Any]] = []
    with serving(chat(got)) as port:
        targets = read_targets(targets_file(tmp_path, f"json://127.0.0.1:{port}/hook"))
        assert deliver(targets, "Laporan <b>", "60,0 % & naik", [report]) == 1
    [message] = got
    assert (message["title"], message["message"]) == ("Laporan <b>", "60,0 % & naik")
    [attached] = message["attachments"]
    assert attached["filename"] == "laporan.pdf"
    assert base64.b64decode(attached["base64"]) == report.read_bytes()


def test_an_e_mail_arrives_with_its_attachment(tmp_path: Path) -> None:
    """The message is a real one: subject, plain words, the file under its name."""
    report = tmp_path / "laporan.pdf"
    report.write_bytes(b"%PDF-1.7 halo")
    got: list[Message] = []
    with serving(mail(got)) as port:
        line = f"mailto://127.0.0.1:{port}?from=jangkau@example.org&to=dinas@example.org"
        assert deliver(read_targets(targets_file(tmp_path, line)), "Laporan", "Isi", [report]) == 1
    [message] = got
    assert "Laporan" in str(message["Subject"])
    files = [part for part in message.walk() if part.get_filename()]
    assert [part.get_filename() for part in files] == ["laporan.pdf"]
    assert files[0].get_payload(decode=True) == report.read_bytes()


def test_one_failure_does_not_keep_it_from_the_others(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A target that refuses is named by its line; the next is reached; nobody tells the secret."""
    got: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    caplog.set_level(logging.INFO)
    with serving(chat(got)) as port, serving(chat(refused, 500)) as bad:
        targets = read_targets(
            targets_file(
                tmp_path, f"json://u:{SECRET}@127.0.0.1:{bad}/x", f"json://127.0.0.1:{port}/"
            )
        )
        with pytest.raises(
            UnavailableError, match=r"1 of 2 targets were not reached \(lines 3 "
        ) as e:
            deliver(targets, "t", "b", [])
    assert len(got) == len(refused) == 1
    told = f"{e.value} {targets!r} {caplog.text} {capfd.readouterr()}"
    assert SECRET not in told


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """The message says what to do about it."""
    path = targets_file(tmp_path, "json://127.0.0.1/", mode=mode)
    with pytest.raises(InputError, match="chmod 600"):
        read_targets(path)


def test_what_is_no_target_is_named_by_its_line(tmp_path: Path) -> None:
    """The line's text is not repeated: it may hold a password."""
    path = targets_file(tmp_path, "json://127.0.0.1/", f"nosuch://{SECRET}@x")
    with pytest.raises(InputError, match=r"targets:4: not a target") as error:
        read_targets(path)
    assert SECRET not in str(error.value)


def test_a_file_without_targets_or_no_file_is_an_input_mistake(tmp_path: Path) -> None:
    """Nothing to send to is said before anything is made."""
    with pytest.raises(InputError, match="no target in it"):
        read_targets(targets_file(tmp_path))
    with pytest.raises(InputError, match="cannot be read"):
        read_targets(tmp_path / "nowhere")
