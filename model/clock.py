"""A probe's clock that could not be trusted, so that its looks may be dated wrongly."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClockTrouble:
    """The looks of one site's own probe in some week: how many there were, how many of them have
    a date that may be off by two seconds or more, and by how much at the worst, either way."""

    site: str
    looks: int
    doubtful: int
    error_max_seconds: float
