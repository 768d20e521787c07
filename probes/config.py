"""What the collector tells a probe to look at: checked, versioned, taken back when it does harm.

Law: the collector decides what is looked at, the probe what may be. Nothing outside the rules below
is ever looked at, whoever signs for it; a configuration is data, and no part of it is run.
"""

import ipaddress
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin
from urllib.parse import urlsplit

from model.check import Check
from model.kinds import NO_ADDRESS, SETTINGS, Settings
from model.measurement import Rung, Vantage
from probes.ledger import replace_file

log = logging.getLogger(__name__)

CHECKS_MAX = 64
INTERVAL_SECONDS = (10, 86_400)
TIMEOUT_SECONDS_MAX = 30.0
COUNT_MAX = 20
ECHOES_PER_SECOND_MAX = 5.0
"""Of all checks together, over time."""
LOCAL_MAX = 8
"""How many private addresses: a site's own devices, not a sweep of its network."""
LOCAL_RUNGS = frozenset({Rung.POWER, Rung.DEVICE, Rung.LAN, Rung.WAN, Rung.ISP_GATEWAY, Rung.DNS})
KINDS = frozenset({"ping", *SETTINGS}) - {"throughput"}
BUDGET_BYTES = (10_000, 10_000_000_000)


class ConfigError(ValueError):
    """The document is not one that this probe follows; the message says why."""


class Config:
    """A checked document: ``version``, ``checks``, ``budget_bytes_a_day`` (None: the default)."""

    def __init__(self, document: Any, site: str) -> None:
        if not isinstance(document, dict):
            raise ConfigError("it is no object")
        version, budget = document.get("version"), document.get("budget_bytes_a_day")
        if type(version) is not int or not 0 <= version < 2**53:
            raise ConfigError("version must be a whole number")
        if document.get("site") != site:
            raise ConfigError(f"it is for the site {document.get('site')!r}, not for {site}")
        if budget is not None and not (
            type(budget) is int and BUDGET_BYTES[0] <= budget <= BUDGET_BYTES[1]
        ):
            raise ConfigError(f"budget_bytes_a_day must be {BUDGET_BYTES[0]} to {BUDGET_BYTES[1]}")
        items = document.get("checks")
        if not isinstance(items, list) or len(items) > CHECKS_MAX:
            raise ConfigError(f"checks must be a list of at most {CHECKS_MAX}")
        self.version: int = version
        self.budget_bytes_a_day: int | None = budget
        self.checks = tuple(_check(item, site) for item in items)
        _judge_together(self.checks)

    def document(self, site: str) -> dict[str, Any]:
        """What this was read from."""
        return {
            "version": self.version,
            "site": site,
            "checks": [asdict(check) for check in self.checks],
            "budget_bytes_a_day": self.budget_bytes_a_day,
        }


def _check(item: Any, site: str) -> Check:
    names = {field.name for field in fields(Check)}
    if not isinstance(item, dict) or not item.keys() <= names:
        raise ConfigError(f"a check has no other fields than {', '.join(sorted(names))}")
    texts = [item.get(name) for name in ("site", "vantage", "kind", "target", "address")]
    if any(not isinstance(text, str) or len(text) > 200 for text in texts):
        raise ConfigError("site, vantage, kind, target and address must be text")
    if item["site"] != site or item["vantage"] != Vantage.VILLAGE:
        raise ConfigError("a check must be this site's, from the village")
    where = f"{item['kind']}/{item['target']}"
    if item["kind"] not in KINDS:
        raise ConfigError(f"{where}: this kind is not taken from a collector")
    rung = item["target"].partition(":")[0]
    if rung not in set(Rung):
        raise ConfigError(f"{where}: the target is no rung")
    interval, count = item.get("interval_seconds"), item.get("count", 5)
    timeout = item.get("timeout_seconds", 1.0)
    if type(interval) is not int or not INTERVAL_SECONDS[0] <= interval <= INTERVAL_SECONDS[1]:
        raise ConfigError(f"{where}: interval_seconds must be {INTERVAL_SECONDS}")
    if type(count) is not int or not 1 <= count <= COUNT_MAX:
        raise ConfigError(f"{where}: count must be 1 to {COUNT_MAX}")
    if type(timeout) not in (int, float) or not 0 < timeout <= TIMEOUT_SECONDS_MAX:
        raise ConfigError(f"{where}: timeout_seconds must be up to {TIMEOUT_SECONDS_MAX}")
    settings = _settings(item["kind"], item.get("settings"), rung, where)
    if item["address"] or item["kind"] not in NO_ADDRESS:
        _judge_address(item["address"], rung, where, literal=item["kind"] == "ping")
    texts_of = {name: item[name] for name in ("site", "vantage", "kind", "target", "address")}
    return Check(
        **texts_of,
        interval_seconds=interval,
        timeout_seconds=float(timeout),
        count=count,
        settings=settings,
    )


