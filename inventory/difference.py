"""What an edit of the inventory changed: said in the words of the inventory.

Law: compared is what was read, not how it was written; order, comments and spelling do not count.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from model.inventory import Inventory
from model.site import ServiceHours


@dataclass(frozen=True, slots=True)
class Change:
    """``where`` changed from ``old`` to ``new``; None where it was not there."""

    where: str
    old: object
    new: object


def differences(old: Inventory, new: Inventory) -> list[Change]:
    """Every change from ``old`` to ``new``; nothing when they say the same. A thing that came or
    went is one change, a thing that stayed is compared key by key."""
    changes: list[Change] = []
    for section in ("province", "look", "definition", "register_file"):
        changes += _compare(section, getattr(old, section), getattr(new, section))
    keys = {
        "kabupaten": "code",
        "centre_anchors": "name",
        "village_targets": "name",
        "checks": "id",
    }
    for section, key in keys.items():
        changes += _compare(section, _by(old, section, key), _by(new, section, key))
    for section in ("providers", "upstreams", "kinds"):
        changes += _compare(section, getattr(old, section), getattr(new, section))
    changes += _compare("sites", old.by_id, new.by_id)
    gone = set(old.maintenance) - set(new.maintenance)
    come = set(new.maintenance) - set(old.maintenance)
    changes += [Change("maintenance", work, None) for work in sorted(gone, key=repr)]
    changes += [Change("maintenance", None, work) for work in sorted(come, key=repr)]
    return changes


def _by(inventory: Inventory, section: str, key: str) -> dict[str, Any]:
    return {getattr(item, key): item for item in getattr(inventory, section)}


def _compare(where: str, old: Any, new: Any) -> Iterator[Change]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _compare(f"{where}.{key}", old.get(key), new.get(key))
    elif old is not None and type(old) is type(new) and _has_keys(old):
        for key in fields(old):
            yield from _compare(
                f"{where}.{key.name}", getattr(old, key.name), getattr(new, key.name)
            )
    else:
        yield Change(where, old, new)


def _has_keys(value: object) -> bool:
    return hasattr(value, "__dataclass_fields__") and not isinstance(value, ServiceHours)
