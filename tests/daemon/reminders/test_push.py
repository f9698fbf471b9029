"""Pushes to a real server on loopback: what is sent, where it may go, and that nothing waits for it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from support.clock import START, FakeClock

from daemon.reminders.push import WAITING, Note, Push, allowed
from db.database import Database
from db.reminder_steps import steps_of
from db.reminders import create

Request = tuple[bytes, dict[str, str]]


class Phone:
    """An HTTP server that answers with `statuses`, one after the other, then 200."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.received: asyncio.Queue[Request] = asyncio.Queue()
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:]) if name}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        status = self.statuses.pop(0) if self.statuses else 200
        writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        self.received.put_nowait((body, headers))

    async def next(self) -> Request:
        return await asyncio.wait_for(self.received.get(), 10)


@asynccontextmanager
async def phone(*statuses: int) -> AsyncIterator[Phone]:
    listening = Phone(*statuses)
    server = await asyncio.start_server(listening.answer, "127.0.0.1", 0)
    listening.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/casa"
    async with server:
        yield listening


@asynccontextmanager
async def pushing(db: Database, clock: FakeClock, url: str, *, ntfy: bool = False) -> AsyncIterator[Push]:
    push = Push(db, clock, lambda: url, lambda: ntfy)
    task = asyncio.create_task(push.run())
    try:
        yield push
    finally:
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()


async def noted(db: Database, reminder_id: UUID) -> list[str]:
    async with asyncio.timeout(10):
        while not (found := await steps_of(db, reminder_id)):
            pass
    return [each.step for each in found]


def note(reminder_id: UUID | None = None, text: str = "Lembrete: remédio.\r\nX-Mau: sim") -> Note:
    return Note(reminder_id or uuid4(), text, START, urgent=True)


async def test_a_webhook_gets_json_and_the_step_is_a_row(db: Database) -> None:
    reminder = await create(db, "remédio", START + timedelta(hours=1))
    async with phone() as there, pushing(db, FakeClock(), there.url) as push:
        push.put(note(reminder))
        body, _ = await there.next()
        assert await noted(db, reminder) == ["pushed"]
    assert json.loads(body) == {
        "event": "reminder", "id": str(reminder), "text": "Lembrete: remédio.\r\nX-Mau: sim",
        "at": "2026-11-20T12:00:00+00:00", "urgent": True,
    }  # fmt: skip


async def test_ntfy_gets_the_words_and_no_header_of_theirs(db: Database) -> None:
    async with phone() as there, pushing(db, FakeClock(), there.url, ntfy=True) as push:
        push.put(note())
        body, headers = await there.next()
    assert body.decode() == "Lembrete: remédio.\r\nX-Mau: sim"
    assert (headers["priority"], headers["title"]) == ("urgent", "Mordomo")
    assert "x-mau" not in headers


async def test_it_is_tried_again_a_few_times_and_then_given_up(db: Database) -> None:
    clock = FakeClock()
    async with phone(500, 503, 502, 404) as there, pushing(db, clock, there.url) as push:
        push.put(note(text="primeiro"))
        push.put(note(text="recusado"))
        push.put(note(text="bom"))
        for pause_s in (10, 20):
            await there.next()
            await clock.asleep(pause_s)
            clock.advance(pause_s)
        said = [json.loads((await there.next())[0])["text"] for _ in range(3)]
    assert said == ["primeiro", "recusado", "bom"], "what is refused is not asked twice"


async def test_off_is_off_and_a_full_queue_drops(db: Database) -> None:
    silent = Push(db, FakeClock(), lambda: "", lambda: False)
    silent.put(note())
    assert silent._waiting.empty()
    full = Push(db, FakeClock(), lambda: "https://casa.example", lambda: False)
    for _ in range(WAITING + 5):
        full.put(note())
    assert full._waiting.qsize() == WAITING


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://ntfy.example/casa", True),
        ("http://192.168.0.9:8080/x", True),
        ("http://127.0.0.1/x", True),
        ("http://servidor.local/x", True),
        ("http://ntfy.example/casa", False),
        ("http://8.8.8.8/x", False),
        ("ftp://192.168.0.9/x", False),
        ("https://", False),
        ("http://[lixo", False),
        ("", False),
    ],
)
def test_where_it_may_go(url: str, may: bool) -> None:
    assert allowed(url) is may


async def test_a_place_it_may_not_go_to_is_never_written_to(db: Database) -> None:
    async with phone() as there, pushing(db, FakeClock(), there.url.replace("127.0.0.1", "8.8.8.8")) as push:
        push.put(note())
        async with asyncio.timeout(10):
            while not push._waiting.empty():
                await asyncio.sleep(0)
        assert there.received.empty()
