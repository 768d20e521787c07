"""A check: what is looked at, from where, how and how often."""

from dataclasses import dataclass

from model.kinds import Settings


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a probe's work. ``address``: an IP literal or, for kinds that resolve, a name;
    ``settings``: what a kind beyond ``ping`` and ``device`` must be told."""

    site: str
    vantage: str
    kind: str
    target: str
    address: str
    interval_seconds: int
    timeout_seconds: float = 1.0
    count: int = 5
    settings: Settings | None = None

    @property
    def key(self) -> str:
        """Stable and unique in an inventory; the schedule's jitter hangs on it."""
        return f"{self.site}/{self.vantage}/{self.kind}/{self.target}"
