"""An Inventory back into files that a person can go on editing.

Law: ``load`` gives back an equal Inventory (``register_file`` then names the file beside it).
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from operator import attrgetter
from pathlib import Path

from inventory.checks import check_entries
from inventory.files import write_text
from inventory.register import register_csv
from inventory.settings import (
    DEFINITION,
    KABUPATEN,
    KIND,
    LOOK,
    PROVIDER,
    PROVINCE,
    THRESHOLDS,
    UPSTREAM,
    VILLAGE_TARGET,
)
from inventory.sites import SITE
from model.check import ServiceCheck
from model.inventory import Inventory, Maintenance
from model.region import Register
from model.site import DAY_NAMES, ServiceHours, Site


def write_inventory(inventory: Inventory, register: Register | None, folder: Path) -> Path:
    """Write inventory.yaml, sites.csv and (when there is a register) register.csv into ``folder``,
    which must exist; returns the path of inventory.yaml. Each file is replaced whole, and
    inventory.yaml last. Raises UnavailableError when the folder cannot be written to."""
    register_file = inventory.register_file
    if register is not None:
        write_text(folder / "register.csv", register_csv(register))
        register_file = "register.csv"
    elif register_file is not None:
        register_file = str(Path(register_file).absolute())
    write_text(folder / "sites.csv", sites_csv(inventory.sites, inventory))
    path = folder / "inventory.yaml"
    write_text(path, _inventory_yaml(inventory, register_file))
    return path


def sites_csv(sites: Iterable[Site], inventory: Inventory) -> str:
    """Sites as the table that ``sites_file`` names. What is usual for the kind stays empty, so that
    it goes on following the kind; so does the province's time zone."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("id", *SITE))
    province = inventory.province
    values_of = attrgetter(*SITE)
    texts: dict[ServiceHours, str] = {}
    for site in sites:
        found = dict(zip(SITE, values_of(site), strict=True))
        if site.timezone == province.timezone and site.village.startswith(province.code):
            del found["timezone"]
        kind = inventory.kinds[site.kind]
        for name in ("service_hours", "service_critical", "interval_seconds"):
            if found[name] == getattr(kind, name):
                del found[name]
        if (hours := found.get("service_hours")) is not None:
            found["service_hours"] = texts.get(hours) or texts.setdefault(hours, hours_text(hours))
        writer.writerow((site.id, *(_cell(found.get(name)) for name in SITE)))
    return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, tuple):
        return " ".join(value)
    return ("true" if value else "false") if isinstance(value, bool) else value


def hours_text(hours: ServiceHours) -> str:
    """Service hours as ``ServiceHours.parse`` reads them, days in a row of equal hours as one."""
    parts: list[tuple[int, int, time, time]] = []
    for day, opens, closes in hours.windows:
        if parts and parts[-1][1] + 1 == day and parts[-1][2:] == (opens, closes):
            parts[-1] = (parts[-1][0], day, opens, closes)
        else:
            parts.append((day, day, opens, closes))
    texts = []
    for first, last, opens, closes in parts:
        days = DAY_NAMES[first] if first == last else f"{DAY_NAMES[first]}-{DAY_NAMES[last]}"
        end = "24:00" if closes == time.min else f"{closes:%H:%M}"
        texts.append(f"{days} {opens:%H:%M}-{end}")
    return "; ".join(texts)


def _inventory_yaml(inventory: Inventory, register_file: str | None) -> str:
    definition = inventory.definition
    blocks = [
        "# Written by Jangkau; docs/inventory.md explains every key.",
        f"province: {_flow(inventory.province, PROVINCE)}",
        "kabupaten:",
        *(f"  - {_flow(item, KABUPATEN)}" for item in inventory.kabupaten),
        *_by_id("providers", inventory.providers, PROVIDER),
        *_by_id("upstreams", inventory.upstreams, UPSTREAM),
        *_by_id("kinds", inventory.kinds, KIND),
        "sites_file: sites.csv",
    ]
    if register_file is not None:
        blocks.append(f"register_file: {_scalar(register_file)}")
    blocks.append(f"look: {_flow(inventory.look, LOOK)}")
    for section in ("centre_anchors", "village_targets"):
        if anchors := getattr(inventory, section):
            blocks += [f"{section}:", *(f"  - {_flow(item, VILLAGE_TARGET)}" for item in anchors)]
    if inventory.maintenance:
        blocks += ["maintenance:", *(f"  - {_work(item)}" for item in inventory.maintenance)]
    if inventory.checks:
        blocks += [
            "checks:",
            *(f"  {_scalar(one.id)}: {_entries(one)}" for one in inventory.checks),
        ]
    blocks += ["definition:", "  thresholds:"]
    blocks += [
        f"    {_scalar(access)}: {_flow(limits, THRESHOLDS)}"
        for access, limits in definition.thresholds.items()
    ]
    blocks += [f"  {name}: {_scalar(getattr(definition, name))}" for name in DEFINITION]
    return "\n".join(blocks) + "\n"


def _by_id(section: str, items: Mapping[str, object], keys: Iterable[str]) -> list[str]:
    lines = [f"  {_scalar(name)}: {_flow(item, keys)}" for name, item in items.items()]
    return [f"{section}:", *lines] if lines else [f"{section}: {{}}"]


def _flow(item: object, keys: Iterable[str]) -> str:
    pairs = ((name, getattr(item, name)) for name in keys)
    return "{" + ", ".join(f"{k}: {_scalar(v)}" for k, v in pairs if v is not None) + "}"


def _entries(check: ServiceCheck) -> str:
    pairs = check_entries(check)
    return "{" + ", ".join(f"{name}: {_scalar(value)}" for name, value in pairs) + "}"


def _work(work: Maintenance) -> str:
    names = {"sites": sorted(work.sites), "upstreams": sorted(work.upstreams)}
    lists = [f"{key}: [{', '.join(map(_scalar, ids))}]" for key, ids in names.items() if ids]
    moments = [f"from: {_moment(work.interval.start_ms)}", f"to: {_moment(work.interval.end_ms)}"]
    return "{" + ", ".join([*moments, f"reason: {_scalar(work.reason)}", *lists]) + "}"


def _moment(at_ms: int) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
    precision = "milliseconds" if at_ms % 1000 else "seconds"
    return _scalar(at.isoformat(timespec=precision).replace("+00:00", "Z"))


def _scalar(value: object) -> str:
    """A JSON string is a YAML string; quoted, so that other programs do not take a code for a
    number either."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float) and not isinstance(value, StrEnum):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_scalar, value))}]"
    if isinstance(value, tuple):
        value = " ".join(value)
    text = hours_text(value) if isinstance(value, ServiceHours) else str(value)
    return json.dumps(text, ensure_ascii=False)
