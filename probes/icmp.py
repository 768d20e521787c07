"""The echo engine: thousands of targets, one socket per address family, no thread and no loop of
its own.

Law: a round-trip time is the kernel's receive stamp minus the wall clock read right at the system
call; where that difference cannot be trusted (the clock was set meanwhile) there is no time, and
where we did not look properly (no route, no permission, our buffer overflowed) there is no loss.

Whoever drives it calls ``add`` and ``step``. Because the kernel stamps what comes in, a late
``step`` makes results late but never wrong, and nobody need wake up for every answer.
"""

import errno
import heapq
import itertools
import os
import select
import socket
import time
from collections import Counter, deque
from collections.abc import Callable

from model.measurement import Reason
from probes.clock_step import StepWatch
from probes.echo import EchoCourse, EchoRequest, EchoResult
from probes.echo_line import EchoLine, destination_of, why_not_sent
from probes.echo_packet import SECRET_BYTES, Quote, Stray
from probes.echo_socket import Datagram, EchoSocket

BURST = 256
"""At most so many requests between two readings of the sockets: a default receive buffer holds 512
answers."""

_TICK_NS = 10_000_000
_MOST_CREDIT_TICKS = 4
_SLACK_NS = 10_000_000
_COALESCE_NS = 5_000_000
_SEND_TRIES = 2
_SECOND_NS = 1_000_000_000


