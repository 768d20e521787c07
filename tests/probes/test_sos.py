"""A word by DNS when HTTPS fails: from a real probe's side to a look in the collector's journal."""

import json
import random
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.credentials import Keys
from collector.journal import Journal, JournalReader
from collector.sos import A_SECOND, EVERY_MS, Responder, responding
from model.errors import InputError, UnavailableError
from model.wire import TROUBLES
from probes.sos import Sos, ask_by_udp, name_of, query, resolvers
from tests.probes.real_agents import MAIN, ROOT, Collector

ZONE = "sos.example.id"
NOW_MS = 1_790_000_000_000


class TurnedClock:
    """A clock that a test turns."""

    boot_id = 0xABCDEF012345
    now_ms = 0

    def wall_ms(self) -> int:
        return 0

    def monotonic_ms(self) -> int:
        return self.now_ms

    def uptime_seconds(self) -> float:
        return 1000 + self.now_ms / 1000


class Rig:
    """A responder with a journal, and a probe with a key of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now_ms = folder, NOW_MS
        self.journal, self.keys = Journal(folder), Keys(folder)
        self.key = self.keys.add("p-1", ("semparuk-kd",), 1)
        self.clock = TurnedClock()
        self.responder = self.again()
        self.asked: list[bytes] = []
        self.sos = Sos(lambda: self.key, ZONE, self.clock, self.ask, lambda: ["192.0.2.53"])

    def again(self) -> Responder:
        """The responder as it starts."""
        return Responder(ZONE, self.journal, self.keys, lambda: self.now_ms)

    def ask(self, _server: str, question: bytes) -> bytes:
        self.asked.append(question)
        answer = self.responder.answer(question)
        if answer is None:
            raise TimeoutError
        return answer

    def looks(self) -> list[str]:
        with JournalReader(self.folder) as reader:
            return [line.text() for batch in reader.batches(0) for line in batch.lines()]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.journal.close()


def test_it_is_heard_and_kept(rig: Rig) -> None:
    """What the probe says becomes a look with its uptime, boot and trouble, dated by the
    collector; the probe knows that it was heard."""
    assert rig.sos.call("no connection")
    assert rig.looks() == [
        "sos,site=semparuk-kd,target=device,vantage=village outcome=1i,uptime_seconds=1000,"
        f'boot_id={0xABCDEF012345}i,reason="no connection" {NOW_MS}'
    ]


def test_a_repeat_is_no_news(rig: Rig) -> None:
    """The same query again, from whomever, also after a restart, adds nothing; a later one does,
    but not more often than once a minute."""
    assert rig.sos.call("busy")
    rig.now_ms += EVERY_MS
    for responder in (rig.responder, rig.again()):
        responder.answer(rig.asked[0])
    assert len(rig.looks()) == 1
    rig.clock.now_ms += 60_000
    assert rig.sos.call("busy")
    assert len(rig.looks()) == 2
    rig.clock.now_ms += 1000
    assert rig.sos.call("busy")
    assert len(rig.looks()) == 2


def test_nobody_else_can_say_it(rig: Rig) -> None:
    """A name with any character changed, a revoked key and the centre's key are answered with
    nothing and kept nowhere."""
    name = name_of(rig.key, 1, 5.0, "busy", ZONE)
    draws = random.Random(1)  # noqa: S311 - the same changes in every run
    for _ in range(300):
        at = draws.randrange(len(name) - len(ZONE) - 1)
        other = draws.choice("0123456789abcdefz")
        if name[at] in ".-" or name[at] == other:
            continue
        answer = rig.responder.answer(query(name[:at] + other + name[at + 1 :], 7))
        assert answer is not None
        assert b"heard" not in answer
    rig.keys.revoke("p-1", 2)
    assert not rig.sos.call("busy")
    rig.key = rig.keys.add("centre", None, 1)
    assert not rig.sos.call("busy")
    assert rig.looks() == []


def test_answers_that_are_not_the_collector_s(rig: Rig) -> None:
    """A portal that answers every name, silence and another number are not being heard."""
    good = rig.responder.answer(query(name_of(rig.key, 1, 5.0, "busy", ZONE), 7)) or b""
    for made in (good, b"", b"\0\7" + bytes(40), good[:-1] + b"!"):
        sos = Sos(lambda: rig.key, ZONE, rig.clock, lambda _s, _q, m=made: m, lambda: ["192.0.2.1"])  # type: ignore[misc]  # a default that binds the loop's value
        assert not sos.call("busy")


def test_when_it_is_due(rig: Rig) -> None:
    """After half an hour of failing, then every half hour; a receipt ends it."""
    minutes = [0, 29, 30, 31]
    due = []
    for minute in minutes:
        rig.clock.now_ms = minute * 60_000
        due.append(rig.sos.due("busy"))
    assert due == [False, False, True, True]
    rig.sos.call("busy")
    assert not rig.sos.due("busy")
    rig.clock.now_ms += 1_800_000
    assert rig.sos.due("busy")
    assert not rig.sos.due(None)
    assert not rig.sos.due("busy")


def test_strangers_get_little(rig: Rig) -> None:
    """No answer is much larger than its question (nobody gains by our help), noise gets none, and a
    flood is dropped after so many a second."""
    draws = random.Random(2)  # noqa: S311 - the same noise in every run
    for number in range(300):
        rig.now_ms += 10  # 300 queries a second
        data = query(f"{draws.randrange(10**6)}.x.{ZONE}", number)
        changed = bytearray(data)
        changed[draws.randrange(len(data))] = draws.randrange(256)
        for some in (bytes(changed), data[: draws.randrange(len(data))], draws.randbytes(60)):
            answer = rig.responder.answer(some)
            assert answer is None or len(answer) <= 2 * len(some)
    rig.now_ms += 1000
    answers = [rig.responder.answer(query(f"a.{ZONE}", 1)) for _ in range(A_SECOND + 10)]
    assert [answer is None for answer in answers] == [False] * A_SECOND + [True] * 10
    assert rig.looks() == []


def test_dnspython_reads_the_answers(rig: Rig) -> None:
    """A resolver's own library finds the answer, the empty names above it and strange names as RFC
    1035 has them, however the question is spelled (0x20)."""
    import dns.message  # noqa: PLC0415, TID251 - the judge of what we write by hand
    import dns.rcode  # noqa: PLC0415, TID251 - as above

    name = name_of(rig.key, 1, 5.0, "busy", ZONE)
    for asked, count, code in (
        (name, 1, dns.rcode.NOERROR),
        (name.upper(), 1, dns.rcode.NOERROR),
        (ZONE, 0, dns.rcode.NOERROR),
        (name.partition(".")[2], 0, dns.rcode.NOERROR),
        ("example.id", 0, dns.rcode.REFUSED),
    ):
        question = query(asked, 77)
        answer = dns.message.from_wire(rig.responder.answer(question) or b"")
        assert dns.message.from_wire(question).is_response(answer)
        assert answer.rcode() == code
        assert len(answer.answer) == count
        assert len(answer.authority) == (code == dns.rcode.NOERROR and not count)
        assert all(str(part.name) == f"{ZONE}." for part in answer.authority)


def test_over_a_socket(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """By UDP, with a responder in its thread."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr("probes.sos.PORT", port)
    sos = Sos(lambda: rig.key, ZONE, rig.clock, ask_by_udp, lambda: ["::1", "127.0.0.1"])
    with responding(ZONE, f"127.0.0.1:{port}", rig.journal, rig.keys):
        assert sos.call("certificate")
        with (
            pytest.raises(UnavailableError),
            responding(ZONE, f"127.0.0.1:{port}", rig.journal, rig.keys),
        ):
            pass
    assert len(rig.looks()) == 1
    for wrong in ("53", "localhost", ":53", "127.0.0.1:99999"):
        with pytest.raises(InputError), responding(ZONE, wrong, rig.journal, rig.keys):
            pass


