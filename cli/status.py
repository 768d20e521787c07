"""``jangkau status``: how every site looked last, from the data, also while a collector runs.

Reads only the journal (its table of newest looks and the batches after it): no archive, no map.
"""

import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from cli import ladder, rows, terminal, wording
from cli.map_page import Lang

_OUTCOMES = ("DOWN", "UP", "UNKNOWN")


def status(
    data: Annotated[Path, typer.Option(help="The collector's folder.")] = Path("data"),
    inventory: Annotated[
        Path | None,
        typer.Option(help="Names the sites that never reported; times are its province's."),
    ] = None,
    lang: Lang = "id",
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Show the newest look at every site, its outcome, its RTT and since when it has been so; and,
    in words, what of a site's check ladder works and what is the lowest rung that does not.
    """
    looks, newest_ms = newest_looks(data)
    silent: list[str] = []
    zone = "UTC"
    if inventory is not None:
        from inventory.read import load  # YAML only when it is asked for

        heard = {look["site"] for look in looks}
        watched = load(inventory)
        silent = [site.id for site in watched.sites if site.id not in heard]
        zone = watched.province.timezone
    now_ms = time.time_ns() // 1_000_000
    document = {
        "now_ms": now_ms,
        "newest_ms": newest_ms,
        "age_seconds": None if newest_ms is None else (now_ms - newest_ms) / 1000,
        "totals": dict.fromkeys(_OUTCOMES, 0) | Counter(look["outcome"] for look in looks),
        "looks": looks,
        "ladders": ladder.documents(looks, lang),
        "silent_sites": silent,
    }
    if json:
        terminal.print_json(document)
    else:
        _show(document, zone)


def newest_looks(data: Path) -> tuple[list[dict[str, Any]], int | None]:
    from collector.feeder import CURSOR  # other commands need no SQLite
    from collector.journal import DamagedBatchError, JournalReader
    from collector.latest import fold, stored
    from collector.line_protocol import read_fields

    with JournalReader(data) as reader, reader.snapshot():
        known = stored(reader)
        for batch in reader.batches(reader.cursor(CURSOR).done):
            try:
                fold(known, batch.lines())
            except DamagedBatchError as error:
                terminal.stderr.print(f"left out: {error}", markup=False)
    looks = []
    for series, latest in sorted(known.items()):
        numbers, texts = read_fields(latest.fields)
        looks.append(
            {
                **series._asdict(),
                "at_ms": latest.at_ms,
                "outcome": _OUTCOMES[latest.outcome],
                "reason": texts.get("reason", ""),
                "rtt_median_seconds": numbers.get("rtt_median_seconds"),
                "since_ms": latest.since_ms,
            }
        )
    return looks, max((latest.at_ms for latest in known.values()), default=None)


def _show(document: dict[str, Any], zone: str) -> None:
    hour = datetime.now(ZoneInfo(zone)).tzname()

    def local(at_ms: int) -> str:
        return datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone)).strftime("%m-%d %H:%M")

    rows.show(
        document["looks"],
        {
            "site": lambda look: look["site"],
            "vantage": lambda look: look["vantage"],
            "look": lambda look: f"{look['kind']} {look['target']}",
            f"at ({hour})": lambda look: local(look["at_ms"]),
            "outcome": lambda look: look["outcome"],
            "RTT ms": lambda look: wording.milliseconds(look["rtt_median_seconds"]),
            f"since ({hour})": lambda look: local(look["since_ms"]),
            "reason": lambda look: look["reason"],
        },
        title=f"Newest looks; times in {zone}",
        as_json=False,
        as_csv=False,
        wrapped=("look", "reason"),
    )
    totals = document["totals"]
    counts = ", ".join(f"{totals[name]} {name}" for name in ("UP", "DOWN", "UNKNOWN"))
    age = document["age_seconds"]
    newest = "no data yet" if age is None else f"newest datum {age:.0f} s old"
    terminal.stdout.print(f"{counts}; {newest}; from the collector's journal")
    for one in document["ladders"]:
        if one["broken"] is not None:
            said = f"{one['site']} ({one['vantage']}): {one['state']}"
            terminal.stdout.print(said, markup=False, soft_wrap=True)
    if document["silent_sites"]:
        silent = document["silent_sites"]
        terminal.stdout.print(f"{len(silent)} sites never reported: {' '.join(silent)}")
