"""Every number that the meaning of a week hangs on, in one type.

Law: no rule of islands, verdicts, blame or accounting carries a number of its own.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class VerdictSettings:
    """When silence is an outage.

    The anchor is ITU-T Y.1540: availability is judged over five minutes. A site is down when it
    was silent for ``confirm_seconds`` and at least ``confirm_looks`` looks, and up again when it
    has been good for ``settle_seconds``; both are dated back to the first such look.
    """

    gap_intervals: float = 2.5
    """A series that is silent for longer than so many of its intervals was not looking."""
    lone_look_seconds: int = 300
    """How long a look that stands alone in its series speaks for."""
    confirm_seconds: int = 300
    confirm_looks: int = 2
    settle_seconds: int = 300
    mass_share: float = 0.8
    """When more than this share of all sites is down at once, the centre doubts itself."""
    mass_sites_min: int = 10
    """... provided there are at least so many sites to judge by."""


@dataclass(frozen=True, slots=True)
class BlameSettings:
    """How evidence is found and weighed. Weights are 0 to 1: how strongly a finding of the rule
    alone speaks for its cause (chosen on simulated provinces; ``jangkau score`` checks them)."""

    together_seconds: int = 360
    """Sites that fall within this time of each other fell together (domain: five minutes, and a
    look's own interval is added)."""
    upstream_sites_min: int = 3
    upstream_share_min: float = 0.6
    region_sites_min: int = 5
    region_share_min: float = 0.6
    feeder_sites_min: int = 2
    feeder_share_min: float = 0.35
    boot_slack_seconds: int = 180
    """How far a boot time computed from an uptime may lie outside its outage."""
    volts_drop_share: float = 0.06
    """A supply voltage this far below the site's usual one is a falling supply."""
    volts_window_seconds: int = 1800
    power_hour_slack_seconds: int = 1500
    power_hour_days_min: int = 3
    fade_window_seconds: int = 900
    fade_loss_over_usual: float = 0.10
    fade_lost_min: int = 3
    fade_max_seconds: int = 3 * 3600
    fade_neighbours_min: int = 2
    fade_neighbour_seconds: int = 2700
    maintenance_overlap_min: float = 0.5
    maintenance_slack_seconds: int = 900
    port_slack_seconds: int = 360
    """How far beside its outage a port may have changed: a failure is noticed by the next look."""
    service_share_min: float = 0.5
    """When so many of those who need a service fail at it together, the service failed."""
    service_sites_min: int = 3

    weight_maintenance: float = 0.9999
    weight_probe_lived_isp_up: float = 0.95
    weight_probe_lived_isp_down: float = 0.80
    weight_lan_failed: float = 0.95
    weight_portal: float = 0.95
    weight_names_failed: float = 0.90
    weight_port_changed: float = 0.60
    weight_large_packets_vanish: float = 0.90
    weight_service_together: float = 0.85
    weight_service_alone: float = 0.60
    weight_upstream_together: float = 0.93
    weight_feeder_together: float = 0.85
    weight_region_together: float = 0.85
    weight_provider_together: float = 0.85
    weight_ups_on_battery: float = 0.85
    weight_boot_power: float = 0.90
    weight_boot_watchdog: float = 0.95
    weight_boot_unsaid: float = 0.60
    weight_device_survived: float = 0.75
    weight_volts_fell: float = 0.80
    weight_power_hours: float = 0.88
    weight_feeder_out_already: float = 0.75
    weight_fade_loss_climbed: float = 0.80
    weight_fade_neighbours: float = 0.75
    weight_prior_link: float = 0.30
    weight_prior_power: float = 0.10
    confidence_min: float = 0.25
    """Below this the cause is called unknown."""


@dataclass(frozen=True, slots=True)
class AccountingSettings:
    """What the SLA-adjusted availability leaves out besides announced maintenance."""

    exempt_causes: tuple[str, ...] = ("power", "device", "lan", "collector")


@dataclass(frozen=True, slots=True)
class TruthSettings:
    """All of them."""

    verdict: VerdictSettings = field(default_factory=VerdictSettings)
    blame: BlameSettings = field(default_factory=BlameSettings)
    accounting: AccountingSettings = field(default_factory=AccountingSettings)
