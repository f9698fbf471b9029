"""Likely and sure: what a voice may that is only near somebody's, and how it becomes sure; without sound."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from support.clock import FakeClock
from support.family import family
from support.house import home

from config.preferences import PEOPLE_UNKNOWN_ROLE, Preferences
from daemon.memory.recall import listening
from daemon.people.matrix import somebody
from daemon.people.voices.trust import Trust, enough
from daemon.people.voices.voiceprint import Heard
from db.permissions import PermissionRow, put

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ABOVE, QUIET_S = 0.17, 120
SALA, COZINHA = ("microphone", "sala"), ("microphone", "cozinha")
ANA, BIA = somebody("adult"), replace(somebody("adult"), id=UUID(int=2), name="Bia")


class Room:
    """A room in which voices are heard, each so far above what it needs."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.trust = Trust(self.clock, lambda: ABOVE, lambda: QUIET_S)

    def hears(self, spare: float, who: object = ANA, room: tuple[str, str] = SALA, *, answer: bool = False) -> bool:
        """Take in a sentence; tell whether it was sure."""
        person = BIA if who is BIA else ANA
        heard = Heard(person, np.zeros(4, np.float32), 0.6, 0.3, 3.0, spare, answer)
        sure = self.trust.trusts(room, heard)
        self.trust.note(room, replace(heard, person=replace(person, trusted=sure)))
        return sure


class TestEvidence:
    def test_one_sentence_far_enough_is_enough(self) -> None:
        assert Room().hears(0.17)
        assert not Room().hears(0.16)

    def test_just_below_gets_there_by_one_more_sentence(self) -> None:
        room = Room()
        assert [room.hears(spare) for spare in (0.15, 0.14)] == [False, True]

    def test_barely_known_never_gets_there_by_saying_it_often(self) -> None:
        room = Room()
        assert not any(room.hears(0.1) for _ in range(20))

    def test_only_the_last_ones_count(self) -> None:
        assert enough([0.145, 0.145, 0.1], ABOVE)
        assert not enough([0.145, 0.13, 0.16], ABOVE)
        room = Room()
        assert [room.hears(spare) for spare in (0.16, 0.16, 0.05, 0.05, 0.05)] == [False, True, False, False, False]

    def test_who_barely_passes_does_not_follow_on_who_nearly_was_sure(self) -> None:
        room = Room()
        assert [room.hears(spare) for spare in (0.16, 0.16, 0.11)] == [False, True, False]

    def test_a_sure_sentence_carries_nobody_who_speaks_next(self) -> None:
        room = Room()
        assert [room.hears(spare) for spare in (0.4, 0.4, 0.05)] == [True, True, False]

    @pytest.mark.parametrize("between", ["another", "a stranger", "silence", "elsewhere"])
    def test_what_comes_between_begins_anew(self, between: str) -> None:
        room = Room()
        assert not room.hears(0.15)
        if between == "another":
            room.hears(0.15, BIA)
        elif between == "a stranger":
            room.trust.note(SALA, None)
        elif between == "silence":
            room.clock.advance(QUIET_S + 1)
        assert not room.hears(0.14, room=COZINHA if between == "elsewhere" else SALA)

    def test_a_word_in_answer_is_as_sure_as_what_led_to_the_question(self) -> None:
        room = Room()
        assert not room.hears(-0.1, answer=True)
        room.hears(0.2)
        assert room.hears(-0.1, answer=True)
        assert room.hears(-0.1, answer=True)  # and tells nothing itself
        room.clock.advance(31)
        assert not room.hears(-0.1, answer=True)
        room.hears(0.05)
        assert not room.hears(-0.1, answer=True)


async def test_the_gate_is_asked_for_by_who_is_only_likely_somebody_without_their_name(
    database_url: str, tmp_path: Path
) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        likely = they.says(replace(they.marcos, trusted=False))
        first = await house.butler.ask("abre o portão", likely)
        assert first.reply[0].startswith("Parece a voz de Marcos, mas não tenho certeza")
        assert await house.db.fetchval("SELECT count(*) FROM approvals") == 0
        again = await house.butler.ask("abre o portão", likely)
        assert again.reply[0].startswith("Isso precisa de permissão.")
        row = await house.db.fetchrow("SELECT user_id, asked_by, role FROM approvals")
        assert row is not None
        assert (row["user_id"], row["asked_by"], row["role"]) == (None, "alguém em sala", "guest")
        granted = await house.butler.ask("pode", likely)  # they may not grant it to themselves
        assert not granted.actions
        assert await house.db.fetchval("SELECT status FROM approvals") == "pending"
        assert house.links.orders == []


async def test_a_rule_against_a_person_holds_also_where_any_guest_may(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        await put(house.db, PermissionRow("deny", "child", domain="light"), "Marcos")
        await house.people.living.refresh()
        turn = await house.butler.ask("acende a luz da sala", they.says(replace(they.ana, trusted=False)))
        assert turn.reply == ["Desculpe, Ana, mas você não pode acender a luz da sala. Quem pode é Marcos."]


async def test_private_things_stay_so_where_any_unknown_voice_counts_as_an_adult(
    database_url: str, tmp_path: Path
) -> None:
    prefs = Preferences({PEOPLE_UNKNOWN_ROLE.key: "adult"})
    async with home(database_url, tmp_path, prefs=lambda: prefs) as house:
        they = await family(house)
        likely = they.says(replace(they.marcos, trusted=False))
        for words in ("o que você guarda de mim", "esquece o que eu disse hoje", "aprende a minha voz"):
            assert (await house.butler.ask(words, likely)).reply[0].startswith("Parece a voz de Marcos")
        assert (await house.butler.ask("abre o portão", likely)).reply == [
            "Quer mesmo abrir o portão? Diga sim ou não."
        ]


async def test_what_is_for_later_stays_no_more_than_likely(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        await house.butler.ask("apaga a luz da sala amanhã às sete", they.says(replace(they.marcos, trusted=False)))
        told = await house.db.fetchval("SELECT metadata -> 'authority' FROM reminders")
        assert told == {"role": "adult", "user_id": str(they.marcos.id), "trusted": False}


def test_memory_tells_who_is_only_likely_everything_but_secrets() -> None:
    sure, likely = somebody("adult"), replace(somebody("adult"), trusted=False)
    assert listening(likely, "sala") == replace(listening(sure, "sala"), secrets=False)
    assert listening(sure, "sala").secrets
