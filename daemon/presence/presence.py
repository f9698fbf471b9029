"""The service that keeps Mordomo on the broker, on a link of its own: devices never wait for talk, nor talk for them.

What a crash does here: nothing is kept. A request that was waiting is gone, and never carried out late; the status
topic (daemon/devices/link.py) shows that Mordomo is away.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol
from uuid import uuid4

import aiomqtt
import structlog

from daemon.clock import Clock
from daemon.devices.address import Address
from daemon.devices.client import new_client
from daemon.devices.subscriptions import heed_cancellation
from daemon.errors import EngineFailed, LinkDown, Spoken
from daemon.events import DeviceLate, Event, ReminderSpoken, TurnEnded, TurnFailed
from daemon.presence import announcement
from daemon.presence.limits import Limit
from daemon.presence.messages import (
    ASK,
    ERROR,
    HEARD,
    MAX_BYTES,
    MICROPHONE,
    MICROPHONE_SET,
    MUTED,
    OPEN,
    SAY,
    STOP,
    TOPICS,
    Ask,
    ErrorTold,
    LateTold,
    Malformed,
    ReminderTold,
    Say,
    Told,
    TurnTold,
    heard,
)  # fmt: skip
from daemon.turn import Turn

log = structlog.get_logger(__name__)

WAITING = 4
"""So many requests wait for the one under way; more are refused."""
UNTOLD = 100
"""So many events wait for the broker; the oldest are dropped."""
LIMITS = {ASK: (5, 3.0), SAY: (3, 10.0), STOP: (10, 1.0), MICROPHONE_SET: (4, 5.0)}
"""By topic: how many at once, and the seconds until one more."""
ERRORS = (5, 10.0)
"""The same for telling that something was refused."""


class Hands(Protocol):
    """What the broker may have Mordomo do."""

    async def asked(self, ask: Ask) -> Turn:
        """Take a turn on the text, as a program's: nothing risky is done for it. Raises LinkDown, EngineFailed."""
        ...

    async def say(self, say: Say) -> None:
        """Announce. Raises CannotDo where there is no voice, EngineFailed, LinkDown."""
        ...

    async def hush(self) -> None:
        """Stop what is being spoken."""
        ...

    async def mute(self, *, muted: bool) -> None:
        """Close the microphone, or open it again. Raises LinkDown."""
        ...


