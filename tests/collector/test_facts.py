"""Facts about outages: whose starts count."""

from pathlib import Path

from collector.archive.parquet import ParquetArchive
from collector.engine import Engine
from collector.facts import Boot, find_boots
from model.measurement import Outcome
from model.timeline import Interval
from tests.collector.scenario_player import Row, block_of

MIN = 60_000
START = 20_000 * 24 * 60 * MIN
DAY = Interval(START, START + 24 * 60 * MIN)


def word(
    minute: int, boot: int, uptime: float, target: str = "device", kind: str = "device"
) -> Row:
    """What a device of site a says of itself."""
    return {"site": "a", "vantage": "village", "kind": kind, "target": target, "reason": "",
            "at_ms": START + minute * MIN, "outcome": Outcome.UP, "boot_id": boot,
            "uptime_seconds": uptime}  # fmt: skip


def life(started: int, first: int, last: int) -> Boot:
    """One life of a device, in minutes."""
    return Boot(START + started * MIN, START + first * MIN, START + last * MIN, 0)


def boots(folder: Path, rows: list[Row]) -> dict[str, list[Boot]]:
    """The boots that the engine finds in these rows."""
    archive = ParquetArchive(folder)
    archive.append("all", block_of(rows))
    with Engine() as engine:
        engine.open_looks(archive.files(DAY))
        return find_boots(engine, DAY)


def test_a_ups_beside_the_router_hides_no_start(tmp_path: Path) -> None:
    """The UPS lives on; the router starts anew, and only its lives count."""
    router = [word(5, 1, 300, "device:router"), word(65, 2, 60, "device:router")]
    ups = [word(at, 9, at * 60, "device:ups") for at in (5, 35, 65)]
    assert boots(tmp_path, [*router, *ups]) == {"a": [life(0, 5, 5), life(64, 65, 65)]}


def test_a_call_for_help_is_a_sign_of_life(tmp_path: Path) -> None:
    """A device that could only say so by DNS was on all the same."""
    rows = [word(5, 1, 300), word(45, 1, 2700, kind="sos")]
    assert boots(tmp_path, rows) == {"a": [life(0, 5, 45)]}
