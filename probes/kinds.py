"""The literal table of what a probe can look at: kind -> how its Probe is made.

Law: a kind that is not in this table is refused before the first look, by name. What a kind needs
(a socket, a library) is opened only when a check asks for it, and closed with the stack.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, closing

from model.check import Check
from model.errors import InputError
from probes.clock import Clock
from probes.look import Probe


def _ping(stack: ExitStack, _: Clock) -> Probe:
    from probes.ping import EchoService, PingProbe  # noqa: PLC0415 - starts a thread and a socket

    return PingProbe(stack.enter_context(closing(EchoService())))


def _device(_: ExitStack, clock: Clock) -> Probe:
    from probes.device import DeviceProbe  # noqa: PLC0415 - like its neighbours: when asked for

    return DeviceProbe(clock)


KINDS: Mapping[str, Callable[[ExitStack, Clock], Probe]] = {
    "ping": _ping,
    "device": _device,
}


def open_probes(checks: Iterable[Check], clock: Clock, stack: ExitStack) -> dict[str, Probe]:
    """The probes that these checks need, by kind; what they hold is released by ``stack``.

    Raises InputError for an unknown kind, UnavailableError when the system forbids a kind.
    """
    wanted = {check.kind: check.key for check in checks}
    for kind, key in wanted.items():
        if kind not in KINDS:
            raise InputError(
                f"check {key}: there is no kind {kind!r}; kinds are {', '.join(sorted(KINDS))}"
            )
    return {kind: KINDS[kind](stack, clock) for kind in wanted}
