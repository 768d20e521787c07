"""Stops: the outages of a service while its line works, each with its cause.

Law: what a line's outage explains is no stop. A stop is found as an outage is: it lasted
``confirm_seconds`` and at least ``confirm_looks`` looks, and good moments shorter than
``settle_seconds`` belong to it.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from collector.blame import weigh
from collector.islands import Series
from collector.rules import Together
from collector.settings import TruthSettings, VerdictSettings
from collector.stop_rules import STOP_RULES, Failure, StopCase
from model.ladder import below, rung_of
from model.measurement import Outcome, Rung, Vantage
from model.outage import Cause, Outage
from model.timeline import Interval, Run, intersect, subtract, union


class Claim(NamedTuple):
    """A stretch in which one look that the service needs failed."""

    interval: Interval
    target: str
    reason: str


class Claims(NamedTuple):
    """What one look that the service needs says: when it was good, and when it failed and why."""

    good: list[Interval]
    bad: list[Claim]


def claims_of(series: Series, carried: Sequence[Interval], settings: VerdictSettings) -> Claims:
    """When one look was good and when it failed. A good look speaks until the next one is due; what
    is too short to be a failure between good looks was good. ``carried`` is when something that
    stands on its rung worked (``carrying``): whatever it said then, it was not broken."""
    good: list[Interval] = list(carried)
    bad: list[Claim] = []
    for island in series.islands:
        stretch = Interval(island.first_ms, island.last_ms + island.interval_ms)
        if island.outcome is Outcome.DOWN and island.looks >= settings.confirm_looks:
            left = subtract([stretch], carried)
            bad += [Claim(part, series.target, island.reason) for part in left]
        elif island.outcome is not Outcome.UNKNOWN:
            good.append(stretch)
    return Claims(union(good), bad)


def carrying(needed: Series, all_of_site: Iterable[Series]) -> list[Interval]:
    """When something was good that stands on the rung of ``needed``, seen by the site's own probe.
    Only of the site's own network is that asked: a router need not answer echoes, while what the
    service itself needs has to be good itself."""
    if rung_of(needed.target) is not Rung.LAN:
        return []
    return union(
        Interval(island.first_ms, island.last_ms + island.interval_ms)
        for series in all_of_site
        if series.vantage == Vantage.VILLAGE
        and Rung.LAN in below(rung_of(series.target) or Rung.ANCHOR)
        for island in series.islands
        if island.outcome is Outcome.UP
    )


class Stops:
    """The stops of all sites, found together so that each knows its company."""

    def __init__(
        self,
        claims: Mapping[str, Sequence[Claims]],
        targets: Mapping[str, Iterable[str]],
        up: Mapping[str, Sequence[Interval]],
        black_holes: Mapping[str, Sequence[Interval]],
        settings: TruthSettings,
    ) -> None:
        """By site: what its needed looks say, at which targets they look, when its line was up, and
        when its path had a hole for large packets."""
        self._settings = settings
        self._black_holes = black_holes
        self._claims, self._up = claims, up
        self._members: dict[str, set[str]] = defaultdict(set)
        for site, some in targets.items():
            for target in some:
                self._members[target].add(site)
        self._bad = {site: _within(some, up.get(site, ())) for site, some in claims.items()}
        self._starts: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for site, bad in self._bad.items():
            for claim in bad:
                self._starts[claim.target].append((claim.interval.start_ms, site))
        for starts in self._starts.values():
            starts.sort()

    def of(self, site: str) -> tuple[Outage, ...]:
        """The stops of one site, in order of time."""
        settle_ms = self._settings.verdict.settle_seconds * 1000
        parts: list[Interval] = []
        for interval in union(claim.interval for claim in self._bad.get(site, ())):
            if parts and interval.start_ms - parts[-1].end_ms < settle_ms:
                parts[-1] = Interval(parts[-1].start_ms, interval.end_ms)
            else:
                parts.append(interval)
        least_ms = self._settings.verdict.confirm_seconds * 1000
        return tuple(self._judge(site, part) for part in parts if part.length_ms >= least_ms)

    def timeline(self, site: str, window: Interval) -> list[Run]:
        """UP while the line and all that the service needs were good, DOWN in its stops, UNKNOWN in
        the rest of ``window``: nobody saw, or the line itself was down."""
        down = intersect([stop.interval for stop in self.of(site)], [window])
        good = intersect(self._up.get(site, ()), [window])
        for one in self._claims.get(site, ()):
            good = intersect(good, one.good)
        good = subtract(good, down)
        rest = subtract([window], union([*good, *down]))
        parts = ((good, Outcome.UP), (down, Outcome.DOWN), (rest, Outcome.UNKNOWN))
        runs = [Run(*item, outcome) for items, outcome in parts for item in items]
        return sorted(runs, key=lambda run: run.start_ms)

    def _judge(self, site: str, interval: Interval) -> Outage:
        failed = [c for c in self._bad[site] if c.interval.clip(interval) is not None]
        several = {Failure(claim.target, claim.reason) for claim in failed}
        case = StopCase(
            site,
            interval,
            tuple(sorted(several, key=lambda one: (_height(one.rung), one.target, one.reason))),
            self._together(failed),
            any(hole.clip(interval) for hole in self._black_holes.get(site, ())),
        )
        blame = self._settings.blame
        found = [evidence for rule in STOP_RULES for evidence in rule(case, blame)]
        goes_on = self._goes_on(site, interval)
        if not found:
            return Outage(site, *interval, goes_on, Cause.UNKNOWN, 0.0)
        cause, confidence, evidence = weigh(found, blame)
        return Outage(site, *interval, goes_on, cause, confidence, evidence)

    def _goes_on(self, site: str, interval: Interval) -> bool:
        """Whether something that failed in the stop was not seen good since, or failed on when the
        line's timeline ends (with the week)."""
        cut = interval.end_ms >= max(item.end_ms for item in self._up[site])
        return any(
            (cut and claim.interval.end_ms > interval.end_ms)
            or not any(good.end_ms > interval.end_ms for good in one.good)
            for one in self._claims[site]
            for claim in one.bad
            if claim.interval.clip(interval)
        )

    def _together(self, failed: Iterable[Claim]) -> Together | None:
        """Of the targets that failed, the one that most of those who need it failed at together."""
        groups = [self._company(claim) for claim in failed]
        return max(groups, key=lambda group: (group.share, group.fell), default=None)

    def _company(self, claim: Claim) -> Together:
        window_ms = self._settings.blame.together_seconds * 1000
        starts, start = self._starts[claim.target], claim.interval.start_ms
        low = bisect_left(starts, (start - window_ms, ""))
        high = bisect_right(starts, (start + window_ms, "\uffff"))
        fell = {site for _, site in starts[low:high]}
        return Together(claim.target, len(fell), len(self._members[claim.target]))


def _within(several: Iterable[Claims], up: Sequence[Interval]) -> list[Claim]:
    """The failures as far as the line worked meanwhile."""
    return [
        claim._replace(interval=part)
        for one in several
        for claim in one.bad
        for part in intersect([claim.interval], up)
    ]


def _height(rung: Rung | None) -> int:
    """How far out a rung is; what is on no ladder comes last."""
    order = list(Rung)
    return order.index(rung) if rung is not None else len(order)
