"""``jangkau simulate``: make a province in a box, play its history, answer packets for it."""

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import terminal
from model.errors import InputError
from model.timeline import Interval
from model.week import Week, local_midnight_ms

if TYPE_CHECKING:
    from simulator.history import History
    from simulator.scenario import Event
    from simulator.street import Stall

app = typer.Typer(
    help="A province in a box: fictional villages, real packets, known truth.",
    no_args_is_help=True,
)

Folder = Annotated[Path, typer.Option("--province", help="Folder made by 'simulate province'.")]


@app.command()
def province(
    out: Annotated[Path, typer.Option(help="Folder to write into; made when it is missing.")],
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same province.")] = 1,
    villages: Annotated[int, typer.Option(min=1, help="Villages of the register.")] = 2145,
    kabupaten: Annotated[int, typer.Option(min=1, max=60, help="Kabupaten and kota.")] = 14,
    end: Annotated[str, typer.Option(help="Last day of the history, YYYY-MM-DD.")] = "2026-11-16",
    network: Annotated[
        str, typer.Option(help="Addresses of the sites; 127.61.0.0/16 is answered by loopback.")
    ] = "10.61.0.0/16",
    interval: Annotated[int, typer.Option(min=10, help="Seconds between two looks.")] = 300,
) -> None:
    """Write inventory.yaml, sites.csv, register.csv, villages.geojson and simulation.json."""
    from inventory.write import write_inventory
    from simulator.recipe import Recipe, write_recipe

    recipe = Recipe(seed, villages, kabupaten, _day(end), network, interval)
    made = recipe.make()
    out.mkdir(parents=True, exist_ok=True)
    path = write_inventory(made.inventory, made.register, out)
    features = [
        {
            "type": "Feature",
            "id": code,
            "properties": {"code": code, "name": made.register.name(code)},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
        for code, ring in sorted(made.polygons.items())
    ]
    collection = {"type": "FeatureCollection", "name": "villages", "features": features}
    (out / "villages.geojson").write_text(json.dumps(collection), encoding="utf-8")
    write_recipe(out, recipe)
    terminal.stdout.print(
        f"{path}: {len(made.register.villages)} villages in {kabupaten} kabupaten/kota, "
        f"{len(made.inventory.sites)} sites, {len(features)} polygons"
    )


@app.command()
def history(
    folder: Folder,
    data: Annotated[Path, typer.Option(help="Data folder; its archive is written to.")],
    weeks: Annotated[int, typer.Option(min=1, max=520, help="ISO weeks before --end.")] = 4,
    end: Annotated[
        str | None, typer.Option(help="The first day after the history; default: the province's.")
    ] = None,
    centre_interval: Annotated[int, typer.Option(min=10, help="Seconds.")] = 300,
    village_interval: Annotated[int, typer.Option(min=10, help="Seconds.")] = 300,
    intensity: Annotated[float, typer.Option(min=0, max=100, help="How much goes wrong.")] = 1.0,
    scenario: Annotated[
        Path | None, typer.Option(help="A scenario file in place of drawn misfortune.")
    ] = None,
    until_arrived: Annotated[
        int | None,
        typer.Option(help="Leave out what had not arrived by so many milliseconds since 1970."),
    ] = None,
) -> None:
    """Play weeks of measurements into an archive, and write the truth beside the province."""
    from inventory.write import write_inventory
    from simulator.draw import draw_misfortune
    from simulator.history import History
    from simulator.recipe import read_recipe
    from simulator.roster import Plan
    from simulator.scenario import announced, write_events
    from simulator.truth import truth_of, write_truth

    recipe = read_recipe(folder)
    made = recipe.make()
    zone = made.inventory.province.timezone
    end_ms = local_midnight_ms(_day(end) if end else recipe.end, zone)
    first = Week.containing(end_ms - 1, zone).plus(1 - weeks)
    interval = Interval(first.interval(zone).start_ms, end_ms)
    events = (
        draw_misfortune(made, interval, recipe.seed, intensity)
        if scenario is None
        else _read_scenario(scenario, interval.start_ms)
    )
    try:
        plan = Plan(made, events, interval, centre_interval, village_interval, until_arrived)
    except ValueError as error:
        raise InputError(str(error)) from None
    began = time.monotonic()
    rows = _write(History(plan), data / "archive")
    write_inventory(announced(made.inventory, events), made.register, folder)
    write_events(folder / "misfortune.toml", events)
    truth = truth_of(made, events, interval)
    write_truth(folder / "truth.jsonl", truth)
    terminal.stdout.print(
        f"{rows:,} measurements, {len(truth.outages):,} true outages in "
        f"{time.monotonic() - began:.0f} s: {data / 'archive'}, {folder / 'truth.jsonl'}"
    )


@app.command()
def network(
    folder: Folder,
    scenario: Annotated[
        Path | None, typer.Option(help="A scenario file; its minutes count from now.")
    ] = None,
    command: Annotated[
        list[str] | None,
        typer.Argument(help="Run this beside it (after --), and end with its exit code."),
    ] = None,
) -> None:
    """Answer real packets for every site until SIGTERM; in a network namespace of its own."""
    from simulator.recipe import read_recipe
    from simulator.tun import open_tun, responder, stop_on_signals

    made = read_recipe(folder).make()
    events = () if scenario is None else _read_scenario(scenario, time.time_ns() // 1_000_000)
    answers = responder(made, events, open_tun(made.network))
    stop = stop_on_signals()
    terminal.stderr.print(f"answering for {len(made.inventory.sites)} sites in {made.network}")
    child = subprocess.Popen(command) if command else None  # noqa: S603 - the user's own command
    requests = answers.serve(stop)
    terminal.stderr.print(f"{requests:,} echo requests came")
    if child is not None:
        child.terminate()
        raise typer.Exit(child.wait())


@app.command()
def services(
    folder: Annotated[Path, typer.Option(help="Where their certificates and secrets lie.")],
    port: Annotated[
        int, typer.Option(min=1024, max=65_535, help="The port that all of them listen on.")
    ] = 18_080,
    collector: Annotated[
        str | None,
        typer.Option(help="HOST:PORT of a collector: a narrow line to it is offered, too."),
    ] = None,
    key_file: Annotated[
        Path, typer.Option(help="The key that opens that collector to a throughput test.")
    ] = Path("data/centre.key"),
    command: Annotated[
        list[str] | None,
        typer.Argument(help="Run this beside it (after --), and end with its exit code."),
    ] = None,
) -> None:
    """Open real servers on 127.62.0.0/24, one for each state that a service can be in, until
    SIGTERM."""
    from simulator.street import street

    folder.mkdir(parents=True, exist_ok=True)
    host, _, number = (collector or "").rpartition(":")
    if collector is not None and not (host and number.isdecimal()):
        raise InputError(f"--collector {collector!r}: write it as 127.0.0.1:8086")
    stalls = street(folder, port, (host, int(number), key_file) if collector else None)
    for stall in stalls:
        terminal.stderr.print(f"{stall.address:<12} {stall.kind:<9} {stall.id}: {stall.says}")
    raise typer.Exit(asyncio.run(_keep_open(stalls, command)))


async def _keep_open(stalls: "Sequence[Stall]", command: list[str] | None) -> int:
    """The servers stay open while a command runs (its exit code is ours), or until SIGTERM."""
    from simulator.street import open_street

    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with AsyncExitStack() as stack:
        await open_street(stalls, stack)
        if not command:
            await stopped.wait()
            return 0
        child = await asyncio.create_subprocess_exec(*command)
        ended = asyncio.ensure_future(child.wait())
        asked = asyncio.ensure_future(stopped.wait())
        await asyncio.wait((ended, asked), return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            child.terminate()
        asked.cancel()
        return await ended


def _read_scenario(path: Path, begins_ms: int) -> "tuple[Event, ...]":
    from simulator.scenario import read_events

    return read_events(path, begins_ms)


def _write(history: "History", archive: Path) -> int:
    """Play all stretches into an archive, two at a time; returns the number of rows."""
    with ProcessPoolExecutor(2, initializer=_take_up, initargs=(history, archive)) as workers:
        return sum(workers.map(_play, history.pieces()))


_work: "list[tuple[History, Path]]" = []
"""What a worker process plays and where it writes: handed over once, when it starts."""


def _take_up(history: "History", archive: Path) -> None:
    _work.append((history, archive))


def _play(piece: Interval) -> int:
    """One stretch into the archive, in a worker process; returns the number of rows."""
    from collector.archive.parquet import ParquetArchive

    history, folder = _work[0]
    archive = ParquetArchive(folder)
    return sum(archive.append(name, block) for name, block in history.blocks_of(piece))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is not a day: write it as 2026-11-16") from None
