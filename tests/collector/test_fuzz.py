"""Requests that nobody would send by mistake: none costs a server error or memory (S-12)."""

import asyncio
import gzip
import os
import random
import resource
import socket
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn  # noqa: TID251 - the judge drives the protocol itself
from uvicorn.server import ServerState  # noqa: TID251 - as above

from collector.admission import Limits
from collector.credentials import Keys
from collector.enrolment import Enrolment
from collector.ingest import Ingest
from collector.journal import Journal
from collector.server import Connection
from collector.web import application
from tests.collector.running import LINE, WRITE, running

NOW_MS = time.time_ns() // 1_000_000
SOUND = f"{LINE} {NOW_MS}".encode()
REQUESTS = max(200_000, 2_000 * int(os.environ.get("JANGKAU_FAULTS", "0")))
"""A million by hand with JANGKAU_FAULTS=500."""
OVER_SOCKETS = max(1_000, 40 * int(os.environ.get("JANGKAU_FAULTS", "0")))
TOGETHER = 50
WORDS = [b"1e999999", b"NaN", b"-1", b"9" * 40, b"\xff", b"\x00", b"\r\n", b"Content-Length: 3",
         b"Transfer-Encoding: chunked\r\n", b"[" * 500, b'{"a":', b"\xed\xa0\x80",
         b'{"token": 1, "token": 2}']  # fmt: skip


def seeds(key: str) -> list[bytes]:
    """Sound requests of every kind, which are then damaged."""
    probe = b"X-Jangkau-Probe: p\r\nX-Jangkau-Epoch: 00000000000000aa\r\n"
    made = [
        b"POST %b HTTP/1.1\r\nHost: c\r\nAuthorization: Token %b\r\n%bContent-Length: %d\r\n\r\n%b"
        % (path, key.encode(), more, len(body), body)
        for path, more, body in [
            (WRITE.encode(), b"", SOUND),
            (WRITE.encode(), probe + b"X-Jangkau-First: 0\r\nX-Jangkau-Last: 0\r\n", SOUND),
            (WRITE.encode(), b"Content-Encoding: gzip\r\n", gzip.compress(SOUND)),
            (b"/api/v1/batch", b"", b"\x01" + SOUND),
            (b"/api/v1/enrol", b"", b'{"token": "x", "probe": null}'),
            (b"/api/v1/rotate", b"", b""),
        ]
    ]
    chunked = made[0].partition(b"Content-Length")[0] + b"Transfer-Encoding: chunked\r\n\r\n"
    return [
        *made,
        chunked + b"5\r\nping,\r\n0\r\n\r\n",
        b"GET /api/v1/config HTTP/1.1\r\nHost: c\r\n\r\n",
    ]


def damaged(draw: random.Random, sound: list[bytes]) -> bytes:
    """One of them with one to four changes."""
    request = bytearray(draw.choice(sound))
    for _ in range(draw.randrange(1, 5)):
        first = draw.choice((0, max(0, request.find(b"\r\n\r\n"))))  # anywhere, or in the body
        at = draw.randrange(first, len(request))
        kind = draw.randrange(4)
        if kind == 0:
            request[at] = draw.randrange(256)
        elif kind == 1:
            del request[at : at + draw.randrange(1, 20)]
            request += b" " * (not request)
        else:
            request[at:at] = draw.choice(WORDS)
    return bytes(request)


def drawn() -> random.Random:
    """Chance, with a seed that is printed; JANGKAU_SEED repeats it."""
    seed = int(os.environ.get("JANGKAU_SEED", str(random.randrange(10**6))))  # noqa: S311 - no secret
    print(f"{seed=}")  # noqa: T201 - to repeat it
    return random.Random(seed)  # noqa: S311 - no secret


class Wire(asyncio.Transport):
    """The other end of a connection, without a socket: remembers what it was answered."""

    def __init__(self) -> None:
        super().__init__({"sockname": ("127.0.0.1", 1), "peername": ("127.0.0.1", 2)})
        self.answer, self.closed = bytearray(), False

    def write(self, data: Any) -> None:
        self.answer += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        """All has been sent already."""

    def resume_reading(self) -> None:
        """All has been sent already."""


class Door:
    """The collector's own protocol and application, fed without a socket."""

    def __init__(self, folder: Path) -> None:
        self.journal, keys = Journal(folder), Keys(folder)
        limits = Limits(requests_per_second=1e6, request_burst=10**6)
        self.key = keys.add("p", None, 1)
        ingest, enrolment = (
            Ingest(self.journal, keys, limits),
            Enrolment(keys, folder, None, limits),
        )
        app = application([*ingest.routes(), *enrolment.routes()])
        self.config = uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off")
        self.config.load()

    async def answers(self, requests: list[bytes]) -> list[bytes]:
        """What each request is answered, all of them together."""
        state, ends = ServerState(), []
        for request in requests:
            wire = Wire()
            end = Connection(config=self.config, server_state=state, app_state={})
            end.connection_made(wire)
            end.data_received(request)
            ends.append((end, wire))
        cut_off = [end for end, _ in ends if end.cycle is None or end.cycle.more_body]
        for end in cut_off:  # as when the client goes away amid its request
            end.connection_lost(None)
        while state.tasks:
            await asyncio.wait(state.tasks)
        for end, _ in ends:
            if end not in cut_off:
                end.connection_lost(None)
        return [bytes(wire.answer) for _, wire in ends]


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    door = Door(tmp_path)
    yield door
    door.journal.close()


@pytest.mark.faults
def test_no_request_costs_a_server_error(door: Door) -> None:
    """200,000 damaged heads, lengths, chunks and bodies through parser, application and journal: no
    5xx, nothing raised, memory within 64 MiB, and a sound request is served afterwards."""
    draw, sound, statuses = drawn(), seeds(door.key), Counter[bytes]()

    async def all_of_them() -> None:
        for _ in range(REQUESTS // TOGETHER):
            requests = [damaged(draw, sound) for _ in range(TOGETHER)]
            for request, answer in zip(requests, await door.answers(requests), strict=True):
                statuses[answer[9:12]] += 1
                assert not answer[9:12].startswith(b"5"), (answer, request)
        (answer,) = await door.answers(sound[:1])
        assert answer.startswith(b"HTTP/1.1 204")

    asyncio.run(door.answers(sound))  # (what is imported and compiled at first use is no leak)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    asyncio.run(all_of_them())
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{dict(statuses)}, {grown:.0f} MiB more at the peak")  # noqa: T201 - figures to see
    assert {b"204", b"200", b"400", b"401", b"404"} <= statuses.keys()
    assert grown <= 64


@pytest.mark.faults
def test_no_request_over_a_socket_costs_a_server_error(tmp_path: Path) -> None:
    """The same against a real collector, each over a connection of its own, cut off at the end."""
    draw, statuses = drawn(), Counter[bytes]()
    with running(tmp_path, more=("--requests-per-second", "9999")) as collector:
        sound = seeds(collector.key)
        before = collector.rss_bytes()
        for _ in range(OVER_SOCKETS):
            request = damaged(draw, sound)
            with socket.create_connection(("127.0.0.1", collector.port), 10) as one:
                one.sendall(request)
                one.shutdown(socket.SHUT_WR)
                answer = one.recv(64)
            statuses[answer[9:12]] += 1
            assert not answer[9:12].startswith(b"5"), (answer, request)
        assert collector.rss_bytes() - before <= 64 * 1024 * 1024
        assert len(statuses) > 3
        assert collector.post(SOUND)[0] == 204
