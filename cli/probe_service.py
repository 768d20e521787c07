"""The probe wired by hand: clocks, spool, line, budget, configuration; one loop until a stop.

Law: this file knows only the standard library and ``probes``: a village's router has no room for
more. Both front doors (``jangkau probe`` and the single file ``jangkau-probe.pyz``) end here.
"""

import asyncio
import json
import logging
import os
import random
import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cli.probe_edition import VERSION, Edition, judge
from cli.probe_status import LastLooks, document
from model.check import Check
from model.errors import InputError, UnavailableError
from model.measurement import Vantage
from probes.agent import device_check, gap_writer, run_agent
from probes.clock import Clock, SystemClock
from probes.config import Config, ConfigKeeper
from probes.day_budget import METERED_BYTES_A_DAY, UNMETERED_BYTES_A_DAY, Budget
from probes.enrol import Home, enrol, read_key
from probes.errands import Errands
from probes.kinds import open_probes
from probes.known_time import KnownTime
from probes.ledger import replace_file
from probes.line_protocol import thin
from probes.link import Link
from probes.spool import Limits, Spool
from probes.uplink import Tally, Uplink
from probes.watchdog import ALIVE_SECONDS, Notifier, Starts

if TYPE_CHECKING:
    from probes.sos import Sos

log = logging.getLogger(__name__)

TRIAL_SECONDS = 1200.0
STATUS_SECONDS = 300.0
DEVICE_SECONDS = 60
METERED_EVERY_SECONDS = 300.0
SOS_SECONDS = 60.0
SOS_BYTES = 400
"""Of a question and an answer, with one repetition."""


@dataclass(frozen=True)
class Plan:
    """What a probe is to do. ``home`` None: it was configured by hand, with ``checks``.

    ``budget_bytes_a_day`` 0: nothing is counted (the operations centre).
    """

    name: str
    site: str
    vantage: str
    collector: str
    key: str
    state: Path
    spool: Path
    ca_file: Path | None = None
    checks: tuple[Check, ...] = ()
    home: Home | None = None
    spool_bytes: int = 8 * 2**20
    flush_seconds: float = 60.0
    every_seconds: float = 0.0
    budget_bytes_a_day: int = UNMETERED_BYTES_A_DAY
    fleet: bool = True
    sos_zone: str | None = None


def plan_of_home(
    folder: Path, flush_seconds: float, every_seconds: float, sos_zone: str | None = None
) -> Plan:
    """The plan of an enrolled probe. Raises InputError when the folder holds none."""
    home = Home.read(folder)
    return Plan(
        name=home.probe,
        site=home.site,
        vantage=Vantage.VILLAGE,
        collector=home.collector,
        key=read_key(folder / "key"),
        state=folder,
        spool=folder / "spool",
        ca_file=None if home.ca_file is None else Path(home.ca_file),
        home=home,
        flush_seconds=flush_seconds,
        every_seconds=every_seconds,
        sos_zone=sos_zone,
    )


