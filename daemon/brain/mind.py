"""All parts of the brain, wired."""

from collections.abc import Callable
from dataclasses import dataclass

from config.brain import (
    BRAIN_KEEP_ALIVE_MIN,
    BRAIN_KEEP_WARM,
    BRAIN_PATIENCE_MS,
    BRAIN_ROUNDS,
    BRAIN_TOOLS,
    BRAIN_WHOLE_S,
)
from config.preferences import Preferences
from daemon.acting import Acting
from daemon.brain.brain import Brain, Limits
from daemon.brain.grounds import Grounds
from daemon.brain.prompts import Prompts
from daemon.brain.recall import Nothing, Recalls
from daemon.brain.shadow import Records
from daemon.brain.tools import Toolbox
from daemon.brain.warm import KeepWarm
from daemon.engines.plug import Plug
from daemon.engines.protocols import Chat
from daemon.language.language import Language
from daemon.language.plan import Household
from daemon.supervise import Service
from db.database import Database


@dataclass(frozen=True, slots=True)
class Mind:
    """The brain, and what keeps it ready."""

    brain: Brain
    prompts: Prompts
    records: Records
    warm: KeepWarm

    @classmethod
    def of(
        cls,
        db: Database,
        plug: Plug[Chat],
        acting: Acting,
        language: Language,
        *,
        prefs: Callable[[], Preferences],
        household: Callable[[], Household],
        recall: Recalls | None = None,
    ) -> "Mind":
        """Wire a brain on the engine of `plug`; nothing runs yet."""

        def limits() -> Limits:
            now = prefs()
            return Limits(now[BRAIN_TOOLS], now[BRAIN_ROUNDS], float(now[BRAIN_WHOLE_S]), now[BRAIN_PATIENCE_MS] / 1000)

        toolbox, grounds = Toolbox(acting.skills, language), Grounds.load(language)
        prompts = Prompts(db, db.direct_url)
        records = Records(db, plug, toolbox, grounds, acting.clock)
        brain = Brain(plug, acting, db, toolbox, grounds, prompts, records, limits, recall or Nothing())
        warm = KeepWarm(
            brain,
            household,
            wanted=lambda: prefs()[BRAIN_KEEP_WARM],
            kept_s=lambda: prefs()[BRAIN_KEEP_ALIVE_MIN] * 60.0,
        )
        prompts.changed = warm.change
        return cls(brain, prompts, records, warm)

    async def reload(self) -> None:
        """Build the engine anew, and have another model warmed."""
        await self.brain.plug.reload()
        self.warm.change()

    def services(self) -> tuple[Service, ...]:
        """Return what follows the prompts, and what keeps the model ready."""
        return self.prompts, self.warm
