"""``jangkau inventory``: check what is watched, what it will cost, and import lists of others."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import terminal
from model.errors import InputError

if TYPE_CHECKING:  # the readers are imported by the commands that need them
    from inventory.codes import CodeReader
    from inventory.cost import Cost
    from inventory.imports import RegisterImport
    from model.inventory import Inventory

    Costs = dict[str, dict[str, Cost]]

app = typer.Typer(
    help="Check the inventory, see what looking costs, import registers and sites.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
import_app = typer.Typer(
    help="Take over lists that others keep (CSV, GeoJSON).",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(import_app, name="import")

DEFAULT_FILE = Path("inventory.yaml")
MOST_LINES = 60
WORST_LINES = 10

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Check and report; write nothing.")]


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The inventory.")] = DEFAULT_FILE,
    json: JsonOption = False,
) -> None:
    """Name every mistake, or sum up what is watched and what a day of looking costs each line.

    Counted are whole IP packets of every kind of look, both ways, as docs/inventory.md tells. The
    metered lines are the ones to watch.
    """
    from inventory.cost import day_costs
    from inventory.read import load

    inventory = load(file)
    costs = day_costs(inventory)
    if json:
        terminal.print_json(_check_document(inventory, costs))
    else:
        _print_check(file, inventory, costs)


def _counts(inventory: "Inventory") -> dict[str, Counter[str]]:
    sites = inventory.sites
    return {
        "kind": Counter(site.kind for site in sites),
        "kabupaten": Counter(site.village[:5] for site in sites),
        "access": Counter(str(site.access) for site in sites),
    }


def _check_document(inventory: "Inventory", costs: "Costs") -> dict[str, object]:
    from dataclasses import asdict

    from inventory.cost import by_kind, total

    kinds = by_kind(costs.values())
    return {
        "province": inventory.province.code,
        "definition_hash": inventory.definition.hash,
        "sites": len(inventory.sites),
        "counts": {key: dict(sorted(found.items())) for key, found in _counts(inventory).items()},
        "day_cost": asdict(total(kinds.values())),
        "day_cost_by_kind": {kind: asdict(cost) for kind, cost in kinds.items()},
        "day_cost_by_site": {name: asdict(total(some.values())) for name, some in costs.items()},
    }


def _print_check(file: Path, inventory: "Inventory", costs: "Costs") -> None:
    from rich.table import Table

    from inventory.cost import by_kind, total

    names = {item.code: item.name for item in inventory.kabupaten}
    names |= {kind.id: kind.name_en for kind in inventory.kinds.values()}
    for title, found in _counts(inventory).items():
        table = Table("", title, "sites", title=f"Sites by {title}", title_justify="left")
        for key, count in sorted(found.items()):
            table.add_row(key, names.get(key, ""), str(count))
        table.columns[2].justify = "right"
        terminal.stdout.print(table)
    sites = {name: total(kinds.values()) for name, kinds in costs.items()}
    ordered = sorted(sites.items(), key=lambda item: (-item[1].bytes, item[0]))
    few = len(ordered) <= MOST_LINES
    shown = ordered if few else ordered[:WORST_LINES]
    title = "A day of looking, every line" if few else f"A day of looking, the {WORST_LINES} worst"
    table = Table("line", "access", "metered", "every", *_COST_COLUMNS, title=title)
    table.title_justify = "left"
    for name, cost in shown:
        site = inventory.by_id.get(name)
        table.add_row(
            name,
            str(site.access) if site else "",
            "yes" if site and site.metered else "",
            f"{site.interval_seconds} s" if site and cost.packets else "",
            *_cost_cells(cost),
        )
    table.add_section()
    table.add_row("total", "", "", "", *_cost_cells(total(sites.values())))
    for column in table.columns[3:]:
        column.justify = "right"
    terminal.stdout.print(table)
    table = Table("kind of look", *_COST_COLUMNS, title="A day of looking, by kind")
    table.title_justify = "left"
    for kind, cost in by_kind(costs.values()).items():
        table.add_row(kind, *_cost_cells(cost))
    for column in table.columns[1:]:
        column.justify = "right"
    terminal.stdout.print(table)
    metered = total(sites[site.id] for site in inventory.sites if site.metered)
    blind = sum(site.address is None for site in inventory.sites)
    terminal.stdout.print(
        f"{file}: no mistake. {len(inventory.sites):,} sites, {blind:,} of them without an address "
        f"(they report by themselves). Metered lines together: {metered.bytes:,} bytes a day.\n"
        "IP packets both ways, every look answered; what lies below IP comes on top, and so do "
        "throughput tests, at most as much as they reserve.",
        markup=False,
    )


_COST_COLUMNS = ("packets", "bytes", "tests, at most")


def _cost_cells(cost: "Cost") -> tuple[str, ...]:
    reserved = f"{cost.reserved_bytes / 1e6:,.0f} MB" if cost.reserved_bytes else ""
    return f"{cost.packets:,}", f"{cost.bytes:,}", reserved


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="The inventory as it was.")],
    new: Annotated[Path, typer.Argument(help="The inventory as it is.")] = DEFAULT_FILE,
) -> None:
    """Say what changed between two inventories. Exit 1 when anything did."""
    from inventory.difference import differences
    from inventory.read import load

    changes = differences(load(old), load(new))
    for change in changes:
        if change.old is None:
            text = f"+ {change.where}: {change.new}"
        elif change.new is None:
            text = f"- {change.where}: {change.old}"
        else:
            text = f"~ {change.where}: {change.old} -> {change.new}"
        terminal.stdout.print(text, markup=False, soft_wrap=True)
    if changes:
        raise typer.Exit(1)


@import_app.command("register")
def import_register_command(
    villages: Annotated[Path, typer.Argument(help="CSV or GeoJSON with code and name.")],
    version: Annotated[str, typer.Option(help="The decree, for example 300.2.2-2430/2025.")],
    out: Annotated[Path, typer.Option(help="The register to write.")],
    geojson: Annotated[
        Path | None, typer.Option(help="Village polygons with the property 'code'.")
    ] = None,
    dry_run: DryRunOption = False,
) -> None:
    """Make the versioned register from a list of villages with dotted Kemendagri codes."""
    from inventory.files import write_text
    from inventory.imports import import_register
    from inventory.register import register_csv

    found = import_register(villages, version, geojson)
    _print_register_import(found)
    if dry_run:
        terminal.stdout.print("Dry run: nothing was written.")
        return
    write_text(out, register_csv(found.register))
    terminal.stdout.print(f"Written: {out}", markup=False, soft_wrap=True)


def _print_register_import(found: "RegisterImport") -> None:
    register = found.register
    kinds = Counter(str(village.kind) for village in register.villages)
    bare = [village.code for village in register.villages if not village.has_polygon]
    nowhere = [village.code for village in register.villages if village.lat is None]
    regions = (*register.kabupaten, *register.kecamatan)
    nameless = [code for code in regions if code not in register.region_names]
    lines = [
        f"Register {register.version}: {len(register.villages):,} villages "
        f"({', '.join(f'{count:,} {kind}' for kind, count in sorted(kinds.items()))}) in "
        f"{len(register.kecamatan)} kecamatan, {len(register.kabupaten)} kabupaten/kota.",
        _list("without a polygon", bare),
        _list("without coordinates", nowhere),
        _list("kecamatan and kabupaten/kota without a name", nameless),
        _list("polygons of no village", found.stray_polygons),
        _list("other name at the polygon", [f"{c} {a} / {b}" for c, a, b in found.other_names]),
        _list("columns not used", found.unused_columns),
    ]
    for line in lines:
        if line:
            terminal.stdout.print(line, markup=False, soft_wrap=True)


def _list(what: str, items: "list[str] | tuple[str, ...]") -> str:
    if not items:
        return ""
    rest = f" and {len(items) - 20:,} more" if len(items) > 20 else ""
    return f"{len(items):,} {what}: {', '.join(items[:20])}{rest}"


@import_app.command("sites")
def import_sites_command(
    file: Annotated[Path, typer.Argument(help="CSV or GeoJSON with the keys of a site.")],
    scheme: Annotated[str, typer.Option(help="Who made the village codes: kemendagri or bps.")],
    into: Annotated[Path, typer.Option(help="The inventory to check against.")] = DEFAULT_FILE,
    out: Annotated[
        Path | None, typer.Option(help="Write the new sites here; the inventory stays as it is.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="For bps: CSV with bps_code and kemendagri_code.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(help="A column to leave aside; may be given repeatedly.")
    ] = None,
    dry_run: DryRunOption = False,
) -> None:
    """Add sites to the inventory's table of sites: all of them, or none when any is wrong."""
    from inventory.files import write_text
    from inventory.imports import add_sites, import_sites
    from inventory.write import sites_csv

    found = import_sites(file, into, _code_reader(scheme, mapping), frozenset(ignore or ()))
    kinds = Counter(site.kind for site in found.new)
    terminal.stdout.print(
        f"{len(found.new):,} new sites "
        f"({', '.join(f'{count:,} {kind}' for kind, count in sorted(kinds.items()))}), "
        f"{len(found.inventory.sites):,} in all.",
        soft_wrap=True,
    )
    for line in (
        _list("without coordinates", [site.id for site in found.new if site.lat is None]),
        _list("without an address", [site.id for site in found.new if site.address is None]),
    ):
        if line:
            terminal.stdout.print(line, markup=False, soft_wrap=True)
    if dry_run:
        terminal.stdout.print("Dry run: nothing was written.")
        return
    if out is None:
        out = add_sites(found, into)
    else:
        write_text(out, sites_csv(found.new, found.inventory))
    terminal.stdout.print(f"Written: {out}", markup=False, soft_wrap=True)


def _code_reader(scheme: str, mapping: Path | None) -> "CodeReader":
    from inventory.codes import Scheme, bps, kemendagri, read_pairs
    from inventory.mistakes import Mistakes

    if scheme not in list(Scheme):
        raise InputError(f"--scheme {scheme}: is not known: write kemendagri or bps")
    if scheme == Scheme.KEMENDAGRI:
        if mapping is not None:
            raise InputError("--mapping: belongs to BPS codes: leave it out, or write --scheme bps")
        return kemendagri
    if mapping is None:
        raise InputError(
            "--scheme bps: BPS codes cannot be computed into Kemendagri codes: "
            "give --mapping FILE with the columns bps_code and kemendagri_code"
        )
    mistakes = Mistakes()
    pairs = read_pairs(mapping, mistakes.source(mapping))
    mistakes.raise_if_any()
    return bps(pairs)
