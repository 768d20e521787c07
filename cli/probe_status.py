"""What a running probe writes down of itself for ``jangkau probe status``.

Law: what is not known is null, never a guess; writing it never stops the probe.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cli.probe_edition import VERSION, Edition
from model.measurement import Measurement, Outcome

if TYPE_CHECKING:
    from cli.probe_service import Service


@dataclass
class LastLooks:
    """The newest look of each kind and target."""

    looks: dict[str, Measurement] = field(default_factory=dict)

    def note(self, look: Measurement) -> None:
        """Remember it; the order in which looks end is not that in which they began."""
        key = f"{look.kind} {look.target}"
        known = self.looks.get(key)
        if known is None or known.at_ms <= look.at_ms or look.at_ms < known.at_ms - 3_600_000:
            self.looks[key] = look  # (an hour back: the clock was set)

    def document(self) -> dict[str, str]:
        """As words: outcome, median RTT or reason, how many echoes came back."""
        return {key: _words(look) for key, look in sorted(self.looks.items())}


def _words(look: Measurement) -> str:
    words = [Outcome(look.outcome).name]
    median = look.readings.get("rtt_median_seconds")
    if median is not None:
        words.append(f"{median * 1000:.3g} ms")
    if look.readings.get("sent"):
        words.append(f"{look.readings.get('received', 0):.0f}/{look.readings['sent']:.0f}")
    return " ".join([*words, look.reason]).strip()


def document(service: "Service") -> dict[str, Any]:
    """Everything that ``status`` shows."""
    tally, config, budget = service.tally, service.config, service.budget
    return {
        "written_ms": service.time.wall_ms(),
        "version": VERSION,
        "edition_on_trial": Edition(service.plan.state).on_trial,
        "probe": service.plan.name,
        "site": service.plan.site,
        "collector": service.plan.collector,
        "last_looks": service.last_looks.document(),
        "safe_mode": service.starts.too_many,
        "config_version": None if config is None else config.version,
        "config_on_trial": service.keeper is not None and service.keeper.on_trial,
        "pending_records": service.spool.pending_records,
        "spool_bytes": service.spool.size_bytes,
        "spool_limit_bytes": service.plan.spool_bytes,
        "dropped_looks": service.spool.dropped_looks,
        "damaged_bytes": service.spool.damaged_bytes,
        "written_bytes": service.spool.written_bytes,
        "kept": tally.kept if tally else 0,
        "failures": tally.failures if tally else 0,
        "last_receipt_ms": tally.receipt_ms if tally else None,
        "trouble": tally.trouble if tally else None,
        "clock": "agrees" if service.time.in_contact else "not heard of the collector's yet",
        "clock_clamped": service.time.clamp_ms() is not None,
        "budget_bytes_a_day": budget.bytes_a_day if budget else None,
        "budget_share": budget.fill_bytes / budget.capacity_bytes if budget else None,
        "saving": budget.saving.name.lower() if budget else None,
        "spent_bytes": dict(budget.spent) if budget else {},
    }
