"""Memory by voice, on a real database: what is said to be kept is a row, and is told again word for word."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from support.embeddings import WordEmbedding, plugged

from daemon.errors import CannotDo
from daemon.language.consent import CONFIRMED
from daemon.language.plan import Household, Intent, Value
from daemon.language.replies import Replies
from daemon.memory.plain import PlainVectors
from daemon.memory.recall import Recall
from daemon.people.person import GUEST, HOUSE, Person
from daemon.skills.memory import MemorySkills
from daemon.skills.skill import AsksBack, Carried, Context
from db import memories
from db.database import Database, open_database
from db.users import named

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=ZoneInfo("America/Sao_Paulo"))
CONTEXT = Context(NOW, Household(), area="sala", speaker=HOUSE)


async def do(db: Database, what: str, said: str, context: Context = CONTEXT, **slots: Value) -> Carried:
    recall = Recall(db, PlainVectors(db), plugged(WordEmbedding()), lambda: 5000, by_meaning=lambda: False)
    skill = MemorySkills(db, Replies.load("pt_br"), recall).by_intent()[what]
    intent, heard = Intent(what, (), slots), replace(context, text=said)
    return await skill.act(intent, skill.actions(intent, heard), heard)


async def as_person(db: Database, name: str) -> Context:
    person = await named(db, name)
    return replace(CONTEXT, person=name, user_id=person, speaker=Person(person, name, "adult"))


async def test_a_fact_is_a_row_before_it_is_said_to_be(db: Database) -> None:
    carried = await do(db, "RememberFact", "Mordomo, lembra que a Ana é alérgica a amendoim")
    assert "a Ana é alérgica a amendoim" in carried.say
    [row] = await memories.listed(db)
    assert (row.text, row.user_id, row.area) == ("a Ana é alérgica a amendoim", None, None)
    assert carried.outcomes[0].result == {"memory_id": str(row.id), "own": False}


@pytest.mark.parametrize("secret", ["Jaboticaba-2024", "xY9!z", "24-8-19", "quatro oito um cinco", "tudo ok"])
async def test_a_password_is_told_back_exactly(db: Database, secret: str) -> None:
    await do(db, "RememberFact", f"a senha do wifi da visita é {secret}")
    carried = await do(db, "RecallFact", "qual é a senha do wifi da visita?")
    assert carried.say == f"A senha do wifi da visita é {secret}."


async def test_what_one_says_of_oneself_is_told_to_nobody_else(db: Database) -> None:
    ana, bruno = await as_person(db, "Ana"), await as_person(db, "Bruno")
    kept = await do(db, "RememberFact", "lembra que meu passaporte está na mala cinza", ana)
    assert "só para você" in kept.say or "só para você" in kept.say.lower()
    assert "mala cinza" in (await do(db, "RecallFact", "onde eu guardei o passaporte", ana)).say
    for other in (bruno, CONTEXT, replace(CONTEXT, speaker=GUEST)):
        assert "mala" not in (await do(db, "RecallFact", "onde está o passaporte", other)).say


async def test_a_secret_of_somebody_unknown_is_not_kept_as_if_it_were_one(db: Database) -> None:
    with pytest.raises(CannotDo, match="quem está falando"):
        await do(db, "RememberFact", "guarda só pra mim que a festa é surpresa")
    assert await memories.listed(db) == []


async def test_a_guest_hears_the_visitors_password_and_no_other(db: Database) -> None:
    await do(db, "RememberFact", "a senha do wifi da visita é jabuticaba")
    await do(db, "RememberFact", "a senha do cofre é 24-8")
    guest = replace(CONTEXT, speaker=GUEST)
    assert "jabuticaba" in (await do(db, "RecallFact", "qual é a senha do wifi da visita", guest)).say
    assert "24-8" not in (await do(db, "RecallFact", "qual é a senha do cofre", guest)).say


async def test_what_nobody_told_is_not_made_up(db: Database) -> None:
    await do(db, "RememberFact", "lembra que a Ana gosta de nhoque")
    said = (await do(db, "RecallFact", "o que eu te falei sobre o síndico")).say
    assert said in {"Sobre isso ninguém me contou nada.", "Disso eu não tenho nada guardado."}


async def test_what_only_may_be_meant_is_told_as_such(db: Database) -> None:
    await do(db, "RememberFact", "lembra que o wifi da visita é jabuticaba")
    said = (await do(db, "RecallFact", "qual é a senha da internet pros convidados")).say
    assert said == "Não sei se é disso que você fala, mas me contaram: o wifi da visita é jabuticaba."


async def test_what_speaks_of_days_is_told_with_its_day(db: Database) -> None:
    await do(db, "RememberFact", "lembra que a obra começa amanhã")
    today = await do(db, "RecallFact", "o que eu te falei da obra")
    later = await do(db, "RecallFact", "o que eu te falei da obra", replace(CONTEXT, now=NOW + timedelta(days=9)))
    assert "contado em" not in today.say
    assert "contado em sexta-feira, vinte de novembro" in later.say


async def test_forget_that_means_what_was_told_last(db: Database) -> None:
    await do(db, "RememberFact", "lembra que a Ana gosta de nhoque")
    await do(db, "RememberFact", "lembra que o Bruno gosta de pizza")
    assert "pizza" in (await do(db, "ForgetFact", "esquece isso", latest=True)).say
    assert [row.text for row in await memories.listed(db)] == ["a Ana gosta de nhoque"]
    later = replace(CONTEXT, now=NOW + timedelta(hours=1))
    assert not (await do(db, "ForgetFact", "esquece isso", later, latest=True)).outcomes[0].ok


async def test_what_is_named_is_forgotten_after_a_yes_with_the_message_that_told_it(db: Database) -> None:
    told_in = await _message(db, "lembra que a Ana é alérgica a amendoim")
    await do(db, "RememberFact", "lembra que a Ana é alérgica a amendoim", replace(CONTEXT, message_id=told_in))
    with pytest.raises(AsksBack) as asks:
        await do(db, "ForgetFact", "esquece que a Ana é alérgica", query="Ana é alérgica")
    assert "a Ana é alérgica a amendoim" in asks.value.say
    assert len(await memories.listed(db)) == 1
    [intent] = asks.value.plan.intents
    await do(db, "ForgetFact", "sim", CONTEXT, **{**intent.slots, CONFIRMED: True})
    assert await memories.listed(db) == []
    assert await db.fetchval("SELECT count(*) FROM messages WHERE id = $1", told_in) == 0


async def test_nobody_forgets_what_is_anothers(db: Database) -> None:
    ana, bruno = await as_person(db, "Ana"), await as_person(db, "Bruno")
    await do(db, "RememberFact", "lembra que meu diário está na gaveta", ana)
    assert not (await do(db, "ForgetFact", "esquece do diário", bruno, query="diário na gaveta")).outcomes[0].ok
    [row] = await memories.listed(db)
    assert not (await do(db, "ForgetFact", "sim", bruno, memory=str(row.id), **{CONFIRMED: True})).outcomes[0].ok
    assert len(await memories.listed(db)) == 1


async def test_without_a_database_nothing_is_promised() -> None:
    async with open_database("postgresql://ninguem@127.0.0.1:9/nada") as nowhere:
        with pytest.raises(CannotDo, match="Não consegui guardar"):
            await do(nowhere, "RememberFact", "lembra que a Ana gosta de nhoque")


async def _message(db: Database, text: str) -> UUID:
    talk = await db.fetchval("INSERT INTO conversations DEFAULT VALUES RETURNING id")
    found: UUID = await db.fetchval(
        "INSERT INTO messages (conversation_id, role, content, timestamp) VALUES ($1, 'user', $2, $3) RETURNING id",
        talk, text, NOW.astimezone(UTC),
    )  # fmt: skip
    return found
