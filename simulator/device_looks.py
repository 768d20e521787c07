"""What devices say of themselves: since when they run and why they started, their supply, their
ports.

Law: as in ``looks.py``: whole matrices, read off the sites' fates.
"""

import hashlib
from itertools import pairwise

import numpy as np

from model.outage import Cause
from model.timeline import Interval
from simulator.fate import Boot
from simulator.roster import Roster
from simulator.sheet import Array, Series, Sheet

_MAINS_VOLTS, _CHARGING_VOLTS = 12.0, 13.6
_BATTERY_FULL_VOLTS, _BATTERY_EMPTY_VOLTS = 12.7, 10.8


def devices(
    rng: np.random.Generator,
    roster: Roster,
    piece: Interval,
    sheet: Sheet,
    series: Series,
    mask: Array,
) -> None:
    """What a device says of itself: since when it runs, why it started, its supply."""
    sheet.place(series, mask)
    shape = mask.shape
    boot_ms = np.repeat(roster.first_boot_ms[:, None], shape[1], axis=1)
    reason = np.ones(shape, dtype=np.float32)
    number = np.zeros(shape, dtype=np.float64)
    for row, (site, fate) in enumerate(zip(roster.ids, roster.fates, strict=True)):
        boots = [Boot(int(roster.first_boot_ms[row]), 1), *fate.boots]
        for this, following in pairwise([*boots, Boot(piece.end_ms, 0)]):
            if this.at_ms < piece.end_ms and following.at_ms > piece.start_ms:
                looks = series.columns_in(row, Interval(this.at_ms, piece.end_ms))
                boot_ms[row, looks] = this.at_ms
                reason[row, looks] = this.reason
                number[row, looks] = _boot_id(site, this.at_ms)
    sheet.read(series, mask, "uptime_seconds", (series.at_ms - boot_ms)[mask] // 1000)
    sheet.read(series, mask, "boot_reason", reason[mask])
    sheet.read(series, mask, "boot_id", number[mask])
    _supply(rng, roster, piece, sheet, series, mask)


def ports(roster: Roster, piece: Interval, sheet: Sheet, series: Series, mask: Array) -> None:
    """How long ago a port last changed, as SNMP tells: the uplink goes down and up with its
    line, and all ports come up with the device."""
    changed_ms = np.repeat(roster.first_boot_ms[:, None], series.looks, axis=1)
    for row, fate in enumerate(roster.fates):
        line = [item.interval for item in fate.blocked if item.cause is Cause.LINK]
        moments = [boot.at_ms for boot in fate.boots] + [at for part in line for at in part]
        for at_ms in sorted(moments):
            if at_ms < piece.end_ms:
                looks = series.columns_in(row, Interval(at_ms, piece.end_ms))
                changed_ms[row, looks] = at_ms
    seconds = (series.at_ms - changed_ms)[mask] / 1000
    sheet.read(series, mask, "interface_change_seconds", seconds)


def _supply(
    rng: np.random.Generator,
    roster: Roster,
    piece: Interval,
    sheet: Sheet,
    series: Series,
    mask: Array,
) -> None:
    usual = np.where(roster.has_battery, _CHARGING_VOLTS, _MAINS_VOLTS).astype(np.float32)
    volts = np.repeat(usual[:, None], mask.shape[1], axis=1)
    on_battery = np.zeros(mask.shape, dtype=np.float32)
    at_ms = series.at_ms
    for row, fate in enumerate(roster.fates):
        for interval, battery_ms in fate.on_battery:
            if interval.clip(piece):
                looks = series.columns_in(row, interval)
                used = (at_ms[row, looks] - interval.start_ms) / battery_ms
                span = _BATTERY_FULL_VOLTS - _BATTERY_EMPTY_VOLTS
                volts[row, looks] = _BATTERY_FULL_VOLTS - span * used
                on_battery[row, looks] = 1
    noise = rng.normal(0, 0.06, int(mask.sum()))
    sheet.read(series, mask, "supply_volts", np.round(volts[mask] + noise, 2))
    has_battery = mask & roster.has_battery[:, None]
    sheet.read(series, has_battery, "on_battery", on_battery[has_battery])


def _boot_id(site: str, at_ms: int) -> int:
    """A positive 48-bit number for a start of a device, as random as a device would draw it."""
    digest = hashlib.blake2b(f"{site}@{at_ms}".encode(), digest_size=6).digest()
    return int.from_bytes(digest) | 1
