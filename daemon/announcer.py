"""What Mordomo says by itself: announcements, and news of devices that obeyed late.

One after the other, and never inside a turn: while somebody is heard or answered, it waits. After what asks something
the answer needs no wake word.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from daemon.audio import earcons
from daemon.devices.order import ConfirmedLate, Verb
from daemon.errors import EngineFailed, LinkDown
from daemon.events import DeviceLate, Observe
from daemon.language.replies import Replies
from daemon.skills.orders import TOGGLED, Silent
from daemon.turn import is_question
from daemon.voice import Voice
from db.ledger import Ledger

log = structlog.get_logger(__name__)

WAITING = 8
"""So many announcements wait; who writes more has the oldest dropped."""
REMEMBERED = 64
"""So many devices that were told to be silent are remembered."""
WRITTEN = frozenset({"text", "mqtt"})
"""Sources that were answered in writing: news for them are shown, not spoken into the house."""


async def _at_once() -> None:
    """Where there are no turns to wait for."""


@dataclass(slots=True)
class Announcer:
    """Speaks what is put, and shows it on `screens`. `asked` is told after each question that was heard out."""

    voice: Voice
    screens: list[Callable[[str], None]]
    name: str = "announcer"
    turn_over: Callable[[], Awaitable[None]] = _at_once
    asked: Callable[[], None] = lambda: None
    _waiting: deque[str] = field(default_factory=lambda: deque(maxlen=WAITING))
    _any: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, text: str) -> None:
        """Have `text` announced as soon as the voice is free; what waits already is not said twice."""
        if text not in self._waiting:
            self._waiting.append(text)
            self._any.set()

    def show(self, text: str) -> None:
        """Show `text`, without a sound."""
        for screen in self.screens:
            screen(text)

    async def run(self) -> None:
        """Announce until cancelled. A voice that is broken costs the announcement."""
        while True:
            await self._any.wait()
            text = self._waiting.popleft()
            if not self._waiting:
                self._any.clear()
            self.show(text)
            await self.turn_over()
            try:
                await self.now(text)
            except (EngineFailed, LinkDown) as mute:
                log.warning("announcement_unspoken", why=str(mute))
            else:
                if is_question(text):
                    self.asked()

    async def now(self, text: str) -> None:
        """Speak `text` after a tone, when the voice is free. Raises EngineFailed, LinkDown."""
        await self.voice.speak(_once(text), before=earcons.reminder())


@dataclass(slots=True)
class LateNews:
    """Corrects "mandei, mas a lâmpada não respondeu" once, where the device obeys after all: aloud and in its row."""

    announcer: Announcer
    replies: Replies
    ledger: Ledger
    observe: Observe
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    name: str = "late_news"
    _silent: dict[str, Silent] = field(default_factory=dict)
    _late: asyncio.Queue[tuple[Silent, ConfirmedLate]] = field(default_factory=lambda: asyncio.Queue(REMEMBERED))

    def silent(self, silent: Silent) -> None:
        """Remember that somebody was told that this device did not answer; its latest order counts."""
        entity_id = str(silent.action.parameters["entity_id"])
        self._silent.pop(entity_id, None)
        self._silent[entity_id] = silent
        if len(self._silent) > REMEMBERED:
            del self._silent[next(iter(self._silent))]

    def confirmed(self, event: object) -> None:
        """Take in that a device obeyed late; nobody is told what nobody was told to lack."""
        if not isinstance(event, ConfirmedLate):
            return
        self.observe(DeviceLate(event.order.entity_id, event.state, event.late_ms))
        silent = self._silent.get(event.order.entity_id)
        if silent is None or silent.action.id != event.order.action_id or self._late.full():
            return
        del self._silent[event.order.entity_id]
        self._late.put_nowait((silent, event))

    async def run(self) -> None:
        """Tell what comes, those that come together in one sentence, until cancelled."""
        while True:
            news = [await self._late.get()]
            while not self._late.empty():
                news.append(self._late.get_nowait())
            for silent, event in news:
                await self._correct(silent, event)
            for aloud in (True, False):
                for verb, names in _by_verb([one for one in news if (one[0].context.source not in WRITTEN) is aloud]):
                    said = self.replies.devices("late", verb, names)
                    (self.announcer.put if aloud else self.announcer.show)(said)

    async def _correct(self, silent: Silent, event: ConfirmedLate) -> None:
        result = {
            "outcome": "confirmed", "state": event.state, "previous": dict(silent.previous), "late_ms": event.late_ms,
        }  # fmt: skip
        try:
            await self.ledger.finished(silent.action.id, status="success", result=result, at=self.now())
        except LinkDown as down:
            log.warning("late_confirmation_unrecorded", action=str(silent.action.id), why=str(down))


def _by_verb(news: list[tuple[Silent, ConfirmedLate]]) -> list[tuple[str, list[str]]]:
    groups: dict[str, list[str]] = {}
    for silent, event in news:
        verb: Verb = event.order.verb
        told = TOGGLED.get(event.state or "", verb) if verb == "toggle" else verb
        groups.setdefault(told, []).append(str(silent.action.parameters["name"]))
    return list(groups.items())


async def _once(text: str) -> AsyncIterator[str]:
    yield text
