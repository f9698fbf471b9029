"""The link to the broker: listens to the house's devices, and carries orders out.

What a crash does here: nothing is kept on disk. Entities and states come back from retained topics; a command that was
under way is never sent again, by this process or by the next.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Literal
from uuid import uuid4

import aiomqtt
import structlog

from daemon.clock import Clock
from daemon.devices.address import Address
from daemon.devices.client import DELIVERY_S, new_client
from daemon.devices.commands import command
from daemon.devices.confirmation import Confirmations
from daemon.devices.entity import Condition
from daemon.devices.house import House
from daemon.devices.inbox import Inbox
from daemon.devices.order import Command, ConfirmedLate, Goal, Order, Outcome
from daemon.devices.subscriptions import Subscriptions, heed_cancellation
from daemon.errors import CannotDo, LinkDown

__all__ = ["ConfirmedLate", "Devices", "Order", "Outcome"]

log = structlog.get_logger(__name__)

STATUS_TOPIC = "mordomo/status"
ENDING_S = 0.5
"""How late a state may end that ends by itself (`off_delay`, `expire_after`)."""


class Devices:
    """The house's devices over MQTT: a Service that keeps `house` true, and `carry_out`.

    `settled` is set once all that the broker kept (announcements, states) has been taken in after a connection.
    `confirm_ms` is asked at each order, so that a preference applies at once. `observe` is told of ConfirmedLate.
    """

    name = "devices"

    def __init__(
        self,
        url: str,
        clock: Clock,
        confirm_ms: Callable[[], int],
        prefix: str = "homeassistant",
        observe: Callable[[object], None] | None = None,
    ) -> None:
        self.address = Address.parse(url)
        self.house = House(prefix)
        self.connected = asyncio.Event()
        self.settled = asyncio.Event()
        self._clock = clock
        self._confirm_ms = confirm_ms
        self._client: aiomqtt.Client | None = None
        self._inbox = Inbox()
        self._subscriptions: Subscriptions | None = None
        self._lost: asyncio.Future[None] | None = None
        self._why_away = "ainda não conectado"
        # One name for as long as we live: on a new connection the broker ends the old one, and its will is told first.
        self._identifier = f"mordomo-{uuid4().hex[:12]}"
        self._orders: dict[str, asyncio.Lock] = {}
        self._confirmations = Confirmations(clock, observe or (lambda _event: None))

    @property
    def is_connected(self) -> bool:
        """True while the broker is there and subscribed to."""
        return self.connected.is_set()

    async def run(self) -> None:
        """Keep the house true until cancelled. Raises LinkDown("broker", why) when the broker is away."""
        try:
            async with self._new_client() as client:
                try:
                    await self._session(client)
                finally:
                    self._drop()
                    with suppress(aiomqtt.MqttError, TimeoutError):
                        async with asyncio.timeout(1):
                            await client.publish(STATUS_TOPIC, "offline", qos=1, retain=True)
        except (aiomqtt.MqttError, OSError) as problem:
            self._why_away = str(problem)[:200]
            raise LinkDown("broker", self._why_away) from problem

    async def carry_out(self, order: Order) -> Outcome:
        """Command a device and wait until it says that it obeyed, at most `confirm_ms`.

        Orders to one entity are served one after the other. Raises LinkDown when the broker is away (then nothing will
        be published later) or goes away before it acknowledged (then it is unknown whether the device got it), and
        CannotDo, with what to say, for an entity that is not there or cannot do this.
        """
        self._connected_client()
        if self.house.entity(order.entity_id) is None:
            raise CannotDo("Não encontrei esse aparelho na casa.")
        async with self._orders.setdefault(order.entity_id, asyncio.Lock()):
            return await self._carry_out(order)

    def declare(self, entity_id: str, payload: bytes) -> None:
        """Take in an entity that was declared by hand; an empty payload forgets it. Raises BadAnnouncement."""
        self.house.declare(entity_id, payload)
        if self._subscriptions is not None:
            self._subscriptions.look()

    async def forget(self, origin: str) -> None:
        """Take back what a software announced and the broker still keeps. Raises LinkDown."""
        gone = Command(tuple((topic, b"") for topic in self.house.announced_by(origin)), goal=None)
        await self._deliver(self._connected_client(), gone, retain=True)

    async def _carry_out(self, order: Order) -> Outcome:
        client = self._connected_client()
        entity = self.house.entity(order.entity_id)
        if entity is None:
            raise CannotDo("Esse aparelho acabou de sair da casa.")
        before = self.house.condition(entity.id)
        wanted = command(entity, before, self.house.name(entity.id), order)
        if before.available is False:
            return Outcome("unavailable", before.state, _as_previous(before))
        if wanted.goal is None:
            started_s = self._clock.monotonic()
            await self._deliver(client, wanted)
            if wanted.assumed is not None:
                self.house.assume(entity.id, wanted.assumed, self._clock.now(), order.action_id)
            return Outcome("sent", wanted.assumed, _as_previous(before), self._ms_since(started_s))
        if before.fresh and not before.assumed and wanted.goal.reached(before):
            return Outcome("already", before.state, _as_previous(before))
        return await self._confirmed(client, order, wanted, wanted.goal, before)

    async def _confirmed(
        self, client: aiomqtt.Client, order: Order, wanted: Command, goal: Goal, before: Condition
    ) -> Outcome:
        wait = self._confirmations.expect(order, goal, before)
        self.house.causes.commanded(order.entity_id, order.action_id, goal, before, self._clock.now())
        try:
            await self._deliver(client, wanted)
            left_s = self._confirm_ms() / 1000 - (self._clock.monotonic() - wait.since_s)
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, left_s)):
                    await wait.told.wait()
        except LinkDown:
            if not wait.told.is_set():
                raise
        finally:
            self._confirmations.end(wait)
        state = self.house.condition(order.entity_id).state
        kind: Literal["confirmed", "silent"] = "confirmed" if wait.told.is_set() else "silent"
        return Outcome(kind, state, _as_previous(before), self._ms_since(wait.since_s))

    async def _deliver(self, client: aiomqtt.Client, wanted: Command, *, retain: bool = False) -> None:
        """Publish all messages in their order; return when the broker has acknowledged them. Raises LinkDown."""
        lost = self._lost
        assert lost is not None  # noqa: S101 - there is a client, so there is a session
        publishing = asyncio.gather(
            *(client.publish(topic, data, 1, retain, timeout=DELIVERY_S) for topic, data in wanted.messages)
        )
        try:
            ends: set[asyncio.Future[Any]] = {publishing, lost}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if not publishing.done():
                raise LinkDown("broker", "caiu antes de confirmar a entrega")
            await publishing
        except aiomqtt.MqttError as problem:
            # An unacknowledged message must die with this connection, or it could reach the device much later; and
            # from now on nobody is to take the link for one that works.
            if not lost.done():
                self._drop()
            raise LinkDown("broker", str(problem)[:200]) from problem
        finally:
            publishing.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody else looks at it
            publishing.cancel()

    def _connected_client(self) -> aiomqtt.Client:
        if self._client is None or not self.connected.is_set():
            raise LinkDown("broker", self._why_away)
        return self._client

    def _new_client(self) -> aiomqtt.Client:
        self._inbox = Inbox()
        return new_client(
            self.address,
            identifier=self._identifier,
            will=aiomqtt.Will(STATUS_TOPIC, "offline", qos=1, retain=True),
            queue_type=lambda **_: self._inbox,
        )

    async def _session(self, client: aiomqtt.Client) -> None:
        lost = self._lost = asyncio.get_running_loop().create_future()
        self._client = client
        await client.publish(STATUS_TOPIC, "online", qos=1, retain=True)
        heed_cancellation()
        subscriptions = Subscriptions(client, self.house, self._identifier, self.connected, self._settle)
        self._subscriptions = subscriptions
        listening = asyncio.create_task(self._listen(client, subscriptions))
        following = asyncio.create_task(subscriptions.follow())
        ending = asyncio.create_task(self._end_states())
        tasks = (listening, following, ending)
        try:
            ends: set[asyncio.Future[Any]] = {*tasks, lost}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
            raise LinkDown("broker", "não confirmou a entrega")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            subscriptions.stop()

    def _settle(self) -> None:
        self.settled.set()
        log.info("devices_settled", broker=str(self.address), entities=len(self.house))

    def _drop(self) -> None:
        self._client = self._subscriptions = None
        self.connected.clear()
        self.settled.clear()
        self.house.forget_freshness()
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(None)

    async def _listen(self, client: aiomqtt.Client, subscriptions: Subscriptions) -> None:
        async for message in client.messages:
            self._take_in(message, subscriptions)
            for another in self._inbox.at_once():
                self._take_in(another, subscriptions)

    def _take_in(self, message: aiomqtt.Message, subscriptions: Subscriptions) -> None:
        topic, payload = message.topic.value, message.payload
        if topic == subscriptions.echo:
            subscriptions.echoed(payload)
        elif self.house.announces(topic):
            self.house.announce(topic, payload)
            subscriptions.look()
        else:
            for entity_id in self.house.hear(topic, payload, self._clock.now(), retained=message.retain):
                self._confirmations.told(entity_id, self.house.condition(entity_id))
            subscriptions.look()

    async def _end_states(self) -> None:
        """Have states end whose time is over, until cancelled; those of a lost link's time once all is taken in."""
        await self.settled.wait()
        deadlines = self.house.conditions.deadlines
        while True:
            await deadlines.news.wait()
            wall, running_s = self._clock.now(), self._clock.monotonic()
            while deadlines.news.is_set():
                self.house.end_what_is_due(wall)
                await self._clock.sleep(ENDING_S)
                awaited = wall + timedelta(seconds=self._clock.monotonic() - running_s)
                wall, running_s = self._clock.now(), self._clock.monotonic()
                deadlines.shift(wall - awaited)

    def _ms_since(self, since_s: float) -> float:
        return round((self._clock.monotonic() - since_s) * 1000, 2)


def _as_previous(before: Condition) -> Mapping[str, object]:
    return {"state": before.state, **before.attributes}
