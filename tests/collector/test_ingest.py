"""The write endpoint: InfluxDB's answers, our receipts, limits before anything is read."""

import base64
import gzip
import os
import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from collector.admission import Limits, Rates, TooLargeError, inflate
from collector.credentials import Keys
from collector.ingest import Ingest
from collector.journal import Journal, JournalReader
from collector.server import listen
from collector.web import application
from model.errors import InputError, UnavailableError
from probes.packing import pack

NOW_MS = 1_790_000_000_000
LINE = f"ping,site=a,target=site,vantage=centre outcome=1i,sent=5i {NOW_MS}"
WRITE = "/api/v2/write?precision=ms"


class Rig:
    """A collector's endpoint without a socket."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.folder = folder
        self.journal = Journal(folder)
        self.keys = Keys(folder)
        self.key = self.keys.add("p", None, 1)
        self.ingest = Ingest(self.journal, self.keys, limits, lambda: NOW_MS)
        self._app = application(self.ingest.routes())

    async def _send(self, content: object, path: str, headers: dict[str, str]) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://c") as client:
            return await client.post(path, content=content, headers=headers)  # type: ignore[arg-type]  # bytes, text or a stream

    def post(
        self, content: object = LINE, path: str = WRITE, key: str | None = None, **more: str
    ) -> httpx.Response:
        import asyncio  # noqa: PLC0415 - only here

        headers = {"Authorization": f"Token {key or self.key}"}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        return asyncio.run(self._send(content, path, headers))

    def lines(self) -> list[str]:
        with JournalReader(self.folder) as reader:
            return [line.text() for batch in reader.batches(0) for line in batch.lines()]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path, Limits(wire_bytes=20_000, inflated_bytes=100_000, request_burst=50))
    yield rig
    rig.journal.close()


def enveloped(first: int, last: int, **more: str) -> dict[str, str]:
    return {
        "X_Jangkau_Probe": "p",
        "X_Jangkau_Epoch": "00000000000000aa",
        "X_Jangkau_First": str(first),
        "X_Jangkau_Last": str(last),
        **more,
    }


def test_plain_clients_get_what_influxdb_answers(rig: Rig) -> None:
    """Every way of saying the key, gzip or not: 204 and the line is stored; a repeat changes
    nothing."""
    basic = base64.b64encode(b"user:" + rig.key.encode()).decode()
    assert rig.post().status_code == 204
    assert rig.post(Authorization=f"Bearer {rig.key}").status_code == 204
    assert rig.post(Authorization=f"Basic {basic}").status_code == 204
    body = gzip.compress(LINE.replace("sent=5", "sent=6").encode())
    assert rig.post(body, Content_Encoding="gzip").status_code == 204
    assert rig.post(f"{LINE}000000", path="/api/v2/write").status_code == 204  # nanoseconds
    assert rig.lines() == [LINE, LINE.replace("sent=5", "sent=6"), LINE]


def test_a_receipt_for_our_own_probes(rig: Rig) -> None:
    """Kept, duplicate and rejected lines are named by sequence number, and a repeat changes
    nothing."""
    body = f"{LINE}\nbad\n{LINE}"
    receipt = rig.post(body, **enveloped(7, 9)).json()["receipt"]
    assert receipt["probe"] == "p"
    assert receipt["epoch"] == "00000000000000aa"
    assert (receipt["kept"], receipt["duplicate"]) == ([[7, 7], [9, 9]], [])
    ((seq, reason),) = receipt["rejected"]
    assert (seq, reason[:17]) == (8, "not line protocol")
    again = rig.post(body, **enveloped(7, 9)).json()["receipt"]
    assert (again["kept"], again["duplicate"], again["rejected"]) == ([], [[7, 9]], [])
    assert len(rig.lines()) == 2


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (401, {"key": "wrong"}),
        (401, {"Authorization": "Basic !"}),
        (403, enveloped(0, 0, X_Jangkau_Probe="other")),
        (400, enveloped(0, 1)),
        (400, enveloped(1, 0)),
        (400, enveloped(0, 0, X_Jangkau_Epoch="x")),
        (400, enveloped(0, 0, X_Jangkau_First="-1")),
        (400, {"path": "/api/v2/write?precision=h"}),
        (400, {"content": "bad"}),
        (413, {"content": "x" * 20_001}),
        (415, {"Content_Encoding": "br"}),
        (400, {"content": b"no gzip", "Content_Encoding": "gzip"}),
        (400, {"content": gzip.compress(b"x")[:-1], "Content_Encoding": "gzip"}),
        (400, {"content": gzip.compress(b"x") + b"tail", "Content_Encoding": "gzip"}),
        (413, {"content": gzip.compress(bytes(2_000_000)), "Content_Encoding": "gzip"}),
        (413, {"content": gzip.compress(b"") * 100, "Content_Encoding": "gzip"}),
    ],
)
def test_refusals(rig: Rig, status: int, request_: dict[str, str]) -> None:
    """Whatever is wrong is answered in InfluxDB's shape and nothing is stored."""
    response = rig.post(**request_)  # type: ignore[arg-type]  # the table's keywords
    assert response.status_code == status
    assert set(response.json()) == {"code", "message"}
    assert rig.lines() == []


