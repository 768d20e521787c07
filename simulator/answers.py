"""What looks at services answer in history, kind by kind, as the site's fate has it.

Law: a kind of look is one function; it enters what the looks that were taken say and read, for all
sites at once.
"""

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.check import ServiceCheck
from model.measurement import Reason
from model.site import Site
from model.timeline import Interval
from simulator.ailments import Ailing, befalls
from simulator.fate import Fate
from simulator.roster import DAY_MS
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


@dataclass(frozen=True)
class Seen:
    """One series on its sheet, with the sites that it looks at (the rows) and all that its answers
    hang on. ``looked`` are the looks that were taken, ``open`` those of them that no broken rung
    stands before; ``rtt_seconds`` and ``loss`` are of the sites' lines, one row each."""

    sheet: Sheet
    series: Series
    check: ServiceCheck
    looked: Array
    open: Array
    sites: Sequence[Site]
    fates: Sequence[Fate]
    piece: Interval
    rtt_seconds: Array
    loss: Array
    rng: np.random.Generator

    def hit(self, what: Callable[[Fate], Iterable[Interval]]) -> Array:
        """The looks that fall into some intervals of their sites' fates."""
        return hit(self.series, self.fates, self.piece, what)

    def ailing(self, those: Callable[[Ailing], bool]) -> Array:
        """The looks that fall into some ailments of their sites."""
        return self.hit(lambda fate: (one.interval for one in fate.ailing if those(one)))

    def trouble(self) -> Mapping[str, Array]:
        """The looks of a service by how it is ill."""

        def ill(how: str) -> Array:
            return self.ailing(
                lambda one: (
                    (one.kind, one.how) == ("service_trouble", how) and befalls(one, self.check)
                )
            )

        return {how: ill(how) for how in ("error", "refused", "half_dead", "slow", "certificate")}

    def delays(self, mask: Array, trips: int) -> Array:
        """So many round trips over each site's own line, with some noise, for a mask's looks."""
        base = np.broadcast_to(self.rtt_seconds, mask.shape)[mask]
        noisy: Array = base * trips * (1 + 0.1 * self.rng.random(base.size, dtype=np.float32))
        return noisy


def hit(
    series: Series,
    fates: Sequence[Fate],
    piece: Interval,
    what: Callable[[Fate], Iterable[Interval]],
) -> Array:
    """The looks of a series that fall into some intervals of their sites' fates."""
    return series.paint(
        (row, [part for part in what(fate) if part.clip(piece)]) for row, fate in enumerate(fates)
    )


def no_names(one: Ailing) -> bool:
    """Whether a name leads nowhere, or to the wrong place."""
    return one.kind == "dns_trouble" and one.how != "rewrites"


def _ping(seen: Seen) -> None:
    """The router of the site, from within."""
    broken = seen.ailing(lambda one: one.kind == "lan_cut")
    seen.sheet.fail(seen.series, seen.looked & broken, Reason.NO_ANSWER)
    seen.sheet.read(seen.series, seen.looked, "sent", np.where(broken, 10, 5)[seen.looked])
    seen.sheet.read(seen.series, seen.looked, "received", np.where(broken, 0, 5)[seen.looked])
    seen.sheet.read(seen.series, seen.looked & ~broken, "rtt_median_seconds", 0.0008)


def _dns(seen: Seen) -> None:
    """A resolver: dead, lying, or making up what does not exist. It is asked twice."""
    sheet, series = seen.sheet, seen.series
    dead = seen.ailing(lambda one: (one.kind, one.how) == ("dns_trouble", "dead"))
    dead |= seen.hit(lambda f: set(f.beyond) - set(f.ailed("quota")))
    dead |= seen.rng.random(dead.shape) < seen.loss**2
    lies = seen.ailing(lambda one: (one.kind, one.how) == ("dns_trouble", "lies"))
    rewrites = seen.ailing(lambda one: (one.kind, one.how) == ("dns_trouble", "rewrites"))
    sheet.fail(series, seen.open & lies, Reason.TAMPERED)
    sheet.fail(series, seen.open & dead, Reason.NO_ANSWER)
    answered = seen.open & ~dead
    sheet.read(series, answered, "dns_seconds", seen.delays(answered, 1))
    sheet.read(series, answered, "dns_answers", 1)
    sheet.read(series, answered, "dns_tampered", lies[answered])
    sheet.read(series, answered, "dns_nxdomain_rewritten", rewrites[answered])


def _http(seen: Seen) -> None:
    """A page: wrong, refused, half of it, or late; large packets that vanish stall it, too."""
    sheet, series = seen.sheet, seen.series
    how = seen.trouble()
    hole = seen.ailing(lambda one: one.kind == "mtu_black_hole")
    sheet.fail(series, seen.open & how["error"], f"{Reason.WRONG_STATUS} 502")
    sheet.fail(series, seen.open & (how["half_dead"] | hole), Reason.NO_ANSWER)
    sheet.fail(series, seen.open & how["certificate"], Reason.CERTIFICATE_EXPIRED)
    sheet.fail(series, seen.open & how["refused"], Reason.REFUSED)
    spoken = seen.open & ~how["refused"] & ~how["certificate"]
    whole = spoken & ~how["half_dead"] & ~hole
    thinking = np.where(how["slow"], _SLOW_SECONDS, _SERVER_SECONDS)[spoken]
    sheet.read(series, spoken, "connect_seconds", seen.delays(spoken, 1))
    sheet.read(series, spoken, "first_byte_seconds", seen.delays(spoken, 1) + thinking)
    sheet.read(series, spoken, "http_status", np.where(how["error"], 502, 200)[spoken])
    sheet.read(series, whole, "transfer_seconds", seen.delays(whole, 1))
    sheet.read(series, whole, "body_bytes", _PAGE_BYTES)


