"""The collector's receipt: the only thing that lets a probe forget.

Law: only a receipt with our own probe and epoch, that names numbers of the batch just sent, counts.
A captive portal's friendly "200 OK" is not a receipt.
"""

import json
from typing import Any, NamedTuple


class Reply(NamedTuple):
    """An HTTP answer. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Receipt(NamedTuple):
    """What became of the records of a batch, as ranges of numbers with both ends included.

    ``rejected`` are records that the collector put into its own dead-letter store, with reasons.
    """

    kept: list[tuple[int, int]]
    duplicate: list[tuple[int, int]]
    rejected: list[tuple[int, str]]

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """All that may be forgotten."""
        return [*self.kept, *self.duplicate, *((seq, seq) for seq, _ in self.rejected)]


def short_receipt(epoch: str, first: int, last: int) -> str:
    """The header ``Receipt`` of the answer to a packed batch of which every line is kept. The
    epoch, a random number of 64 bits that only the collector knows, is what no portal can say."""
    return f"{epoch} {first}-{last}"


def read_receipt(reply: Reply, *, probe: str, epoch: str, first: int, last: int) -> Receipt:
    """The receipt in an answer with status 200 for the batch ``first`` to ``last``: the short one
    (all of it is kept; packed batches alone are answered so) or the long one.

    Raises ValueError, saying why, for everything that is not exactly such a receipt.
    """
    if reply.headers.get("receipt") == short_receipt(epoch, first, last):
        return Receipt([(first, last)], [], [])
    content_type = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise ValueError(f"the content type is {content_type[:60]!r}")
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the body is not JSON: {error}") from None
    receipt = document.get("receipt") if isinstance(document, dict) else None
    if not isinstance(receipt, dict):
        raise ValueError("the body has no receipt")
    if receipt.get("probe") != probe or receipt.get("epoch") != epoch:
        raise ValueError("the receipt is for another probe or epoch")

    def number(value: Any) -> int:
        if type(value) is not int or not first <= value <= last:
            raise ValueError(f"the receipt names {value!r}, which was not sent")
        return value

    def ranges(name: str) -> list[tuple[int, int]]:
        found = []
        for item in pairs(name):
            if number(item[0]) > number(item[1]):
                raise ValueError(f"the receipt's {name} runs backwards: {item!r}")
            found.append((item[0], item[1]))
        return found

    def pairs(name: str) -> list[Any]:
        items = receipt.get(name)
        if not isinstance(items, list) or any(
            not isinstance(item, list) or len(item) != 2 for item in items
        ):
            raise ValueError(f"the receipt's {name!r} is no list of pairs")
        return items

    rejected = [(number(seq), str(reason)) for seq, reason in pairs("rejected")]
    return Receipt(ranges("kept"), ranges("duplicate"), rejected)
