"""The echo engine on a scripted socket and clock: every misfortune told apart."""

import errno
import os
from collections.abc import Iterator

import pytest

from model.measurement import Reason
from probes.echo import EchoRequest, EchoResult
from probes.echo_packet import EchoCodec, IcmpError, Stray
from probes.echo_socket import Datagram
from probes.icmp import BURST, EchoEngine

MS = 1_000_000
_ENOUGH_STEPS = 5  # echoes of a look that are due at once go out one a step


class Clock:
    """A wall clock and a monotonic one that move when told."""

    def __init__(self) -> None:
        self.wall_ns = 1_800_000_000_000_000_000
        self.monotonic_ns = 5_000_000_000

    def pass_ms(self, milliseconds: float) -> None:
        self.wall_ns += int(milliseconds * MS)
        self.monotonic_ns += int(milliseconds * MS)


class ScriptedSocket:
    """An EchoSocket whose network is a list: what was sent, and what shall be read."""

    ipv6 = False
    identifier = 77

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.sent: list[tuple[bytes, str]] = []
        self.answers: list[Datagram] = []
        self.icmp_errors: list[IcmpError] = []
        self.send_errors: list[int] = []
        self.overflows = 0
        self._fd = os.eventfd(0)

    def send(self, packet: bytes, address: tuple[str, int]) -> int:
        if self.send_errors:
            code = self.send_errors.pop(0)
            raise OSError(code, os.strerror(code))
        self.sent.append((packet, address[0]))
        return len(packet)

    def answer(self, index: int, after_ms: float = 0, source: str | None = None) -> None:
        """Answer the echo with this index, stamped so long after now."""
        request, address = self.sent[index]
        body = b"\0\0\0\0" + request[4:]
        checksum = 0xFFFF - int.from_bytes(body, "big") % 0xFFFF
        data = body[:2] + checksum.to_bytes(2, "big") + body[4:]
        self.answers.append((data, source or address, self.clock.wall_ns + int(after_ms * MS)))

    def receive(self, limit: int) -> list[Datagram]:
        taken, self.answers = self.answers[:limit], self.answers[limit:]
        return taken

    def errors(self) -> list[IcmpError]:
        taken, self.icmp_errors = self.icmp_errors, []
        return taken

    def dropped(self) -> int:
        return self.overflows

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        os.close(self._fd)


class Bench:
    """An engine on a scripted socket."""

    def __init__(self, rate_per_second: float = 1_000_000) -> None:
        self.clock = Clock()
        self.net = ScriptedSocket(self.clock)
        self.engine = EchoEngine(
            rate_per_second,
            open_socket=lambda _: self.net,
            wall_ns=lambda: self.clock.wall_ns,
            monotonic_ns=lambda: self.clock.monotonic_ns,
        )
        self.results: list[EchoResult] = []

    def ask(self, count: int = 1, **more: float) -> None:
        self.engine.add(EchoRequest("site", "127.61.0.1", count, **{"spacing_seconds": 0, **more}))

    def step(self, after_ms: float = 0) -> None:
        """Let time pass, and what is due happen."""
        self.clock.pass_ms(after_ms)
        for _ in range(_ENOUGH_STEPS):
            self.results += self.engine.step(0)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    made.clock.pass_ms(1)  # so that the rate allows a few echoes at once
    yield made
    made.engine.close()


def test_rtt_is_stamp_minus_send(bench: Bench) -> None:
    """However late we read it, an answer's time is the kernel's."""
    bench.ask()
    bench.step()
    bench.net.answer(0, after_ms=48)
    bench.step(after_ms=1500)
    assert bench.results[0].rtt_seconds == (0.048,)


def test_stalled_loop_still_accepts_answers_in_time(bench: Bench) -> None:
    """A loop that stalls past the time-out reads before it gives up."""
    bench.ask(timeout_seconds=1)
    bench.step()
    bench.net.answer(0, after_ms=900)
    bench.step(after_ms=60_000)
    assert (bench.results[0].received, bench.results[0].late) == (1, 0)


def test_lost_late_and_twice_are_told_apart(bench: Bench) -> None:
    """Of four echoes: one answered twice, one too late, one never, one in time."""
    bench.ask(4, timeout_seconds=1)
    bench.step()
    bench.net.answer(0, after_ms=10)
    bench.net.answer(0, after_ms=11)
    bench.net.answer(1, after_ms=1001)
    bench.net.answer(3, after_ms=1000)
    bench.step(after_ms=1001)
    assert not bench.results
    bench.step(after_ms=100)
    (result,) = bench.results
    assert (result.sent, result.received, result.duplicates, result.late) == (4, 2, 1, 1)
    assert result.rtt_seconds == (0.010, None, None, 1.000)


def test_strays_are_counted_and_change_nothing(bench: Bench) -> None:
    """A forged source, a truncated answer and one to a finished look do not become answers."""
    bench.ask(timeout_seconds=1)
    bench.step()
    bench.net.answer(0, source="127.61.9.9")
    bench.net.answer(0)
    data, source, received_ns = bench.net.answers[-1]
    bench.net.answers[-1] = (data[:20], source, received_ns)
    bench.step(after_ms=2000)
    bench.net.answer(0)
    bench.step()
    assert bench.results[0].received == 0
    assert bench.engine.strays == {Stray.FOREIGN: 1, Stray.TRUNCATED: 1, Stray.LATE: 1}


