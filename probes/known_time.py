"""The newest time that is known for sure, and the dates that follow from it.

Law: no time is invented. A look's date is the probe's own clock where that agrees with the
collector's; otherwise it follows from the monotonic clock; and where neither is possible it says
how far off it may be (``clock_error_seconds``).

A router without a battery clock starts in 1970. What it knows is that no time lies before the
newest one it ever knew: its clock is held at that floor until the collector's ``Date`` says more.
"""

import json
import logging
import re
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

from probes.clock import Clock
from probes.http_answer import http_date
from probes.ledger import replace_file

log = logging.getLogger(__name__)

RELEASED_MS = 1_793_491_200_000
"""2026-11-01: no device runs this code at an earlier time. Raised with each release."""
AGREES_MS = 2_000
"""A clock this close to the collector's is right; ``Date`` has whole seconds (RFC 9110 5.6.7)."""
SAVE_EVERY_MS = 3_600_000
"""How often the newest known time is written again: flash wears."""
BOOTS_MAX = 64

_STAMP = re.compile(rb',monotonic_ms=(\d+)i,boot="([0-9a-f]{12})" (-?\d+)$')


@dataclass
class Boot:
    """What is known of one start of the device. Times in Unix milliseconds at the moment when the
    monotonic clock was zero: ``floor_ms`` is the earliest that it can have been, ``zero_ms`` what
    the collector's clock says (None: no contact during this start)."""

    id: str
    floor_ms: int
    zero_ms: int | None = None