def test_one_bad_line_does_not_harm_the_others(rig: Rig) -> None:
    """A plain client hears which line was refused; the good ones are kept."""
    response = rig.post(f"{LINE}\nbad")
    assert response.status_code == 400
    assert "1 of 2 lines refused" in response.json()["message"]
    assert rig.lines() == [LINE]


def test_a_key_opens_only_its_sites_and_only_until_revoked(rig: Rig) -> None:
    """A village's key cannot write for its neighbour, and none at all once it is revoked."""
    key = rig.keys.add("v", ("a",), 1)
    assert rig.post(key=key).status_code == 204
    refused = rig.post(LINE.replace("site=a", "site=b"), key=key)
    assert "does not write for site b" in refused.json()["message"]
    rig.keys.revoke("v", 2)
    assert rig.post(key=key).status_code == 401
    assert rig.lines() == [LINE]


@pytest.mark.parametrize(
    "at", [-(2**63), 0, 1_577_836_799_999, NOW_MS + 300_001, NOW_MS + 31_536_000_000, 2**63 - 1]
)
def test_absurd_times_are_never_the_latest(rig: Rig, at: int) -> None:
    """A time before 2020 or ahead of us is refused with its reason (T-04)."""
    receipt = rig.post(LINE.replace(str(NOW_MS), str(at)), **enveloped(0, 0)).json()["receipt"]
    assert receipt["kept"] == []
    assert "time" in receipt["rejected"][0][1]


def test_a_clock_that_was_never_set_is_repaired(rig: Rig) -> None:
    """A line of the sending boot gets our time minus its age; one of another boot does not."""
    line = LINE.replace(str(NOW_MS), "1000").replace("sent=5i", "monotonic_ms=4000i")
    other = line.replace("monotonic", 'boot="b0",monotonic')
    more = {"X_Jangkau_Boot": "b1", "X_Jangkau_Monotonic_Ms": "10000"}
    receipt = rig.post(f"{line}\n{other}", **enveloped(0, 1, **more)).json()["receipt"]
    assert (receipt["kept"], receipt["rejected"][0][0]) == ([[0, 0]], 1)
    assert rig.lines()[0].endswith(f" {NOW_MS - 6000}")
    assert f"clock_shift_ms={NOW_MS - 6000 - 1000}i" in rig.lines()[0]


def test_limits_come_before_the_body(rig: Rig) -> None:
    """Without a key, with too much declared, in a crowd or too often: the body is not read."""

    async def body() -> Iterator[bytes]:  # type: ignore[misc]  # an asynchronous generator
        pytest.fail("the body was read")
        yield b""

    assert rig.post(body(), key="x").status_code == 401
    assert rig.post(body(), Content_Length="20001").status_code == 413
    rig.ingest.in_flight = rig.ingest.limits.in_flight
    crowded = rig.post(body())
    assert (crowded.status_code, crowded.headers["Retry-After"]) == (503, "5")
    rig.ingest.in_flight = 0
    while (response := rig.post()).status_code == 204:
        pass
    assert (response.status_code, response.headers["Retry-After"]) == (429, "1")
    assert rig.post(body()).status_code == 429


