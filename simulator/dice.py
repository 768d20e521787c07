"""Draws events within an interval: how often, when, how long.

Law: every outage that is drawn lasts ``_SHORTEST`` minutes or longer, so that what is an outage
never hangs on a look's luck.
"""

from dataclasses import dataclass

import numpy as np

from model.timeline import Interval
from simulator.scenario import Event, Parameter

WEEK_MS = 7 * 86_400_000
MINUTE_MS = 60_000
_SHORTEST = 10.0


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something befalls one target in a week, and for how many minutes: the median, the
    spread of a lognormal, and the most."""

    a_week: float
    median: float
    spread: float
    most: float


class Dice:
    """Draws events within an interval."""

    def __init__(self, rng: np.random.Generator, interval: Interval, intensity: float) -> None:
        self.rng = rng
        self._interval = interval
        self.weeks = intensity * interval.length_ms / WEEK_MS

    def count(self, a_week: float) -> int:
        """How often something happens that happens so often a week."""
        return int(self.rng.poisson(a_week * self.weeks))

    def moment(self) -> int:
        """A whole second within the interval."""
        start_ms, end_ms = self._interval
        return int(self.rng.integers(start_ms // 1000, end_ms // 1000)) * 1000

    def draw(self, kind: str, on: str, target: str, rate: Rate, weight: float = 1.0) -> list[Event]:
        """The events of one kind at one target, with parameters as they come."""
        drawn = (
            self.event(kind, on, target, rate) for _ in range(self.count(rate.a_week * weight))
        )
        return [event for event in drawn if event is not None]

    def event(
        self,
        kind: str,
        on: str,
        target: str,
        rate: Rate,
        parameters: dict[str, Parameter] | None = None,
    ) -> Event | None:
        """One event; None when it would not fit (see ``fitted``)."""
        minutes = min(rate.median * float(self.rng.lognormal(0, rate.spread)), rate.most)
        minutes = max(minutes, 2.0 if kind == "reboot" else _SHORTEST)
        if parameters is None:
            parameters = self._parameters(kind, minutes)
        start_ms = self._night() if kind == "maintenance" else self.moment()
        return self.fitted(kind, on, target, start_ms, minutes, parameters)

    def fitted(
        self,
        kind: str,
        on: str,
        target: str,
        start_ms: int,
        minutes: float,
        parameters: dict[str, Parameter],
    ) -> Event | None:
        """An event of whole seconds; one that would outlast the interval ends with it, and is left
        out when less than ``_SHORTEST`` minutes of it remain (a restart: less than all of it)."""
        end_ms = start_ms + round(minutes * 60) * 1000
        if end_ms > self._interval.end_ms:
            end_ms = self._interval.end_ms
            if kind == "reboot" or end_ms - start_ms < _SHORTEST * MINUTE_MS:
                return None
        return Event(kind, on, target, start_ms, end_ms, parameters)

    def _night(self) -> int:
        """A start between 23:00 and 02:00 at UTC+7, when providers work on their nodes."""
        day = self.moment() // 86_400_000 * 86_400_000
        start_ms = day + 16 * 3_600_000 + int(self.rng.integers(0, 180)) * MINUTE_MS
        return min(max(start_ms, self._interval.start_ms), self._interval.end_ms - 1000)

    def _parameters(self, kind: str, minutes: float) -> dict[str, Parameter]:
        rng = self.rng
        parameters: dict[str, Parameter] = {}
        match kind:
            case "upstream_cut":
                parameters["dead"] = bool(rng.random() < 0.35)
            case "brown_out":
                parameters["loss"] = round(float(rng.uniform(0.05, 0.3)), 3)
                parameters["delay_factor"] = round(float(rng.uniform(1.5, 4)), 2)
            case "flapping":
                parameters["times"] = max(2, min(6, int(minutes / 30)))
            case "collector_blind":
                parameters["mode"] = "off" if rng.random() < 0.5 else "line"
            case "clock_wrong":
                parameters["offset_seconds"] = round(float(rng.uniform(-45, 45)), 1)
            case "late":
                parameters["delay_hours"] = round(float(rng.uniform(20, 150)), 1)
        return parameters
