"""Music is lowered while a reminder is spoken, and comes back as it was."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

import structlog

from daemon.devices.order import Order, Outcome
from daemon.errors import MordomoError
from daemon.language.plan import Household, Thing

log = structlog.get_logger(__name__)

LOWERED = 0.3
"""What is left of a player's volume."""


class Player(Protocol):
    """What moves devices."""

    async def carry_out(self, order: Order) -> Outcome:
        """Carry an order out. Raises CannotDo, LinkDown."""
        ...


class Music:
    """The players of the house. Whatever one of them does not do holds up no reminder."""

    def __init__(self, devices: Player, household: Callable[[], Household]) -> None:
        self._devices = devices
        self._household = household

    @asynccontextmanager
    async def lowered(self, area: str | None) -> AsyncIterator[None]:
        """Have what plays in a room (None: anywhere) play softly meanwhile."""
        playing = [thing for thing in self._household().things if _plays(thing) and area in (None, thing.area)]
        loud = {thing.id: float(str(thing.attributes["volume_pct"])) for thing in playing}
        try:
            for entity, volume in loud.items():
                await self._set(entity, round(volume * LOWERED))
            yield
        finally:
            for entity, volume in loud.items():
                await self._set(entity, volume)

    async def _set(self, entity: str, volume: float) -> None:
        try:
            await self._devices.carry_out(Order(entity, "set_volume", volume))
        except MordomoError as error:
            log.warning("volume_not_set", entity=entity, why=str(error))


def _plays(thing: Thing) -> bool:
    return thing.domain == "media_player" and thing.state == "playing" and "volume_pct" in thing.attributes
