"""What waits to be read: all of it in order while calm, the latest of each topic in a flood, never without bound."""

import pytest
from aiomqtt import Message

from daemon.devices import inbox
from daemon.devices.inbox import Inbox


def message(topic: str, payload: bytes) -> Message:
    return Message(topic, payload, 0, False, 0, None)


async def read(queue: Inbox) -> list[tuple[str, bytes]]:
    return [((one := await queue.get()).topic.value, one.payload) for _ in range(queue.qsize())]


async def test_a_state_told_in_parts_is_read_in_all_its_parts() -> None:
    queue = Inbox()
    for payload in (b'{"state":"ON"}', b'{"brightness":3}'):
        queue.put_nowait(message("lamp", payload))
    queue.put_nowait(message("other", b"x"))
    assert await read(queue) == [("lamp", b'{"state":"ON"}'), ("lamp", b'{"brightness":3}'), ("other", b"x")]


async def test_in_a_flood_only_the_latest_of_a_topic_waits() -> None:
    queue = Inbox()
    for number in range(50_000):
        queue.put_nowait(message(f"lamp{number % 10}", str(number).encode()))
    assert queue.qsize() == inbox.CALM
    latest = dict(await read(queue))
    assert latest == {f"lamp{number % 10}": str(number).encode() for number in range(49_990, 50_000)}


@pytest.mark.parametrize(("size", "kept"), [(1, inbox.MAX_WAITING), (256 * 1024, inbox.MAX_BYTES // (256 * 1024))])
async def test_what_finds_no_room_is_dropped_and_counted(size: int, kept: int) -> None:
    queue = Inbox()
    payload = b"x" * size
    for number in range(kept + 5):
        queue.put_nowait(message(f"t{number}", payload))
    assert (queue.qsize(), queue.dropped) == (kept, 5)
    assert len(await read(queue)) == kept
    queue.put_nowait(message("again", payload))
    assert queue.qsize() == 1


def test_some_of_what_waits_is_taken_at_once_and_in_its_order() -> None:
    queue = Inbox()
    for number in range(inbox.AT_ONCE + 5):
        queue.put_nowait(message(f"t{number}", b"x"))
    assert [one.topic.value for one in queue.at_once()] == [f"t{number}" for number in range(inbox.AT_ONCE)]
    assert [one.topic.value for one in queue.at_once()] == [f"t{inbox.AT_ONCE + number}" for number in range(5)]
    assert list(queue.at_once()) == []