def test_names_that_dns_cannot_carry(tmp_path: Path) -> None:
    """A zone that is none, or too long, is the user's input."""
    for zone in ("", "a" * 64 + ".id", ".".join(["abcdefgh"] * 25), "a..id"):
        with pytest.raises(InputError):
            Sos(lambda: "", zone, TurnedClock())
    assert len(TROUBLES) < 100
    (tmp_path / "resolv.conf").write_text("# x\nnameserver 192.0.2.1\noptions x\nnameserver ::1\n")
    assert resolvers(tmp_path / "resolv.conf") == ["192.0.2.1", "::1"]
    assert resolvers(tmp_path / "none") == []


def test_the_collector_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``jangkau collector run --sos``: a call for help stands in the journal, and so in the
    status."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr("probes.sos.PORT", port)
    collector = Collector(tmp_path)
    key = collector.key("v-1")
    collector.start("--sos", ZONE, "--sos-listen", f"127.0.0.1:{port}")
    try:
        assert Sos(lambda: key, ZONE, TurnedClock(), servers=lambda: ["127.0.0.1"]).call("busy")
        status = [*MAIN, "status", "--json", "--data", str(collector.data)]
        done = subprocess.run(status, capture_output=True, check=True, cwd=ROOT)
        (look,) = json.loads(done.stdout)["looks"]
        assert (look["site"], look["kind"], look["reason"]) == ("v-1", "sos", "busy")
    finally:
        collector.stop()