class Presence:
    """Mordomo on the broker. `muted`, `area` and `tells_words` are asked each time: preferences apply at once."""

    name = "presence"

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        muted: Callable[[], bool],
        area: Callable[[], str],
        tells_words: Callable[[], bool],
        prefix: str = "homeassistant",
    ) -> None:
        self.hands: Hands | None = None
        self.connected = asyncio.Event()
        self.refused: Counter[str] = Counter()
        self._address = Address.parse(url)
        self._clock = clock
        self._muted, self._area, self._tells_words = muted, area, tells_words
        self._prefix = prefix
        self._limits = {topic: Limit(clock, *limit) for topic, limit in LIMITS.items()}
        self._errors = Limit(clock, *ERRORS)
        self._untold: asyncio.Queue[tuple[str, str, bool]] = asyncio.Queue(UNTOLD)
        self._waiting: asyncio.Queue[Ask | Say] = asyncio.Queue(WAITING)

    def note(self, event: Event) -> None:
        """Tell the broker what happened, while it is there. What was asked over MQTT is told with its answer."""
        now, words = self._clock.now(), self._tells_words()
        match event:
            case TurnEnded() if event.source != "mqtt":
                text, reply = (event.transcript, event.reply) if words else (None, None)
                self._tell(TurnTold(at=now, turn_id=event.turn_id, source=event.source, text=text, reply=reply,
                                    outcome="answered"))  # fmt: skip
            case TurnFailed() if event.source != "mqtt":
                self._tell(ErrorTold(at=now, what="turn", why=event.why, turn_id=event.turn_id))
            case ReminderSpoken():
                title = event.title if words else None
                self._tell(ReminderTold(at=now, reminder_id=event.reminder_id, title=title))
            case DeviceLate():
                self._tell(LateTold(at=now, entity_id=event.entity_id, state=event.state, late_ms=event.late_ms))

    def tell_muted(self) -> None:
        """Tell whether the microphone is muted; that stays on the broker."""
        self._put(MICROPHONE, MUTED if self._muted() else OPEN, retain=True)

    async def run(self) -> None:
        """Be on the broker until cancelled. Raises LinkDown("broker", why) when it is away."""
        try:
            async with self._new_client() as client:
                try:
                    await self._session(client)
                finally:
                    self._forget()
        except (aiomqtt.MqttError, OSError) as problem:
            raise LinkDown("broker", str(problem)[:200]) from problem

    async def _session(self, client: aiomqtt.Client) -> None:
        await client.subscribe([(topic, 1) for topic in HEARD])
        own = announcement.payload(self._area())
        await client.publish(announcement.topic(self._prefix), own, qos=1, retain=True)
        self.connected.set()
        self.tell_muted()
        ends = {asyncio.create_task(work) for work in (self._listen(client), self._publish(client), self._work())}
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in ends:
                task.cancel()
            await asyncio.gather(*ends, return_exceptions=True)

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            heed_cancellation()
            topic, payload = message.topic.value, bytes(message.payload)[: MAX_BYTES + 1]
            if not payload:
                continue  # a message that the broker kept was cleared
            if message.retain:
                self._refuse(topic, "mensagem guardada no broker, de antes")
            elif not self._limits[topic].allows():
                self._refuse(topic, "mensagens demais em pouco tempo")
            else:
                await self._take(topic, payload)

    async def _take(self, topic: str, payload: bytes) -> None:
        try:
            said = heard(topic, payload)
        except Malformed as wrong:
            self._refuse(topic, str(wrong))
            return
        if isinstance(said, Ask | Say):
            try:
                self._waiting.put_nowait(said)
            except asyncio.QueueFull:
                self._refuse(topic, "pedidos demais à espera")
        elif self.hands is not None:
            try:
                await (self.hands.hush() if said is None else self.hands.mute(muted=said))
            except LinkDown as down:
                self._tell(ErrorTold(at=self._clock.now(), what="microphone", why=str(down), topic=topic))
                self.tell_muted()

    async def _work(self) -> None:
        """Carry out what waits, one at a time."""
        while True:
            wanted = await self._waiting.get()
            if self.hands is None:
                continue
            try:
                if isinstance(wanted, Ask):
                    self._tell(self._answered(wanted, await self.hands.asked(wanted)))
                else:
                    await self.hands.say(wanted)
            except (LinkDown, EngineFailed, Spoken) as failed:
                what, mark = ("turn", wanted.id) if isinstance(wanted, Ask) else ("say", None)
                self._tell(ErrorTold(at=self._clock.now(), what=what, why=str(failed), id=mark))

    def _answered(self, ask: Ask, turn: Turn) -> TurnTold:
        words = self._tells_words()
        return TurnTold(
            at=self._clock.now(), turn_id=turn.id, source=turn.source, area=turn.area, text=ask.text if words else None,
            reply=" ".join(turn.reply), outcome=turn.outcome, id=ask.id,
        )  # fmt: skip

    def _refuse(self, topic: str, why: str) -> None:
        """Count what was refused; log and tell it, but not as often as it comes."""
        self.refused[topic] += 1
        if self._errors.allows():
            log.warning("mqtt_request_refused", topic=topic, why=why, refused=self.refused[topic])
            self._tell(ErrorTold(at=self._clock.now(), what="refused", why=why, topic=topic))

    def _tell(self, told: Told) -> None:
        self._put(TOPICS.get(type(told), ERROR), told.model_dump_json(exclude_none=True), retain=False)

    def _put(self, topic: str, text: str, *, retain: bool) -> None:
        if not self.connected.is_set():
            return  # news that nobody can hear now are no news later
        if self._untold.full():
            self._untold.get_nowait()
        self._untold.put_nowait((topic, text, retain))

    async def _publish(self, client: aiomqtt.Client) -> None:
        while True:
            heed_cancellation()
            topic, text, retain = await self._untold.get()
            await client.publish(topic, text, qos=1, retain=retain)

    def _forget(self) -> None:
        """Note that the link is lost: what waits is never carried out late, nor told."""
        self.connected.clear()
        for queue in (self._waiting, self._untold):
            with suppress(asyncio.QueueEmpty):
                while True:
                    queue.get_nowait()

    def _new_client(self) -> aiomqtt.Client:
        name = f"mordomo-talk-{uuid4().hex[:12]}"
        return new_client(self._address, identifier=name, max_queued_incoming_messages=1000)
