"""The ping kind: from echoes to a look, and the engine behind coroutines."""

import asyncio
import errno
import socket
from collections.abc import Iterator

import pytest

from model.check import Check
from model.errors import InputError, UnavailableError
from model.measurement import METRICS, Outcome, Reason
from probes.echo import EchoRequest, EchoResult
from probes.echo_packet import IcmpError
from probes.echo_socket import REMEDY, EchoSocket
from probes.icmp import EchoEngine
from probes.ping import RECEIVE_BUFFER_FULL, EchoService, PingProbe, look_of

REQUEST = EchoRequest("a", "127.61.0.1")
UNREACHABLE = IcmpError("127.61.0.1", b"", 3, 1, "127.61.255.1")


def result(*rtts: float | None, **more: object) -> EchoResult:
    received = sum(rtt is not None for rtt in rtts)
    return EchoResult(REQUEST, 0, len(rtts), received, rtts)._replace(**more)


@pytest.mark.parametrize(
    ("came", "outcome", "reason"),
    [
        (result(0.05, None, None), Outcome.UP, ""),
        (result(0.05, failure=Reason.NO_ROUTE), Outcome.UP, ""),
        (result(None, received=1), Outcome.UP, ""),
        (result(None, None), Outcome.DOWN, Reason.NO_ANSWER),
        (result(None, None, late=2), Outcome.DOWN, Reason.NO_ANSWER),
        (result(None, error=UNREACHABLE), Outcome.DOWN, Reason.UNREACHABLE),
        (result(failure=Reason.NO_ROUTE), Outcome.UNKNOWN, Reason.NO_ROUTE),
        (result(None, failure=Reason.SEND_BUFFER_FULL), Outcome.UNKNOWN, Reason.SEND_BUFFER_FULL),
        (result(None, answers_dropped=True), Outcome.UNKNOWN, RECEIVE_BUFFER_FULL),
    ],
)
def test_outcomes(came: EchoResult, outcome: Outcome, reason: str) -> None:
    """One answer is UP; silence is DOWN only when everything went out and nothing was dropped."""
    look = look_of(came)
    assert (look.outcome, look.reason) == (outcome, reason)
    assert set(look.readings) <= set(METRICS)


def test_readings_of_answers() -> None:
    """Percentiles are of what was answered; jitter compares neighbours that both were."""
    readings = look_of(result(0.010, 0.014, None, 0.030, 0.028, duplicates=1, late=1)).readings
    assert readings == {
        "sent": 5,
        "received": 4,
        "duplicates": 1,
        "late": 1,
        "rtt_min_seconds": 0.010,
        "rtt_median_seconds": 0.021,
        "rtt_p95_seconds": 0.030,
        "rtt_max_seconds": 0.030,
        "jitter_seconds": pytest.approx(0.003),
    }


def test_no_reading_is_invented() -> None:
    """Without answers there are no times; when answers were dropped there is no loss either."""
    assert set(look_of(result(None, None)).readings) == {"sent", "received", "duplicates", "late"}
    dropped = look_of(result(0.01, None, answers_dropped=True)).readings
    assert not {"sent", "received"} & set(dropped)


def check(address: str, count: int = 2, timeout_seconds: float = 2.0) -> Check:
    return Check("s", "centre", "ping", "site", address, 60, timeout_seconds, count)


def quick(service: EchoService) -> PingProbe:
    return PingProbe(service, spacing_seconds=0.001, confirm_after_seconds=0.01)


@pytest.fixture
def service() -> Iterator[EchoService]:
    """An engine in its thread, on real sockets."""
    try:
        EchoSocket(socket.AF_INET).close()
    except UnavailableError as error:
        pytest.skip(f"no ICMP socket here: {error}")
    made = EchoService(lambda: EchoEngine(20_000))
    yield made
    made.close()


def test_many_coroutines_share_one_engine(service: EchoService) -> None:
    """Each of 300 looks at once gets the answers of its own address."""

    async def look_at_all() -> list[EchoResult]:
        requests = [
            EchoRequest("same key", f"127.61.1.{number % 200 + 1}", 2, spacing_seconds=0.001)
            for number in range(300)
        ]
        results = await asyncio.gather(*(service.echo(request) for request in requests))
        assert [found.request for found in results] == requests
        return results

    assert {(found.sent, found.received) for found in asyncio.run(look_at_all())} == {(2, 2)}


