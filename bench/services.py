"""Readiness of services: 2,145 villages, each with a page, a resolver and a router that are looked
at every five minutes, one week; beside the conclusion of the same week in the same run.

Goal: 10 s on two cores, the week concluded before.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

from bench.process import jangkau, measured
from collector.archive.parquet import ParquetArchive
from inventory.write import write_inventory
from model.week import Week
from simulator.draw import draw_misfortune
from simulator.history import History
from simulator.province import make_province
from simulator.roster import Plan

VILLAGES, SEED, ROUNDS = 2145, 5, 3
WEEK = Week(2026, 46)
_OF_ALL = frozenset({"siap", "resolver", "router"})
"""The checks of the simulated province that every site gets here."""


def run() -> None:
    """Make the week, conclude it once, then ask for the services several times."""
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "data"
        looks = _play(Path(scratch), data)
        print(f"{VILLAGES} villages, all with services: {looks:,} looks in a week")
        inventory = Path(scratch) / "inventory.yaml"
        place = ("--week", str(WEEK), "--data", str(data), "--inventory", str(inventory))
        print(
            f"the week concluded in {measured(jangkau('availability', '--by', 'access', *place))}"
        )
        for _ in range(ROUNDS):
            print(f"services of the week in {measured(jangkau('services', *place))}")


def _play(folder: Path, data: Path) -> int:
    """A week of a province in which everybody's services are looked at; returns its looks."""
    made = make_province(SEED, VILLAGES)
    everybody = frozenset(made.inventory.kinds)
    checks = tuple(
        replace(check, site_kinds=everybody) if check.id in _OF_ALL else check
        for check in made.inventory.checks
    )
    made = replace(made, inventory=replace(made.inventory, checks=checks))
    write_inventory(made.inventory, made.register, folder)
    week = WEEK.interval(made.inventory.province.timezone)
    history = History(Plan(made, draw_misfortune(made, week, SEED), week))
    archive = ParquetArchive(data / "archive")
    return sum(
        archive.append(name, block)
        for piece in history.pieces()
        for name, block in history.blocks_of(piece)
    )
