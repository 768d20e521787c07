"""``inventory.yaml`` into the model: every mistake of every file named, or an Inventory.

Law: nothing is built from a file that holds a mistake. The parts are read in the order in which
they refer to each other; a part that is wrong does not keep the next from being read.
"""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from inventory import settings, values
from inventory.checks import read_checks
from inventory.keys import Key, as_entries, check_names, read_keys
from inventory.mistakes import Mistakes, Source, guess
from inventory.nodes import Listing, Node, Scalar, Table, read_nodes
from inventory.register import read_register
from inventory.sites import SiteReader
from model.errors import InputError
from model.inventory import Inventory, Maintenance, Provider, Province, Upstream
from model.region import Register

SECTIONS: Mapping[str, str] = {
    "province": "needed",
    "kabupaten": "needed",
    "providers": "needed",
    "upstreams": "",
    "kinds": "",
    "sites": "",
    "sites_file": "",
    "register_file": "",
    "look": "",
    "centre_anchors": "",
    "village_targets": "",
    "maintenance": "",
    "checks": "",
    "definition": "",
}
"""The top-level keys, and whether they are needed."""


MoreSites = Callable[[SiteReader, Mistakes], None]


def load(path: Path, more_sites: MoreSites | None = None) -> Inventory:
    """Read an inventory and the tables that it names (relative to its own folder).

    ``more_sites`` is called after its own sites and may add others. ``register_file``
    of the result is a path that can be opened from here. Raises InputError that lists every
    mistake, one a line, as ``FILE:LINE: what is wrong: what to do``.
    """
    mistakes = Mistakes()
    source = mistakes.source(path)
    return _Reading(path, read_nodes(path, source), source).inventory(more_sites)