def test_below_the_reserve_the_body_is_not_read(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """When free space falls below the reserve new data are refused with 507 and Retry-After."""
    real = os.statvfs(rig.folder)
    free = [Limits().reserve_bytes // real.f_frsize, 0]
    fields = {name: getattr(real, name) for name in ("f_frsize", "f_blocks")}
    monkeypatch.setattr(
        os, "statvfs", lambda _folder: SimpleNamespace(**fields, f_bavail=free.pop())
    )
    refused = rig.post()
    assert (refused.status_code, refused.headers["Retry-After"]) == (507, "5")
    assert rig.lines() == []
    assert rig.post().status_code == 204


def test_a_disk_that_fills_refuses_the_whole_request(tmp_path: Path) -> None:
    """When the commit itself finds no room, the answer is 507 and nothing of it is stored."""
    rig = Rig(tmp_path, Limits())
    try:
        rig.journal.submit(lambda db: db.pragma("max_page_count", 1)).result(10)
        noise = random.Random(1)  # noqa: S311 - no secret; what does not compress needs new pages
        lines = [LINE.replace("sent=5i", f"x={noise.random()}") for _ in range(1000)]
        response = rig.post("\n".join(lines))
        assert (response.status_code, response.headers["Retry-After"]) == (507, "5")
        assert rig.lines() == []
    finally:
        rig.journal.close()


def test_a_bomb_costs_little() -> None:
    """Inflating stops at the limit: neither the size nor the time of a bomb is paid (S-03)."""
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    before = time.process_time()
    with pytest.raises(TooLargeError):
        inflate(bomb, Limits())
    assert time.process_time() - before < 0.05


def test_rates_refill() -> None:
    """A probe that waited may send again; another one never had to wait."""
    now = [0.0]
    rates = Rates(Limits(requests_per_second=2, request_burst=1), lambda: now[0])
    assert [rates.wait_seconds("a"), rates.wait_seconds("a"), rates.wait_seconds("b")] == [
        0,
        0.5,
        0,
    ]
    now[0] = 0.5
    assert rates.wait_seconds("a") == 0


def test_addresses_to_listen_on() -> None:
    """Keys never travel in the clear: without TLS only loopback; a taken port is said."""
    for address in ("nonsense", "127.0.0.1:x", "host:1", "0.0.0.0:0"):
        with pytest.raises(InputError, match="--listen"):
            listen(address, encrypted=False)
    with listen("127.0.0.1:0", encrypted=False) as bound:
        port = bound.getsockname()[1]
        assert bound.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)  # answers wait for no ACK
        with pytest.raises(UnavailableError, match="another port"):
            listen(f"127.0.0.1:{port}", encrypted=False)


def test_packed_batches(rig: Rig) -> None:
    """A packed batch is kept like a plain one: the short receipt for all of it, the long one for
    anything else; nothing unpacked comes from another probe, and nonsense is refused."""
    lines = [f"ping,site=a,target=site,vantage=centre outcome=1i {NOW_MS + n}" for n in range(9)]
    body = pack("p 00000000000000aa 5", [line.encode() for line in lines])
    answer = rig.post(body, "/api/v1/batch")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["receipt"] == "00000000000000aa 5-13"
    assert rig.lines() == lines
    again = rig.post(body, "/api/v1/batch")
    assert "receipt" not in again.headers
    assert again.json()["receipt"]["duplicate"] == [[5, 13]]
    bad = pack("p 00000000000000aa 14", [b"nothing", lines[0].encode()])
    assert rig.post(bad, "/api/v1/batch").json()["receipt"]["rejected"][0][0] == 14
    other = pack("q 00000000000000aa 5", [lines[0].encode()])
    assert rig.post(other, "/api/v1/batch").status_code == 403
    assert rig.post(body[:30], "/api/v1/batch").status_code == 400
    assert rig.post(body, "/api/v1/batch", key="none").status_code == 401
    assert rig.post(b"x" * 20_001, "/api/v1/batch").status_code == 413
