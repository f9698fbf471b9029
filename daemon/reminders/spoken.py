"""How a due reminder reaches the house: a tone, then its words, when no turn is being spoken."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field

from daemon.audio import earcons
from daemon.errors import EngineMissing
from daemon.events import Observe, ReminderSpoken
from daemon.language.replies import Replies
from daemon.voice import Voice
from db.reminders import Due

TOLD = 5
"""So many titles are read out in a briefing; the rest are counted."""


@dataclass(frozen=True, slots=True)
class SpokenReminders:
    """The Delivery through the house's voice. A title is spoken as text, whatever it holds.

    `screens` show it too, while somebody sits at one; without a speaker that is delivery enough.
    """

    voice: Voice
    replies: Replies
    observe: Observe
    screens: list[Callable[[str], None]] = field(default_factory=list)

    async def speak(self, due: Due) -> None:
        """Speak one reminder. Raises EngineFailed, LinkDown."""
        await self._say(self.replies.say("reminder.due", seed=due.id.int, title=due.title))
        self.observe(ReminderSpoken(due.id, due.title))

    async def brief(self, dues: Sequence[Due]) -> None:
        """Speak several late ones as one briefing, the newest first, since those matter most."""
        titles = [due.title for due in reversed(dues)][:TOLD]
        more = len(dues) - len(titles)
        await self._say(self.replies.briefing(titles, more))
        for due in dues:
            self.observe(ReminderSpoken(due.id, due.title))

    async def tone(self) -> None:
        """Sound the tone alone."""
        await self.voice.tone(earcons.reminder())

    async def _say(self, text: str) -> None:
        async def once() -> AsyncGenerator[str, None]:
            yield text

        for show in self.screens:
            show(text)
        try:
            await self.voice.speak(once(), before=earcons.reminder())
        except EngineMissing:
            if not self.screens:
                raise
