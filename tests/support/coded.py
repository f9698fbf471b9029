"""A family whose Marcos has a spoken code, and what they say: as whose voice the test tells."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

import numpy as np

from daemon.audio.frames import Utterance
from daemon.engines.protocols import Transcript
from daemon.language.plan import Plan
from daemon.people.codes import hashed
from daemon.people.person import Person
from daemon.people.voices.voiceprint import Heard, Room
from daemon.turn import Turn
from db import codes
from db.database import Database
from support.clock import FakeClock
from support.family import Family, family
from support.house import Home, home

CODE, WRONG = "4821", "9357"
SPOKEN = ("quatro oito dois um", "48 21", "quarenta e oito vinte e um", "4821", "4.821", "4-8-2-1",
          "meu código é quatro, oito, dois, um.", "quatro mil oitocentos e vinte e um")  # fmt: skip
SAID_ALOUD = (CODE, WRONG, "quatro oito dois um", "nove três cinco sete")
SOUND = Utterance(b"\1\1" * 16000, 1000)


class Said:
    """What is transcribed next."""

    name = "said"

    def __init__(self) -> None:
        self.text = ""

    async def transcribe(self, _: Utterance) -> Transcript:
        return Transcript(self.text, 0.9, "pt", self.name)

    def close(self) -> None:
        """Close nothing."""


@dataclass
class Around:
    """A family whose Marcos has a code, and what they say."""

    house: Home
    they: Family
    said: Said
    clock: FakeClock
    turns: list[Turn] = field(default_factory=list)

    async def says(self, text: str, who: Person | None = None, *, sure: bool = False, nobody: bool = False) -> str:
        """Say something in the sala, by default as who is likely Marcos; return the answer."""
        person = replace(who or self.they.marcos, trusted=sure)
        self.voices.next = None if nobody else person
        self.said.text = text
        place = replace(self.house.aloud, voice=None)
        understood = await self.house.butler._understand(SOUND, place)
        turn = await self.house.butler.answer(understood, place)
        self.turns.append(turn)
        return " ".join(turn.reply)

    @property
    def voices(self) -> "Told":
        """Who tells voices."""
        told = self.house.butler.voices
        assert isinstance(told, Told)
        return told


class Told:
    """Voices that are as the test says; a code that was right makes them sure, as in the house's own."""

    def __init__(self, house: Home) -> None:
        self.house = house
        self.next: Person | None = None

    async def identify(self, utterance: Utterance, room: Room, asked: UUID | None = None) -> Heard | None:
        if self.next is None:
            return None
        proved = self.house.voices.trust.vouched(room, self.next.id)
        person = replace(self.next, trusted=self.next.trusted or proved)
        return Heard(person, np.zeros(4, np.float32), 0.6, 0.3, 1.0, proved=proved)

    def asks(self, room: Room) -> Plan | None:
        return None

    def took(self, room: Room, plan: Plan, heard: Heard | None) -> None:
        """Learn nothing."""


@asynccontextmanager
async def around(url: str, folder: Path, **more: object) -> AsyncIterator[Around]:
    said, clock = Said(), FakeClock()
    async with home(url, folder, stt=said, clock=clock, **more) as house:  # type: ignore[arg-type]
        they = await family(house)
        assert they.marcos.id is not None
        await codes.put(house.db, they.marcos.id, hashed(CODE), clock.now())
        await house.people.living.refresh()
        yield Around(replace(house, butler=replace(house.butler, voices=Told(house))), they, said, clock)


async def every_row(db: Database) -> str:
    """Return the whole database as text, but for what a code is kept as."""
    tables = await db.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'spoken_codes'"
    )
    rows = [await db.fetch(f'SELECT t::text FROM "{row[0]}" AS t') for row in tables]
    return " ".join(str(row[0]) for each in rows for row in each)


def stands(said: str, text: str) -> bool:
    """Tell whether something stands in a text by itself: ids and moments hold such digits by chance."""
    return re.search(rf"(?<![0-9a-f.:-]){re.escape(said)}(?![0-9a-f.:-])", text) is not None
