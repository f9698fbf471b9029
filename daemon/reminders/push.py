"""Reminders on phones: a webhook or ntfy, where the household configured one. Off by default.

Bounded in every way: so many wait, each has seconds and few tries, and nobody waits for it. A title is the body's text,
never part of an address or a header. Only https, or a host of the house's own network, is written to.
"""

import asyncio
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import structlog

from daemon.clock import Clock
from daemon.errors import LinkDown
from db.database import Database
from db.reminder_steps import note

log = structlog.get_logger(__name__)

WAITING = 100
TRIES = 3
TIMEOUT_S = 5.0
PAUSE_S = 10.0
LAN = (".local", ".lan", ".home", ".internal", ".home.arpa")


@dataclass(frozen=True, slots=True)
class Note:
    """What is pushed of one reminder."""

    reminder_id: UUID
    text: str
    at: datetime
    urgent: bool


def allowed(url: str) -> bool:
    """Tell whether a push may go there: over https, or over http to an address or a name of the house's own network."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme == "https":
        return bool(host)
    if parts.scheme != "http" or not host:
        return False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(LAN)
    return address.is_private or address.is_loopback or address.is_link_local


class Push:
    """The service that pushes. `url` and `ntfy` (else a webhook's JSON) are asked each time: "" is off."""

    name = "push"

    def __init__(self, db: Database, clock: Clock, url: Callable[[], str], ntfy: Callable[[], bool]) -> None:
        self._db = db
        self._clock = clock
        self._url = url
        self._ntfy = ntfy
        self._waiting: asyncio.Queue[Note] = asyncio.Queue(WAITING)

    def put(self, note: Note) -> None:
        """Have it pushed; where too many wait, this one is not."""
        if not self._url():
            return
        try:
            self._waiting.put_nowait(note)
        except asyncio.QueueFull:
            log.warning("push_dropped", reminder=str(note.reminder_id))

    async def run(self) -> None:
        """Push until cancelled."""
        async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client:
            while True:
                each = await self._waiting.get()
                if await self._pushed(client, each):
                    await self._noted(each)

    async def _pushed(self, client: httpx.AsyncClient, each: Note) -> bool:
        url = self._url()
        if not allowed(url):
            log.warning("push_refused", mend="reminders.push_url: só https, ou um endereço da rede da casa")
            return False
        for attempt in range(TRIES):
            if attempt:
                await self._clock.sleep(PAUSE_S * attempt)
            try:
                async with asyncio.timeout(2 * TIMEOUT_S):
                    answer = await client.send(self._request(client, url, each))
            except (httpx.HTTPError, TimeoutError, OSError) as error:
                log.warning("push_failed", why=type(error).__name__)
                continue
            if answer.is_success:
                return True
            log.warning("push_failed", status=answer.status_code)
            if answer.is_client_error:
                return False
        return False

    def _request(self, client: httpx.AsyncClient, url: str, each: Note) -> httpx.Request:
        if self._ntfy():
            headers = {"Title": "Mordomo", "Priority": "urgent" if each.urgent else "default"}
            return client.build_request("POST", url, content=each.text.encode(), headers=headers)
        told = {"event": "reminder", "id": str(each.reminder_id), "text": each.text, "at": each.at.isoformat(),
                "urgent": each.urgent}  # fmt: skip
        return client.build_request("POST", url, json=told)

    async def _noted(self, each: Note) -> None:
        try:
            await note(self._db, each.reminder_id, self._clock.now(), "pushed")
        except LinkDown as down:
            log.warning("push_not_noted", why=str(down))
