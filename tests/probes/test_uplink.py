"""The uplink: only a receipt deletes, whatever else the way home answers."""

import gzip
import json
import random
import ssl
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from probes.http_answer import AnswerError, ClosedError
from probes.receipt import Reply, read_receipt
from probes.segment import Gap
from probes.spool import Limits, Spool
from probes.uplink import REFUSED_WAIT_SECONDS, Uplink


class TurnedClock:
    """A clock that a test turns."""

    boot_id = 0xABCDEF

    def __init__(self) -> None:
        self.now_ms = 5_000

    def wall_ms(self) -> int:
        return 1_790_000_000_000 + self.now_ms

    def monotonic_ms(self) -> int:
        return self.now_ms

    def uptime_seconds(self) -> float:
        return self.now_ms / 1000


JSON = {"content-type": "application/json"}


class Collector:
    """A collector in memory: keeps lines by (epoch, number), answers with receipts."""

    def __init__(self) -> None:
        self.kept: dict[int, bytes] = {}
        self.posts: list[range] = []
        self.headers: Mapping[str, str] = {}
        self.poison: set[bytes] = set()
        self.records_max = 10**6

    def __call__(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        self.headers = headers
        lines = gzip.decompress(body).split(b"\n")
        first, last = int(headers["X-Jangkau-First"]), int(headers["X-Jangkau-Last"])
        assert last - first + 1 == len(lines)
        self.posts.append(range(first, last + 1))
        if len(lines) > self.records_max:
            return Reply(413, {}, b"")
        if self.poison & set(lines):
            return Reply(400, {}, b"")
        kept, duplicate = [], []
        for seq, text in enumerate(lines, first):
            (duplicate if seq in self.kept else kept).append([seq, seq])
            assert self.kept.setdefault(seq, text) == text
        return receipt(headers, kept=kept, duplicate=duplicate)


def receipt(headers: Mapping[str, str], **changes: object) -> Reply:
    content = {
        "probe": headers["X-Jangkau-Probe"],
        "epoch": headers["X-Jangkau-Epoch"],
        "kept": [],
        "duplicate": [],
        "rejected": [],
    }
    return Reply(200, JSON, json.dumps({"receipt": {**content, **changes}}).encode())


def gap_line(gap: Gap) -> bytes:
    return b"gap"


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool(tmp_path, gap_line, Limits(segment_bytes=4000))
    yield opened
    opened.close()


def fill(spool: Spool, count: int) -> None:
    for number in range(1, count + 1):
        spool.append([(number, b"line %d" % number)], number)


def uplink(
    spool: Spool, post: Callable[[bytes, Mapping[str, str]], Reply], **options: object
) -> tuple[Uplink, TurnedClock]:
    clock = TurnedClock()
    draws = random.Random(4)  # noqa: S311 - jitter, the same at each run
    built = Uplink(spool, post, clock, draws.uniform, probe="p-1", **options)  # type: ignore[arg-type]  # a test's short hand
    return built, clock


def run(link: Uplink, clock: TurnedClock, steps: int = 500) -> None:
    """Step until there is nothing left to do, turning the clock over the waits."""
    for _ in range(steps):
        wait = link.step()
        if wait is None:
            return
        clock.now_ms += round(wait * 1000) + 1
    raise AssertionError("it does not come to rest")


def test_delivers_everything_and_forgets_it(spool: Spool) -> None:
    """All records arrive once, with the headers that the collector needs."""
    fill(spool, 100)
    collector = Collector()
    link, clock = uplink(spool, collector, max_records=7)
    run(link, clock)
    assert collector.kept == {number: b"line %d" % number for number in range(1, 101)}
    assert spool.pending_records == 0
    assert link.tally.kept == 100
    assert collector.headers["X-Jangkau-Boot"] == "000000abcdef"
    assert collector.headers["X-Jangkau-Epoch"] == spool.epoch
    assert collector.headers["Content-Encoding"] == "gzip"


def test_newest_first_then_three_from_the_oldest(spool: Spool) -> None:
    """With a backlog the live end goes out in the first batch, the rest drains from the past."""
    fill(spool, 60)
    collector = Collector()
    link, clock = uplink(spool, collector, max_records=5)
    run(link, clock, 20)
    firsts = [post.start for post in collector.posts]
    assert firsts[:6] == [56, 1, 6, 11, 51, 16]


@pytest.mark.parametrize(
    "answer",
    [
        Reply(200, {"content-type": "text/html"}, b"<html>Welcome to HotelNet</html>"),
        Reply(200, JSON, b""),
        Reply(200, JSON, b'{"receipt": {"probe": "p-1", "kep'),
        Reply(200, JSON, b"[" * 100_000),
        Reply(200, JSON, b'{"status": "ok"}'),
        Reply(200, JSON, b"[1]"),
        Reply(204, {}, b""),
        Reply(302, {"location": "https://portal.example/"}, b""),
        *(Reply(status, {}, b"") for status in (400, 401, 403, 404, 408, 409, 410, 413, 415)),
        *(Reply(status, {}, b"") for status in (422, 429, 500, 502, 503, 504, 507, 511)),
        ConnectionRefusedError(111, "Connection refused"),
        ssl.SSLCertVerificationError(1, "certificate verify failed"),
        OSError(-2, "Name or service not known"),
        TimeoutError("timed out"),
        AnswerError("5 bytes of the answer are missing"),
        ClosedError("rubbish"),
    ],
    ids=lambda answer: str(answer)[:60],
)
def test_nothing_but_a_receipt_deletes(spool: Spool, answer: Reply | Exception) -> None:
    """Every other answer keeps all records, waits, and delivers them when the collector is back."""
    fill(spool, 4)
    collector = Collector()
    broken = True

    def post(body: bytes, headers: Mapping[str, str]) -> Reply:
        if not broken:
            return collector(body, headers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    link, clock = uplink(spool, post)
    waited = 0.0
    for _ in range(40):
        wait = link.step() or 0.0
        waited += wait
        clock.now_ms += round(wait * 1000) + 1
    assert spool.pending_records == 4
    assert waited > 60, "it does not hammer"
    broken = False
    fill(spool, 1)
    run(link, clock)
    assert len(collector.kept) == 5
    assert link.tally.put_aside == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"probe": "p-2"},
        {"epoch": "0" * 16},
        {"kept": [[1, 5]]},
        {"kept": [[0, 4]]},
        {"kept": [[3, 2]]},
        {"kept": [[1]]},
        {"kept": [["1", "4"]]},
        {"kept": [[True, 4]]},
        {"kept": {"1": 4}},
        {"kept": None},
        {"duplicate": [[1, 99]]},
        {"rejected": [[7, "no"]]},
        {},
    ],
    ids=str,
)
def test_receipts_that_are_not_ours(spool: Spool, changes: dict[str, object]) -> None:
    """A receipt for others, or one that names what was not sent, deletes nothing."""
    fill(spool, 4)
    link, _ = uplink(spool, lambda _, headers: receipt(headers, **changes))
    wait = link.step()
    assert spool.pending_records == 4
    assert wait is not None
    assert link.tally.failures == 1


