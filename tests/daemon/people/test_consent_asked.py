"""What may be kept is asked for by Mordomo itself: once, after an answer, of who may say it of themselves."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from support.clock import FakeClock
from support.house import HOUSE, Home, home
from support.speech_engines import ScriptedChat
from support.voices import ANA, knows, says

from config.preferences import Preferences
from daemon.butler import Place
from daemon.errors import LinkDown
from daemon.people.person import Person
from daemon.people.privacy.asking import AGAIN_AFTER, AsksConsent
from daemon.turn import Turn
from db import consents

MEMORY = "Posso guardar o que você me conta nas nossas conversas? Dá para desfazer quando quiser."
AUDIO = "Posso guardar por uns dias o som do que você me diz? Dá para desfazer quando quiser."
TALK = "hoje fui ao dentista e doeu um pouco"
OWN = "lembra que eu sou alérgica a camarão"


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[Home]:
    brain = ScriptedChat(["Que pena."])
    async with home(database_url, tmp_path, clock=FakeClock(), brain=brain) as built:
        yield built


async def resident(house: Home, name: str = "Ana", role: str = "adult") -> Person:
    key: UUID = await house.db.fetchval("INSERT INTO users (name, role) VALUES ($1, $2) RETURNING id", name, role)
    await house.people.living.refresh()
    return Person(key, name, role)  # type: ignore[arg-type]


async def ask(house: Home, person: Person | None, text: str) -> Turn:
    assert isinstance(house.butler.clock, FakeClock)
    house.butler.clock.advance(3)
    return await house.butler.ask(text, Place("microphone", "sala", None, person))


async def remembered(house: Home, kind: str = "message") -> int:
    count: int = await house.db.fetchval("SELECT count(*) FROM memories WHERE kind = $1", kind)
    return count


async def standing(house: Home, person: Person) -> dict[str, tuple[bool, bool]]:
    """Return by kind whether it was given, and whether the message that says so is there."""
    assert person.id is not None
    rows = await consents.standing(house.db, person.id)
    there = {row[0] for row in await house.db.fetch("SELECT id FROM messages")}
    return {kind: (one.given, one.message_id in there) for kind, one in rows.items()}


@pytest.mark.parametrize("said", [TALK, OWN])
async def test_it_is_asked_once_after_the_answer(house: Home, said: str) -> None:
    ana = await resident(house)
    first = await ask(house, ana, said)
    assert len(first.reply) == 2
    assert first.reply[1] == MEMORY
    assert first.asked is not None, "and it is listened for the answer"
    again = await ask(house, ana, "ontem também fui ao dentista, lembrei agora")
    assert MEMORY not in again.reply
    assert await standing(house, ana) == {}
    assert await remembered(house) == 0, "who says nothing has not said yes"


async def test_what_was_asked_to_be_remembered_is(house: Home) -> None:
    ana = await resident(house)
    await ask(house, ana, OWN)
    assert await remembered(house, "fact") == 1
    await ask(house, ana, "não")
    assert await remembered(house, "fact") == 1, "it was the request itself"


async def test_a_yes_is_a_row_with_its_message_and_counts_from_then_on(house: Home) -> None:
    ana = await resident(house)
    await ask(house, ana, TALK)
    said = await ask(house, ana, "pode")
    assert said.reply == ["Certo, vou lembrar do que você me conta. Para eu esquecer, é só pedir."]
    assert await standing(house, ana) == {"memory": (True, True)}
    assert await remembered(house) == 0, "what was said before the yes was not allowed yet"
    told = await ask(house, ana, "amanhã volto ao dentista outra vez")
    assert MEMORY not in told.reply
    assert await remembered(house) == 1


async def test_a_no_is_a_row_with_its_message(house: Home) -> None:
    ana = await resident(house)
    await ask(house, ana, TALK)
    said = await ask(house, ana, "não, obrigada")
    assert said.reply == ["Certo, não guardo o que você me conta nas conversas."]
    assert await standing(house, ana) == {"memory": (False, True)}
    await ask(house, ana, "amanhã volto ao dentista outra vez")
    assert await remembered(house) == 0


async def test_nobody_else_says_the_yes(house: Home) -> None:
    ana, bia = await resident(house), await resident(house, "Bia")
    await ask(house, ana, TALK)
    for other in (bia, None):
        await ask(house, other, "sim")
    assert await standing(house, ana) == {}
    assert await standing(house, bia) == {}


async def test_a_restart_does_not_nag_and_a_year_does(house: Home) -> None:
    ana = await resident(house)
    await ask(house, ana, TALK)
    people, clock = house.people, house.butler.clock
    assert isinstance(clock, FakeClock)

    async def asked_by_another_daemon() -> bool:
        assert ana.id is not None
        anew = AsksConsent(people.db, people.consents.replies, people.permissions, Preferences)
        return await anew._first(ana.id, "memory", clock.now())

    assert not await asked_by_another_daemon()
    clock.advance(AGAIN_AFTER.total_seconds() + 60)
    assert await asked_by_another_daemon()
    assert not await asked_by_another_daemon()


@pytest.mark.parametrize(
    "said", ["quem descobriu o Brasil mesmo?", "acende a luz da sala", "lembra que o cofre é azul"]
)
async def test_what_would_not_be_kept_of_them_is_no_occasion(house: Home, said: str) -> None:
    ana = await resident(house)
    assert MEMORY not in (await ask(house, ana, said)).reply


async def test_an_answer_that_asks_something_is_no_good_moment(database_url: str, tmp_path: Path) -> None:
    brain = ScriptedChat(rounds=[["Doeu muito?"], ["Melhoras."]])
    async with home(database_url, tmp_path, clock=FakeClock(), brain=brain) as house:
        ana = await resident(house)
        assert MEMORY not in (await ask(house, ana, TALK)).reply
        assert MEMORY in (await ask(house, ana, "doeu, mas agora já passou")).reply


@pytest.mark.parametrize("role", ["child", "teenager", "guest"])
async def test_who_may_not_say_it_of_themselves_is_not_asked(house: Home, role: str) -> None:
    duda = await resident(house, "Duda", role)
    for said in (TALK, OWN):
        assert MEMORY not in (await ask(house, duda, said)).reply
    assert await remembered(house) == 0


async def test_a_child_asks_and_an_adult_gives_it(house: Home) -> None:
    duda, marcos = await resident(house, "Duda", "child"), await resident(house, "Marcos")
    await ask(house, duda, "pode guardar o que eu te conto")
    assert await standing(house, duda) == {}
    await house.people.approvals.look()
    assert house.announced == ["A Duda quer permitir o que se guarda de alguém. Posso?"]
    await ask(house, marcos, "pode")
    await house.people.approvals.look()
    await house.people.approvals.settle()
    assert await standing(house, duda) == {"memory": (True, True)}
    assert await standing(house, marcos) == {}
    who = await house.db.fetchval("SELECT parameters ->> 'approved_by' FROM actions WHERE action_name = 'give_consent'")
    assert who == "Marcos"


async def test_an_adult_gives_it_for_a_child_and_for_nobody_else(database_url: str, tmp_path: Path) -> None:
    living = replace(HOUSE, people=("Duda", "Marcos", "Bia", "Léo"))
    async with home(database_url, tmp_path, clock=FakeClock(), household=living) as house:
        duda, marcos = await resident(house, "Duda", "child"), await resident(house, "Marcos")
        bia, leo = await resident(house, "Bia"), await resident(house, "Léo", "child")
        said = await ask(house, marcos, "pode guardar o que a Bia conta")
        assert said.reply == ["Cada pessoa diz isso por si; por uma criança da casa, um adulto."]
        await ask(house, leo, "pode guardar o que a Duda fala")
        assert await standing(house, bia) == await standing(house, duda) == {}
        given = await ask(house, marcos, "pode lembrar do que a Duda conta")
        assert given.reply == ["Certo, vou lembrar do que a Duda me conta."]
        assert await standing(house, duda) == {"memory": (True, True)}
        assert await standing(house, marcos) == {}


async def test_nobody_is_asked_in_a_house_that_does_not_want_it(database_url: str, tmp_path: Path) -> None:
    wanted = Preferences({"memory.messages": False})
    async with home(
        database_url, tmp_path, clock=FakeClock(), brain=ScriptedChat(["Que pena."]), prefs=lambda: wanted
    ) as house:
        ana = await resident(house)
        assert (await ask(house, ana, TALK)).reply == ["Que pena."]


async def test_sound_is_asked_for_where_the_household_said_so(database_url: str, tmp_path: Path) -> None:
    wanted = Preferences({"privacy.ask_audio": True})
    async with home(database_url, tmp_path, prefs=lambda: wanted) as house:
        await knows(house, "Ana", ANA)
        first = await says(house, ANA)
        assert first.reply[-1] == AUDIO
        again = await says(house, ANA)
        assert AUDIO not in again.reply


async def test_sound_is_not_asked_for_else(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        await knows(house, "Ana", ANA)
        assert AUDIO not in (await says(house, ANA)).reply


async def test_nobody_is_asked_while_it_could_not_be_written_down(house: Home) -> None:
    ana = await resident(house)
    assert ana.id is not None

    class Away:
        async def fetchval(self, *_: object) -> None:
            raise LinkDown("postgres", "não há")

    people = house.people
    asks = AsksConsent(Away(), people.consents.replies, people.permissions, Preferences)  # type: ignore[arg-type]
    assert not await asks._first(ana.id, "memory", house.butler.clock.now() - timedelta(days=1))
