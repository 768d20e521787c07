"""What a site's state was at every moment, concluded from all vantages.

Law: a good look from anywhere proves the internet of a site; a failed look says DOWN only when
whoever looked could see; everything else is UNKNOWN with the best reason known. Down and up are
both dated back to the first look that showed them.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from collector.islands import Island, Series
from collector.settings import VerdictSettings
from model.measurement import Outcome, Reason, Rung, Vantage
from model.timeline import Interval, Run, intersect, subtract, total_ms, union

_PROVES_INTERNET = {
    (Vantage.CENTRE, Rung.SITE),
    (Vantage.VILLAGE, Rung.NATIONAL),
    (Vantage.VILLAGE, Rung.INTERNATIONAL),
}
"""Who looked at what, when a good look proves that the site has internet."""

_LINE_FAILED = {Reason.BELOW + rung for rung in (Rung.WAN, Rung.ISP_GATEWAY, Rung.NATIONAL)}
"""What a probe says that saw the line fail below what it looked at. One that did not even reach its
own router could not see the line."""


@dataclass
class SiteLooks:
    """The islands of one site that speak about its internet, and those that speak about why."""

    deciding: list[Series] = field(default_factory=list)
    others: list[Series] = field(default_factory=list)
    known_gaps: list[tuple[Interval, str]] = field(default_factory=list)
    """Stretches of which the probe itself, or its next boot, says why nothing was measured."""

    def add(self, series: Series) -> None:
        key = (series.vantage, series.target.partition(":")[0])
        (self.deciding if key in _PROVES_INTERNET else self.others).append(series)

    def of(self, vantage: Vantage, rung: Rung) -> Iterable[Island]:
        """All islands of one vantage and rung."""
        for series in (*self.deciding, *self.others):
            if series.vantage == vantage and series.target.partition(":")[0] == rung:
                yield from series.islands


@dataclass(frozen=True)
class Blindness:
    """When the centre could not be believed, when it was not looking, and when the targets of the
    villages' probes were down themselves (``blind.py``)."""

    own_line_down: Sequence[Interval] = ()
    not_looking: Sequence[Interval] = ()
    targets_down: Mapping[str, Sequence[Interval]] = field(default_factory=dict)


@dataclass
class _Claims:
    """Stretches by what they prove."""

    up: list[Interval] = field(default_factory=list)
    held_up: list[Interval] = field(default_factory=list)
    down: list[Interval] = field(default_factory=list)
    down_looks: list["_FailedLooks"] = field(default_factory=list)
    unknown: list[tuple[Interval, str]] = field(default_factory=list)


def verdict(
    looks: SiteLooks, window: Interval, blindness: Blindness, settings: VerdictSettings
) -> tuple[list[Run], list[Interval]]:
    """The site's timeline in ``window`` without holes, and its outages.

    An outage begins when the site was silent for ``confirm_seconds`` and ends when it has been
    good for ``settle_seconds``; what is shorter stays UP (a lost look, a reboot), if there was a
    good look beside it.
    """
    claims = _claims(looks, blindness, settings)
    up = union(claims.up)
    down = subtract(union(claims.down), up)
    outages = _settled(_from_a_look(down, up, claims.down_looks), claims.down_looks, up, settings)
    outages = [piece for item in outages if (piece := item.clip(window)) is not None]
    not_down = subtract([window], outages)
    unknown = subtract(not_down, _seen(union([*up, *claims.held_up]), down))
    seen_up = subtract(not_down, unknown)
    outages, unknown = _bridged(outages, unknown, looks.known_gaps)
    runs = [Run(*item, Outcome.DOWN, Reason.NO_ANSWER) for item in outages]
    runs += [Run(*item, Outcome.UP) for item in seen_up]
    reasons, otherwise = _reasons(claims, blindness, looks)
    for item in unknown:
        runs += _with_reasons(item, reasons, otherwise)
    runs.sort(key=lambda run: run.start_ms)
    return runs, _joined(outages, unknown)


def _claims(looks: SiteLooks, blindness: Blindness, settings: VerdictSettings) -> _Claims:
    claims = _Claims()
    for series in looks.deciding:
        central = series.vantage == Vantage.CENTRE
        doubted = (
            blindness.own_line_down if central else blindness.targets_down.get(series.target, ())
        )
        islands = series.islands
        for number, island in enumerate(islands):
            held = island.last_ms + island.interval_ms
            if number + 1 < len(islands):
                following = islands[number + 1].first_ms
                if following - island.last_ms <= settings.gap_intervals * island.interval_ms:
                    held = following
                else:
                    held = min(held, following)
            span = Interval(island.first_ms, held)
            if island.outcome is Outcome.UP:
                claims.up.append(Interval(island.first_ms, island.last_ms + 1))
                claims.held_up.append(span)
            elif island.outcome is Outcome.DOWN or island.reason in _LINE_FAILED:
                believed = subtract([span], doubted)
                claims.down.extend(believed)
                claims.down_looks.extend(_FailedLooks(island, piece) for piece in believed)
            else:
                claims.unknown.append((span, island.reason))
    claims.unknown.extend(looks.known_gaps)
    return claims


