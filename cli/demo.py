"""``jangkau demo``: a living province in one command, with the truth beside what was measured.

Law: nothing in it is pretended. Weeks of history go through the archive, live looks are packets
that a simulated province answers, and every figure comes out of the same code as in real use.
"""

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from cli import live, terminal, wording
from cli.coverage import Gathered, gather
from cli.run import PROBE
from model.errors import InputError, UnavailableError
from model.week import Week

_LISTEN = "127.0.0.1:8086"
_LIVE_INTERVAL_SECONDS = 20
_LOOPBACK = "127.61.0.0/16"
_LIVE_NETWORK = "10.61.0.0/16"
_MARK = ".jangkau-demo"


def demo(
    out: Annotated[Path, typer.Option(help="Folder to write to; an old demo in it is replaced.")],
    villages: Annotated[int, typer.Option(min=50, help="Villages of the province.")] = 2145,
    weeks: Annotated[int, typer.Option(min=1, max=52, help="Weeks of history.")] = 4,
    live_seconds: Annotated[int, typer.Option(min=10, help="Seconds of live looking.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same province.")] = 61,
    serve: Annotated[
        bool, typer.Option("--serve", help="Keep the collector up afterwards.")
    ] = False,
) -> None:
    """Make a province, play weeks of history, look at it live, draw the map, write the report."""
    began = time.monotonic()
    _clear(out)
    history_week = _last_week()
    monday = history_week.plus(1).monday
    _step("a fictional province: villages, lines, devices, power, neighbours")
    common = ("--villages", str(villages), "--seed", str(seed), "--end", monday.isoformat())
    _jangkau("simulate", "province", "--out", str(out / "province"), *common)
    looking = _Live(out, common, live_seconds)
    try:
        _step(f"{weeks} weeks of history, written through the archive")
        _jangkau(
            *("simulate", "history", "--province", str(out / "province")),
            *("--data", str(out / "data"), "--weeks", str(weeks)),
        )
        _step("outages and their causes, week by week")
        inventory = out / "province" / "inventory.yaml"
        found = gather(inventory, out / "data", str(history_week), weeks)
        _step("map, report, exports")
        shown = _show(out, history_week, weeks)
        _step(f"waiting for the live looks ({looking.how})")
        looking.wait()
    finally:
        looking.stop()
    terminal.stdout.print()
    _summary(out, found, history_week)
    place = ("--inventory", str(inventory), "--data", str(out / "data"))
    _jangkau("services", *place, "--week", str(history_week))
    terminal.stdout.print()
    looking.summary(out / "data")
    terminal.stdout.print("\n[bold]Open[/bold]")
    for path in shown:
        terminal.stdout.print(f"  {path}", markup=False, soft_wrap=True)
    terminal.stdout.print(f"\nDone in {time.monotonic() - began:.0f} s.")
    if serve:
        terminal.stdout.print(f"The collector stays up on http://{_LISTEN}; end it with Ctrl-C.")
        _jangkau("collector", "run", "--data", str(out / "data"), "--listen", _LISTEN)


class _Live:
    """Looking at real packets beside everything else: a province that answers in a network
    namespace of its own where that is possible, loopback otherwise; and real servers, one for each
    state that a service can be in."""

    def __init__(self, out: Path, common: tuple[str, ...], seconds: int) -> None:
        from simulator.tun import available, in_namespace

        self._folder = out / "live"
        why_not = available()
        network = _LIVE_NETWORK if why_not is None else _LOOPBACK
        _jangkau(
            *("simulate", "province", "--out", str(self._folder), *common),
            *("--network", network, "--interval", str(_LIVE_INTERVAL_SECONDS)),
        )
        host, _, port = _LISTEN.rpartition(":")
        key_file = out / "data" / f"{PROBE}.key"
        self._staged = live.stage(
            self._folder,
            seconds,
            _LIVE_INTERVAL_SECONDS,
            (host, int(port), key_file),
            real=why_not is None,
        )
        look = _command(
            *("simulate", "services", "--folder", str(self._folder)),
            *("--collector", _LISTEN, "--key-file", str(key_file), "--"),
            *_command(
                *("run", "--inventory", str(self._folder / "inventory.yaml")),
                *("--data", str(out / "data"), "--listen", _LISTEN, "--for", str(seconds)),
            ),
        )
        if why_not is None:
            self.how = "real packets, answered by the simulated province"
            scenario = str(self._folder / "misfortune.toml")
            answer = ("simulate", "network", "--province", str(self._folder))
            look = in_namespace([*_command(*answer, "--scenario", scenario), "--", *look])
        else:
            self.how = f"loopback: {why_not}"
            terminal.stderr.print(f"No simulated network here, looking at loopback: {why_not}")
        self._log = (self._folder / "live.log").open("wb")
        self._child = subprocess.Popen(look, stdout=self._log, stderr=self._log)  # noqa: S603 - our own command

    def wait(self) -> None:
        """Until the looking has ended by itself. Raises UnavailableError when it failed."""
        code = self._child.wait()
        if code != 0:
            raise UnavailableError(f"live looking ended with code {code}: see {self._log.name}")

    def stop(self) -> None:
        """End the looking if it still runs."""
        if self._child.poll() is None:
            self._child.terminate()
            self._child.wait()
        self._log.close()

    def summary(self, data: Path) -> None:
        """How the newest looks of the centre compare with what the province was made to do."""
        from cli.status import newest_looks

        looks, _ = newest_looks(data)
        at_sites = [look for look in looks if look["target"] == "site"]
        counts = Counter(look["outcome"] for look in at_sites)
        cut = {site for _, sites in self._staged.cuts for site in sites}
        right = sum((look["outcome"] == "DOWN") == (look["site"] in cut) for look in at_sites)
        terminal.stdout.print(Text("Live, just now", style="bold"))
        terminal.stdout.print(
            f"  {len(at_sites)} sites looked at by the centre: {counts['UP']} up, "
            f"{counts['DOWN']} down, {counts['UNKNOWN']} unknown ({self.how})"
        )
        for what, sites in self._staged.cuts:
            terminal.stdout.print(f"  truth: {what}, {len(sites)} sites", markup=False)
        if at_sites:
            share = wording.share(right / len(at_sites), 2)
            terminal.stdout.print(f"  the newest look says the truth for {share} of the sites")
        live.say_services(looks, self._staged.services)


