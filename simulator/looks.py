"""The looks of one stretch of history: the centre's, the devices', the villages', the anchors'.

Law: every number is drawn for whole matrices (sites by looks); the only loops run over the few
intervals in which something is wrong.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from model.columns import Block
from model.inventory import CENTRE_SITE
from model.measurement import Outcome, Reason, Rung, Vantage
from model.timeline import Interval, subtract, total_ms, union
from simulator.device_looks import devices, ports
from simulator.fate import Fate
from simulator.line import MOST_LOSS, added_delay_seconds, received_of, round_trips, rush
from simulator.roster import DAY_MS, Plan, Roster
from simulator.sheet import Array, Series, Sheet

_ECHOES = 5
_DEVICE_SECONDS = 900
_GAPS = 4
_GATEWAY_SHARE = 0.85
"""So much of a site's delay lies on the way to its provider's gateway: the last mile."""
_OVERSEAS_SECONDS = 0.035
_ANCHOR_SECONDS = 0.006
_RUSH_JITTER, _RUSH_LOSS = 3.0, 1.0
_CLIENTS_AT_RUSH = 9.0


def site_looks(plan: Plan, roster: Roster, piece: Interval) -> Block:
    """All rows of the sites in a stretch, sorted by site, vantage, kind, target and time."""
    return _Stretch(plan, roster, piece).block()


def anchor_looks(plan: Plan, roster: Roster, piece: Interval) -> Block:
    """The centre's looks at the anchors that prove its own line."""
    rng = np.random.default_rng([plan.province.seed, 5, piece.start_ms // 3_600_000])
    step_ms = plan.centre_interval_seconds * 1000
    names = sorted(anchor.name for anchor in plan.province.inventory.centre_anchors)
    series = [
        Series(
            Vantage.CENTRE,
            "ping",
            f"{Rung.ANCHOR}:{name}",
            step_ms,
            np.array([piece.start_ms + int(phase * step_ms)]),
            (piece.end_ms - piece.start_ms) // step_ms,
        )
        for name, phase in zip(names, roster.anchor_phase.tolist(), strict=True)
    ]
    sheet = Sheet(1, series)
    for item in series:
        within = (item.at_ms >= plan.interval.start_ms) & (item.at_ms < plan.interval.end_ms)
        looked = within & ~item.paint([(0, roster.off)])
        answered = looked & ~item.paint([(0, roster.line)])
        shape = int(looked.sum())
        _enter_pings(
            rng,
            sheet,
            item,
            looked,
            answered,
            np.full(shape, 0.0005, dtype=np.float32),
            np.full(shape, _ANCHOR_SECONDS, dtype=np.float32),
            np.full(shape, 0.0005, dtype=np.float32),
        )
    return sheet.block([CENTRE_SITE])


class _Stretch:
    """One stretch in the making."""

    def __init__(self, plan: Plan, roster: Roster, piece: Interval) -> None:
        self._plan = plan
        self._roster = roster
        self._piece = piece
        self._rng = np.random.default_rng([plan.province.seed, 4, piece.start_ms // 3_600_000])

    def block(self) -> Block:
        """Play everybody's part and read the sheet off."""
        centre, village = (
            self._plan.centre_interval_seconds,
            self._plan.village_interval_seconds,
        )
        polled = self._series(Vantage.CENTRE, "device", Rung.DEVICE, _DEVICE_SECONDS, 1)
        site = self._series(Vantage.CENTRE, "ping", Rung.SITE, centre, 0)
        own = self._series(Vantage.VILLAGE, "device", Rung.DEVICE, village, 2)
        gaps = Series(Vantage.VILLAGE, "gap", Rung.DEVICE, 0, own.first_ms, _GAPS)
        overseas = [Rung.INTERNATIONAL] if self._plan.international else []
        out = [
            self._series(Vantage.VILLAGE, "ping", rung, village, 2)
            for rung in (*overseas, Rung.ISP_GATEWAY, Rung.NATIONAL)
        ]
        sheet = Sheet(len(self._roster.ids), [polled, site, own, gaps, *out])
        self._centre(sheet, site)
        seen = self._centre_looks(polled) & ~self._unreachable(polled)
        polls = seen & self._roster.has_tunnel[:, None]
        devices(self._rng, self._roster, self._piece, sheet, polled, polls)
        ports(self._roster, self._piece, sheet, polled, polls)
        lives = self._village_looks(own)
        devices(self._rng, self._roster, self._piece, sheet, own, lives)
        clients = _CLIENTS_AT_RUSH * self._rush(own)
        clients[self._hit(own, lambda fate: fate.ailed("deserted"))] = 0
        sheet.read(own, lives, "clients", self._rng.poisson(clients[lives]))
        self._gaps(sheet, gaps, own, len(out) + 1)
        for series in out:
            self._outward(sheet, series, lives)
        misdate(sheet, self._roster.fates, self._piece, [own, *out])
        return sheet.block(self._roster.ids)

    def _series(self, vantage: str, kind: str, target: str, seconds: int, phase: int) -> Series:
        step_ms = seconds * 1000
        phases = np.floor(self._roster.phase[phase] * step_ms).astype(np.int64)
        looks = (self._piece.end_ms - self._piece.start_ms) // step_ms
        return Series(vantage, kind, target, step_ms, self._piece.start_ms + phases, looks)

    def _hit(self, series: Series, what: Callable[[Fate], Iterable[Interval]]) -> Array:
        """The looks that fall into some intervals of their sites' fates."""
        return series.paint(
            (row, [part for part in what(fate) if part.clip(self._piece)])
            for row, fate in enumerate(self._roster.fates)
        )

    def _within(self, series: Series) -> Array:
        """The looks that lie in the plan's interval and in their site's time in service."""
        since = np.maximum(self._roster.in_service_ms, self._plan.interval.start_ms)
        at_ms = series.at_ms
        within: Array = (at_ms >= since[:, None]) & (at_ms < self._plan.interval.end_ms)
        return within

    def _centre_looks(self, series: Series) -> Array:
        """The looks that the centre takes; while its own line is down, a device cannot be read."""
        blind = self._roster.off + (self._roster.line if series.kind == "device" else [])
        return self._within(series) & ~self._everywhere(series, blind)

    def _everywhere(self, series: Series, intervals: Sequence[Interval]) -> Array:
        """The looks that fall into intervals which hold for all sites."""
        at_ms = series.at_ms
        hit = np.zeros(at_ms.shape, dtype=bool)
        for start_ms, end_ms in intervals:
            if start_ms < self._piece.end_ms and end_ms > self._piece.start_ms:
                hit |= (at_ms >= start_ms) & (at_ms < end_ms)
        return hit

    def _unreachable(self, series: Series) -> Array:
        return self._hit(series, lambda fate: (blocked.interval for blocked in fate.blocked))

    def _centre(self, sheet: Sheet, series: Series) -> None:
        looked = self._centre_looks(series) & self._roster.has_address[:, None]
        answered = looked & ~self._unreachable(series)
        answered &= ~self._everywhere(series, self._roster.line)
        self._ping(sheet, series, looked, answered, self._roster.base_seconds)

    def _village_looks(self, series: Series) -> Array:
        """The looks of the villages' probes that were taken, kept and delivered."""
        off = self._hit(series, lambda fate: [*fate.dark, *fate.silent, *fate.dropped])
        withheld = series.paint(enumerate(self._roster.withheld))
        looks: Array = self._within(series) & self._roster.has_probe[:, None] & ~off & ~withheld
        return looks

    def _outward(self, sheet: Sheet, series: Series, lives: Array) -> None:
        """A village's own look at its provider's gateway, or at what lies beyond."""
        base = self._roster.base_seconds
        gateway = series.target == Rung.ISP_GATEWAY
        broken = self._hit(series, lambda f: f.cut if gateway else [*f.cut, *f.beyond])
        inside = self._hit(series, lambda fate: fate.ailed("lan_cut"))
        if gateway:
            base = base * np.float32(_GATEWAY_SHARE)
        else:
            base = base + self._roster.backbone_seconds
            if series.target == Rung.INTERNATIONAL:
                base = base + np.float32(_OVERSEAS_SECONDS)
        self._ping(sheet, series, lives, lives & ~broken & ~inside, base)
        below = lives & inside & self._roster.sees_lan[:, None]
        sheet.fail(series, below, Reason.BELOW + Rung.LAN, Outcome.UNKNOWN)
        if not gateway:
            cut = lives & self._hit(series, lambda fate: fate.cut) & ~inside
            sheet.fail(series, cut, Reason.BELOW + Rung.ISP_GATEWAY, Outcome.UNKNOWN)

    def _ping(
        self, sheet: Sheet, series: Series, looked: Array, answered: Array, base: Array
    ) -> None:
        """Echoes over the sites' own lines, with their rush hours and whatever slows them."""
        roster = self._roster
        busy = self._rush(series) * roster.congestion[:, None]
        jitter = roster.jitter_seconds[:, None] * (1 + np.float32(_RUSH_JITTER) * busy)
        loss = roster.loss[:, None] * (1 + np.float32(_RUSH_LOSS) * busy)
        base = np.repeat(base[:, None], series.looks, axis=1)
        for row, fate in enumerate(roster.fates):
            for interval, extra, factor in fate.degraded:
                if interval.clip(self._piece):
                    looks = series.columns_in(row, interval)
                    loss[row, looks] += np.float32(extra)
                    jitter[row, looks] *= np.float32(factor)
                    base[row, looks] += np.float32(added_delay_seconds(base[row, 0], factor))
        np.minimum(loss, np.float32(MOST_LOSS), out=loss)
        _enter_pings(
            self._rng, sheet, series, looked, answered, loss[looked], base[looked], jitter[looked]
        )

    def _rush(self, series: Series) -> Array:
        """How busy lines are at every look (0 to 1), by the clock of the province."""
        zone = ZoneInfo(self._plan.province.inventory.province.timezone)
        offset = datetime.fromtimestamp(self._piece.start_ms / 1000, zone).utcoffset()
        local_ms = series.at_ms + (0 if offset is None else round(offset.total_seconds() * 1000))
        return rush((local_ms % DAY_MS).astype(np.float32) / np.float32(3_600_000))

    def _gaps(self, sheet: Sheet, series: Series, own: Series, targets: int) -> None:
        """What remains of looks that a full spool dropped: one record per stretch, dated at its
        first look, with its length and the number of looks."""
        mask = np.zeros((len(self._roster.ids), _GAPS), dtype=bool)
        lengths, counts = np.zeros(mask.shape), np.zeros(mask.shape)
        for row, fate in enumerate(self._roster.fates):
            if not (fate.dropped and self._roster.has_probe[row]):
                continue
            since_ms = int(max(self._roster.in_service_ms[row], self._plan.interval.start_ms))
            window = Interval(since_ms, max(since_ms, self._plan.interval.end_ms))
            measured = [part.clip(window) for part in union(fate.dropped)]
            missing = union([*fate.dark, *fate.silent, *self._roster.withheld[row]])
            column = 0
            for part in measured:
                kept = subtract([part], missing) if part is not None else []
                looks = total_ms(kept) // own.step_ms
                if part is None or not looks or not self._starts_here(kept[0]):
                    continue
                if column == _GAPS:
                    raise ValueError(f"more than {_GAPS} spool overflows of a site in a stretch")
                mask[row, column] = True
                sheet.date(series, row, column, kept[0].start_ms)
                lengths[row, column] = (kept[-1].end_ms - kept[0].start_ms) / 1000
                counts[row, column] = looks * targets
                column += 1
        sheet.place(series, mask)
        sheet.fail(series, mask, Reason.SPOOL_OVERFLOW, Outcome.UNKNOWN)
        sheet.read(series, mask, "gap_seconds", lengths[mask])
        sheet.read(series, mask, "gap_looks", counts[mask])

    def _starts_here(self, interval: Interval) -> bool:
        return self._piece.start_ms <= interval.start_ms < self._piece.end_ms


def misdate(
    sheet: Sheet, several_fates: Sequence[Fate], piece: Interval, several: Sequence[Series]
) -> None:
    """Wrong clocks: never by half an interval, so that looks keep their order."""
    for row, fate in enumerate(several_fates):
        for interval, offset_ms in fate.shifted:
            if interval.clip(piece):
                for series in several:
                    most = series.step_ms * 2 // 5
                    offset = max(-most, min(most, offset_ms))
                    sheet.shift(series, row, series.columns_in(row, interval), offset)


def _enter_pings(
    rng: np.random.Generator,
    sheet: Sheet,
    series: Series,
    looked: Array,
    answered: Array,
    loss: Array,
    base: Array,
    jitter: Array,
) -> None:
    """Enter pings for the looks of a mask; the last three are theirs alone. A look whose echoes are
    all lost asks once more before it says DOWN, as our probe does."""
    sheet.place(series, looked)
    reached = answered[looked]
    received = np.where(reached, received_of(rng, loss, _ECHOES), np.int8(0))
    silent = received == 0
    again = np.flatnonzero(silent & reached)
    received[again] = received_of(rng, loss[again], _ECHOES)
    sheet.read(series, looked, "sent", np.where(silent, 2 * _ECHOES, _ECHOES))
    sheet.read(series, looked, "received", received)
    times = round_trips(rng, received, base, jitter)
    sheet.read(series, looked, "rtt_min_seconds", times.least)
    sheet.read(series, looked, "rtt_median_seconds", times.median)
    sheet.read(series, looked, "rtt_p95_seconds", times.p95)
    sheet.read(series, looked, "rtt_max_seconds", times.most)
    sheet.read(series, looked, "jitter_seconds", times.jitter)
    failed = looked.copy()
    failed[looked] = received == 0
    sheet.fail(series, failed, Reason.NO_ANSWER)