class _FailedLooks(NamedTuple):
    """The looks of a DOWN island as far as they are believed; an island's looks lie evenly between
    its first and its last. (A week of silence is ten thousand looks: they are counted, not listed.)
    """

    island: Island
    believed: Interval

    def numbers(self, within: Interval) -> range:
        """Which of the island's looks (0 is the first) lie in ``within`` and are believed."""
        piece = self.believed.clip(within)
        if piece is None:
            return range(0)
        return range(self._from(piece.start_ms), self._from(piece.end_ms))

    def at_ms(self, number: int) -> int:
        """When a look was made."""
        island = self.island
        length, steps = island.last_ms - island.first_ms, max(island.looks - 1, 1)
        return island.first_ms + length * number // steps

    def _from(self, at_ms: int) -> int:
        """The number of the first look at or after a moment."""
        island = self.island
        length, steps = island.last_ms - island.first_ms, max(island.looks - 1, 1)
        after = max(at_ms - island.first_ms, 0)
        if length == 0:
            return island.looks if after else 0
        return min(-(-after * steps // length), island.looks)


def _count(looks: Sequence[_FailedLooks], within: Interval) -> int:
    return sum(len(one.numbers(within)) for one in looks)


def _first(looks: Sequence[_FailedLooks], within: Interval) -> int | None:
    """When the first failed look in ``within`` was made."""
    found = [one.at_ms(numbers[0]) for one in looks if (numbers := one.numbers(within))]
    return min(found, default=None)


def _from_a_look(
    down: Sequence[Interval], up: Sequence[Interval], looks: Sequence[_FailedLooks]
) -> list[Interval]:
    """Where a good look from elsewhere cut a down stretch, the rest begins with its own first
    failed look."""
    cuts = {item.end_ms for item in up}
    found: list[Interval] = []
    for item in down:
        start = _first(looks, item) if item.start_ms in cuts else item.start_ms
        if start is not None:
            found.append(Interval(start, item.end_ms))
    return found


def _seen(good: Sequence[Interval], down: Sequence[Interval]) -> list[Interval]:
    """Stretches without a gap that have a good look in them. A lone failed look that nothing
    confirms, with silence on both sides, proves neither an outage nor a line."""
    starts = [item.start_ms for item in good]
    return [
        item
        for item in union([*good, *down])
        if bisect_left(starts, item.start_ms) < bisect_left(starts, item.end_ms)
    ]


def _settled(
    down: Sequence[Interval],
    looks: Sequence[_FailedLooks],
    up: Sequence[Interval],
    settings: VerdictSettings,
) -> list[Interval]:
    """Down stretches -> outages: single misses dropped, short good moments bridged, the rest
    confirmed by its length."""
    settle = settings.settle_seconds * 1000
    merged: list[Interval] = []
    for item in down:
        if _count(looks, item) < settings.confirm_looks:
            continue
        if merged and item.start_ms - merged[-1].end_ms < settle:
            between = [Interval(merged[-1].end_ms, item.start_ms)]
            if total_ms(intersect(between, up)) > 0 or merged[-1].end_ms == item.start_ms:
                merged[-1] = Interval(merged[-1].start_ms, item.end_ms)
                continue
        merged.append(item)
    return [item for item in merged if item.length_ms >= settings.confirm_seconds * 1000]


def _bridged(
    outages: Sequence[Interval],
    unknown: Sequence[Interval],
    known_gaps: Sequence[tuple[Interval, str]],
) -> tuple[list[Interval], list[Interval]]:
    """Unknown time between two outages is DOWN where the site's device was without power all
    along: its next start proves what nobody could see."""
    dark = [gap for gap, reason in known_gaps if reason == Reason.PROBE_WITHOUT_POWER]
    ends = {item.end_ms for item in outages}
    starts = {item.start_ms for item in outages}
    proved = [
        item
        for item in unknown
        if item.start_ms in ends
        and item.end_ms in starts
        and any(gap.start_ms <= item.start_ms and item.end_ms <= gap.end_ms for gap in dark)
    ]
    return union([*outages, *proved]), subtract(unknown, proved)


def _joined(outages: Sequence[Interval], unknown: Sequence[Interval]) -> list[Interval]:
    """Outages with nothing but unknown time between them are one: nothing says it had ended. (The
    time between stays UNKNOWN in the runs; it is not charged as down.)"""
    bridges = {item.start_ms: item.end_ms for item in unknown}
    joined: list[Interval] = []
    for item in outages:
        if joined and bridges.get(joined[-1].end_ms) == item.start_ms:
            joined[-1] = Interval(joined[-1].start_ms, item.end_ms)
        else:
            joined.append(item)
    return joined


def _reasons(
    claims: _Claims, blindness: Blindness, looks: SiteLooks
) -> tuple[list[tuple[list[Interval], str]], str]:
    """Why a moment may be unknown, best reason first, and what to say where none is known. A site
    that only its own probe looks at lacks nothing while the centre does not look: its spool waits.
    """
    by_reason: dict[str, list[Interval]] = {}
    for item, reason in claims.unknown:
        by_reason.setdefault(reason or Reason.NOT_LOOKED, []).append(item)
    named = [(union(items), reason) for reason, items in by_reason.items()]
    targets = [(list(items), Reason.TARGET_DOWN) for items in blindness.targets_down.values()]
    if looks.deciding and all(one.vantage == Vantage.VILLAGE for one in looks.deciding):
        return [*named, *targets], Reason.PROBE_SILENT
    own_line = (list(blindness.own_line_down), Reason.OWN_LINE_DOWN)
    off = (list(blindness.not_looking), Reason.COLLECTOR_BLIND)
    return [own_line, *named, off, *targets], Reason.NOT_LOOKED


def _with_reasons(
    item: Interval, reasons: list[tuple[list[Interval], str]], otherwise: str
) -> list[Run]:
    """Cut an unknown stretch by the reasons that cover it."""
    rest = [item]
    runs: list[Run] = []
    for stretches, reason in reasons:
        runs += [Run(*piece, Outcome.UNKNOWN, reason) for piece in intersect(rest, stretches)]
        rest = subtract(rest, stretches)
    runs += [Run(*piece, Outcome.UNKNOWN, otherwise) for piece in rest]
    return runs
