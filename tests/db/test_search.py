"""Finding messages: accents and plurals forgiven, ranked, marked, bounded, and no question an error."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.talks import contents, said
from support.turns import NOW

from db.database import Database, open_database
from db.migrations.versions import r0004_search
from db.search import CANDIDATES, NEWEST, means_something, people_named, search, talks
from db.upgrade import downgrade, upgrade

PLURALS = """
dentista/dentistas remédio/remédios reunião/reuniões pão/pães mão/mãos lençol/lençóis animal/animais papel/papéis
luz/luzes mês/meses flor/flores homem/homens anel/anéis farol/faróis fácil/fáceis vez/vezes irmã/irmãs irmão/irmãos
cão/cães coração/corações avó/avós pai/pais viagem/viagens jardim/jardins som/sons álbum/álbuns hospital/hospitais
exame/exames café/cafés vacina/vacinas aniversário/aniversários chave/chaves bolo/bolos televisão/televisões
portão/portões lua/luas dia/dias azul/azuis móvel/móveis útil/úteis interesse/interesses país/países
professor/professores cor/cores reserva/reservas avião/aviões janela/janelas lâmpada/lâmpadas consulta/consultas
música/músicas voz/vozes nariz/narizes fusível/fusíveis agência/agências possível/possíveis garagem/garagens doce/doces
nome/nomes pé/pés rua/ruas mulher/mulheres bebê/bebês maçã/maçãs limão/limões médico/médicas gás/gases inglês/ingleses
computador/computadores cidadão/cidadãos seguro/seguros reservação/reservações guarda-chuva/guarda-chuvas
""".split()
WITHOUT_ACCENTS = str.maketrans("áàâãéêíóôõúçÁÀÂÃÉÊÍÓÔÕÚÇ", "aaaaeeiooouc" + "AAAAEEIOOOUC")


@pytest.mark.parametrize(
    ("question", "stored"),
    [
        ("remedios", "Lembra de tomar o remédio às oito"),
        ("REMÉDIO", "os remedios da Ana acabaram"),
        ("dentistas", "Marquei o dentista para terça"),
        ("reunioes", "A reunião foi adiada"),
        ("reservacao", "as reservações do hotel"),
        ("lampadas", "Troca a LÂMPADA do corredor"),
        ("re\u0301medio", "o rémedio"),
        ("guarda chuva", "leva o guarda-chuva"),
        ("reservar", "as reservações do hotel"),
        ("ana@casa.br", "manda para ana@casa.br"),
        ("22h30", "acorda às 22h30"),
        ("Jörg", "o jorg chega amanhã"),
    ],
)
async def test_accents_capitals_and_plurals_are_forgiven(db: Database, question: str, stored: str) -> None:
    await said(db, "acende a luz da sala", stored)
    assert contents(await search(db, question)) == [stored]


async def test_one_and_many_with_and_without_accents_are_one_word(db: Database) -> None:
    for pair in PLURALS:
        spellings = [way for word in pair.split("/") for way in (word, word.translate(WITHOUT_ACCENTS), word.upper())]
        vectors = await db.fetch(
            "SELECT DISTINCT search_vector(word, $2) FROM unnest($1::text[]) AS word", spellings, NOW
        )
        assert len(vectors) == 1, pair
        queries = await db.fetch("SELECT DISTINCT search_query(word) FROM unnest($1::text[]) AS word", spellings)
        assert len(queries) == 1, pair
        assert await db.fetchval("SELECT search_vector($1, $3) @@ search_query($2)", spellings[0], spellings[-1], NOW)


async def test_words_are_not_taken_for_others(db: Database) -> None:
    unlike = "luz/lua mão/mau pão/pai mês/mesa meses/mesas gás/gato mil/mel tia/tio reserva/resto"
    for pair in unlike.split():
        one, other = pair.split("/")
        assert not await db.fetchval("SELECT search_vector($1, $3) @@ search_query($2)", one, other, NOW), pair


async def test_words_that_say_nothing_are_passed_over_however_they_are_spelt(db: Database) -> None:
    everyone = r0004_search.STOP_WORDS.replace("\n", "").split("|")
    stop = await db.fetch("SELECT w FROM unnest($1::text[]) AS w WHERE numnode(search_query(w)) > 0", everyone)
    assert stop == []
    for question in ("", "   ", "o", "você não está", "VOCE NAO ESTA", "ou", '"', "-", "()", "!!!", "é ou não é" * 100):
        meant = await means_something(db, question)
        assert meant == (await db.fetchval("SELECT numnode(search_query($1)) > 0", question))
    await said(db, "você não está em casa")
    assert not await means_something(db, "Você não está")
    assert await search(db, "Você não está") == []
    assert len(await search(db, "ele não está em casas")) == 1


async def test_quotes_alternatives_and_what_must_not_be_there(db: Database) -> None:
    await said(db, "consulta do dentista amanhã", "o dentista desmarcou a consulta", "consulta do médico", "luz acesa")
    assert contents(await search(db, '"consulta do dentista"')) == ["consulta do dentista amanhã"]
    assert contents(await search(db, '"consultas de dentistas"')) == ["consulta do dentista amanhã"]
    assert set(contents(await search(db, "médico ou luz"))) == {"consulta do médico", "luz acesa"}
    assert set(contents(await search(db, "consulta -dentistas"))) == {"consulta do médico"}


async def test_nearer_words_come_first_and_then_newer_messages(db: Database) -> None:
    near, far = "dentista da Ana", "o dentista ligou e perguntou muitas coisas sobre a filha mais nova de Ana"
    await said(db, near, at=NOW - timedelta(days=900))
    await said(db, far, at=NOW)
    await said(db, near + " já", at=NOW - timedelta(days=2))
    assert contents(await search(db, "ana dentista")) == [near + " já", near, far]
    assert contents(await search(db, "ana dentista", limit=2)) == [near + " já", near]


async def test_since_and_until(db: Database) -> None:
    for days in (0, 10, 40, 400):
        await said(db, f"dentista {days}", at=NOW - timedelta(days=days))
    since, until = NOW - timedelta(days=40), NOW
    assert contents(await search(db, "dentista", since=since)) == ["dentista 0", "dentista 10", "dentista 40"]
    assert contents(await search(db, "dentista", until=until)) == ["dentista 10", "dentista 40", "dentista 400"]
    assert contents(await search(db, "dentista", since=since, until=until)) == ["dentista 10", "dentista 40"]
    assert await search(db, "dentista", since=NOW + timedelta(days=1)) == []
    assert await search(db, "dentista", since=NOW, until=NOW) == []


async def test_a_persons_conversations_by_name_accents_forgiven(db: Database) -> None:
    await said(db, "dentista", "Anotado: dentista.", person="Ana Conceição")
    await said(db, "dentista do João", person="João")
    await said(db, "dentista de ninguém")
    ana = await people_named(db, "ana")
    assert ana == await people_named(db, " ANA  conceicao ")
    assert len(ana) == 1
    assert await people_named(db, "an") == await people_named(db, "%") == await people_named(db, "") == []
    found = await search(db, "dentista", people=ana)
    assert {(each.content, each.person) for each in found} == {
        ("dentista", "Ana Conceição"),
        ("Anotado: dentista.", "Ana Conceição"),
    }
    assert await search(db, "dentista", people=[]) == []


async def test_a_persons_words_are_found_beneath_thousands_of_everybodys(db: Database) -> None:
    await said(db, "acende a luz do ateliê", at=NOW - timedelta(days=2000), person="Ana")
    await said(db, *(f"acende a luz {number}" for number in range(CANDIDATES + 10)))
    ana = await people_named(db, "Ana")
    assert contents(await search(db, "luzes", people=ana)) == ["acende a luz do ateliê"]
    assert await search(db, "luzes", people=ana, since=NOW - timedelta(days=30)) == []


async def test_of_a_common_word_the_newest_and_of_a_rare_one_all_are_ranked(db: Database) -> None:
    """The old message has the words twice, so that it would come first, if it were looked at."""
    await said(db, "luz luz luz", at=NOW - timedelta(days=3000))
    for month in range(24):
        at = NOW - timedelta(days=31 * (month + 1))
        await said(db, *(["luz"] * 20), "portão" if month % 8 == 0 else "nada", at=at)
    assert "luz luz luz" not in contents(await search(db, "luz"))
    assert len(await search(db, "portões")) == 3
    assert contents(await search(db, "luz", until=NOW - timedelta(days=2000))) == ["luz luz luz"]


async def test_of_what_stands_in_quotes_no_more_are_read_than_are_asked_for(db: Database) -> None:
    """The older message has the words twice, so that it would come first, if it were looked at."""
    await said(db, "leva o lixo, leva o lixo", at=NOW - timedelta(days=40), person="Ana")
    await said(db, *(f"leva o lixo {number}" for number in range(30)))
    assert contents(await search(db, '"leva o lixo"', limit=3)) == [f"leva o lixo {number}" for number in (29, 28, 27)]
    assert contents(await search(db, '"leva o lixo"', limit=31))[0] == "leva o lixo, leva o lixo"
    ana = await people_named(db, "Ana")
    assert contents(await search(db, '"leva o lixo"', people=ana, limit=3)) == ["leva o lixo, leva o lixo"]


@pytest.mark.parametrize(
    "question",
    [
        "'; DROP TABLE messages; --",
        "\0",
        "\ud800 luz",
        "a" * 10_000,
        "luz " * 2_500,
        '"' * 1_000,
        "((((((",
        "& | ! <-> :* 'x",
        "\\",
        "%L $1 {0}",
        "🏠🔦",
        "\u202eluz",
        "-",
        "-luz",
        "não luz",
        "month 202611",
        "ou ou ou",
    ],
)
async def test_no_question_is_an_error(db: Database, question: str) -> None:
    await said(db, "apaga a luz", "bom dia")
    assert isinstance(await search(db, question), list)
    assert isinstance(await means_something(db, question), bool)
    assert await db.fetchval("SELECT count(*) FROM messages") == 2


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=300))
async def test_any_text_is_stored_and_asked_for(db: Database, anything: str) -> None:
    await said(db, anything.replace("\0", "").encode("utf-8", "replace").decode())
    await search(db, anything)
    await people_named(db, anything)


async def test_any_text_is_stored_however_long_its_words(db: Database) -> None:
    for content in ("x" * 300_000, "ab " * 100_000, " ".join(str(number) for number in range(60_000)), ""):
        await said(db, content)
    await said(db, "luz", at=datetime.max.replace(tzinfo=UTC))
    await db.execute(
        "INSERT INTO messages (conversation_id, role, content, timestamp) SELECT id, 'user', 'luz', moment"
        " FROM (SELECT id FROM conversations LIMIT 1) AS c, unnest(ARRAY['infinity', '-infinity']::timestamptz[]) AS moment"
    )
    assert len(await search(db, "luz")) >= 1


async def test_the_index_is_used(db: Database) -> None:
    await db.execute(
        """WITH talk AS (INSERT INTO conversations DEFAULT VALUES RETURNING id)
           INSERT INTO messages (conversation_id, role, content, timestamp)
           SELECT talk.id, 'user', 'palavra ' || i || ' luz', now() - i * INTERVAL '1 hour'
           FROM talk, generate_series(1, 20000) AS i"""
    )
    await db.execute("ANALYZE messages")
    plan = str(await db.fetchval(f"EXPLAIN (FORMAT JSON) {NEWEST}", "luz", None, None, 200, None, 20, 8))
    assert plan.count("'Index Name': 'idx_messages_search'") == 2
    assert "'Index Name': 'idx_messages_timestamp'" in plan
    assert "Seq Scan" not in plan


async def test_an_edited_message_is_found_by_its_new_words(db: Database) -> None:
    await said(db, "dentista")
    await db.execute("UPDATE messages SET content = 'padaria'")
    assert await search(db, "dentista") == []
    assert contents(await search(db, "padarias")) == ["padaria"]


async def test_messages_from_before_are_found_after_the_upgrade(database_url: str) -> None:
    await downgrade(database_url, "0003")
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        """WITH talk AS (INSERT INTO conversations DEFAULT VALUES RETURNING id)
           INSERT INTO messages (conversation_id, role, content) SELECT id, 'user', 'consulta no dentista' FROM talk"""
    )
    await connection.close()
    await upgrade(database_url)
    async with open_database(database_url) as db:
        assert len(await search(db, "dentistas")) == 1


async def test_the_last_conversations_with_what_was_said(db: Database) -> None:
    assert await talks(db) == []
    await said(db, "oi", "Olá!", at=NOW - timedelta(hours=2), person="Ana")
    await said(db, "acende a luz", "Acendi.", at=NOW - timedelta(hours=1))
    await said(db, at=NOW)
    shown = await talks(db)
    assert [[message.content for message in talk.messages] for talk in shown] == [
        ["oi", "Olá!"],
        ["acende a luz", "Acendi."],
        [],
    ]
    assert [talk.person for talk in shown] == ["Ana", None, None]
    assert [talk.started_at for talk in await talks(db, limit=1)] == [NOW]
    assert len(await talks(db, since=NOW - timedelta(hours=1))) == 2
    assert len(await talks(db, until=NOW)) == 2
    assert len(await talks(db, people=await people_named(db, "Ana"))) == 1
