"""The spoken code: asked for, compared, locked; and its digits are nowhere."""

import json
import logging
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from support.coded import CODE, SAID_ALOUD, SPOKEN, WRONG, around, every_row, stands
from support.speech_engines import ScriptedChat

from daemon.engines.protocols import ToolCall
from daemon.listening import Spoken, is_for_us
from daemon.people.said_code import CODE_SAID, HIDDEN
from daemon.turn import Understood
from db import codes


@pytest.mark.parametrize("text", SPOKEN)
async def test_the_right_code_opens_the_gate(database_url: str, tmp_path: Path, text: str) -> None:
    async with around(database_url, tmp_path) as at:
        assert await at.says("abre o portão") == "Parece a voz de Marcos. Qual é o seu código?"
        assert at.house.links.orders == []
        await at.says(text)
        assert [(one.name, one.status) for one in at.turns[-1].actions] == [("open", "success")]
        assert len(at.house.links.orders) == 1
        (action,) = at.turns[-1].actions
        assert action.status == "success"
        by = await at.house.db.fetchval("SELECT metadata->>'outcome' FROM messages WHERE role = 'assistant' LIMIT 1")
        assert by == "answered"


def test_digits_are_meant_for_the_house_without_the_wake_word() -> None:
    assert is_for_us(Understood(HIDDEN, CODE_SAID), Spoken(asks=True, by_model=False))


async def test_then_they_count_as_sure_in_that_room_for_a_while(database_url: str, tmp_path: Path) -> None:
    async with around(database_url, tmp_path) as at:
        await at.says("abre o portão")
        await at.says(CODE)
        assert "Quer mesmo" in await at.says("abre o portão")  # asked as of one who is sure
        assert await at.says("abre o portão", at.they.ana) != "Parece a voz de Ana. Qual é o seu código?"
        at.clock.advance(121)
        assert "código" in await at.says("abre o portão")


async def test_a_secret_is_read_to_who_says_the_code(database_url: str, tmp_path: Path) -> None:
    async with around(database_url, tmp_path) as at:
        await at.says("lembra que a senha do cofre é girassol", sure=True)
        assert "código" in await at.says("qual é a senha do cofre")
        assert "girassol" in await at.says(CODE)


async def test_what_erases_still_asks_for_its_own_yes(database_url: str, tmp_path: Path) -> None:
    async with around(database_url, tmp_path) as at:
        await at.says("lembra que a chave do carro está na gaveta", sure=True)
        assert "código" in await at.says("esquece o que eu disse hoje")
        assert (await at.says(CODE)).endswith("?")
        assert await at.house.db.fetchval("SELECT count(*) FROM memories WHERE kind = 'fact'") == 1


async def test_three_wrong_ones_lock_it_and_it_stays_locked(database_url: str, tmp_path: Path) -> None:
    async with around(database_url, tmp_path) as at:
        with capture_logs() as logged:
            await at.says("abre o portão")
            assert await at.says(WRONG) == "Esse não é o código. Qual é?"
            assert await at.says(WRONG) == "Esse não é o código. Qual é?"
            assert "bloqueado por dez minutos" in await at.says(WRONG)
        assert [one["log_level"] for one in logged if one["event"] == "code_locked"] == ["error"]
        await at.house.people.living.refresh()  # as after a restart: it is in a row
        await at.says("abre o portão")
        assert "está bloqueado" in await at.says(CODE)
        assert at.house.links.orders == []
        assert [name for name, _ in await codes.locked(at.house.db, at.clock.now())] == ["Marcos"]
        at.clock.advance(601)
        await at.says("abre o portão")
        await at.says(CODE)
        assert len(at.house.links.orders) == 1
        assert await at.house.db.fetchval("SELECT wrong FROM spoken_codes") == 0