def _tls(seen: Seen) -> None:
    """A certificate, counting down to its end; an event is the time in which it is over."""
    sheet, series = seen.sheet, seen.series
    how = seen.trouble()
    sheet.fail(series, seen.open & how["certificate"], Reason.CERTIFICATE_EXPIRED)
    sheet.fail(series, seen.open & how["refused"], Reason.REFUSED)
    days = series.at_ms / DAY_MS
    left: Array = _CERTIFICATE_DAYS - days % (_CERTIFICATE_DAYS - _RENEWED_DAYS)
    for row, fate in enumerate(seen.fates):
        for one in fate.ailing:
            if (one.kind, one.how) == ("service_trouble", "certificate") and befalls(
                one, seen.check
            ):
                before = series.at_ms[row] < one.interval.end_ms
                until = one.interval.start_ms / DAY_MS - days[row]
                left[row] = np.where(before, np.minimum(left[row], until), left[row])
    answered = seen.open & ~how["refused"]
    sheet.read(series, answered, "certificate_days", left[answered])
    sheet.read(series, answered, "tls_seconds", seen.delays(answered, 2))


def _captive(seen: Seen) -> None:
    """The page that answers 204, unless somebody stands in the way."""
    sheet, series = seen.sheet, seen.series
    portal = seen.ailing(lambda one: one.kind == "portal")
    quota = seen.ailing(lambda one: one.kind == "quota")
    gone = seen.hit(lambda fate: fate.beyond) & ~quota
    nameless = seen.ailing(no_names)
    sheet.fail(series, seen.open & portal, Reason.CAPTIVE_PORTAL)
    sheet.fail(series, seen.open & quota, Reason.QUOTA)
    sheet.fail(series, seen.open & gone, Reason.NO_ANSWER)
    sheet.fail(series, seen.open & nameless, Reason.NAME_NOT_RESOLVED)
    answered = seen.open & ~gone & ~nameless
    state = np.where(quota, _QUOTA, np.where(portal, _PORTAL, _FREE))
    sheet.read(series, answered, "captive_state", state[answered])


def _rtsp(seen: Seen) -> None:
    """A camera that describes its picture, or does not."""
    sheet, series = seen.sheet, seen.series
    how = seen.trouble()
    sheet.fail(series, seen.open & how["error"], f"{Reason.WRONG_STATUS} 503")
    sheet.fail(series, seen.open & how["half_dead"], Reason.NO_ANSWER)
    sheet.fail(series, seen.open & how["refused"], Reason.REFUSED)
    spoken = seen.open & ~how["refused"] & ~how["half_dead"]
    sheet.read(series, spoken, "connect_seconds", seen.delays(spoken, 1))
    sheet.read(series, spoken, "rtsp_status", np.where(how["error"], 503, 200)[spoken])


def _path(seen: Seen) -> None:
    """The way, and how large a packet may be on it."""
    sheet, series = seen.sheet, seen.series
    detours = [(row, list(fate.ailed("path_change"))) for row, fate in enumerate(seen.fates)]
    detour = series.paint(detours)
    before = replace(series, first_ms=series.first_ms - series.step_ms).paint(detours)
    usual = np.array([zlib.crc32(site.id.encode()) for site in seen.sites])[:, None]
    mtu = np.full(detour.shape, _FULL_MTU)
    for row, fate in enumerate(seen.fates):
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


def _throughput(seen: Seen) -> None:
    """How fast the line is, and how slow somebody has made it."""
    sheet, series = seen.sheet, seen.series
    noise = 0.1 * _TYPICAL_MBIT_S
    speed: Array = seen.rng.normal(np.full(series.at_ms.shape, _TYPICAL_MBIT_S), noise)
    for row, fate in enumerate(seen.fates):
        for one in fate.ailing:
            if one.kind == "shaped":
                columns = series.columns_in(row, one.interval)
                speed[row, columns] = np.minimum(speed[row, columns], one.amount)
    sheet.read(series, seen.open, "download_mbit_s", speed[seen.open])
    sheet.read(series, seen.open, "upload_mbit_s", speed[seen.open] / 4)
    sheet.read(series, seen.open, "download_error_share", 0.04)
    sheet.read(series, seen.open, "upload_error_share", 0.04)
    sheet.read(series, seen.open, "test_bytes", _TEST_BYTES)


def _starlink(seen: Seen) -> None:
    """What a dish says of itself: its sky, and how much of it is in the way."""
    sheet, series = seen.sheet, seen.series
    share: Array = np.zeros(series.at_ms.shape)
    for row, fate in enumerate(seen.fates):
        for one in fate.ailing:
            if one.kind == "obstruction":
                share[row, series.columns_in(row, one.interval)] = one.amount
    no_sky = seen.hit(lambda fate: fate.cut)
    for metric, values in (
        ("dish_ping_drop_share", np.where(no_sky, 1.0, share)),
        ("dish_obstructed_share", share),
        ("dish_obstructed", share > 0),
        ("dish_alerts", np.zeros(share.shape)),
        ("dish_firmware", np.full(share.shape, _FIRMWARE)),
    ):
        sheet.read(series, seen.open, metric, values[seen.open])


ANSWERS: Mapping[str, Callable[[Seen], None]] = {
    "ping": _ping,
    "dns": _dns,
    "http": _http,
    "tls": _tls,
    "captive": _captive,
    "rtsp": _rtsp,
    "path": _path,
    "throughput": _throughput,
    "starlink": _starlink,
}
"""Kind of look -> what it answers. A kind that is missing here is not simulated."""
