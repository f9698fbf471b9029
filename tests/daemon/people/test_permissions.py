"""Permissions through real turns: what each may, what is said where they may not, and when rules cannot be read."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.clock import FakeClock
from support.family import family, somebody
from support.house import home
from support.postgres import Databases
from support.speech_engines import ScriptedChat

from config.preferences import PEOPLE_LOCAL_ROLE, PEOPLE_UNKNOWN_ROLE, Preferences
from daemon.engines.protocols import ToolCall
from daemon.people.person import GUEST, HOUSE, Person
from db.permissions import PermissionRow, put, set_role

LATE = datetime(2026, 11, 21, 0, 30, tzinfo=UTC)  # half past nine in the evening, in São Paulo


async def test_a_child_turns_on_the_light_and_tells_no_one_elses_reminders(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        lit = await house.butler.ask("acende a luz da sala", they.says(they.ana))
        assert [action.status for action in lit.actions] == ["success"]
        told = await house.butler.ask("quais são os lembretes do Marcos?", they.says(they.ana))
        assert not told.actions
        named = await house.butler.ask("chama a luz da sala de estrela", they.says(they.ana))
        assert named.reply == [
            "Desculpe, Ana, mas você não pode mudar nomes e lugares dos aparelhos. Quem pode é Marcos."
        ]


async def test_the_words_of_a_refusal(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        guest = await house.butler.ask("acende a luz da cozinha", they.says(GUEST))
        assert guest.reply == [
            "Desculpe, não sei quem está falando, então não posso acender a luz da cozinha. Quem pode pedir isso é Marcos."
        ]
        program = await house.butler.ask("abre o portão", house.over_mqtt)
        assert program.reply == ["Isso só faço quando alguém da casa pede de viva voz."]


async def test_hours(database_url: str, tmp_path: Path) -> None:
    clock = FakeClock(LATE)
    async with home(database_url, tmp_path, clock=clock) as house:
        they = await family(house)
        ten, six = datetime(2026, 1, 1, 21).time(), datetime(2026, 1, 1, 6).time()  # noqa: DTZ001
        await put(house.db, PermissionRow("deny", "child", domain="light", from_time=ten, until_time=six), "Marcos")
        await house.people.living.refresh()
        late = await house.butler.ask("acende a luz da sala", they.says(they.ana))
        assert late.reply == ["Desculpe, Ana, mas a esta hora você não pode acender a luz da sala. Quem pode é Marcos."]
        assert (await house.butler.ask("apaga a luz da cozinha", they.says(they.ana))).actions
        later = await house.butler.ask("acende a luz da sala amanhã às sete da manhã", they.says(they.ana))
        assert later.actions  # what counts is when it is to be done
        clock.advance(9 * 3600)
        assert (await house.butler.ask("acende a luz da sala", they.says(they.ana))).actions


async def test_a_role_changes_at_once(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        assert they.ana.id is not None
        await set_role(house.db, they.ana.id, "adult")
        await house.people.living.refresh()
        asked = await house.butler.ask("abre o portão", they.says(they.ana))  # a voice that was told as a child's
        assert asked.reply == ["Quer mesmo abrir o portão? Diga sim ou não."]
        await house.db.execute("UPDATE users SET is_active = FALSE WHERE id = $1", they.ana.id)
        await house.people.living.refresh()
        assert house.people.living.today(they.ana).role == "guest"


async def test_a_child_says_yes_to_what_an_adult_was_asked(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        await house.butler.ask("abre o portão", they.says(they.marcos))
        await house.butler.ask("sim", they.says(they.ana))
        assert house.links.orders == []


async def test_what_was_never_read_opens_nothing(postgres: Databases, database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path, reads_rules=False) as house:
        for person in (HOUSE, Person(None, None, "adult"), GUEST):
            place = house.aloud if person is GUEST else house.written
            turn = await house.butler.ask("abre o portão", place)
            assert "não consegui ler as permissões da casa, então não vou abrir o portão" in turn.reply[0]
        assert (await house.butler.ask("acende a luz da sala", house.aloud)).actions
        assert house.people.living.part().condition == "starting"
        await house.people.living.refresh()
        assert house.people.living.part().condition == "ok"
        postgres.drop(database_url)
        house.people.living.rules = ()
        assert not (await house.butler.ask("abre o portão", house.aloud)).actions  # nobody has a rule: nobody may


@pytest.mark.parametrize(("role", "opens"), [("administrator", True), ("child", False), ("guest", False)])
async def test_who_types_at_this_machine(database_url: str, tmp_path: Path, role: str, opens: bool) -> None:
    prefs = Preferences({PEOPLE_LOCAL_ROLE.key: role})
    async with home(database_url, tmp_path, prefs=lambda: prefs) as house:
        turn = await house.butler.ask("abre o portão", house.written)
        assert (turn.reply == ["Quer mesmo abrir o portão? Diga sim ou não."]) is opens


async def test_unknown_voices(database_url: str, tmp_path: Path) -> None:
    prefs = [Preferences()]
    async with home(database_url, tmp_path, prefs=lambda: prefs[0]) as house:
        living = house.people.living
        assert living.who(None, None, "microphone").role == "adult"
        await somebody(house.db, "Marcos", "adult", voice=False)
        await living.refresh()
        assert living.who(None, None, "microphone").role == "adult"  # a name is no voice
        await somebody(house.db, "Marcos", "adult")
        await living.refresh()
        assert living.who(None, None, "microphone") == GUEST
        prefs[0] = Preferences({PEOPLE_UNKNOWN_ROLE.key: "teenager"})
        assert living.who(None, None, "microphone").role == "teenager"
        assert living.who(HOUSE, HOUSE, "mqtt").role == "device"  # whatever a program says it is


async def test_what_is_scheduled_is_done_by_leave_of_who_scheduled_it(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        await house.butler.ask("acende a luz da sala amanhã às sete", they.says(they.ana))
        told = await house.db.fetchval("SELECT metadata -> 'authority' FROM reminders")
        assert told == {"role": "child", "user_id": str(they.ana.id)}
        refused = await house.butler.ask("abre o portão amanhã às sete", they.says(they.ana))
        assert refused.reply == ["Isso precisa de permissão. Vou perguntar a Marcos."]


async def test_teaching_a_routine_gives_nobody_more_than_they_have(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        taught = await house.butler.ask("quando eu disser abre-te sésamo, abre o portão", they.says(they.ana))
        assert taught.reply == ["Desculpe, Ana, mas você não pode ensinar rotinas. Quem pode é Marcos."]
        assert await house.db.fetchval("SELECT count(*) FROM routines") == 0


WISH = "eu queria que você fosse gentil de abrir o portão, Mordomo, se não for pedir muito"
"""Words that are no command to the language, and ask for the gate."""


@pytest.mark.parametrize(
    ("name", "asked"), [("marcos", "Quer mesmo"), ("ana", "Vou perguntar"), ("guest", "perguntar")]
)
async def test_the_language_model_has_no_more_than_who_speaks(
    database_url: str, tmp_path: Path, name: str, asked: str
) -> None:
    brain = ScriptedChat(rounds=[[ToolCall("ligar", {"nomes": ["portão"]})], ["Pronto, abri o portão."]])
    async with home(database_url, tmp_path, brain=brain) as house:
        they = await family(house)
        turn = await house.butler.ask(WISH, they.says(getattr(they, name)))
        assert turn.understood.plan.route == "llm"
        assert asked in turn.reply[0]
        assert not turn.actions
        assert house.links.orders == []
        assert await house.db.fetchval("SELECT count(*) FROM approvals") == (name != "marcos")


async def test_a_house_that_nobody_administers_is_told_of_and_by_which_command_somebody_does(
    database_url: str, tmp_path: Path
) -> None:
    async with home(database_url, tmp_path) as house:
        assert house.people.living.part().mend == "", "where nobody lives, nobody is missing"
        they = await family(house)
        part = house.people.living.part()
        assert "ninguém administra a casa" in part.detail
        assert part.mend == 'mordomo people add "Marcos" --role administrador'
        assert they.marcos.id is not None
        await set_role(house.db, they.marcos.id, "administrator")
        await house.people.living.refresh()
        assert house.people.living.part().mend == ""
