"""``jangkau coverage``: how many villages have stable internet, by region; the figures that map and
report show too."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import options, rows, wording
from cli.options import AsCsv, AsJson, DataFolder, InventoryFile, WeekText
from cli.rows import Row
from model.definition import State
from model.errors import InputError
from model.inventory import Inventory
from model.region import Level, Register
from model.summary import WeekRecord

if TYPE_CHECKING:
    from maps.coverage import Coverage, RegionCoverage

Weeks = Annotated[int, typer.Option("--weeks", min=1, help="How many weeks, up to the last one.")]


@dataclass(frozen=True)
class Gathered:
    """What coverage, map and report are made of."""

    register: Register
    inventory: Inventory
    records: tuple[WeekRecord, ...]
    coverage: "Coverage"


def gather(inventory: Path, data: Path, week: str | None, weeks: int) -> Gathered:
    """The records of ``weeks`` weeks up to ``week`` and their coverage.

    Weeks before the first measurement do not exist, so they are left out; the last one stays, even
    when it is empty. Raises InputError when the inventory names no register of villages.
    """
    from collector.weeks import week_records
    from inventory.read import load
    from inventory.register import load_register
    from maps.coverage import coverage as grade_villages

    watched = load(inventory)
    if watched.register_file is None:
        raise InputError(
            f"{inventory}: no register of villages, so there is no denominator: import one with "
            "'jangkau inventory import' and name it as register_file"
        )
    register = load_register(Path(watched.register_file))
    last = options.chosen_week(week, watched)
    wanted = [last.plus(back) for back in range(1 - weeks, 1)]
    records = week_records(data, watched, wanted)
    known = (*dropwhile(_unseen, records[:-1]), records[-1])
    return Gathered(register, watched, known, grade_villages(register, watched, known))


def _unseen(record: WeekRecord) -> bool:
    """Whether nothing at all was observed in a week (its margins may hold a neighbour's looks)."""
    return all(not item.raw.observed_share for item in record.site_weeks)


def coverage(
    week: WeekText = None,
    weeks: Weeks = 8,
    level: Annotated[Level, typer.Option(help="One row for each region of this level.")] = (
        Level.KABUPATEN
    ),
    inventory: InventoryFile = options.INVENTORY,
    data: DataFolder = options.DATA,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Count the villages with stable internet: every village of the register is in the total."""
    from maps.exports import village_rows
    from maps.look import STATES

    found = gather(inventory, data, week, weeks)
    result = found.coverage
    if level is Level.VILLAGE:
        listed: list[Any] = list(village_rows(found.register, result))
        columns: dict[str, Callable[[Row], str]] = {
            "code": lambda row: row["code"],
            "village": lambda row: row["name"],
            "state": lambda row: f"{STATES[State(row['state'])].letter} {row['state']}",
            "target": lambda row: "yes" if row["meets_target"] else "no",
            "availability": lambda row: wording.share(row["availability"]),
            "observed": lambda row: wording.share(row["observed_share"]),
        }
    else:
        regions = [one for one in result.regions.values() if one.level is level]
        if level is not Level.PROVINCE:
            regions.append(result.total)
        listed = [region_row(one, found) for one in regions]
        columns = {
            "code": lambda row: row["code"],
            "name": lambda row: row["name"],
            "target": lambda row: f"{row['meets_target']} / {row['registered']}",
            "share": lambda row: wording.share(row["share"], 1),
            **{look.letter: _number_of(state) for state, look in STATES.items()},
        }
    legend = ", ".join(f"{look.letter} {state.value}" for state, look in STATES.items())
    rule = result.definition
    rows.show(
        listed,
        columns,
        title=(
            f"Coverage {result.week} (revision {result.revision}), register "
            f"{result.register_version}, definition {rule.hash}\n"
            f"target: stable in {rule.target_weeks} of the last {rule.target_window_weeks} weeks, "
            f"{min(len(result.weeks), rule.target_window_weeks)} known\n{legend}"
        ),
        as_json=as_json,
        as_csv=as_csv,
    )


def _number_of(state: State) -> Callable[[Row], str]:
    return lambda row: str(row[state.value])


def region_row(region: "RegionCoverage", found: Gathered) -> dict[str, Any]:
    """A region's figures with all that a percentage must be printed with."""
    result, now = found.coverage, region.now
    week_ago, month_ago = (result.change(back, region.code) for back in (1, 4))
    return {
        "code": region.code,
        "name": found.inventory.province.name
        if region.code == result.province
        else found.register.name(region.code),
        "level": region.level.value,
        "week": str(result.week),
        "registered": now.registered,
        "meets_target": now.meets_target,
        "share": now.share,
        **{state.value: now.states[state] for state in State},
        "population": now.population if now.population_known else None,
        "population_known_villages": now.population_known,
        "population_meets_target": now.population_meets_target if now.population_known else None,
        "stable_change_1_week": week_ago.stable if week_ago else None,
        "stable_change_4_weeks": month_ago.stable if month_ago else None,
        "target_change_1_week": week_ago.meets_target if week_ago else None,
        "target_change_4_weeks": month_ago.meets_target if month_ago else None,
        "weeks_known": len(result.weeks),
        "register_version": result.register_version,
        "definition": result.definition.hash,
        "revision": result.revision,
    }
