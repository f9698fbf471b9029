"""Routines that are taught by voice: made, called, asked about where risky, replaced, deleted."""

from pathlib import Path

import pytest
from support.house import Home, home

from daemon.own_sentences import OwnSentences
from db import routines

TEACH = "quando eu disser boa noite, apaga a luz da sala e tranca a porta da frente"
LEARNT = "Combinado. Quando alguém disser “boa noite”, eu vou apagar a luz da sala e trancar a porta da frente."


async def say(house: Home, text: str) -> str:
    return " ".join((await house.butler.ask(text, house.written)).reply)


async def learn(house: Home) -> None:
    await OwnSentences(house.db, "", house.language).refresh()


async def test_a_routine_is_taught_and_called(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        assert await say(house, TEACH) == LEARNT
        assert house.links.orders == []  # what is taught is not done now
        await learn(house)
        assert await say(house, "boa noite") == "Apaguei a luz da sala. Tranquei a porta da frente."
        assert [(order.entity_id, order.verb) for order in house.links.orders] == [
            ("light.sala", "turn_off"), ("lock.porta", "lock"),
        ]  # fmt: skip
        rows = await house.db.fetch("SELECT parameters->>'routine' AS routine FROM actions WHERE action_name = 'lock'")
        assert [row["routine"] for row in rows] == ["boa noite"]
        assert await say(house, "quais são as minhas rotinas?") == "Há uma rotina: boa noite."


async def test_a_risky_step_is_asked_about_each_time(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        await say(house, "quando eu disser cheguei acende a luz da sala e abre o portão")
        await learn(house)
        for _ in range(2):
            assert await say(house, "cheguei") == "Quer mesmo abrir o portão? Diga sim ou não."
        assert house.links.orders == []
        await say(house, "sim")
        assert [order.entity_id for order in house.links.orders] == ["light.sala", "cover.portao"]


async def test_what_the_household_guards_is_asked_about(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        await say(house, TEACH)
        await house.db.execute("UPDATE routines SET guarded = TRUE")
        await learn(house)
        assert await say(house, "boa noite") == "Faço a rotina “boa noite”? Diga sim ou não."
        refused = await house.butler.ask("boa noite", house.over_mqtt)
        assert refused.reply == ["Isso só faço quando alguém da casa pede de viva voz."]
        assert house.links.orders == []
        await say(house, "sim")
        assert len(house.links.orders) == 2


async def test_a_routine_is_replaced_and_deleted_after_a_yes(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        await say(house, TEACH)
        asked = await say(house, "quando eu disser boa noite, acende a luz da cozinha")
        assert asked == "A rotina “boa noite” já existe. Troco pelo que você disse agora? Diga sim ou não."
        await say(house, "não")
        (kept,) = await routines.enabled(house.db)
        assert len(kept.steps) == 2
        await say(house, "quando eu disser boa noite, acende a luz da cozinha")
        await say(house, "sim")
        (changed,) = await routines.enabled(house.db)
        assert [step["targets"] for step in changed.steps] == [["light.cozinha"]]
        assert await say(house, "apaga a rotina boa noite") == "Apago a rotina “boa noite”? Diga sim ou não."
        assert await say(house, "sim") == "Apaguei a rotina “boa noite”."
        assert await routines.enabled(house.db) == []
        changes = await house.db.fetch("SELECT actor, channel FROM audit_log WHERE table_name = 'routines'")
        assert {(row["actor"], row["channel"]) for row in changes} == {("alguém em sala", "web")}


@pytest.mark.parametrize(
    ("sentence", "phrase", "targets"),
    [
        ("quando eu disser cheguei em casa, acende a luz da sala", "cheguei em casa", ["light.sala"]),
        ("quando eu disser cheguei em casa acende a luz da sala", "cheguei em casa", ["light.sala"]),
        ("sempre que alguém falar hora do filme: apaga a luz da sala", "hora do filme", ["light.sala"]),
        ("cria uma rotina chamada bom dia que é acende a luz da cozinha", "bom dia que é", ["light.cozinha"]),
    ],
)
async def test_where_the_phrase_ends(
    database_url: str, tmp_path: Path, sentence: str, phrase: str, targets: list[str]
) -> None:
    async with home(database_url, tmp_path) as house:
        await say(house, sentence)
        (row,) = await routines.enabled(house.db)
        assert row.phrases == (phrase,)
        assert [step["targets"] for step in row.steps] == [targets]


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("quando eu disser não, abre o portão", "não serve para chamar"),
        ("quando eu disser para tudo", "Não entendi o que fazer"),
        ("quando eu disser oi, conta uma piada", "Não entendi o que fazer"),
        ("quando eu disser acordei, acende a luz da sala às sete da manhã", "Hora marcada não cabe"),
        ("quando eu disser " + "muito " * 20 + ", acende a luz da sala", "não serve para chamar"),
    ],
)
async def test_what_is_no_routine_is_refused_and_nothing_is_done(
    database_url: str, tmp_path: Path, sentence: str, why: str
) -> None:
    async with home(database_url, tmp_path) as house:
        assert why in await say(house, sentence)
        assert house.links.orders == []
        assert await routines.enabled(house.db) == []


async def test_no_program_teaches_a_routine(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        refused = await house.butler.ask(TEACH, house.over_mqtt)
        assert refused.reply == ["Isso só faço quando alguém da casa pede de viva voz."]
        assert await routines.enabled(house.db) == []


@pytest.mark.parametrize(
    "steps",
    ["[]", '[{"intent": "RunRoutine", "slots": {"name": "x"}}]', "[1]", '[{"intent": "HassTurnOn", "targets": "light.sala"}]',
     '[{"targets": ["light.sala"]}]'],
)  # fmt: skip
async def test_rows_that_make_no_sense_do_nothing(database_url: str, tmp_path: Path, steps: str) -> None:
    async with home(database_url, tmp_path) as house:
        await house.db.execute(
            "INSERT INTO routines (name, phrases, steps) VALUES ('x', '{boa noite}', $1::text::jsonb)", steps
        )
        await learn(house)
        assert "um passo que eu não entendo" in await say(house, "boa noite")
        assert house.links.orders == []


async def test_a_yes_in_a_row_is_no_yes(database_url: str, tmp_path: Path) -> None:
    step = '[{"intent": "HassTurnOn", "targets": ["cover.portao"], "slots": {"confirmed": true}}]'
    async with home(database_url, tmp_path) as house:
        await house.db.execute(
            "INSERT INTO routines (name, phrases, steps) VALUES ('x', '{cheguei}', $1::text::jsonb)", step
        )
        await learn(house)
        assert await say(house, "cheguei") == "Quer mesmo abrir o portão? Diga sim ou não."
        assert house.links.orders == []


async def test_a_phrase_is_no_pattern(database_url: str, tmp_path: Path) -> None:
    step = '[{"intent": "HassTurnOn", "targets": ["light.sala"]}]'
    async with home(database_url, tmp_path) as house:
        await house.db.execute(
            "INSERT INTO routines (name, phrases, steps) VALUES ('x', ARRAY['[festa] (agora|já) {alvo}!', '…'], $1::text::jsonb)",
            step,
        )
        await learn(house)
        assert await say(house, "festa agora já alvo") == "Acendi a luz da sala."
