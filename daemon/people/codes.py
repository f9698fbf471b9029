"""The spoken code: a second proof for who is only likely somebody, as locks have it.

    asked ("Qual é o seu código?") ──digits heard, hidden at once──▶ compared off the loop ──▶ right: done as if sure
                                                                              └──▶ wrong: asked again ──▶ 3: locked

The digits are in `Said` between being heard and being compared, and nowhere else: what is stored, told, shown or given
to the language model has HIDDEN in their place.
"""

import asyncio
import hashlib
import hmac
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

import structlog

from daemon.clock import Clock
from daemon.errors import LinkDown
from daemon.language.consent import CONFIRMED
from daemon.language.plan import Intent, Plan
from daemon.language.pt_br.codes import said_digits
from daemon.language.replies import Replies
from daemon.people.living import Living
from daemon.people.needs import NEEDS
from daemon.people.person import Person
from daemon.people.said_code import Asked, Said
from daemon.people.voices.voiceprint import Room
from daemon.turn import Understood
from db import codes
from db.codes import Hashed
from db.database import Database

log = structlog.get_logger(__name__)

SHORTEST, LONGEST = 4, 8
TELLING = 3
"""A sentence with so many digits is hidden while a code is asked for, whatever else it says."""
TOLD_UNASKED = re.compile(r"[\s,;.]*\b(?:e\s+)?(?:o\s+)?meu\s+c[oó]digo\b.*$", re.IGNORECASE | re.DOTALL)
N, R, P = 2**15, 8, 1
MEMORY = 64 * 1024 * 1024
"""scrypt's parameters, about 0.2 s of a busy core and 32 MB for one try, and what it may take at most, in bytes."""


@dataclass(slots=True)
class Codes:
    """Compares codes. `vouch` has somebody's likely voice count as sure in a room for a while."""

    db: Database
    clock: Clock
    replies: Replies
    living: Living
    vouch: Callable[[Room, UUID], None]

    def heard(self, text: str, asked: Asked | None, before: Plan | None) -> Said | None:
        """Return the digits of a sentence that is, or may be, a code; None where it is none. Compares nothing.

        Where no code was asked for, digits alone are hidden all the same, unless they may answer something else
        (`before`): who says a code too late must not have it stored.
        """
        asked_else = before is not None and before.question is not None
        if asked is None and (asked_else or not any(one.has_code for one in self.living.residents.values())):
            return None
        digits, alone = said_digits(text)
        fits = alone and len(digits) >= SHORTEST
        return Said(digits, alone, asked) if fits or (asked and len(digits) >= TELLING) else None

    def hushed(self, text: str) -> str:
        """Return a sentence without the code that nobody asked for: "abre o portão, meu código é 4821"."""
        told = TOLD_UNASKED.search(text)
        if told is None or not any(one.has_code for one in self.living.residents.values()):
            return text
        digits, alone = said_digits(told[0])
        return text[: told.start()] if told.start() and alone and len(digits) >= SHORTEST else text

    async def compared(self, understood: Understood, room: Room) -> Understood:
        """Return what was understood; of a code, the deed that it was asked for, or what is said instead."""
        if understood.code is None:
            return understood
        try:
            return await self._compared(replace(understood, code=None), understood.code, room)
        except LinkDown as down:
            log.warning("code_not_compared", why=down.why)
            return self._say(understood, f"away.{down.what}")

    async def _compared(self, understood: Understood, said: Said, room: Room) -> Understood:
        asked, speaker = said.asked, understood.speaker
        if asked is None:
            return self._say(understood, "code.unasked")
        name = self._name(asked.whose)
        if speaker is None or speaker.id != asked.whose:
            return self._say(understood, "code.another", name)
        if not said.alone:
            return self._again(understood, asked, "code.alone")
        return await self._tried(understood, said.digits, asked, replace(speaker, trusted=True), room)

    async def _tried(self, understood: Understood, digits: str, asked: Asked, sure: Person, room: Room) -> Understood:
        """Count a try, compare it, and return what it comes to."""
        name = self._name(asked.whose)
        tried = await codes.begin(self.db, asked.whose, self.clock.now())
        if tried is None:
            return self._say(understood, "code.locked", name)
        if await asyncio.to_thread(same, digits, tried.hashed):
            await codes.right(self.db, asked.whose)
            self.vouch(room, asked.whose)
            log.info("code_right", person=name, area=room[1])
            return replace(understood, plan=_done(asked.plan), speaker=sure, words=_words(asked.plan))
        if tried.locks_until is None:
            log.warning("code_wrong", person=name, area=room[1])
            return self._again(understood, asked, "code.wrong")
        log.error("code_locked", person=name, area=room[1], until=tried.locks_until.isoformat())
        return self._say(understood, "code.locked_now", name)

    def _again(self, understood: Understood, asked: Asked, key: str) -> Understood:
        """Ask for it once more."""
        return replace(understood, plan=replace(asked.plan, question=self.replies.say(key)), code=None)

    def _say(self, understood: Understood, key: str, name: str = "") -> Understood:
        said = self.replies.say(key, name=name)
        return replace(understood, plan=Plan("skill", (Intent("HassNevermind"),), 1.0, question=said), code=None)

    def _name(self, whose: UUID) -> str:
        found = self.living.residents.get(whose)
        return found.name if found is not None else ""


def _done(asked: Plan) -> Plan:
    """Return what was asked for, with the yes that a risky device needs; what erases or consents asks for its own."""
    intents = tuple(
        replace(one, slots={CONFIRMED: True, **one.slots}) if NEEDS.get(one.name) == "house" else one
        for one in asked.intents
    )
    return Plan("skill", intents, 1.0)


def _words(plan: Plan) -> str:
    """Return the words that asked for what a code was given for; "" where the plan is of no such kind."""
    return next((str(one.slots["words"]) for one in plan.intents if one.slots.get("words")), "")


def unfit(code: str) -> str | None:
    """Return in Portuguese why a code will not do; None where it will."""
    if not re.fullmatch(rf"[0-9]{{{SHORTEST},{LONGEST}}}", code):
        return f"O código tem de {SHORTEST} a {LONGEST} algarismos, e nada mais."
    if len(set(code)) == 1:
        return "Um código de algarismos todos iguais qualquer um adivinha. Escolha outro."
    if code in "0123456789" or code in "9876543210":
        return "Um código de algarismos em sequência, como 1234, qualquer um adivinha. Escolha outro."
    return None


def hashed(code: str) -> Hashed:
    """Return a new hash of a code. Takes about 0.2 s: for a thread."""
    salt = os.urandom(16)
    return Hashed(salt, _scrypt(code, salt, N, R, P), N, R, P)


def same(code: str, kept: Hashed) -> bool:
    """Tell whether a code is the one of a hash, in the same time whichever it is. Takes about 0.2 s: for a thread."""
    return hmac.compare_digest(_scrypt(code, kept.salt, kept.n, kept.r, kept.p), kept.hash)


def _scrypt(code: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(code.encode(), salt=salt, n=n, r=r, p=p, maxmem=MEMORY, dklen=32)
