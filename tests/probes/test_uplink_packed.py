"""The uplink with packed batches: a third of the bytes, the same law."""

import gzip
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from collector.admission import Limits as Admitted
from collector.unpacking import unpack
from probes.receipt import Reply
from probes.spool import Limits, Spool
from probes.uplink import PLAIN_MS, Uplink


class TurnedClock:
    """A clock that a test turns."""

    boot_id = 0xABCDEF
    now_ms = 5_000

    def wall_ms(self) -> int:
        return 1_790_000_000_000 + self.now_ms

    def monotonic_ms(self) -> int:
        return self.now_ms

    def uptime_seconds(self) -> float:
        return self.now_ms / 1000


class Collector:
    """Notes what comes in which form; answers a packed batch with ``answer``."""

    def __init__(self) -> None:
        self.packed: list[list[bytes]] = []
        self.plain: list[list[bytes]] = []
        self.answer = Reply(200, {}, b"")

    def post(self, body: bytes, _headers: Mapping[str, str]) -> Reply:
        self.plain.append(gzip.decompress(body).split(b"\n"))
        return Reply(503, {}, b"")

    def post_packed(self, body: bytes) -> Reply:
        headers, lines = unpack(body, Admitted())
        assert headers["x-jangkau-boot"] == "000000abcdef"
        self.packed.append(lines)
        return self.answer


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool(tmp_path, lambda _gap: b"gap", Limits())
    opened.append([(number, b"line %d" % number) for number in range(1, 6)], 6)
    yield opened
    opened.close()


def uplink(spool: Spool) -> tuple[Uplink, TurnedClock, Collector]:
    clock, collector = TurnedClock(), Collector()
    built = Uplink(
        spool,
        collector.post,
        clock,
        lambda low, _high: low,
        probe="p-1",
        post_packed=collector.post_packed,
    )
    return built, clock, collector


def test_the_short_receipt_forgets(spool: Spool) -> None:
    """Exactly our epoch and exactly what was sent: all of it is forgotten."""
    link, _, collector = uplink(spool)
    collector.answer = Reply(200, {"receipt": f"{spool.epoch} 1-5"}, b"")
    assert link.step() == 0.0
    assert spool.pending_records == 0
    assert link.tally.kept == 5
    assert collector.packed == [[b"line %d" % number for number in range(1, 6)]]
    assert not collector.plain


@pytest.mark.parametrize(
    "wrong",
    ["EPOCH 1-4", "EPOCH 1-6", "EPOCH 2-5", "0000000000000000 1-5", "EPOCH 1-5 ", "", "1-5"],
)
def test_any_other_deletes_nothing(spool: Spool, wrong: str) -> None:
    """A receipt for another epoch, or other numbers, is none: law 3."""
    link, _, collector = uplink(spool)
    collector.answer = Reply(200, {"receipt": wrong.replace("EPOCH", spool.epoch)}, b"")
    link.step()
    assert spool.pending_records == 5
    assert link.tally.failures == 1


@pytest.mark.parametrize("status", [400, 404, 405, 415, 501])
def test_where_it_is_not_understood_plain_for_a_day(spool: Spool, status: int) -> None:
    """A collector older than the packed form gets plain line protocol at once, and is asked again
    a day later."""
    link, clock, collector = uplink(spool)
    collector.answer = Reply(status, {}, b"")
    link.step()
    link.step()
    assert len(collector.packed) == 1
    assert len(collector.plain) == 2
    clock.now_ms += PLAIN_MS
    link.step()
    assert len(collector.packed) == 2


def test_too_large_is_halved_not_unpacked(spool: Spool) -> None:
    """413 speaks of the size, not of the form."""
    link, _, collector = uplink(spool)
    collector.answer = Reply(413, {}, b"")
    assert link.step() == 0.0
    link.step()
    assert [len(lines) for lines in collector.packed] == [5, 2]
    assert not collector.plain