def test_a_loopback_address_is_up(service: EchoService) -> None:
    """The probe of the kind looks at a check."""
    look = asyncio.run(quick(service)(check("127.61.0.1", count=3)))
    assert look.outcome is Outcome.UP
    assert (look.readings["sent"], look.readings["received"]) == (3, 3)


def test_a_name_is_the_askers_error(service: EchoService) -> None:
    """What is wrong with one request is raised to whoever made it, and costs no other look."""
    probe = quick(service)
    with pytest.raises(InputError):
        asyncio.run(probe(check("kantor.example")))
    assert asyncio.run(probe(check("127.61.0.1"))).outcome is Outcome.UP


class Silent(EchoSocket):
    """A real socket whose requests never leave: every target is silent."""

    def __init__(self, family: socket.AddressFamily) -> None:
        super().__init__(family)
        self.packets = 0
        self.send = self.swallow

    def swallow(self, packet: bytes, _address: object) -> int:
        self.packets += 1
        return len(packet)


def test_silence_is_down_after_a_second_salvo(service: EchoService) -> None:
    """DOWN is said after twice the count, and the readings cover both salvos."""
    silent = EchoService(lambda: EchoEngine(20_000, open_socket=Silent))
    look = asyncio.run(quick(silent)(check("127.61.0.1", 3, timeout_seconds=0.05)))
    silent.close()
    assert (look.outcome, look.reason) == (Outcome.DOWN, Reason.NO_ANSWER)
    assert (look.readings["sent"], look.readings["received"]) == (6, 0)


def test_the_time_that_a_look_needs() -> None:
    """Callers can set a deadline that leaves room for the second salvo."""
    assert EchoRequest("a", "::1", 5, 0.2, 2.0).longest_seconds == pytest.approx(2.8)
    assert EchoRequest("a", "::1", 5, 0.2, 2.0, 5.0).longest_seconds == pytest.approx(10.6)


def test_without_permission_nobody_is_down() -> None:
    """When the system allows no echoes at all, every look is UNKNOWN."""

    def refuse(family: socket.AddressFamily) -> EchoSocket:
        raise UnavailableError(REMEDY)

    refused = EchoService(lambda: EchoEngine(open_socket=refuse))
    look = asyncio.run(quick(refused)(check("127.61.0.1")))
    refused.close()
    assert (look.outcome, look.reason) == (Outcome.UNKNOWN, Reason.NO_PERMISSION)


def test_a_bug_fails_its_round_and_no_later_one(
    service: EchoService, caplog: pytest.LogCaptureFixture
) -> None:
    """What stops the engine is raised to all who wait, logged, and the next engine works."""
    engines = [EchoEngine(20_000, open_socket=Broken), EchoEngine(20_000)]
    mended = EchoService(lambda: engines.pop(0))
    probe = quick(mended)
    with pytest.raises(OSError, match="Bad file descriptor"):
        asyncio.run(probe(check("127.61.0.1")))
    assert asyncio.run(probe(check("127.61.0.1"))).outcome is Outcome.UP
    mended.close()
    assert "a bug of ours" in caplog.text


class Broken(EchoSocket):
    """A socket that fails as no socket should."""

    def receive(self, _limit: int) -> list:
        raise OSError(errno.EBADF, "Bad file descriptor")


def test_closing_leaves_nobody_waiting() -> None:
    """Whoever waits for an answer when the service closes gets an error, not silence."""
    closing = EchoService(lambda: EchoEngine(20_000, open_socket=Silent))

    async def wait_and_close() -> None:
        waiting = asyncio.create_task(closing.echo(REQUEST))
        await asyncio.sleep(0)  # lets the task hand its request over
        await asyncio.to_thread(closing.close)
        with pytest.raises(UnavailableError, match="closed before"):
            await waiting
        with pytest.raises(UnavailableError, match="is closed"):
            await closing.echo(REQUEST)

    asyncio.run(wait_and_close())