def enrol_home(folder: Path, collector: str, token: str, name: str | None, ca: Path | None) -> Home:
    """Spend a token and keep what it brought. Raises InputError, UnavailableError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    known = KnownTime(folder / "time", SystemClock())
    link = Link(collector, "", version=VERSION, ca_file=ca, clamp_ms=known.clamp_ms)
    try:
        probe, site, key = enrol(link, token, name)
    finally:
        link.close()
    home = Home(probe, site, collector, None if ca is None else str(ca), known.wall_ms())
    home.write(folder, key)
    return home


def drop_privileges(user: str, folders: Sequence[Path]) -> None:
    """Become another user for good, who owns the folders. Raises InputError, UnavailableError."""
    import pwd

    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise InputError(f"--user {user}: there is no such user") from None
    if os.getuid() == entry.pw_uid:
        return
    try:
        for folder in folders:
            for path in [folder, *folder.rglob("*")] if folder.exists() else []:
                os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    except PermissionError:
        raise UnavailableError(f"--user {user}: only root can become another user") from None


class Service:
    """A probe that runs. ``stop`` ends it within five seconds with all it saw saved."""

    def __init__(self, plan: Plan, stack: ExitStack) -> None:
        self.plan = plan
        self.link = Link(  # first: it refuses what is wrong before anything is written
            plan.collector,
            plan.key,
            version=VERSION,
            ca_file=plan.ca_file,
            clamp_ms=lambda: self.time.clamp_ms(),  # noqa: PLW0108 - not there yet
        )
        stack.callback(self.link.close)
        plan.state.mkdir(parents=True, exist_ok=True)
        clock = SystemClock()
        self.time = stack.enter_context(closing(KnownTime(plan.state / "time", clock)))
        self.spool = stack.enter_context(closing(_open_spool(plan)))
        self.keeper = ConfigKeeper(plan.state / "config.json", plan.site) if plan.home else None
        self.budget: Budget | None = None
        if plan.budget_bytes_a_day:
            self.budget = Budget(plan.budget_bytes_a_day, clock, plan.state / "budget")
            stack.callback(self.budget.save)
        self._sos = _open_sos(plan, clock)
        self.last_looks = LastLooks()
        self.starts = Starts(plan.state / "starts")
        self.stop = asyncio.Event()
        self._again = asyncio.Event()
        self._uplink: Uplink | None = None

    async def run(self) -> None:
        """Look and deliver until ``stop``; begin anew with every new configuration."""
        loop = asyncio.get_running_loop()
        errands = Errands(
            self.link,
            self.time,
            self.budget,
            self.plan.home,
            self.plan.state,
            self.keeper,
            partial(_set_from_thread, loop, self._again),
        )
        await asyncio.to_thread(errands.ask_now)
        notifier = Notifier()
        trial = judge(Edition(self.plan.state), lambda: self.tally, self.stop.set)
        jobs = (self._attend(), self._judge(), self._call_for_help(), trial)
        attendants = [asyncio.create_task(job) for job in jobs]
        try:
            while not self.stop.is_set():
                self._again.clear()
                await self._round_of_life(errands, notifier.beat)
        finally:
            for task in attendants:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            self.write_status()
        self.starts.lived()

    async def _round_of_life(self, errands: Errands, beat: Callable[[], None]) -> None:
        checks = self._checks()
        self.link.reopen()
        self._uplink = Uplink(
            self.spool,
            errands.post,
            self.time,
            random.uniform,
            probe=self.plan.name,
            fleet=self.plan.fleet,
            every_seconds=self._every_seconds,
            dates=self.time,
            budget=self.budget,
            # The centre's lines are alike in nothing, and its line is not paid by the megabyte.
            post_packed=errands.post_packed if self.plan.vantage == Vantage.VILLAGE else None,
        )
        ended = asyncio.Event()
        watchers = [asyncio.create_task(event.wait()) for event in (self.stop, self._again)]
        for watcher in watchers:
            watcher.add_done_callback(lambda _: ended.set())
        with ExitStack() as stack:
            await run_agent(
                checks,
                probes=open_probes(checks, self.time, stack),
                clock=self.time,
                spool=self.spool,
                uplink=self._uplink,
                stop=ended,
                flush_seconds=self.plan.flush_seconds,
                abort_uplink=self.link.abort,
                budget=self.budget,
                beat=beat,
                seen=self.last_looks.note,
            )
        for watcher in watchers:
            watcher.cancel()

    @property
    def tally(self) -> Tally | None:
        """What became of the deliveries since the last configuration came."""
        return self._uplink.tally if self._uplink is not None else None

    @property
    def config(self) -> Config | None:
        """What the collector told to look at, where it did."""
        return self.keeper.current if self.keeper is not None else None

    @property
    def _every_seconds(self) -> float:
        """A line that is paid by the megabyte gets a delivery every five minutes."""
        metered = self.budget is not None and self.budget.bytes_a_day <= METERED_BYTES_A_DAY
        return self.plan.every_seconds or (METERED_EVERY_SECONDS if metered else 0.0)

    def _checks(self) -> tuple[Check, ...]:
        """What to look at now. A probe that keeps dying reports only that it lives."""
        config = self.config
        if self.budget is not None and config is not None and config.budget_bytes_a_day:
            self.budget.bytes_a_day = config.budget_bytes_a_day
        checks = config.checks if config is not None else self.plan.checks
        if self.plan.vantage == Vantage.VILLAGE and not any(c.kind == "device" for c in checks):
            interval = min((check.interval_seconds for check in checks), default=DEVICE_SECONDS)
            checks = (*checks, device_check(self.plan.site, self.plan.vantage, interval))
        if self.starts.too_many:
            log.error("safe mode: %d starts without ten good minutes", self.starts.count)
            return tuple(check for check in checks if check.kind == "device")
        return checks

    async def _attend(self) -> None:
        """Write the status now and then; call this start a good one after ten minutes."""
        lived = 0.0
        while True:
            await asyncio.sleep(STATUS_SECONDS)
            lived += STATUS_SECONDS
            await asyncio.to_thread(self.write_status)
            if lived == ALIVE_SECONDS:
                await asyncio.to_thread(self.starts.lived)

    async def _judge(self) -> None:
        """A configuration under which nothing was delivered for 20 minutes is taken back."""
        waited = 0.0
        while self.keeper is not None:
            await asyncio.sleep(10)
            waited = waited + 10 if self.keeper.on_trial else 0.0
            if not self.keeper.on_trial or self._uplink is None:
                continue
            if self._uplink.tally.kept + self._uplink.tally.duplicate:
                self.keeper.confirm()
            elif waited >= TRIAL_SECONDS:
                waited = 0.0
                if self.keeper.roll_back():
                    self._again.set()

    async def _call_for_help(self) -> None:
        """When HTTPS fails for long, say so by DNS."""
        while self._sos is not None:
            await asyncio.sleep(SOS_SECONDS)
            tally = self.tally
            if tally is None or (tally.trouble is None and tally.receipt_ms is None):
                continue  # nothing was tried since the last configuration came
            if self._sos.due(tally.trouble):
                if self.budget is not None:
                    self.budget.spend("sos", SOS_BYTES)
                await asyncio.to_thread(self._sos.call, tally.trouble or "other")

    def write_status(self) -> None:
        """What ``jangkau probe status`` shows."""
        try:
            replace_file(
                self.plan.state / "status.json", json.dumps(document(self), indent=1).encode()
            )
        except OSError as error:
            log.warning("the status could not be written: %s", error)


def _set_from_thread(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    loop.call_soon_threadsafe(event.set)


def _open_sos(plan: Plan, clock: Clock) -> "Sos | None":
    """Raises InputError for a zone that is no name."""
    if plan.sos_zone is None:
        return None
    from probes.sos import Sos  # hashes that a probe without it has no room for

    key = partial(read_key, plan.state / "key") if plan.home else lambda: plan.key
    return Sos(key, plan.sos_zone, clock)


def _open_spool(plan: Plan) -> Spool:
    limits = Limits(plan.spool_bytes, segment_bytes=min(512 * 2**10, plan.spool_bytes // 32))
    try:
        return Spool(plan.spool, gap_writer(plan.site, plan.vantage), limits, thin)
    except OSError as error:
        raise UnavailableError(
            f"--spool {plan.spool}: {error.strerror}; the probe needs a folder that it can write to"
        ) from None


def serve(plan: Plan) -> None:
    """Run a probe until SIGTERM or SIGINT."""
    asyncio.run(_serve(plan))


async def _serve(plan: Plan) -> None:
    with ExitStack() as stack:
        service = Service(plan, stack)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, service.stop.set)
        await service.run()


def default_budget(metered: bool) -> int:
    """Bytes a day where nothing else is declared."""
    return METERED_BYTES_A_DAY if metered else UNMETERED_BYTES_A_DAY
