"""The live part of the demo: what is made to happen to lines and services, and what was seen.

Law: truth is written before anybody looks; what is printed afterwards is held against it.
"""

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli import terminal
from model.check import SITE_ADDRESS, ServiceCheck
from model.inventory import Inventory
from model.kinds import Path as PathSettings
from model.kinds import PathMethod
from model.measurement import Outcome, Rung, Vantage
from model.site import Site

if TYPE_CHECKING:
    from simulator.scenario import Event

_AN_HOUR_MS = 3_600_000
_PATH_SECONDS = 40.0
_PATHS = {"path-usual": "", "path-other": "path_change", "path-holed": "mtu_black_hole"}
"""Looks at paths, and what befalls the sites that they lead to."""

Said = Mapping[tuple[str, str], tuple[str, str]]
"""Outcome and reason by site and target."""


@dataclass(frozen=True)
class Staged:
    """What was done to lines, in words, with the sites that it takes down; and what every service
    has to be seen as."""

    cuts: tuple[tuple[str, frozenset[str]], ...]
    services: Said


def stage(
    folder: Path,
    seconds: int,
    interval_seconds: int,
    collector: tuple[str, int, Path],
    *,
    real: bool,
) -> Staged:
    """Prepare the live province in ``folder``: the misfortune of its lines where packets are
    ``real``, a service in every state at sites whose lines are left alone, and the truth of both.
    ``collector``: host, port and key file of the one that a narrow line leads to."""
    from inventory.read import load
    from inventory.write import write_inventory
    from simulator.recipe import read_recipe
    from simulator.scenario import write_events
    from simulator.street import TRUTH, checks, street

    inventory = load(folder / "inventory.yaml")
    cuts, events = _cut_lines(inventory, seconds) if real else ((), [])
    cut = frozenset(site for _, sites in cuts for site in sites)
    lines = read_recipe(folder).make().lines
    quiet = sorted(
        (site for site in inventory.sites if site.id not in cut and site.address is not None),
        key=lambda site: lines[site.id].loss,
    )
    stalls = street(folder, collector=collector)
    offered = checks(stalls, quiet, interval_seconds)
    said = {
        (min(one.sites), f"{one.rung}:{one.id}"): (stall.outcome.name, stall.reason)
        for one, stall in zip(offered, stalls, strict=True)
    }
    if real:
        paths, happenings = _paths(quiet[len(stalls) :], interval_seconds)
        offered += paths
        events += happenings
        said |= {(min(one.sites), f"{one.rung}:{one.id}"): (Outcome.UP.name, "") for one in paths}
    write_inventory(replace(inventory, checks=tuple(offered)), None, folder)
    write_events(folder / "misfortune.toml", events)
    found = [
        {"site": site, "target": target, "outcome": outcome, "reason": reason}
        for (site, target), (outcome, reason) in said.items()
    ]
    text = "".join(json.dumps(line) + "\n" for line in found)
    (folder / TRUTH).write_text(text, encoding="utf-8")
    return Staged(cuts, said)


def _cut_lines(
    inventory: Inventory, seconds: int
) -> "tuple[tuple[tuple[str, frozenset[str]], ...], list[Event]]":
    """Cut one upstream and one feeder's lines half-way through the live looking, for good."""
    from simulator.scenario import Event

    below: Counter[str] = Counter()
    fed: Counter[str] = Counter()
    for site in inventory.sites:
        below.update(inventory.upstream_chain(site))
        fed.update([site.feeder] if site.feeder else [])
    upstream = min(node for node, count in below.items() if 10 <= count <= 60)
    feeder = max(fed, key=lambda one: (fed[one], one))
    start_ms = time.time_ns() // 1_000_000 + seconds * 300
    end_ms = start_ms + _AN_HOUR_MS
    chains = {site.id: inventory.upstream_chain(site) for site in inventory.sites}
    cuts = (
        (
            f"upstream {upstream} was cut",
            frozenset(site for site, chain in chains.items() if upstream in chain),
        ),
        (
            f"all lines on feeder {feeder} were cut",
            frozenset(site.id for site in inventory.sites if site.feeder == feeder),
        ),
    )
    return cuts, [
        Event("upstream_cut", "upstream", upstream, start_ms, end_ms),
        Event("link_cut", "feeder", feeder, start_ms, end_ms),
    ]


def _paths(sites: list[Site], interval_seconds: int) -> "tuple[list[ServiceCheck], list[Event]]":
    """Looks along the paths to some sites, and what befalls those from now on."""
    from simulator.scenario import Event

    now_ms = time.time_ns() // 1_000_000
    looks: list[ServiceCheck] = []
    events: list[Event] = []
    for site, (name, kind) in zip(sites, _PATHS.items(), strict=False):
        looks.append(
            ServiceCheck(
                name,
                "path",
                Rung.APPLICATION,
                Vantage.CENTRE,
                SITE_ADDRESS,
                PathSettings(PathMethod.ICMP),
                sites=frozenset({site.id}),
                interval_seconds=interval_seconds,
                timeout_seconds=_PATH_SECONDS,
            )
        )
        if kind:
            events.append(Event(kind, "site", site.id, now_ms, now_ms + _AN_HOUR_MS))
    return looks, events


def say_services(looks: Iterable[Mapping[str, Any]], truth: Said) -> None:
    """How the newest looks at services compare with what they were made to be."""
    seen = {(look["site"], look["target"]): (look["outcome"], look["reason"]) for look in looks}
    wrong = {key: said for key, said in truth.items() if seen.get(key) != said}
    terminal.stdout.print(
        f"  {len(truth)} services in as many states: the newest look says the truth for "
        f"{len(truth) - len(wrong)}"
    )
    for (site, target), said in sorted(wrong.items()):
        found = " ".join(seen.get((site, target), ("nothing yet",))).rstrip()
        terminal.stdout.print(
            f"  {target} is {' '.join(said).rstrip()}, seen: {found}", markup=False
        )
