"""Messages that wait to be read. A flood takes bounded room, and what is read after it is how things are now."""

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import Any

from aiomqtt import Message

CALM = 1000
"""Up to so many waiting messages, each is read, in its order."""
AT_ONCE = 20
"""So many are taken without letting anything else run: 2 ms of work."""
MAX_WAITING = 20_000
MAX_BYTES = 64 * 1024 * 1024


class Inbox(asyncio.Queue[Message]):
    """A queue for aiomqtt that keeps order while calm; in a flood, a message replaces one of its topic that waits.

    A device may tell its state in parts on one topic, so nothing is left out before CALM messages wait. From then on
    only a topic's latest matters. Beyond MAX_WAITING messages or MAX_BYTES of payloads, new ones are dropped and
    counted in `dropped`.
    """

    _queue: deque[list[Message]]

    def at_once(self) -> Iterator[Message]:
        """Yield what waits, at most AT_ONCE of it.

        aiomqtt's iterator takes three rounds of the event loop for a message, while each round brings another one in:
        with nothing but it, a flood is always behind.
        """
        for _ in range(min(AT_ONCE, self.qsize())):
            yield self.get_nowait()

    def _init(self, maxsize: int) -> None:  # noqa: ARG002 - asyncio's own signature
        self._queue = deque()
        self._last: dict[str, list[Message]] = {}
        self._bytes = 0
        self.dropped = 0

    def _get(self) -> Message:
        place = self._queue.popleft()
        message = place[0]
        if self._last.get(message.topic.value) is place:
            del self._last[message.topic.value]
        self._bytes -= len(message.payload)
        return message

    def _put(self, item: Any) -> None:
        waiting = self._last.get(item.topic.value) if len(self._queue) >= CALM else None
        more = len(item.payload) - (len(waiting[0].payload) if waiting else 0)
        if self._bytes + more > MAX_BYTES or (waiting is None and len(self._queue) >= MAX_WAITING):
            self.dropped += 1
            return
        self._bytes += more
        if waiting is not None:
            waiting[0] = item
            return
        place = self._last[item.topic.value] = [item]
        self._queue.append(place)
