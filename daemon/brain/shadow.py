"""What answers took, as rows; and the shadow: another prompt on the same question, unheard and never obeyed."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from daemon.brain.answering import Given
from daemon.brain.grounds import Grounds
from daemon.brain.hands import Taken
from daemon.brain.prompt import instructions
from daemon.brain.prompts import Version
from daemon.brain.tools import Toolbox, Unusable
from daemon.clock import Clock
from daemon.engines.plug import Plug
from daemon.engines.protocols import Chat, ChatMessage, Tool, ToolCall
from daemon.errors import EngineFailed, LinkDown
from daemon.sentences import Cutter
from daemon.skills.skill import Context
from daemon.turn import Turn
from db.database import Database
from db.prompts import InferenceRow, record

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to the model: all that follows the instructions of `version`."""

    turn: Turn
    context: Context
    version: Version
    messages: Sequence[ChatMessage]
    tools: Sequence[Tool]


class Records:
    """Keeps what answers took, beside the turns; has the shadow answer after a turn, until the next one begins."""

    def __init__(self, db: Database, plug: Plug[Chat], toolbox: Toolbox, grounds: Grounds, clock: Clock) -> None:
        self._db = db
        self._plug = plug
        self._toolbox = toolbox
        self._grounds = grounds
        self._clock = clock
        self._under_way: set[asyncio.Task[None]] = set()
        self._shadow: asyncio.Task[None] | None = None

    def keep(self, asked: Asked, given: Given, taken: Sequence[Taken], error: str) -> None:
        """Store what an answer took; nobody waits for it."""
        calls = [(each.call, each.outcome) for each in taken]
        self._begin(self._store(asked, asked.version, given, calls, error, shadow=False))

    def start_shadow(self, asked: Asked, version: Version) -> None:
        """Have another version answer the same question."""
        self._shadow = self._begin(self._answer(asked, version))

    def stop_shadow(self) -> None:
        """Stop the shadow: a person who asks now is not to wait for it."""
        if self._shadow is not None:
            self._shadow.cancel()
            self._shadow = None

    async def settle(self) -> None:
        """Return when all is stored, and the shadow is through."""
        while self._under_way:
            await asyncio.wait(set(self._under_way))

    async def close(self) -> None:
        """Stop the shadow, and store the rest."""
        self.stop_shadow()
        await self.settle()

    async def _answer(self, asked: Asked, version: Version) -> None:
        """Ask the model once, and judge what it calls for; nothing of it is carried out or spoken."""
        given = Given(self._clock.monotonic(), self._clock.monotonic)
        given.rounds = 1
        calls: list[tuple[ToolCall, str]] = []
        cutter, error = Cutter(), ""
        messages = [instructions(version.content, asked.context.household), *asked.messages]
        async with self._plug.use() as model:
            try:
                async with aclosing(model.chat(messages, asked.tools)) as pieces:
                    async for piece in pieces:
                        given.take(piece)
                        if isinstance(piece, ToolCall):
                            calls.append((piece, self._judge(piece, asked.context)))
                        elif isinstance(piece, str) and cutter.push(piece) and given.first_sentence_ms is None:
                            given.first_sentence_ms = given.ms
            except (EngineFailed, LinkDown) as failure:
                # Caught here, so that the engine is not taken for broken on the shadow's account.
                error = str(failure)
            finally:
                await model.hang_up()
        await self._store(asked, version, given, calls, error, shadow=True)

    def _judge(self, call: ToolCall, context: Context) -> str:
        """Tell what would become of a call: carried out, asked about, or not usable."""
        try:
            said = self._toolbox.read(call)
            intent = self._toolbox.intent(said, context)
        except Unusable:
            return "invalid"
        return "done" if said.reads or self._grounds.asked_for(said, intent, context) else "asked"

    async def _store(
        self, asked: Asked, version: Version, given: Given, calls: Sequence[tuple[ToolCall, str]], error: str,
        *, shadow: bool,
    ) -> None:  # fmt: skip
        row = InferenceRow(
            message_id=asked.turn.id, prompt_id=version.id, digest=version.digest, shadow=shadow,
            model=self._plug.state.detail, total_ms=given.ms, first_token_ms=given.first_token_ms,
            first_sentence_ms=given.first_sentence_ms, rounds=given.rounds, prompt_tokens=given.prompt_tokens,
            tokens=given.tokens, content=given.text, error=error or None,
            calls=[{"tool": call.name, "arguments": dict(call.arguments), "outcome": how} for call, how in calls],
        )  # fmt: skip
        try:
            await record(self._db, row)
        except LinkDown:
            log.info("inference_not_stored", turn=str(asked.turn.id))

    def _begin(self, work: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: "asyncio.Task[None]") -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            log.error("inference_not_stored", why=f"{type(failure).__name__}: {failure}")
