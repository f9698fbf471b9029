"""What the broker may have Mordomo do, over the real parts. Whoever asks over MQTT is a program, never a person."""

from collections.abc import Callable
from dataclasses import dataclass

from config.preferences import HOUSE_AREA, MICROPHONE_MUTED
from daemon.announcer import Announcer
from daemon.butler import Butler, Place
from daemon.errors import CannotDo
from daemon.language.replies import Replies
from daemon.language.words import fold
from daemon.live_preferences import LivePreferences
from daemon.presence.messages import Ask, Say
from daemon.turn import Turn
from db.audit import Acting
from db.database import Database
from db.preferences import set_value

SOURCE = "mqtt"
EVERYWHERE = frozenset({"casa", "todos", "all"})


@dataclass(frozen=True, slots=True)
class BrokerHands:
    """The Hands of the running daemon."""

    butler: Butler
    announcer: Announcer
    prefs: LivePreferences
    db: Database
    replies: Replies
    stop: Callable[[], bool] = lambda: False
    """Stops what rings, or is being reminded of."""

    async def asked(self, ask: Ask) -> Turn:
        """Take a turn on the text; spoken in the house where it says so. Raises LinkDown, EngineFailed."""
        voice = self.announcer.voice if ask.speak else None
        return await self.butler.ask(ask.text, Place(SOURCE, ask.area or self.prefs.now()[HOUSE_AREA], voice))

    async def say(self, say: Say) -> None:
        """Announce in the house. Raises CannotDo for a room that has no voice, EngineFailed, LinkDown."""
        here = self.prefs.now()[HOUSE_AREA]
        if say.area is not None and fold(say.area) not in {fold(here), *EVERYWHERE}:
            raise CannotDo(self.replies.say("say.no_voice", area=say.area))
        self.announcer.show(say.text)
        await self.announcer.now(say.text)

    async def hush(self) -> None:
        """Stop what is being spoken, and what rings."""
        self.stop()
        self.announcer.voice.hush()

    async def mute(self, *, muted: bool) -> None:
        """Set the preference that closes the microphone, which outlives a restart. Raises LinkDown."""
        await set_value(Acting(self.db, "MQTT", "mqtt"), MICROPHONE_MUTED.key, muted, "MQTT")
        await self.prefs.refresh()
