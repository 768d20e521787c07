"""The literal table of what a probe can look at: kind -> how its Probe is made.

Law: a kind that is not in this table is refused before the first look, by name. What a kind needs
(a socket, a library) is opened only when a check asks for it, and closed with the stack.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, closing

from model.check import Check
from model.errors import InputError, UnavailableError
from model.kinds import Snmp
from probes.clock import Clock
from probes.ladder import Ladder
from probes.look import Look, Probe


def _ping(stack: ExitStack, _: Clock) -> Probe:
    from probes.ping import EchoService, PingProbe  # noqa: PLC0415 - starts a thread and a socket

    return PingProbe(stack.enter_context(closing(EchoService())))


def _device(_: ExitStack, clock: Clock) -> Probe:
    from probes.device import DeviceProbe  # noqa: PLC0415 - like its neighbours: when asked for

    own, others = DeviceProbe(clock), _SnmpWhenAsked()

    async def look(check: Check) -> Look:
        return await (others if isinstance(check.settings, Snmp) else own)(check)

    return look


class _SnmpWhenAsked:
    """gufo-snmp is loaded at the first check that needs it: a village probe may do without."""

    _probe: Probe | None = None

    async def __call__(self, check: Check) -> Look:
        if self._probe is None:
            from probes.snmp import SnmpProbe, raise_descriptor_limit  # noqa: PLC0415 - see above
            from probes.snmp_fast import open_session  # noqa: PLC0415 - the same

            raise_descriptor_limit()
            self._probe = SnmpProbe(open_session)
        return await self._probe(check)


def _tcp(_: ExitStack, __: Clock) -> Probe:
    from probes.dns import resolve  # noqa: PLC0415 - dnspython, when asked for
    from probes.tcp import TcpProbe  # noqa: PLC0415 - the same

    return TcpProbe(resolve)


def _tls(_: ExitStack, __: Clock) -> Probe:
    from probes.dns import resolve  # noqa: PLC0415 - dnspython, when asked for
    from probes.tls import TlsProbe  # noqa: PLC0415 - cryptography, when asked for

    return TlsProbe(resolve)


def _http(_: ExitStack, __: Clock) -> Probe:
    from probes.dns import resolve  # noqa: PLC0415 - dnspython, when asked for
    from probes.http import HttpProbe  # noqa: PLC0415 - h11, when asked for

    return HttpProbe(resolve)


def _dns(_: ExitStack, __: Clock) -> Probe:
    from probes.dns import DnsProbe  # noqa: PLC0415 - dnspython, when asked for

    return DnsProbe()


def _captive(_: ExitStack, __: Clock) -> Probe:
    from probes.captive import CaptiveProbe  # noqa: PLC0415 - h11, when asked for
    from probes.dns import resolve  # noqa: PLC0415 - dnspython, when asked for

    return CaptiveProbe(resolve)


def _rtsp(_: ExitStack, __: Clock) -> Probe:
    from probes.dns import resolve  # noqa: PLC0415 - dnspython, when asked for
    from probes.rtsp import RtspProbe  # noqa: PLC0415 - the same

    return RtspProbe(resolve)


def _path(_: ExitStack, __: Clock) -> Probe:
    from probes.dns import resolve  # noqa: PLC0415 - dnspython, when asked for
    from probes.path import PathProbe  # noqa: PLC0415 - scapy takes most of a second

    return PathProbe(resolve)


def _throughput(_: ExitStack, clock: Clock) -> Probe:
    from probes.dns import resolve  # noqa: PLC0415 - dnspython, when asked for
    from probes.throughput import ThroughputProbe  # noqa: PLC0415 - h11, when asked for

    return ThroughputProbe(resolve, clock)


def _starlink(_: ExitStack, __: Clock) -> Probe:
    from probes.dns import resolve  # noqa: PLC0415 - dnspython, when asked for
    from probes.starlink import StarlinkProbe  # noqa: PLC0415 - h11, when asked for

    return StarlinkProbe(resolve)


KINDS: Mapping[str, Callable[[ExitStack, Clock], Probe]] = {
    "ping": _ping,
    "device": _device,
    "tcp": _tcp,
    "tls": _tls,
    "http": _http,
    "dns": _dns,
    "captive": _captive,
    "rtsp": _rtsp,
    "path": _path,
    "throughput": _throughput,
    "starlink": _starlink,
}


def open_probes(checks: Iterable[Check], clock: Clock, stack: ExitStack) -> dict[str, Probe]:
    """The probes that these checks need, by kind; what they hold is released by ``stack``. Failures
    are judged along the ladder of the checks (``probes/ladder.py``).

    Raises InputError for an unknown kind, UnavailableError when the system forbids a kind.
    """
    checks = tuple(checks)
    wanted = {check.kind: check.key for check in checks}
    for kind, key in wanted.items():
        if kind not in KINDS:
            raise InputError(
                f"check {key}: there is no kind {kind!r}; kinds are {', '.join(sorted(KINDS))}"
            )
    try:
        ladder = Ladder(checks, {kind: KINDS[kind](stack, clock) for kind in wanted})
    except ModuleNotFoundError as error:
        raise UnavailableError(
            f"{error.name} is not installed: pip install 'jangkau[looks]' brings what looks beyond"
            " echoes need"
        ) from None
    return dict.fromkeys(wanted, ladder.look)