class KnownTime:
    """A ``Clock`` that is never before the newest known time; keeps what it learns in a file.

    A file that is damaged or absent counts as empty: the floor is then the release.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._lived_ms: dict[str, int] = {}
        self._boots = self._load()
        self._saved_ms: int | None = None
        boot = boot_text(clock)
        newest_ms = max([RELEASED_MS, *(self._newest_ms(item) for item in self._boots)])
        if not self._boots or self._boots[-1].id != boot:
            self._boots.append(Boot(boot, newest_ms - clock.monotonic_ms()))
            del self._boots[:-BOOTS_MAX]
            self._save()

    @property
    def boot_id(self) -> int:
        """See ``Clock``."""
        return self._clock.boot_id

    def monotonic_ms(self) -> int:
        """See ``Clock``."""
        return self._clock.monotonic_ms()

    def uptime_seconds(self) -> float:
        """See ``Clock``."""
        return self._clock.uptime_seconds()

    def wall_ms(self) -> int:
        """The device's clock where it can be right, otherwise what is known instead of it."""
        wall_ms, now_ms, boot = self._clock.wall_ms(), self.monotonic_ms(), self._boots[-1]
        if boot.zero_ms is not None:
            known_ms = boot.zero_ms + now_ms
            return wall_ms if abs(wall_ms - known_ms) <= AGREES_MS else known_ms
        return max(wall_ms, boot.floor_ms + now_ms)

    @property
    def in_contact(self) -> bool:
        """Whether the collector's clock was heard since the device started."""
        return self._boots[-1].zero_ms is not None

    def clamp_ms(self) -> int | None:
        """The earliest that it can be, when the device's own clock is before that; else None."""
        earliest_ms = self._newest_ms(self._boots[-1])
        return earliest_ms if self._clock.wall_ms() < earliest_ms - AGREES_MS else None

    def heard(self, date: str, sent_ms: int) -> None:
        """Take the ``Date`` of a receipt whose request was sent at ``sent_ms`` (monotonic)."""
        moment = http_date(date)
        if moment is None:
            return  # a proxy's own invention; the next receipt has another
        now_ms, boot = self.monotonic_ms(), self._boots[-1]
        zero_ms = int(moment * 1000) + 500 - (sent_ms + now_ms) // 2
        first = boot.zero_ms is None
        if zero_ms < boot.floor_ms - AGREES_MS:
            # Either clock was wrong; the collector's is the one that all dates are measured by.
            log.warning("the collector's clock is behind the newest known time: %s", date)
            self._boots, self._lived_ms = [boot], {}
            boot.floor_ms, boot.zero_ms = min(boot.floor_ms, zero_ms), zero_ms
        if boot.zero_ms is None or abs(zero_ms - boot.zero_ms) > AGREES_MS // 2:
            boot.zero_ms = zero_ms
        if first or self._saved_ms is None or now_ms - self._saved_ms >= SAVE_EVERY_MS:
            self._save()

    def close(self) -> None:
        """Note the newest known time before a proper end."""
        self._save()

    def dated(self, line: bytes) -> bytes | None:
        """A stamped line as it is sent now; None while its date waits for the first contact.

        Lines of this start keep ``monotonic_ms`` where the collector must repair their time;
        lines of an earlier one are dated here.
        """
        match = _STAMP.search(line)
        if match is None:  # a gap, or a line that a client of ours stamped itself
            return line
        head, wall_ms = line[: match.start()], int(match[3])
        monotonic_ms, boot_id = int(match[1]), match[2].decode()
        if boot_id == self._boots[-1].id:
            zero_ms = self._boots[-1].zero_ms
            if zero_ms is not None and abs(zero_ms + monotonic_ms - wall_ms) <= AGREES_MS:
                return b"%b %d" % (head, wall_ms)
            return b"%b,monotonic_ms=%di %d" % (head, monotonic_ms, wall_ms)
        found = self._earlier(boot_id, monotonic_ms, wall_ms)
        if found is None:
            return None
        at_ms, error_ms = found
        if error_ms > AGREES_MS:
            head += b",clock_error_seconds=%d" % -(-error_ms // 1000)
        return b"%b %d" % (head, at_ms)

    def _earlier(self, boot_id: str, monotonic_ms: int, wall_ms: int) -> tuple[int, int] | None:
        """The time of a look of an earlier start, and by how much it may be off."""
        places = [place for place, item in enumerate(self._boots) if item.id == boot_id]
        place = places[0] if places else -1  # forgotten: it lies before all that are known
        if places and (zero_ms := self._boots[place].zero_ms) is not None:
            true_ms = zero_ms + monotonic_ms
            return (wall_ms if abs(true_ms - wall_ms) <= AGREES_MS else true_ms), 0
        later = [item.zero_ms for item in self._boots[place + 1 :] if item.zero_ms is not None]
        if not later:
            return None
        low_ms = self._boots[place].floor_ms + monotonic_ms if places else RELEASED_MS
        high_ms = max(low_ms, later[0] + AGREES_MS)
        at_ms = wall_ms if low_ms <= wall_ms <= high_ms else low_ms
        return at_ms, max(at_ms - low_ms, high_ms - at_ms)

    def _newest_ms(self, boot: Boot) -> int:
        """The earliest that it can have been when this was last known of a start."""
        zero_ms = boot.zero_ms if boot.zero_ms is not None else boot.floor_ms
        if boot.id == boot_text(self._clock):
            return zero_ms + self._clock.monotonic_ms()
        return zero_ms + self._lived_ms.get(boot.id, 0)

    def _save(self) -> None:
        now_ms = self.monotonic_ms()
        self._lived_ms[self._boots[-1].id] = now_ms
        known = {item.id for item in self._boots}
        self._lived_ms = {key: value for key, value in self._lived_ms.items() if key in known}
        document = {"boots": [asdict(item) for item in self._boots], "lived_ms": self._lived_ms}
        text = json.dumps(document, separators=(",", ":")).encode()
        try:
            replace_file(self._path, text + b"\n%08x\n" % zlib.crc32(text))
        except OSError as error:
            log.warning("the newest known time could not be written: %s", error)
        self._saved_ms = now_ms

    def _load(self) -> list[Boot]:
        try:
            text, _, check = self._path.read_bytes().partition(b"\n")
            if check != b"%08x\n" % zlib.crc32(text):
                raise ValueError("the check sum does not hold")
            document = json.loads(text)
            boots = [Boot(**item) for item in document["boots"]]
            self._lived_ms = dict(document["lived_ms"])
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("%s is not readable (%s): the newest known time is lost", self._path, error)
            return []
        return boots


def boot_text(clock: Clock) -> str:
    """The boot id as headers and lines carry it."""
    return f"{clock.boot_id:012x}"


def stamp(line: bytes, monotonic_ms: int, boot: str) -> bytes:
    """A line (``probes/line_protocol.py``) with what its date can be repaired from later."""
    head, _, at_ms = line.rpartition(b" ")
    return b'%b,monotonic_ms=%di,boot="%b" %b' % (head, monotonic_ms, boot.encode(), at_ms)