class _Reading:
    """One file's sections, with what is known of them so far."""

    def __init__(self, path: Path, root: Table, source: Source) -> None:
        self.folder = path.parent
        self.source = source
        self.mistakes = source.mistakes
        self.root = root
        check_names(root, SECTIONS, "", source)
        for name, need in SECTIONS.items():
            if need and self.node(name) is None:
                source.wrong(root.line, f"{name!r} is missing or empty: see docs/inventory.md")

    def node(self, name: str) -> Node | None:
        """A section; None when it is not there or has nothing in it."""
        entry = self.root.entries.get(name)
        match entry:
            case Scalar():
                content: Collection[object] = entry.text
            case Table():
                content = entry.entries
            case Listing():
                content = entry.items
            case None:
                return None
        return entry if content else None

    def table(self, name: str) -> Node:
        """A section that is a mapping; an empty one when it is not there."""
        return self.node(name) or Table(self.root.line, {})

    def listing(self, name: str) -> Node:
        """A section that is a list; an empty one when it is not there."""
        return self.node(name) or Listing(self.root.line, [])

    def inventory(self, more_sites: MoreSites | None) -> Inventory:
        source = self.source
        node = self.node("province")
        province = None if node is None else settings.read_province(node, source)
        kabupaten = settings.read_kabupaten(self.listing("kabupaten"), source)
        providers = self.entries("providers", settings.PROVIDER)
        upstreams = self.entries("upstreams", settings.UPSTREAM)
        self.check_upstreams(providers, upstreams)
        standard = settings.standard_kinds()
        own_kinds = settings.read_kinds(self.table("kinds"), standard, source)
        kinds = {**standard, **own_kinds}
        register_path = self.file("register_file")
        reader = SiteReader(
            province=province,
            kabupaten={item.code for item in kabupaten},
            providers=providers,
            upstreams=upstreams,
            kinds=kinds,
            kind_ids={*kinds, *self.names("kinds")},
            register=self.register(register_path),
        )
        self.read_sites(reader, more_sites)
        maintenance = self.maintenance(province, reader.ids, upstreams)
        look = settings.read_look(self.table("look"), source)
        centre_anchors = settings.read_anchors(
            self.listing("centre_anchors"), "centre_anchors", source
        )
        village_targets = settings.read_anchors(
            self.listing("village_targets"), "village_targets", source
        )
        checks = read_checks(
            self.table("checks"), {*kinds, *self.names("kinds")}, reader.ids, source
        )
        definition = settings.read_definition(self.table("definition"), source)
        self.mistakes.raise_if_any()
        if province is None:  # for the type checker: what kept it from being read was raised
            raise self.mistakes.error()
        sites = tuple(sorted(reader.sites, key=lambda site: site.id))
        used = {site.kind for site in sites}
        return Inventory(
            province=province,
            kabupaten=kabupaten,
            providers={name: Provider(id=name, **found) for name, found in providers.items()},
            upstreams={name: Upstream(id=name, **found) for name, found in upstreams.items()},
            kinds={name: kind for name, kind in kinds.items() if name in used or name in own_kinds},
            sites=sites,
            definition=definition,
            look=look,
            centre_anchors=centre_anchors,
            village_targets=village_targets,
            maintenance=maintenance,
            checks=checks,
            register_file=None if register_path is None else str(register_path),
        )

    def names(self, section: str) -> Collection[str]:
        node = self.node(section)
        return node.entries.keys() if isinstance(node, Table) else ()

    def entries(self, section: str, keys: Mapping[str, Key]) -> dict[str, dict[str, Any]]:
        """A mapping by id, read key by key; wrong entries are in it with what could be read."""
        return {
            name: read_keys(entry, keys, f"{section}.{name}", self.source)
            for name, entry in as_entries(self.table(section), section, values.node_id, self.source)
        }

    def file(self, section: str) -> Path | None:
        """The path that a section names, from here."""
        node = self.node(section)
        if node is None:
            return None
        found = read_keys(
            Table(node.line, {section: node}),
            {section: Key(values.file_name)},
            "inventory",
            self.source,
        )
        return self.folder / found[section] if section in found else None

    def register(self, path: Path | None) -> Register | None:
        if path is None:
            return None
        try:
            return read_register(path, self.mistakes.source(path))
        except InputError:
            return None  # noted among the mistakes; the sites are read on without a register

    def read_sites(self, reader: SiteReader, more_sites: MoreSites | None) -> None:
        """Every site of every place where sites may stand."""
        for name, entry in as_entries(self.table("sites"), "sites", values.site_id, self.source):
            reader.take_node(name, entry, self.source)
        named = self.file("sites_file")
        try:
            if named is not None:
                reader.take_file(named, self.mistakes.source(named))
        except InputError:
            pass  # noted among the mistakes; the rest is still read
        if more_sites is not None:
            more_sites(reader, self.mistakes)
        if not reader.ids and not self.mistakes.found:
            self.source.wrong(
                self.root.line, "no sites: write them under 'sites' or name a table in 'sites_file'"
            )

    def check_upstreams(
        self, providers: Collection[str], upstreams: Mapping[str, dict[str, Any]]
    ) -> None:
        """Every node's provider and parent exist, and no node hangs on itself."""
        node = self.node("upstreams")
        lines = {k: v.line for k, v in node.entries.items()} if isinstance(node, Table) else {}
        in_cycles: set[str] = set()
        for name, found in upstreams.items():
            for key, known in (("provider", providers), ("parent", upstreams)):
                if key in found and found[key] not in known:
                    self.source.wrong(
                        lines[name],
                        f"upstreams.{name}: {key} {found[key]!r} is not defined: "
                        f"{guess(found[key], known)}",
                    )
            chain: list[str] = []
            above: str | None = name
            while above and above in upstreams and above not in [*chain, *in_cycles]:
                chain.append(above)
                above = upstreams[above].get("parent")
            if above is not None and above in chain:
                cycle = chain[chain.index(above) :]
                in_cycles.update(cycle)
                self.source.wrong(
                    lines[cycle[0]],
                    f"upstreams.{cycle[0]}: hangs on itself ({' > '.join([*cycle, cycle[0]])}): "
                    "remove one parent",
                )

    def maintenance(
        self, province: Province | None, sites: Collection[str], upstreams: Collection[str]
    ) -> tuple[Maintenance, ...]:
        zone = province.timezone if province else "UTC"
        announced = settings.read_maintenance(self.listing("maintenance"), zone, self.source)
        for line, found, _ in announced:
            for key, known in (("sites", sites), ("upstreams", upstreams)):
                for name in found.get(key, ()):
                    if name not in known:
                        self.source.wrong(
                            line,
                            f"maintenance: {name!r} is not among the {key}: {guess(name, known)}",
                        )
        return tuple(work for _, _, work in announced if work is not None)
