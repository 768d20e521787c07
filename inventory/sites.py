"""Sites, from the inventory itself or from the table that it names, checked against the rest.

Law: the same keys, the same rules and the same words for a site, whichever file it stands in.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inventory import values
from inventory.checks import rungs
from inventory.keys import Key, read_keys
from inventory.mistakes import Source, guess, shown
from inventory.nodes import Node, Table
from inventory.rows import Rows, open_rows
from model.inventory import Province
from model.region import Level, Register, kabupaten_of
from model.site import Access, PowerSource, Site, SiteKind

SITE: Mapping[str, Key] = {
    "name": Key(values.text, needed=True),
    "kind": Key(values.kind_id, needed=True),
    "village": Key(values.code(Level.VILLAGE), needed=True),
    "access": Key(values.one_of(Access), needed=True),
    "provider": Key(values.node_id, needed=True),
    "in_service_from": Key(values.day, needed=True),
    "address": Key(values.address),
    "upstream": Key(values.node_id),
    "feeder": Key(values.node_id),
    "power": Key(values.one_of(PowerSource)),
    "power_hours_a_day": Key(values.number(0.5, 24)),
    "timezone": Key(values.zone),
    "service_hours": Key(values.service_hours),
    "service_critical": Key(values.truth),
    "interval_seconds": Key(values.whole(10, 86_400)),
    "has_probe": Key(values.truth),
    "metered": Key(values.truth),
    "lat": Key(values.number(-90, 90, ": latitude, north of the equator positive")),
    "lon": Key(values.number(-180, 180, ": longitude, east of Greenwich positive")),
    "contact_name": Key(values.text),
    "contact_phone": Key(values.phone),
    "rungs": Key(rungs),
}
"""The keys of a site; in a table also its columns, after ``id``."""

_NEEDED = tuple(name for name, key in SITE.items() if key.needed)


@dataclass
class SiteReader:
    """Takes sites one by one, notes what is wrong, keeps those that are right in ``sites``.

    ``province`` is None when it could not be read itself; ``register`` when there is none.
    """

    province: Province | None
    kabupaten: Collection[str]
    providers: Collection[str]
    upstreams: Collection[str]
    kinds: Mapping[str, SiteKind]
    kind_ids: Collection[str]
    register: Register | None = None
    sites: list[Site] = field(default_factory=list)
    _lines: dict[str, tuple[str, int]] = field(default_factory=dict)
    _addresses: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        villages = self.register.villages if self.register else ()
        self._provinces = {village.code[:2] for village in villages}

    @property
    def ids(self) -> Collection[str]:
        """The ids of all sites that were taken, of the wrong ones too."""
        return self._lines.keys()

    def take_node(self, name: str, node: Node, source: Source) -> None:
        """One entry of ``sites:``."""
        where = f"sites.{name}"
        found = read_keys(node, SITE, where, source)
        given = node.entries.items() if isinstance(node, Table) else ()
        lines = {key: entry.line for key, entry in given}
        self._take(name, found, where, (node.line, lines), source)

    def take_file(self, path: Path, source: Source) -> None:
        """All rows of a table of sites. Raises InputError where no more can be read."""
        with open_rows(path, source) as table:
            self.take_rows(table, source)

    def take_rows(
        self,
        table: Rows,
        source: Source,
        village_code: values.Reader = SITE["village"].read,
        ignore: Collection[str] = (),
    ) -> None:
        """All rows that are still to come; ``village_code`` reads the column ``village``, and the
        columns in ``ignore`` are left aside."""
        known = ("id", *SITE)
        for name in table.columns:
            if name not in known and name not in ignore:
                source.wrong(
                    table.header_line,
                    f"the column {shown(name)} is not known: {guess(name, known)}",
                )
        missing = [name for name in known if name in ("id", *_NEEDED) and name not in table.columns]
        for name in missing:
            source.wrong(table.header_line, f"the column {name!r} is missing: add it")
        if "id" in missing:
            return
        id_column = table.columns.index("id")
        readers = [
            (index, name, village_code if name == "village" else SITE[name].read, SITE[name].needed)
            for index, name in enumerate(table.columns)
            if name in SITE and name not in ignore
        ]
        for line, cells in table.rows:
            name = cells[id_column]
            try:
                values.site_id(name)
            except ValueError as error:
                source.wrong(line, f"id: {error}")
            where = shown(name)[1:-1]
            row: dict[str, Any] = {}
            lines: dict[str, int] = {}
            for index, column, read, needed in readers:
                if cell := cells[index]:
                    lines[column] = line
                    try:
                        row[column] = read(cell)
                    except ValueError as error:
                        source.wrong(line, f"{where}.{column}: {error}")
                elif needed:
                    source.wrong(line, f"{where}: {column!r} is missing: add it")
            self._take(name, row, where, (line, lines), source)

    def _take(
        self,
        name: str,
        found: dict[str, Any],
        where: str,
        place: tuple[int, Mapping[str, int]],
        source: Source,
    ) -> None:
        """``place``: the line of the site, and the line of each key that was given."""
        before = len(source.mistakes.found)
        line, lines = place
        for key, what in self._doubts(name, found, lines):
            source.wrong(lines.get(key, line), f"{where}.{key}: {what}")
        if (first := self._lines.get(name)) is not None:
            source.wrong(
                line, f"the id {name!r} is taken ({first[0]}, line {first[1]}): choose another"
            )
        self._lines.setdefault(name, (source.file, line))
        complete = all(key in found for key in _NEEDED)
        right = complete and found["kind"] in self.kinds
        if right and len(source.mistakes.found) == before and self.province is not None:
            self.sites.append(self._site(name, found, self.province))

    def _site(self, name: str, found: dict[str, Any], province: Province) -> Site:
        kind = self.kinds[found["kind"]]
        usual: dict[str, Any] = {
            "timezone": province.timezone,
            "service_hours": kind.service_hours,
            "service_critical": kind.service_critical,
            "interval_seconds": kind.interval_seconds,
        }
        return Site(id=name, **(usual | found))

    def _doubts(
        self, name: str, found: dict[str, Any], given: Collection[str]
    ) -> Iterator[tuple[str, str]]:
        """What is wrong with a site as a whole, or beside the others, and at which key.

        Where no provider or kabupaten could be read at all, that is one mistake and not one more
        for each site.
        """
        kind, provider, upstream = (found.get(key) for key in ("kind", "provider", "upstream"))
        if kind is not None and kind not in self.kind_ids:
            yield "kind", f"{kind!r} is not among the kinds: {guess(kind, self.kind_ids)}"
        if provider is not None and self.providers and provider not in self.providers:
            near = guess(provider, self.providers)
            yield "provider", f"{provider!r} is not among the providers: {near}"
        if upstream is not None and upstream not in self.upstreams:
            near = guess(upstream, self.upstreams)
            yield "upstream", f"{upstream!r} is not among the upstreams: {near}"
        if (village := found.get("village")) is not None:
            yield from self._place_doubts(village, given)
        if ("lat" in given) != ("lon" in given):
            key = "lat" if "lat" in given else "lon"
            yield key, "only one of lat and lon is given: give both or neither"
        if (address := found.get("address")) is not None:
            other = self._addresses.setdefault(address, name)
            if other != name:
                yield "address", f"{address} is also that of {other!r}: correct one of them"

    def _place_doubts(self, village: str, given: Collection[str]) -> Iterator[tuple[str, str]]:
        kabupaten = kabupaten_of(village)
        if self.kabupaten and kabupaten not in self.kabupaten:
            yield (
                "village",
                f"{village} lies in {kabupaten}, which is not under kabupaten: "
                "correct the code or add the kabupaten",
            )
        abroad = self.province is not None and village[:2] != self.province.code
        if abroad and "timezone" not in given:
            yield (
                "village",
                f"{village} lies in another province: say its timezone, for example Asia/Makassar",
            )
        if (
            self.register is not None
            and village[:2] in self._provinces
            and village not in self.register.by_code
        ):
            yield (
                "village",
                f"{village} is not in the register {self.register.version}: "
                "correct the code or import the newer register",
            )