def _settings(kind: str, value: Any, rung: str, where: str) -> Settings | None:
    """The settings of a kind. No file of the device is named from afar: its content would go to
    whoever the target is."""
    if kind not in SETTINGS:
        if value is not None:
            raise ConfigError(f"{where}: {kind} has no settings")
        return None
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: settings must be an object")
    known = {field.name: field.type for field in fields(SETTINGS[kind])}
    plain = {}
    for name, given in value.items():
        if name not in known:
            raise ConfigError(f"{where}: {kind} has no setting {name!r}")
        if name.endswith("_file") and given is not None:
            raise ConfigError(f"{where}: {name} is set on the device, not from the collector")
        if name == "url":
            parts = urlsplit(str(given))
            if parts.scheme not in ("http", "https") or parts.username is not None:
                raise ConfigError(f"{where}: the URL must be http or https, without a password")
            _judge_address(parts.hostname or "", rung, where, literal=False)
        if name in ("address", "trusted") and given is not None:
            _judge_address(str(given), rung, where, literal=True)
        try:
            plain[name] = _fitting(given, known[name])
        except ValueError:
            raise ConfigError(f"{where}: {name} cannot be {given!r:.60}") from None
    make: Callable[..., Settings] = SETTINGS[kind]
    try:
        return make(**plain)
    except TypeError as error:
        raise ConfigError(f"{where}: {error}") from None


def _fitting(value: Any, wanted: Any) -> Any:
    """A value of JSON as a setting of that type. Raises ValueError for one that does not fit."""
    if get_origin(wanted) is tuple and isinstance(value, list) and len(value) <= CHECKS_MAX:
        return tuple(_fitting(item, str) for item in value)
    for kind in get_args(wanted) or (wanted,):
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            return kind(value)
        if type(value) is kind and len(str(value)) <= 200:
            return value
        if kind is float and type(value) is int:
            return float(value)
    raise ValueError


def _judge_address(text: str, rung: str, where: str, *, literal: bool) -> None:
    """Raises ConfigError for an address that no village probe has any business with."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        if literal or "." not in text.strip(".") or text.rstrip(".").endswith(".localhost"):
            raise ConfigError(f"{where}: {text!r} is no address to look at") from None
        return
    if (
        (address.is_loopback and not literal)  # an echo to oneself harms nobody; a request may
        or address.is_multicast
        or address.is_unspecified
        or address.is_link_local
        or (address.version == 4 and (address.is_reserved or int(address) == 2**32 - 1))
    ):
        raise ConfigError(f"{where}: {text} is not looked at")
    if _is_local(text) and rung not in LOCAL_RUNGS:
        raise ConfigError(f"{where}: {text} is private, and {rung} lies beyond the site")


def _is_local(text: str) -> bool:
    """Private use (RFC 1918, RFC 4193). The documentation's networks, which Python counts among
    them, answer nobody and harm nobody."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    private = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
    networks = (ipaddress.ip_network(network) for network in private)
    return any(address.version == net.version and address in net for net in networks)


def _judge_together(checks: Sequence[Check]) -> None:
    keys = [check.key for check in checks]
    if len(set(keys)) != len(keys):
        raise ConfigError("two checks have the same kind and target")
    if len({check.address for check in checks if _is_local(check.address)}) > LOCAL_MAX:
        raise ConfigError(f"more than {LOCAL_MAX} private addresses")
    rate = sum(check.count / check.interval_seconds for check in checks)
    if rate > ECHOES_PER_SECOND_MAX:
        raise ConfigError(f"{rate:.1f} echoes a second; at most {ECHOES_PER_SECOND_MAX}")


class ConfigKeeper:
    """The configuration in force and the one before it, in a file.

    A new one is on trial until a delivery succeeded under it; ``roll_back`` returns to the last
    that proved itself and remembers the version that did not.
    """

    def __init__(self, path: Path, site: str) -> None:
        self._path, self._site = path, site
        self.etag = ""
        self.on_trial = False
        self.proven: Config | None = None
        self.current: Config | None = None
        self.refused_version = -1
        self._load()

    def offer(self, document: Any, etag: str = "") -> bool:
        """Take a document from the collector; whether it is a new configuration. Raises
        ConfigError for one that this probe does not follow."""
        config = Config(document, self._site)
        held = max((item.version for item in (self.current, self.proven) if item), default=-1)
        if config.version < held:
            raise ConfigError(f"version {config.version} is older than {held}, which is known")
        self.etag = etag
        if config.version in (self.refused_version, held):
            return False
        if self.current is not None and not self.on_trial:
            self.proven = self.current
        self.current, self.on_trial = config, True
        self._save()
        return True

    def confirm(self) -> None:
        """A delivery succeeded under the current configuration."""
        if self.on_trial:
            self.proven, self.on_trial = self.current, False
            self._save()

    def roll_back(self) -> bool:
        """Return to what proved itself; False when nothing ever did."""
        if not self.on_trial or self.proven is None or self.current is None:
            return False
        log.error("config: version %d brought no delivery, back to %d", self.current.version,
                  self.proven.version)  # fmt: skip
        self.refused_version = self.current.version
        self.current, self.on_trial = self.proven, False
        self._save()
        return True

    def _save(self) -> None:
        text = json.dumps(
            {
                "current": self.current and self.current.document(self._site),
                "proven": self.proven and self.proven.document(self._site),
                "on_trial": self.on_trial,
                "refused_version": self.refused_version,
                "etag": self.etag,
            }
        )
        replace_file(self._path, text.encode())

    def _load(self) -> None:
        try:
            document: Mapping[str, Any] = json.loads(self._path.read_bytes())
            current, proven = document["current"], document["proven"]
            self.current = None if current is None else Config(current, self._site)
            self.proven = None if proven is None else Config(proven, self._site)
            self.on_trial = bool(document["on_trial"])
            self.refused_version = int(document["refused_version"])
            self.etag = str(document["etag"])
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("%s is not readable (%s): asking the collector", self._path, error)
            self.current = self.proven = None
            self.on_trial, self.etag = False, ""