async def test_it_is_for_nobody_elses_voice(database_url: str, tmp_path: Path) -> None:
    async with around(database_url, tmp_path) as at:
        await at.says("abre o portão")
        assert "não reconheci" in await at.says(CODE, nobody=True)
        assert "não reconheci" in await at.says(CODE, at.they.bia)
        assert at.house.links.orders == []
        assert await at.house.db.fetchval("SELECT wrong FROM spoken_codes") == 0
        assert "mas não tenho certeza" in await at.says("esquece o que eu disse hoje", at.they.bia)  # who has none


async def test_an_answer_to_somebody_elses_request(database_url: str, tmp_path: Path) -> None:
    async with around(database_url, tmp_path) as at:
        await at.says("abre o portão", at.they.ana, sure=True)
        await at.house.people.approvals.look()
        assert await at.says("pode") == "Parece a voz de Marcos. Qual é o seu código?"
        assert await at.house.db.fetchval("SELECT status FROM approvals") == "pending"
        await at.says(CODE)
        row = await at.house.db.fetchrow("SELECT status, decided_by FROM approvals")
        assert row is not None
        assert (row["status"], row["decided_by"]) == ("granted", "Marcos")


async def test_another_sentence_lets_the_question_be(database_url: str, tmp_path: Path) -> None:
    async with around(database_url, tmp_path) as at:
        await at.says("abre o portão")
        assert "código" not in await at.says("que horas são")
        assert await at.says(CODE) == "Não pedi nenhum código. Diga primeiro o que você quer."
        await at.says("abre o portão")
        at.clock.advance(31)
        assert await at.says(CODE) == "Não pedi nenhum código. Diga primeiro o que você quer."
        assert at.house.links.orders == []


async def test_the_digits_are_nowhere(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Said right, wrong, among other words, again, and unasked: in no table, log, file, event, or prompt."""
    chat = ScriptedChat(["Qual é o seu código?"])
    caplog.set_level(logging.DEBUG)
    async with around(database_url, tmp_path, brain=chat) as at:
        with capture_logs() as logged:
            assert "código" in await at.says("abre o portão, meu código é 4821")
            await at.says(WRONG)
            await at.says("acho que é nove três cinco sete, espera")
            await at.says(CODE)
            await at.says("repete")
            assert "código" in await at.says("por que o céu é azul e o mar também")  # the model asks by itself
            assert await at.says("quatro oito dois um") == "Não pedi nenhum código. Diga primeiro o que você quer."
            await at.says("me conta uma história curta sobre o que eu falei")
        assert len(chat.asked) == 2
        heard = await at.house.db.fetch("SELECT content FROM messages WHERE role = 'user'")
        assert [row["content"] for row in heard].count("(código)") == 4
        everywhere = {
            "tables": await every_row(at.house.db),
            "log": json.dumps(logged, default=str) + caplog.text + "".join(capfd.readouterr()),
            "files": " ".join(path.read_bytes().decode(errors="replace") for path in tmp_path.rglob("*.*")
                              if path.is_file()),
            "events": repr(at.house.events),
            "model": repr(chat.asked),
            "turns": repr(at.turns),
        }  # fmt: skip
        found = [(where, said) for where, text in everywhere.items() for said in SAID_ALOUD if stands(said, text)]
        assert found == []
        assert all(stands("(código)", everywhere[where]) for where in ("tables", "events", "turns"))


async def test_the_model_neither_asks_for_it_nor_carries_out_the_deed(database_url: str, tmp_path: Path) -> None:
    chat = ScriptedChat(rounds=[[ToolCall("ligar", {"nomes": ["portão"]})], ["Diga o código outra vez."]])
    async with around(database_url, tmp_path, brain=chat) as at:
        said = await at.says("queria muito abrir o portão, se não for pedir demais, tá")
        assert at.turns[-1].understood.plan.route == "llm"
        assert said.endswith("Parece a voz de Marcos. Qual é o seu código?")  # the house asks, not the model
        assert at.house.links.orders == []
        asked = len(chat.asked)
        await at.says(CODE)
        assert (len(chat.asked), len(at.house.links.orders)) == (asked, 1)  # and the model hears nothing of it
        await at.says("o que você acha do que eu falei agora há pouco")
        assert not [said for said in SAID_ALOUD if stands(said, repr(chat.asked))]