def test_a_receipt_deletes_what_it_names_and_no_more(spool: Spool) -> None:
    """Kept, duplicate and rejected are acknowledged; what is not named is sent again."""
    fill(spool, 6)
    link, _ = uplink(
        spool,
        lambda _, headers: receipt(
            headers, kept=[[1, 2]], duplicate=[[3, 3]], rejected=[[5, "no such site"]]
        ),
    )
    link.step()
    waiting = spool.batch(newest=False, max_records=9)
    assert waiting is not None
    assert (waiting.first, waiting.last, spool.pending_records) == (4, 4, 2)
    assert (link.tally.kept, link.tally.duplicate, link.tally.rejected) == (2, 1, 1)


def test_too_large_splits_down_to_one(spool: Spool) -> None:
    """413 halves the batch until it fits, at once, and everything arrives."""
    fill(spool, 64)
    collector = Collector()
    collector.records_max = 1
    link, clock = uplink(spool, collector)
    run(link, clock)
    assert [len(post) for post in collector.posts][:7] == [64, 32, 16, 8, 4, 2, 1]
    assert len(collector.kept) == 64
    assert link.tally.failures == 0


def test_poison_is_found_and_put_aside(spool: Spool, tmp_path: Path) -> None:
    """One record that nobody takes: the rest is delivered, it is offered three times alone."""
    fill(spool, 200)
    collector = Collector()
    collector.poison = {b"line 77"}
    link, clock = uplink(spool, collector, max_records=50)
    run(link, clock)
    assert set(collector.kept) == set(range(1, 201)) - {77}
    assert Counter(post for post in collector.posts if len(post) == 1)[range(77, 78)] == 3
    assert len(collector.posts) < 60
    assert link.tally.put_aside == 1
    assert b"line 77" in next(tmp_path.glob("record-*.bad")).read_bytes()


def test_a_portal_that_says_400_empties_no_spool(spool: Spool) -> None:
    """Without a receipt in between nothing is put aside, however often 400 comes."""
    fill(spool, 10)
    link, clock = uplink(spool, lambda *_: Reply(400, {}, b""))
    for _ in range(300):
        clock.now_ms += round((link.step() or 0.0) * 1000) + 1
    assert spool.pending_records == 10
    assert link.tally.put_aside == 0


def test_refused_key_slows_down(spool: Spool) -> None:
    """401: somebody must act; the probe asks rarely."""
    fill(spool, 1)
    link, _ = uplink(spool, lambda *_: Reply(401, {}, b""))
    assert (link.step() or 0) >= REFUSED_WAIT_SECONDS


def test_waits_are_kept(spool: Spool) -> None:
    """New data do not shorten a wait; when it is over the batch goes out."""
    fill(spool, 1)
    answers = iter([Reply(503, {"retry-after": "120"}, b"")])
    collector = Collector()

    def post(body: bytes, headers: Mapping[str, str]) -> Reply:
        return next(answers, None) or collector(body, headers)

    link, clock = uplink(spool, post)
    wait = link.step() or 0.0
    assert 120 <= wait <= 122
    fill(spool, 1)
    clock.now_ms += 60_000
    assert (link.step() or 0.0) == pytest.approx(wait - 60, abs=0.01)
    assert collector.posts == []
    clock.now_ms += 63_000
    link.step()
    assert len(collector.kept) == 2


def test_a_metered_line_is_used_rarely(spool: Spool) -> None:
    """A drained spool is left alone for the set time, whatever comes in."""
    fill(spool, 2)
    collector = Collector()
    link, clock = uplink(spool, collector, every_seconds=300.0)
    assert link.step() == 300
    fill(spool, 2)
    clock.now_ms += 299_000
    assert link.step() == 1
    assert len(collector.posts) == 1
    clock.now_ms += 1_000
    link.step()
    assert len(collector.posts) == 2


def test_receipt_with_a_charset_is_a_receipt() -> None:
    """``application/json; charset=utf-8`` is the same content type."""
    body = b'{"receipt":{"probe":"p","epoch":"e","kept":[[1,2]],"duplicate":[],"rejected":[]}}'
    reply = Reply(200, {"content-type": "Application/JSON; charset=utf-8"}, body)
    assert read_receipt(reply, probe="p", epoch="e", first=1, last=2).ranges == [(1, 2)]
