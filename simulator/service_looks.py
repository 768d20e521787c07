"""The looks of one stretch of history at services, resolvers, portals, cameras, paths and dishes.

Law: as in ``looks.py``, every answer follows from the site's fate alone. What stands on a broken
rung is UNKNOWN because of it, as with our own probe (``probes/ladder.py``).
"""

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from model.check import ServiceCheck
from model.columns import Block
from model.kinds import INTERVAL_SECONDS
from model.measurement import Outcome, Reason, Rung, Vantage
from model.timeline import Interval
from simulator.ailments import Ailing, befalls
from simulator.fate import Fate
from simulator.looks import misdate
from simulator.roster import DAY_MS, Plan, Roster
from simulator.sheet import Array, Series, Sheet

_PAGE_BYTES = 600
_SERVER_SECONDS = 0.03
_SLOW_SECONDS = 4.0
_CERTIFICATE_DAYS, _RENEWED_DAYS = 90, 30
_FULL_MTU = 1500
_HOPS = 7
_FREE, _PORTAL, _QUOTA = 0, 1, 2  # captive_state of METRICS
_TYPICAL_MBIT_S = 8.0
_TEST_BYTES = 4_000_000
_FIRMWARE = 20_260_608


def service_looks(plan: Plan, roster: Roster, piece: Interval) -> Block:
    """All rows of the services in a stretch, sorted by site, vantage, kind, target and time."""
    return _Stretch(plan, roster, piece).block()


@dataclass(frozen=True)
class _Seen:
    """What stands between one series and its answers: looks by site, True where it is so."""

    sheet: Sheet
    series: Series
    check: ServiceCheck
    looked: Array
    open: Array
    """The looks above which no rung is broken."""


