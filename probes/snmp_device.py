"""One device: what it is, and what it says now.

Law: a device is what it answers. Its own name for itself (sysObjectID) only says which profiles to
try; a profile counts when one of its objects answers.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from sys import intern

from probes.snmp_ask import Asker
from probes.snmp_boot import Life
from probes.snmp_interfaces import (
    DISCONTINUITY,
    IF_TABLES,
    MOST_PORTS,
    ONCE,
    OPER_STATUS,
    Port,
    ports,
)
from probes.snmp_objects import answering_objects
from probes.snmp_profile import Profile, Reading
from probes.snmp_rates import Rates
from probes.snmp_readings import (
    SYS_UPTIME,
    Answer,
    Found,
    Rows,
    found,
    read,
)
from probes.snmp_session import Value

SYS_DESCRIPTION = "1.3.6.1.2.1.1.1.0"
SYS_OBJECT_ID = "1.3.6.1.2.1.1.2.0"
MEET_AGAIN_SECONDS = 3600.0
"""Ports are added and firmware changes; until then only objects that answered are asked."""


@dataclass(frozen=True)
class Plan:
    """What a device is and what is asked of it at every poll: ``oids``. ``readings`` are those of
    all its profiles, the vendor's first; ``objects`` are the OIDs of each column's rows."""

    description: str
    sys_object_id: str
    profiles: tuple[Profile, ...]
    readings: tuple[Reading, ...]
    oids: tuple[str, ...]
    objects: dict[str, dict[str, str]]
    ports: dict[str, Port]
    made_seconds: float
    once: dict[str, Value] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Poll:
    """What one poll brought: readings by name, and their rows."""

    plan: Plan
    readings: dict[str, float]
    seen: Rows = field(repr=False)
    values: dict[str, Value] = field(repr=False)

    @property
    def rows(self) -> list[Found]:
        """Every row of every reading, as people read it."""
        return found(self.seen, self.plan.ports)


class Device:
    """A device and what is remembered of it between polls. Not for two polls at a time."""

    def __init__(
        self,
        name: str,
        asker: Asker,
        profiles: Sequence[Profile],
        monotonic: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self.asker = asker
        self._profiles = profiles
        self._monotonic = monotonic
        self._wall = wall
        self._rates = Rates()
        self._life = Life(name)
        self._walked: dict[str, tuple[str, ...]] = {}  # a meeting that was cut short is resumed
        self.plan: Plan | None = None

    @property
    def heard(self) -> bool:
        """Whether it answered anything since the last poll began."""
        return self.asker.heard

    async def poll(self) -> Poll:
        """Ask it now; the first time and hourly also what it is. Raises TimeoutError, RefusedError,
        OSError."""
        await self.asker.open()
        now = self._monotonic()
        plan = self.plan
        if plan is None or not plan.profiles or now - plan.made_seconds > MEET_AGAIN_SECONDS:
            plan = self.plan = await self._meet()
            self._walked = {}
        values = await self.asker.get(plan.oids)
        if len(values) < len(plan.oids) // 2:
            self.plan = None  # another device, or another firmware: meet it next time
        at_seconds, at_wall = self._monotonic(), self._wall()
        answer = Answer(values, plan.objects, plan.ports, at_seconds, self._rates)
        readings, seen = read(plan.readings, answer)
        if (uptime := readings.get("uptime_seconds")) is not None:
            readings["boot_id"] = float(self._life.boot_id(uptime, at_wall))
            if self._life.restarted:  # counters began anew: what was made of them is no rate
                self._rates.forget()
                self.plan = None
                readings, seen = read(plan.readings, answer)
                readings["boot_id"] = float(self._life.boot_id(uptime, at_wall))
        return Poll(plan, readings, seen, values)

    async def _meet(self) -> Plan:
        asker = self.asker
        system = await asker.get([SYS_OBJECT_ID, SYS_DESCRIPTION])
        if not system:  # it speaks, and has not even what RFC 3418 demands: nothing for us
            return Plan("", "", (), (), (SYS_UPTIME,), {}, {}, self._monotonic())
        sys_object_id = str(system.get(SYS_OBJECT_ID, ""))
        candidates = [one for one in self._profiles if one.candidate(sys_object_id)]
        answering = await asker.get(_unique(oid for one in candidates for oid in one.confirm))
        chosen = tuple(one for one in candidates if any(oid in answering for oid in one.confirm))
        readings = [reading for profile in chosen for reading in profile.readings]
        scalars = _unique(oid for one in readings if not one.column for oid in one.oids)
        columns = _unique(oid for one in readings if one.column for oid in one.oids)
        instances = await self._instances(columns)
        known, once = ports((), {}), dict[str, Value]()
        own = instances.get(OPER_STATUS, ())
        if len(own) > MOST_PORTS:
            own = ()
            instances |= {column: () for column in columns if _table(column) in IF_TABLES}
        if own:
            once = await asker.get([f"{column}.{row}" for column in ONCE for row in own])
            known = ports(own, once)
            counting = tuple(row for row in own if known[row].counts)
            instances |= {column: counting for column in columns if _table(column) in IF_TABLES}
            instances[DISCONTINUITY] = counting
        wanted = {
            column: {row: intern(f"{column}.{row}") for row in rows}
            for column, rows in instances.items()
        }
        rows = {oid for column in wanted.values() for oid in column.values()}
        present = await asker.get(_unique([SYS_UPTIME, *scalars, *rows]))
        objects = answering_objects(readings, wanted, present)
        kept = {oid for column in objects.values() for oid in column.values()}
        description = system.get(SYS_DESCRIPTION, b"")
        return Plan(
            description=description.decode("utf-8", "replace")
            if isinstance(description, bytes)
            else "",
            sys_object_id=sys_object_id,
            profiles=chosen,
            readings=tuple(readings),
            oids=tuple(oid for oid in present if oid in kept or oid not in rows) or (SYS_UPTIME,),
            objects=objects,
            ports=known,
            made_seconds=self._monotonic(),
            once=once,
        )

    async def _instances(self, columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The rows of every column; one column of each table is walked for all of it, once."""
        for column in columns:
            table = _group(column)
            if table not in self._walked:
                walk = OPER_STATUS if table in IF_TABLES else column
                self._walked[table] = tuple(await self.asker.walk(walk))
        return {column: self._walked[_group(column)] for column in columns}


def _table(column: str) -> str:
    return column.rpartition(".")[0]


def _group(column: str) -> str:
    """ifXTable has the rows of ifTable: one walk does for both."""
    table = _table(column)
    return IF_TABLES[0] if table in IF_TABLES else table


def _unique(oids: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(oids))
