"""An event loop whose time passes only when nothing else is to be done.

For tests of waiting: minutes of time-outs pass in no time, and figures in seconds are exact however
busy the machine is. There are no sockets in it: what speaks to the outside is the test's own.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import TypeVar

_T = TypeVar("_T")


class _Jumping(selectors.SelectSelector):
    """Instead of waiting for files it moves the clock."""

    def __init__(self, moved: Callable[[float], None]) -> None:
        super().__init__()
        self._moved = moved

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """asyncio's call; without a time-out nothing would ever happen again."""
        if timeout is None:
            raise RuntimeError("everybody waits for something that never comes")
        self._moved(timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """``time`` starts at nought."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Jumping(self._move))

    def _move(self, seconds: float) -> None:
        self._now += max(0.0, seconds)

    def time(self) -> float:
        """Virtual seconds."""
        return self._now


def run(work: Coroutine[object, object, _T]) -> _T:
    """``asyncio.run`` on a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
