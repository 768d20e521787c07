"""The limits for "stable" as a table of text, as map and report print them."""

from collections.abc import Collection

from maps.words import Words
from model.definition import Definition
from model.site import Access


def limits(
    definition: Definition, words: Words, used: Collection[Access] = tuple(Access)
) -> dict[str, list[str] | list[list[str]]]:
    """``head`` and ``rows``: one row for each access technology in ``used``, with its units."""
    return {
        "head": [
            words("both.access"),
            words("both.availability"),
            words("both.thresholds_rtt"),
            words("both.thresholds_loss"),
            words("both.thresholds_rate"),
        ],
        "rows": [
            [
                words(f"access.{access}"),
                f"≥ {words.percent(limit.availability_min, 0)}",
                f"≤ {words.number(limit.rtt_median_max_seconds * 1000)} ms",
                f"≤ {words.percent(limit.loss_p95_max, 0)}",
                f"{words.number(limit.download_min_mbit_s)} / "
                f"{words.number(limit.upload_min_mbit_s)} Mbit/s",
            ]
            for access, limit in definition.thresholds.items()
            if access in used
        ],
    }
