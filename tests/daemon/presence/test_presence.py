"""Mordomo on a real broker: asked, told to speak, silenced, and heard of; what it refuses, and how it comes back."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import aiomqtt
from support.hurried import hurried

from daemon.clock import SystemClock
from daemon.devices.address import Address
from daemon.devices.broker import EmbeddedBroker
from daemon.devices.client import new_client
from daemon.errors import CannotDo, LinkDown
from daemon.events import DeviceLate, ReminderSpoken, TurnEnded, TurnFailed
from daemon.presence.messages import Ask, ErrorTold, LateTold, ReminderTold, Say, TurnTold
from daemon.presence.presence import LIMITS, UNTOLD, WAITING, Presence
from daemon.turn import Turn


@dataclass
class Hands:
    """Notes what it is made to do; `gate` holds turns up until it is set."""

    did: list[Any] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    muted: bool = False
    failure: Exception | None = None

    async def asked(self, ask: Ask) -> Turn:
        self.did.append(ask)
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        turn = Turn(uuid4(), uuid4(), "mqtt", ask.area, datetime.now(UTC), 0.0)
        turn.reply.append("Pronto.")
        return turn

    async def say(self, say: Say) -> None:
        self.did.append(say)
        if say.area:
            raise CannotDo("Não há alto-falante em cozinha.")

    async def hush(self) -> None:
        self.did.append("hush")

    async def mute(self, *, muted: bool) -> None:
        if self.failure is not None:
            raise self.failure
        self.muted = muted


@dataclass
class Panel:
    """Another program on the broker."""

    client: aiomqtt.Client
    heard: asyncio.Queue[tuple[str, bytes, bool]] = field(default_factory=asyncio.Queue)

    async def write(self, topic: str, payload: object, *, retain: bool = False) -> None:
        text = payload if isinstance(payload, str | bytes) else json.dumps(payload)
        await self.client.publish(topic, text, qos=1, retain=retain)

    async def read(self, topic: str) -> bytes:
        """Return the next payload on a topic, passing others by."""
        async with asyncio.timeout(10):
            while True:
                told, payload, _ = await self.heard.get()
                if told == topic:
                    return payload

    async def listen(self) -> None:
        with suppress(aiomqtt.MqttError):
            async for message in self.client.messages:
                self.heard.put_nowait((message.topic.value, bytes(message.payload), message.retain))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def panel(url: str) -> AsyncIterator[Panel]:
    async with new_client(Address.parse(url)) as client:
        made = Panel(client)
        await client.subscribe("mordomo/event/#", qos=1)
        await client.subscribe("mordomo/microphone", qos=1)
        listening = asyncio.create_task(made.listen())
        yield made
        while not listening.done():  # aiomqtt's `wait_for` may swallow a cancellation
            listening.cancel()
            await asyncio.wait({listening}, timeout=0.1)


@asynccontextmanager
async def present(url: str, hands: Hands, *, words: Callable[[], bool] = lambda: True) -> AsyncIterator[Presence]:
    presence = Presence(url, SystemClock(), muted=lambda: hands.muted, area=lambda: "sala", tells_words=words)
    presence.hands = hands

    async with hurried(presence):
        async with asyncio.timeout(10):
            await presence.connected.wait()
        yield presence


async def test_a_question_and_its_answer(fresh_broker: EmbeddedBroker) -> None:
    hands = Hands()
    hands.gate.set()
    async with panel(fresh_broker.url) as program, present(fresh_broker.url, hands):
        await program.write("mordomo/ask", {"text": "acende a luz", "area": "cozinha", "id": "a-1"})
        told = TurnTold.model_validate_json(await program.read("mordomo/event/turn"))
    assert hands.did == [Ask(text="acende a luz", area="cozinha", id="a-1")]
    assert (told.id, told.text, told.reply, told.area) == ("a-1", "acende a luz", "Pronto.", "cozinha")


async def test_what_is_wrong_is_refused_and_told(fresh_broker: EmbeddedBroker) -> None:
    hands = Hands()
    async with panel(fresh_broker.url) as program, present(fresh_broker.url, hands) as presence:
        await program.write("mordomo/ask", "acende a luz")
        told = ErrorTold.model_validate_json(await program.read("mordomo/event/error"))
        assert (told.what, told.topic) == ("refused", "mordomo/ask")
        await program.write("mordomo/say", {"text": "oi", "area": "cozinha"})
        told = ErrorTold.model_validate_json(await program.read("mordomo/event/error"))
        assert (told.what, told.why) == ("say", "Não há alto-falante em cozinha.")
        assert presence.refused == {"mordomo/ask": 1}
    assert hands.did == [Say(text="oi", area="cozinha")]


async def test_what_the_broker_kept_from_before_is_not_carried_out(fresh_broker: EmbeddedBroker) -> None:
    hands = Hands()
    hands.gate.set()
    async with panel(fresh_broker.url) as program:
        await program.write("mordomo/ask", {"text": "apaga tudo"}, retain=True)
        await program.write("mordomo/microphone/set", "muted", retain=True)
        async with present(fresh_broker.url, hands) as presence:
            await program.read("mordomo/event/error")
            await program.read("mordomo/event/error")
            assert presence.refused.total() == 2
    assert hands.did == []
    assert not hands.muted


async def test_too_many_are_refused_and_the_rest_is_answered(fresh_broker: EmbeddedBroker) -> None:
    hands, (burst, _) = Hands(), LIMITS["mordomo/ask"]
    async with panel(fresh_broker.url) as program, present(fresh_broker.url, hands) as presence:
        for number in range(50):
            await program.write("mordomo/ask", {"text": f"pedido {number}"})
        hands.gate.set()
        for _ in range(min(burst, WAITING + 1)):
            await program.read("mordomo/event/turn")
        assert presence.refused["mordomo/ask"] >= 50 - burst - 2
    assert hands.did[0] == Ask(text="pedido 0")
    assert len(hands.did) <= burst + 2


async def test_the_microphone_is_muted_and_that_stays_on_the_broker(fresh_broker: EmbeddedBroker) -> None:
    hands = Hands()
    async with panel(fresh_broker.url) as program, present(fresh_broker.url, hands) as presence:
        assert await program.read("mordomo/microphone") == b"open"
        await program.write("mordomo/microphone/set", "muted")
        await program.write("mordomo/stop", "STOP")
        await until(lambda: "hush" in hands.did)
        assert hands.muted
        presence.tell_muted()
        assert await program.read("mordomo/microphone") == b"muted"
    async with panel(fresh_broker.url) as late:
        assert await late.read("mordomo/microphone") == b"muted"


async def test_a_switch_that_could_not_be_thrown_is_told(fresh_broker: EmbeddedBroker) -> None:
    hands = Hands(failure=LinkDown("postgres", "caiu"))
    async with panel(fresh_broker.url) as program, present(fresh_broker.url, hands):
        await program.read("mordomo/microphone")
        await program.write("mordomo/microphone/set", "muted")
        told = ErrorTold.model_validate_json(await program.read("mordomo/event/error"))
        assert (told.what, told.topic) == ("microphone", "mordomo/microphone/set")
        assert await program.read("mordomo/microphone") == b"open"


async def test_a_turn_that_is_lost_is_told_with_its_mark(fresh_broker: EmbeddedBroker) -> None:
    hands = Hands(failure=LinkDown("spool", "disco cheio"))
    hands.gate.set()
    async with panel(fresh_broker.url) as program, present(fresh_broker.url, hands):
        await program.write("mordomo/ask", {"text": "oi", "id": "x"})
        told = ErrorTold.model_validate_json(await program.read("mordomo/event/error"))
    assert (told.what, told.id) == ("turn", "x")


async def test_the_events_of_the_house(fresh_broker: EmbeddedBroker) -> None:
    words = [True]
    async with (
        panel(fresh_broker.url) as program,
        present(fresh_broker.url, Hands(), words=lambda: words[0]) as presence,
    ):
        turn, reminder = uuid4(), uuid4()
        presence.note(TurnEnded("microphone", turn, "que horas são", "São dez.", 12.0))
        told = TurnTold.model_validate_json(await program.read("mordomo/event/turn"))
        assert (told.turn_id, told.text, told.reply) == (turn, "que horas são", "São dez.")
        presence.note(ReminderSpoken(reminder, "tomar o remédio"))
        assert ReminderTold.model_validate_json(await program.read("mordomo/event/reminder")).title == "tomar o remédio"
        presence.note(DeviceLate("light.sala", "on", 4000.5))
        assert LateTold.model_validate_json(await program.read("mordomo/event/late")).entity_id == "light.sala"
        presence.note(TurnFailed("microphone", turn, "stt: falhou"))
        assert ErrorTold.model_validate_json(await program.read("mordomo/event/error")).turn_id == turn
        words[0] = False
        presence.note(TurnEnded("microphone", turn, "segredo", "segredo", 12.0))
        quiet = await program.read("mordomo/event/turn")
        presence.note(ReminderSpoken(reminder, "segredo"))
        assert b"segredo" not in quiet + await program.read("mordomo/event/reminder")


async def test_it_comes_back_with_the_broker_and_what_waited_is_gone(fresh_broker: EmbeddedBroker) -> None:
    hands = Hands()
    async with present(fresh_broker.url, hands) as presence:
        async with panel(fresh_broker.url) as program:
            for text in ("um", "dois"):
                await program.write("mordomo/ask", {"text": text})
            await until(lambda: bool(hands.did))
        killed = fresh_broker.pid
        os.kill(killed, signal.SIGKILL)
        await until(lambda: not presence.connected.is_set())
        for _ in range(2 * UNTOLD):
            presence.note(DeviceLate("light.sala", "on", 1.0))  # nobody hears it, and nothing grows
        hands.gate.set()
        watching = asyncio.create_task(fresh_broker.run())
        await until(lambda: fresh_broker.pid != killed)
        async with asyncio.timeout(20):
            await presence.connected.wait()
        async with panel(fresh_broker.url) as program:
            await program.write("mordomo/ask", {"text": "três"})
            assert TurnTold.model_validate_json(await program.read("mordomo/event/turn")).text == "três"
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    assert [ask.text for ask in hands.did] == ["um", "três"]