@pytest.mark.parametrize("step_ms", [-3_600_000, -60, 60, 3_600_000])
def test_setting_the_clock_invents_no_time(bench: Bench, step_ms: int) -> None:
    """When the clock is set while an echo is out, its answer counts but has no round-trip time;
    the next echo has one again."""
    bench.ask(2, spacing_seconds=1)
    bench.step()
    bench.clock.wall_ns += step_ms * MS
    bench.net.answer(0, after_ms=100)
    bench.step(after_ms=100)
    bench.step(after_ms=1000)
    bench.net.answer(1, after_ms=80)
    bench.step(after_ms=100)
    (result,) = bench.results
    assert (result.received, result.late) == (2, 0)
    assert result.rtt_seconds == (None, 0.080)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.ENETUNREACH, Reason.NO_ROUTE),
        (errno.EHOSTUNREACH, Reason.NO_ROUTE),
        (errno.EPERM, Reason.NO_PERMISSION),
        (errno.EACCES, Reason.NO_PERMISSION),
        (errno.ENOBUFS, Reason.SEND_BUFFER_FULL),
        (errno.EMSGSIZE, "cannot send: Message too long"),
    ],
)
def test_what_cannot_be_sent_is_not_lost(bench: Bench, code: int, reason: str) -> None:
    """A local failure is named, and the echo does not count as sent."""
    bench.net.send_errors = [code] * 3
    bench.ask()
    bench.step()
    assert (bench.results[0].sent, bench.results[0].failure) == (0, reason)


def test_anothers_error_does_not_cost_this_echo(bench: Bench) -> None:
    """A send that fails once, for an error that an earlier echo met, is made good."""
    bench.net.send_errors = [errno.EHOSTUNREACH]
    bench.ask()
    bench.step()
    bench.net.answer(0, after_ms=1)
    bench.step(after_ms=10)
    assert (bench.results[0].received, bench.results[0].failure) == (1, "")


@pytest.mark.parametrize("quoted_bytes", [8, 24])
def test_unreachable_ends_the_wait(bench: Bench, quoted_bytes: int) -> None:
    """An ICMP error is matched by what it quotes, however little, and by where we had sent to."""
    bench.ask(timeout_seconds=60)
    bench.step()
    packet, address = bench.net.sent[0]
    error = IcmpError(address, packet[:quoted_bytes], 3, 1, "127.61.255.1")
    bench.net.icmp_errors = [error._replace(destination="127.61.7.7")]
    bench.step(after_ms=20)
    assert not bench.results
    bench.net.icmp_errors = [error]
    bench.step(after_ms=20)
    assert (bench.results[0].received, bench.results[0].error) == (0, error)


def test_short_quotes_survive_the_wrap_of_the_sequence(bench: Bench) -> None:
    """After 65,536 echoes a quoted sequence number still finds the right look."""
    bench.engine._next_serial = 0x2FFFF  # as after so many echoes
    bench.ask(2, timeout_seconds=60)
    bench.step()
    for packet, address in list(bench.net.sent):
        bench.net.icmp_errors.append(IcmpError(address, packet[:8], 3, 1, "127.61.255.1"))
    bench.step(after_ms=20)
    assert bench.results[0].error is not None


def test_our_own_overflow_is_said(bench: Bench) -> None:
    """When the kernel dropped answers for want of room, who was waited for bears the mark."""
    bench.ask(timeout_seconds=1)
    bench.step()
    bench.net.overflows = 3
    bench.step(after_ms=500)
    bench.step(after_ms=1000)
    assert bench.results[0].answers_dropped


def test_silence_is_asked_again(bench: Bench) -> None:
    """A second salvo follows an unanswered first; a late answer in between still counts as late."""
    bench.ask(2, timeout_seconds=1, confirm_after_seconds=5)
    bench.step()
    bench.step(after_ms=1100)
    bench.net.answer(0)
    bench.step(after_ms=100)
    assert len(bench.net.sent) == 2
    bench.step(after_ms=5000)
    assert len(bench.net.sent) == 4
    bench.net.answer(3, after_ms=30)
    bench.step(after_ms=2000)
    (result,) = bench.results
    assert (result.sent, result.received, result.late) == (4, 1, 1)


def test_sends_keep_the_rate() -> None:
    """Sends never run ahead of the rate; after a stall only a moment of it is made up for."""
    bench = Bench(rate_per_second=10_000)
    for _ in range(5000):
        bench.ask()
    sent = []
    for pause_ms in (0, 10, 10, 15, 10_000, 10):
        bench.clock.pass_ms(pause_ms)
        bench.engine.step(0)
        sent.append(len(bench.net.sent))
    bench.engine.close()
    assert sent[:4] == [1, 101, 201, 351]
    assert sent[4] - sent[3] == BURST
    assert sent[5] - sent[4] < 256


def test_codec_and_socket_agree_on_the_identifier() -> None:
    """The engine writes the identifier that its socket filters by."""
    bench = Bench()
    bench.ask()
    bench.step()
    secret = bench.engine._secret
    assert bench.net.sent[0][0] == EchoCodec(ipv6=False, identifier=77, secret=secret).request(0)
    bench.engine.close()