class EchoEngine:
    """Sends at most ``rate_per_second`` echoes and gathers what comes back. Not thread-safe, but
    for ``wake``. ``strays`` counts what came in and was no answer to a look under way."""

    def __init__(
        self,
        rate_per_second: float = 1000.0,
        *,
        open_socket: Callable[[socket.AddressFamily], EchoSocket] = EchoSocket,
        wall_ns: Callable[[], int] = time.time_ns,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.strays: Counter[str] = Counter()
        self.pending = 0
        self._open_socket, self._wall_ns, self._monotonic_ns = open_socket, wall_ns, monotonic_ns
        self._gap_ns = _SECOND_NS / rate_per_second
        self._tick_ns = min(_TICK_NS, int(BURST / 2 * self._gap_ns))
        self._secret = os.urandom(SECRET_BYTES)
        self._next_serial = 0
        self._next_send_ns = float(monotonic_ns())
        self._drained_ns = 0
        self._lines: dict[socket.AddressFamily, EchoLine] = {}
        self._by_serial: dict[int, EchoCourse] = {}
        self._ready: deque[EchoCourse] = deque()
        self._timers: list[tuple[int, int, EchoCourse]] = []
        self._timer_order = itertools.count()
        self._finished: list[EchoResult] = []
        self._step_watch = StepWatch(wall_ns, monotonic_ns)
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll_all, self._poll_wake = select.poll(), select.poll()
        self._poll_all.register(self._wake_fd, select.POLLIN)
        self._poll_wake.register(self._wake_fd, select.POLLIN)

    def add(self, request: EchoRequest) -> None:
        """Take a request; its result comes out of a later ``step``. Raises InputError for what is
        no IP address, UnavailableError when the system allows no ICMP socket."""
        family, destination = destination_of(request.address)
        try:
            line = self._lines.get(family) or self._open_line(family)
        except OSError as error:
            if error.errno != errno.EAFNOSUPPORT:
                raise
            self.pending += 1
            now_ms = self._wall_ns() // 1_000_000
            self._finished.append(EchoResult(request, now_ms, 0, 0, (), failure=Reason.NO_ROUTE))
            return
        course = EchoCourse(request, line, destination, self._next_serial)
        self._next_serial += request.count * (1 if request.confirm_after_seconds is None else 2)
        self._ready.append(course)
        self.pending += 1

    def step(self, timeout_seconds: float) -> list[EchoResult]:
        """Send what is due, wait for answers (at most so long), and return what is finished."""
        self._send_due()
        self._wait(timeout_seconds)
        for line in self._lines.values():
            self._drain(line)
        self._drained_ns = self._monotonic_ns()
        self._fire_timers(self._drained_ns)
        finished, self._finished = self._finished, []
        self.pending -= len(finished)
        return finished

    def wake(self) -> None:
        """End the wait of a ``step`` in another thread."""
        os.eventfd_write(self._wake_fd, 1)

    def close(self) -> None:
        """Free the sockets; looks under way have no result."""
        for line in self._lines.values():
            line.socket.close()
        os.close(self._wake_fd)

    def _open_line(self, family: socket.AddressFamily) -> EchoLine:
        line = EchoLine(self._open_socket(family), self._secret)
        self._lines[family] = line
        self._poll_all.register(line.socket.fileno(), select.POLLIN)
        return line

    def _send_due(self) -> None:
        """Send as many of the waiting requests as the rate allows by now."""
        ready, now_ns = self._ready, self._monotonic_ns()
        most_credit_ns = _MOST_CREDIT_TICKS * self._tick_ns
        self._next_send_ns = max(self._next_send_ns, now_ns - most_credit_ns)
        allowed = int((now_ns - self._next_send_ns) / self._gap_ns) + 1
        number = min(allowed, BURST, len(ready)) if self._next_send_ns <= now_ns else 0
        self._next_send_ns += number * self._gap_ns
        wall_ns, by_serial = self._wall_ns, self._by_serial
        for _ in range(number):
            course = ready.popleft()
            line, index = course.line, len(course.fates)
            serial = course.first_serial + index
            packet = line.codec.request(serial)
            sent_ns = wall_ns()
            try:
                line.socket.send(packet, course.destination)
            except OSError:
                self._send_again(course, packet)
            else:
                course.sent(sent_ns)
            by_serial[serial] = course
            if index + 1 < course.goal:
                self._set_timer(course, now_ns + int(course.request.spacing_seconds * _SECOND_NS))
            elif course.waiting:
                # A little more than the time-out: what was stamped in time may still be on its way.
                self._set_timer(course, now_ns + course.timeout_ns + _SLACK_NS)
            else:
                self._settle(course, now_ns)

    def _send_again(self, course: EchoCourse, packet: bytes) -> None:
        """After a send failed. Linux lets a send fail for the ICMP error that an earlier echo met,
        and forgets it then; what fails again once the errors are read is this echo's own."""
        for attempt in range(_SEND_TRIES):
            self._collect_errors(course.line)
            sent_ns = self._wall_ns()
            try:
                course.line.socket.send(packet, course.destination)
            except OSError as error:
                if attempt + 1 == _SEND_TRIES:
                    course.not_sent(sent_ns, why_not_sent(error))
            else:
                course.sent(sent_ns)
                return

    def _set_timer(self, course: EchoCourse, due_ns: int) -> None:
        course.due_ns = due_ns
        heapq.heappush(self._timers, (due_ns, next(self._timer_order), course))

    def _fire_timers(self, now_ns: int) -> None:
        """Let those whose time has come send on, or give them up."""
        timers = self._timers
        while timers and timers[0][0] <= now_ns:
            due_ns, _, course = heapq.heappop(timers)
            if course.due_ns != due_ns:
                continue  # it was settled, or has another time by now
            if len(course.fates) < course.goal:
                self._ready.append(course)
            else:
                self._settle(course, now_ns)

    def _settle(self, course: EchoCourse, now_ns: int) -> None:
        """All is answered or its time is over: ask once more, or hand out the result."""
        pause_seconds = course.give_up()
        if pause_seconds is not None:
            self._set_timer(course, now_ns + int(pause_seconds * _SECOND_NS))
            return
        course.due_ns = 0
        for index in range(len(course.fates)):
            del self._by_serial[course.first_serial + index]
        self._finished.append(course.result())

    def _wait(self, timeout_seconds: float) -> None:
        """Wait until something must be done, or an answer comes. While more is to be sent, and for
        a moment after each reading, answers may gather: their stamps do not age."""
        if self._finished:
            return
        now_ns = self._monotonic_ns()
        until_ns = now_ns + int(timeout_seconds * _SECOND_NS)
        quiet_until_ns = self._drained_ns + _COALESCE_NS
        if self._timers:
            until_ns = min(until_ns, self._timers[0][0])
        if self._ready:
            until_ns = min(until_ns, int(self._next_send_ns + max(0, self._tick_ns - self._gap_ns)))
            quiet_until_ns = until_ns
        events = []
        if now_ns < (quiet_until_ns := min(quiet_until_ns, until_ns)):
            events = self._poll_wake.poll((quiet_until_ns - now_ns) / 1e6)
            now_ns = self._monotonic_ns()
        if now_ns < until_ns and not events and not self._ready:
            events = self._poll_all.poll((until_ns - now_ns) / 1e6)
        if any(fd == self._wake_fd for fd, _ in events):
            os.eventfd_read(self._wake_fd)

    def _drain(self, line: EchoLine) -> None:
        """Read all answers and errors that wait on a socket. Whether the clock was set or answers
        were dropped is asked between reading and judging: then nobody is judged too soon."""
        self._collect_errors(line)
        while True:
            batch = line.socket.receive(BURST)
            if self._step_watch.stepped():
                for course in set(self._by_serial.values()):
                    course.distrust_times()
            if line.newly_dropped():
                for course in set(self._by_serial.values()):
                    course.answers_dropped |= course.line is line and course.waiting > 0
            self._judge(line, batch)
            if len(batch) < BURST:
                return

    def _judge(self, line: EchoLine, batch: list[Datagram]) -> None:
        """Give answers to the looks they belong to."""
        read_reply, by_serial = line.codec.read_reply, self._by_serial
        settled: dict[EchoCourse, None] = {}
        for data, source, received_ns in batch:
            serial = read_reply(data)
            if isinstance(serial, Stray):
                self.strays[serial] += 1
                continue
            course = by_serial.get(serial)
            if course is None:
                self.strays[Stray.LATE] += 1
            elif source != course.destination[0]:
                self.strays[Stray.FOREIGN] += 1
            else:
                course.answered(serial - course.first_serial, received_ns)
                if course.settled:
                    settled[course] = None
        for course in settled:  # after the batch: a duplicate comes close behind its answer
            self._settle(course, self._drained_ns)

    def _collect_errors(self, line: EchoLine) -> None:
        """Match ICMP errors with our echoes by what they quote."""
        for error in line.socket.errors():
            quote = line.codec.read_quote(error.quoted)
            serial = self._quoted_serial(quote, error.destination) if quote else None
            if serial is None:
                self.strays[Stray.FOREIGN] += 1
            elif line.codec.says_unreachable(error):
                course = self._by_serial[serial]
                course.refused(serial - course.first_serial, error)
                if course.settled:
                    self._settle(course, self._monotonic_ns())

    def _quoted_serial(self, quote: Quote, destination: str) -> int | None:
        """The echo under way that an ICMP error is about: by its serial, or where the router quoted
        too little, the newest to that address with the quoted sequence number."""
        if quote.serial is not None:
            candidates = range(quote.serial, quote.serial + 1)
        elif self._by_serial:
            newest = self._next_serial - 1 - ((self._next_serial - 1 - quote.sequence) & 0xFFFF)
            candidates = range(newest, next(iter(self._by_serial)) - 1, -0x10000)
        else:
            return None
        for serial in candidates:
            course = self._by_serial.get(serial)
            if course is not None and course.destination[0] == destination:
                return serial
        return None
