"""Messages that wait to be read: the latest of each topic, so that a flood takes bounded room and is never old news."""

import asyncio
from typing import Any

from aiomqtt import Message

MAX_TOPICS = 20_000
MAX_BYTES = 64 * 1024 * 1024


class LatestByTopic(asyncio.Queue[Message]):
    """A queue for aiomqtt in which a message replaces one of the same topic that still waits, and keeps its place.

    A state topic tells how things are now, so only its latest message matters. Beyond MAX_TOPICS waiting topics or
    MAX_BYTES of payloads new ones are dropped and counted in `dropped`.
    """

    _queue: dict[str, Message]

    def _init(self, maxsize: int) -> None:  # noqa: ARG002 - asyncio's own signature
        self._queue = {}
        self._bytes = 0
        self.dropped = 0

    def _get(self) -> Message:
        message = self._queue.pop(next(iter(self._queue)))
        self._bytes -= len(message.payload)
        return message

    def _put(self, item: Any) -> None:
        topic = item.topic.value
        before = self._queue.get(topic)
        more = len(item.payload) - (len(before.payload) if before else 0)
        if self._bytes + more > MAX_BYTES or (before is None and len(self._queue) >= MAX_TOPICS):
            self.dropped += 1
            return
        self._queue[topic] = item
        self._bytes += more