class _Stretch:
    """One stretch in the making."""

    def __init__(self, plan: Plan, roster: Roster, piece: Interval) -> None:
        self._plan, self._roster, self._piece = plan, roster, piece
        self._rows = roster.served.tolist()
        self._sites = [plan.province.inventory.sites[row] for row in self._rows]
        self._fates = [roster.fates[row] for row in self._rows]
        self._rtt = roster.base_seconds[roster.served][:, None]
        self._rng = np.random.default_rng([plan.province.seed, 6, piece.start_ms // 3_600_000])

    def block(self) -> Block:
        """Play every check's part and read the sheet off."""
        checks = {
            (one.vantage.value, one.kind, f"{one.rung}:{one.id}"): one
            for one in self._plan.province.inventory.checks
        }
        several = {key: self._series(key, checks[key]) for key in sorted(checks)}
        sheet = Sheet(len(self._rows), list(several.values()))
        for key, series in several.items():
            check = checks[key]
            looked = self._looked(check, series)
            sheet.place(series, looked)
            blocked = self._below(sheet, series, check, looked)
            _ANSWERS[check.kind](self, _Seen(sheet, series, check, looked, looked & ~blocked))
        village = [one for one in several.values() if one.vantage == Vantage.VILLAGE]
        misdate(sheet, self._fates, self._piece, village)
        return sheet.block([site.id for site in self._sites])

    def _series(self, key: tuple[str, str, str], check: ServiceCheck) -> Series:
        seconds = check.interval_seconds or INTERVAL_SECONDS.get(
            check.kind, self._plan.village_interval_seconds
        )
        step_ms = seconds * 1000
        phases = [zlib.crc32(f"{site.id}/{check.id}".encode()) % step_ms for site in self._sites]
        return Series(
            *key,
            step_ms,
            # A stretch shorter than the interval holds the look or does not, by the phase.
            self._piece.start_ms + (np.array(phases) - self._piece.start_ms) % step_ms,
            -(-(self._piece.end_ms - self._piece.start_ms) // step_ms),
        )

    def hit(self, series: Series, what: Callable[[Fate], Iterable[Interval]]) -> Array:
        """The looks that fall into some intervals of their sites' fates."""
        return series.paint(
            (row, [part for part in what(fate) if part.clip(self._piece)])
            for row, fate in enumerate(self._fates)
        )

    def ailing(self, series: Series, those: Callable[[Ailing], bool]) -> Array:
        """The looks that fall into some ailments of their sites."""
        return self.hit(series, lambda fate: (one.interval for one in fate.ailing if those(one)))

    def _looked(self, check: ServiceCheck, series: Series) -> Array:
        """The looks that were taken, kept and delivered."""
        since = np.maximum(
            self._roster.in_service_ms[self._roster.served], self._plan.interval.start_ms
        )
        at_ms = series.at_ms
        looked: Array = (at_ms >= since[:, None]) & (
            at_ms < min(self._plan.interval.end_ms, self._piece.end_ms)
        )
        looked &= np.array([check.concerns(site) for site in self._sites])[:, None]
        if check.vantage is Vantage.CENTRE:
            return looked & ~series.paint((row, self._roster.off) for row in range(len(self._rows)))
        off = self.hit(series, lambda fate: [*fate.dark, *fate.silent, *fate.dropped])
        withheld = series.paint(
            (row, self._roster.withheld[site]) for row, site in enumerate(self._rows)
        )
        return looked & ~off & ~withheld

    def _below(self, sheet: Sheet, series: Series, check: ServiceCheck, looked: Array) -> Array:
        """The looks below which a rung is broken, and so that they say it."""
        broken: dict[Rung, Array] = {}
        if check.vantage is Vantage.CENTRE:
            broken[Rung.SITE] = self.hit(series, lambda fate: (b.interval for b in fate.blocked))
            broken[Rung.SITE] |= series.paint(
                (row, self._roster.line) for row in range(len(self._rows))
            )
        else:
            broken = self._broken_inside(series, check)
        blocked = np.zeros(looked.shape, dtype=bool)
        for rung, where in broken.items():
            sheet.fail(series, looked & where & ~blocked, Reason.BELOW + rung, Outcome.UNKNOWN)
            blocked |= where
        return blocked

    def _broken_inside(self, series: Series, check: ServiceCheck) -> dict[Rung, Array]:
        """The rungs between a village's probe and what it looks at, from the inside outward."""
        broken: dict[Rung, Array] = {}
        if check.rung is not Rung.LAN:
            broken[Rung.LAN] = self.ailing(series, lambda one: one.kind == "lan_cut")
        if check.rung in (Rung.DNS, Rung.NATIONAL, Rung.APPLICATION):
            broken[Rung.ISP_GATEWAY] = self.hit(series, lambda fate: fate.cut)
        if check.rung is Rung.APPLICATION:
            if check.kind in ("http", "throughput"):
                broken[Rung.DNS] = self.ailing(series, _no_names)
            broken[Rung.NATIONAL] = self.hit(series, lambda fate: fate.beyond)
        return broken

    def ping(self, seen: _Seen) -> None:
        """The router of the site, from within."""
        broken = self.ailing(seen.series, lambda one: one.kind == "lan_cut")
        seen.sheet.fail(seen.series, seen.looked & broken, Reason.NO_ANSWER)
        seen.sheet.read(seen.series, seen.looked, "sent", np.where(broken, 10, 5)[seen.looked])
        seen.sheet.read(seen.series, seen.looked, "received", np.where(broken, 0, 5)[seen.looked])
        seen.sheet.read(seen.series, seen.looked & ~broken, "rtt_median_seconds", 0.0008)

    def dns(self, seen: _Seen) -> None:
        """A resolver: dead, lying, or making up what does not exist. It is asked twice."""
        sheet, series = seen.sheet, seen.series
        dead = self.ailing(series, lambda one: (one.kind, one.how) == ("dns_trouble", "dead"))
        dead |= self.hit(series, lambda f: set(f.beyond) - set(f.ailed("quota")))
        dead |= self._rng.random(dead.shape) < self._roster.loss[self._roster.served][:, None] ** 2
        lies = self.ailing(series, lambda one: (one.kind, one.how) == ("dns_trouble", "lies"))
        rewrites = self.ailing(
            series, lambda one: (one.kind, one.how) == ("dns_trouble", "rewrites")
        )
        sheet.fail(series, seen.open & lies, Reason.TAMPERED)
        sheet.fail(series, seen.open & dead, Reason.NO_ANSWER)
        answered = seen.open & ~dead
        sheet.read(series, answered, "dns_seconds", self._delays(answered, 1))
        sheet.read(series, answered, "dns_answers", 1)
        sheet.read(series, answered, "dns_tampered", lies[answered])
        sheet.read(series, answered, "dns_nxdomain_rewritten", rewrites[answered])

    def http(self, seen: _Seen) -> None:
        """A page: wrong, refused, half of it, or late; large packets that vanish stall it, too."""
        sheet, series = seen.sheet, seen.series
        how = self._trouble(seen)
        hole = self.ailing(series, lambda one: one.kind == "mtu_black_hole")
        sheet.fail(series, seen.open & how["error"], f"{Reason.WRONG_STATUS} 502")
        sheet.fail(series, seen.open & (how["half_dead"] | hole), Reason.NO_ANSWER)
        sheet.fail(series, seen.open & how["certificate"], Reason.CERTIFICATE_EXPIRED)
        sheet.fail(series, seen.open & how["refused"], Reason.REFUSED)
        spoken = seen.open & ~how["refused"] & ~how["certificate"]
        whole = spoken & ~how["half_dead"] & ~hole
        thinking = np.where(how["slow"], _SLOW_SECONDS, _SERVER_SECONDS)[spoken]
        sheet.read(series, spoken, "connect_seconds", self._delays(spoken, 1))
        sheet.read(series, spoken, "first_byte_seconds", self._delays(spoken, 1) + thinking)
        sheet.read(series, spoken, "http_status", np.where(how["error"], 502, 200)[spoken])
        sheet.read(series, whole, "transfer_seconds", self._delays(whole, 1))
        sheet.read(series, whole, "body_bytes", _PAGE_BYTES)

    def tls(self, seen: _Seen) -> None:
        """A certificate, counting down to its end; an event is the time in which it is over."""
        sheet, series = seen.sheet, seen.series
        how = self._trouble(seen)
        sheet.fail(series, seen.open & how["certificate"], Reason.CERTIFICATE_EXPIRED)
        sheet.fail(series, seen.open & how["refused"], Reason.REFUSED)
        days = series.at_ms / DAY_MS
        left: Array = _CERTIFICATE_DAYS - days % (_CERTIFICATE_DAYS - _RENEWED_DAYS)
        for row, fate in enumerate(self._fates):
            for one in fate.ailing:
                if (one.kind, one.how) == ("service_trouble", "certificate") and befalls(
                    one, seen.check
                ):
                    before = series.at_ms[row] < one.interval.end_ms
                    until = one.interval.start_ms / DAY_MS - days[row]
                    left[row] = np.where(before, np.minimum(left[row], until), left[row])
        answered = seen.open & ~how["refused"]
        sheet.read(series, answered, "certificate_days", left[answered])
        sheet.read(series, answered, "tls_seconds", self._delays(answered, 2))

    def captive(self, seen: _Seen) -> None:
        """The page that answers 204, unless somebody stands in the way."""
        sheet, series = seen.sheet, seen.series
        portal = self.ailing(series, lambda one: one.kind == "portal")
        quota = self.ailing(series, lambda one: one.kind == "quota")
        gone = self.hit(series, lambda fate: fate.beyond) & ~quota
        nameless = self.ailing(series, _no_names)
        sheet.fail(series, seen.open & portal, Reason.CAPTIVE_PORTAL)
        sheet.fail(series, seen.open & quota, Reason.QUOTA)
        sheet.fail(series, seen.open & gone, Reason.NO_ANSWER)
        sheet.fail(series, seen.open & nameless, Reason.NAME_NOT_RESOLVED)
        answered = seen.open & ~gone & ~nameless
        state = np.where(quota, _QUOTA, np.where(portal, _PORTAL, _FREE))
        sheet.read(series, answered, "captive_state", state[answered])

    def rtsp(self, seen: _Seen) -> None:
        """A camera that describes its picture, or does not."""
        sheet, series = seen.sheet, seen.series
        how = self._trouble(seen)
        sheet.fail(series, seen.open & how["error"], f"{Reason.WRONG_STATUS} 503")
        sheet.fail(series, seen.open & how["half_dead"], Reason.NO_ANSWER)
        sheet.fail(series, seen.open & how["refused"], Reason.REFUSED)
        spoken = seen.open & ~how["refused"] & ~how["half_dead"]
        sheet.read(series, spoken, "connect_seconds", self._delays(spoken, 1))
        sheet.read(series, spoken, "rtsp_status", np.where(how["error"], 503, 200)[spoken])

    def path(self, seen: _Seen) -> None:
        """The way, and how large a packet may be on it."""
        sheet, series = seen.sheet, seen.series
        detours = [(row, list(fate.ailed("path_change"))) for row, fate in enumerate(self._fates)]
        detour = series.paint(detours)
        before = replace(series, first_ms=series.first_ms - series.step_ms).paint(detours)
        usual = np.array([zlib.crc32(site.id.encode()) for site in self._sites])[:, None]
        mtu = np.full(detour.shape, _FULL_MTU)
        for row, fate in enumerate(self._fates):
            for one in fate.ailing:
                if one.kind == "mtu_black_hole":
                    mtu[row, series.columns_in(row, one.interval)] = round(one.amount)
        for metric, values in (
            ("hop_count", np.where(detour, _HOPS + 2, _HOPS)),
            ("path_id", usual + detour),
            ("path_changed", detour != before),
            ("path_mtu_bytes", mtu),
            ("mtu_black_hole", mtu < _FULL_MTU),
        ):
            sheet.read(series, seen.open, metric, values[seen.open])

    def throughput(self, seen: _Seen) -> None:
        """How fast the line is, and how slow somebody has made it."""
        sheet, series = seen.sheet, seen.series
        noise = 0.1 * _TYPICAL_MBIT_S
        speed: Array = self._rng.normal(np.full(series.at_ms.shape, _TYPICAL_MBIT_S), noise)
        for row, fate in enumerate(self._fates):
            for one in fate.ailing:
                if one.kind == "shaped":
                    columns = series.columns_in(row, one.interval)
                    speed[row, columns] = np.minimum(speed[row, columns], one.amount)
        sheet.read(series, seen.open, "download_mbit_s", speed[seen.open])
        sheet.read(series, seen.open, "upload_mbit_s", speed[seen.open] / 4)
        sheet.read(series, seen.open, "download_error_share", 0.04)
        sheet.read(series, seen.open, "upload_error_share", 0.04)
        sheet.read(series, seen.open, "test_bytes", _TEST_BYTES)

    def starlink(self, seen: _Seen) -> None:
        """What a dish says of itself: its sky, and how much of it is in the way."""
        sheet, series = seen.sheet, seen.series
        share: Array = np.zeros(series.at_ms.shape)
        for row, fate in enumerate(self._fates):
            for one in fate.ailing:
                if one.kind == "obstruction":
                    share[row, series.columns_in(row, one.interval)] = one.amount
        no_sky = self.hit(series, lambda fate: fate.cut)
        for metric, values in (
            ("dish_ping_drop_share", np.where(no_sky, 1.0, share)),
            ("dish_obstructed_share", share),
            ("dish_obstructed", share > 0),
            ("dish_alerts", np.zeros(share.shape)),
            ("dish_firmware", np.full(share.shape, _FIRMWARE)),
        ):
            sheet.read(series, seen.open, metric, values[seen.open])

    def _trouble(self, seen: _Seen) -> Mapping[str, Array]:
        """The looks of a service by how it is ill."""
        return {
            how: self.ailing(
                seen.series,
                lambda one, how=how: (
                    (one.kind, one.how) == ("service_trouble", how)  # type: ignore[misc] # mypy cannot infer a lambda that keeps its loop's value
                    and befalls(one, seen.check)
                ),
            )
            for how in ("error", "refused", "half_dead", "slow", "certificate")
        }

    def _delays(self, mask: Array, trips: int) -> Array:
        """So many round trips over each site's own line, with a little noise."""
        base = np.broadcast_to(self._rtt, mask.shape)[mask]
        return base * trips * (1 + 0.1 * self._rng.random(base.size, dtype=np.float32))


def _no_names(one: Ailing) -> bool:
    """Whether a name leads nowhere, or to the wrong place."""
    return one.kind == "dns_trouble" and one.how != "rewrites"


_ANSWERS: Mapping[str, Callable[[_Stretch, _Seen], None]] = {
    "ping": _Stretch.ping,
    "dns": _Stretch.dns,
    "http": _Stretch.http,
    "tls": _Stretch.tls,
    "captive": _Stretch.captive,
    "rtsp": _Stretch.rtsp,
    "path": _Stretch.path,
    "throughput": _Stretch.throughput,
    "starlink": _Stretch.starlink,
}
