"""One round with the language model: its words come out as true sentences, its calls go to the hands."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from daemon.brain.claims import Claims
from daemon.brain.hands import Hands, Taken
from daemon.brain.streams import is_written_call, written_call
from daemon.engines.protocols import ChatMessage, Piece, Spent, ToolCall
from daemon.sentences import Cutter


@dataclass(slots=True)
class Given:
    """What the model has given so far. `told` are the sentences that the person heard; times in ms from `began`."""

    began: float
    monotonic: Callable[[], float]
    text: str = ""
    told: list[str] = field(default_factory=list)
    corrected: bool = False
    known: str = ""
    """What the memory has to say to a question, should the model have nothing."""
    rounds: int = 0
    first_token_ms: float | None = None
    first_sentence_ms: float | None = None
    prompt_tokens: int = 0
    tokens: int = 0

    @property
    def ms(self) -> float:
        """Milliseconds since the question."""
        return (self.monotonic() - self.began) * 1000

    def take(self, piece: Piece) -> None:
        """Count a piece."""
        if isinstance(piece, Spent):
            self.prompt_tokens, self.tokens = self.prompt_tokens + piece.prompt_tokens, self.tokens + piece.tokens
            return
        self.first_token_ms = self.ms if self.first_token_ms is None else self.first_token_ms
        self.text += piece if isinstance(piece, str) else ""

    def tell(self, sentence: str) -> str:
        """Count a sentence that is spoken now."""
        self.first_sentence_ms = self.ms if self.first_sentence_ms is None else self.first_sentence_ms
        self.told.append(sentence)
        return sentence


@dataclass(slots=True)
class Round:
    """One answer of the model. `pieces` are its own, None for a wait that grew long; then `waiting` is awaited."""

    given: Given
    hands: Hands
    claims: Claims
    waiting: Callable[[], Awaitable[str]]
    text: str = ""
    calls: list[Taken] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    cutter: Cutter = field(default_factory=lambda: Cutter(eager=True))
    pushed: int = 0

    async def sentences(self, pieces: AsyncIterator[Piece | None]) -> AsyncGenerator[str, None]:
        """Yield what is spoken, as soon as it is known to be true."""
        async for piece in pieces:
            if piece is not None:
                for sentence in await self._of(piece):
                    yield sentence
            elif not self.given.told:
                yield await self.waiting()
            if self.cutter.full:
                break
        if is_written_call(self.text) and (call := written_call(self.text)):
            for sentence in await self._take(call):
                yield sentence
        for sentence in [*self._true(self.cutter.rest()), *self._rest()]:
            yield sentence

    async def _of(self, piece: Piece) -> list[str]:
        """Return what is spoken at once of a piece; a call is carried out meanwhile."""
        self.given.take(piece)
        if isinstance(piece, ToolCall):
            return await self._take(piece)
        if isinstance(piece, str):
            self.text += piece
        if is_written_call(self.text):
            return []
        new, self.pushed = self.text[self.pushed :], len(self.text)
        return self._true(self.cutter.push(new))

    def replies(self) -> list[ChatMessage]:
        """Return the round as messages, for the next one."""
        calls = tuple(taken.call for taken in self.calls)
        results = [ChatMessage("tool", taken.result, tool=taken.call.name) for taken in self.calls]
        return [ChatMessage("assistant", self.text if not is_written_call(self.text) else "", calls), *results]

    async def _take(self, call: ToolCall) -> list[str]:
        taken = await self.hands.take(call)
        self.calls.append(taken)
        return [self.given.tell(taken.say)] if taken.say else []

    def _true(self, sentences: Sequence[str]) -> list[str]:
        """Return what can be spoken now; what claims a deed not done yet waits for the end of the round."""
        told = []
        for sentence in sentences:
            verdict = self._verdict(sentence)
            if verdict == "false" or self.held:
                self.held.append(sentence)
            elif verdict == "none" or not self.claims.says_no_more(sentence):
                told.append(self.given.tell(sentence))
        return told

    def _rest(self) -> list[str]:
        """Return what was held back, without what is not true: that is put right, once."""
        told = []
        for sentence in self.held:
            verdict = self._verdict(sentence)
            if verdict == "none" or (verdict == "true" and not self.claims.says_no_more(sentence)):
                told.append(self.given.tell(sentence))
            elif verdict == "false" and not self.given.corrected and not self.hands.told_otherwise:
                self.given.corrected = True
                told.append(self.given.tell(self.hands.correction()))
        self.held.clear()
        return told

    def _verdict(self, sentence: str) -> str:
        return self.claims.verdict(sentence, self.hands.turn.actions, self.hands.context.household)