def _show(out: Path, week: Week, weeks: int) -> list[Path]:
    """Map, report and exports; returns what a person opens."""
    place = (
        *("--inventory", str(out / "province" / "inventory.yaml"), "--data", str(out / "data")),
        *("--week", str(week), "--weeks", str(weeks)),
    )
    borders = ("--boundaries", str(out / "province" / "villages.geojson"))
    _jangkau(
        *("map", *place, *borders, "--fictional", "--out", str(out / "map.html")),
        *("--geojson", str(out / "villages-week.geojson")),
    )
    _jangkau("report", *place, *borders, "--fictional", "--out", str(out / "report"))
    return [out / "map.html", *sorted((out / "report").iterdir()), out / "villages-week.geojson"]


def _summary(out: Path, found: Gathered, week: Week) -> None:
    """One screen: coverage, and the truth beside what was concluded."""
    from cli import score as scoring
    from inventory.read import load
    from model.definition import State
    from simulator.truth import read_truth

    province = found.coverage.total.now
    terminal.stdout.print(Text(f"The province in {week}", style="bold"))
    for state in State:
        count = province.states[state]
        bar = "█" * round(50 * count / province.registered)
        terminal.stdout.print(f"  {state.value:<14} {count:>5}  {bar}", markup=False)
    terminal.stdout.print(
        f"  {province.meets_target} of {province.registered} villages meet the target "
        f"({wording.share(province.meets_target / province.registered, 1)}); "
        f"definition {found.coverage.definition.hash}\n"
    )
    inventory = load(out / "province" / "inventory.yaml")
    truth = read_truth(out / "province" / "truth.jsonl")
    ours, naive, stops = scoring.scores(out / "data", inventory, week, truth, None)
    title = "Truth beside the measured, last week"
    terminal.stdout.print(scoring.table(title, ours, naive, centre_only=False))
    terminal.stdout.print()
    terminal.stdout.print(scoring.stop_table(stops))
    terminal.stdout.print()


def _clear(out: Path) -> None:
    """An empty folder that is ours. Raises InputError rather than delete what no demo made."""
    if out.exists():
        if any(out.iterdir()) and not (out / _MARK).exists():
            raise InputError(f"{out} holds something else than a demo: name another folder")
        shutil.rmtree(out)
    out.mkdir(parents=True)
    (out / _MARK).touch()


def _last_week() -> Week:
    """The last week that is over in the fictional province (UTC+7)."""
    local = datetime.now(UTC) + timedelta(hours=7)
    year, number, _ = local.isocalendar()
    return Week(year, number).plus(-1)


def _step(what: str) -> None:
    terminal.stderr.print(f"[bold]>[/bold] {what}")


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from cli.main import main; main()", *arguments]


def _jangkau(*arguments: str) -> None:
    """Run one of our own commands as a user would; its failure is ours."""
    code = subprocess.run(_command(*arguments), check=False, env=os.environ).returncode  # noqa: S603 - our own command
    if code != 0:
        raise UnavailableError(f"'jangkau {' '.join(arguments[:2])}' ended with code {code}")
