"""What needs the house to be sure of a voice, and what does not: the table, every intent, and what a household hears."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.family import family
from support.house import home

from daemon.errors import Refused
from daemon.language.plan import Intent
from daemon.people.matrix import circumstances, matrix, somebody
from daemon.people.needs import NEEDS, TABLE, needs_of
from daemon.people.person import ROLES, Role
from daemon.people.rules import FINE, RISKY, strictest
from daemon.people.wanted import TOPICS, wanted
from db.permissions import Resident

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
UNSURE = "Parece a voz de Marcos, mas não tenho certeza"
GRAVE = {"approvals", "permissions", "people", "guarding", "privacy", "voices", "teaching", "naming", "routines", RISKY}


def test_every_intent_is_in_one_line_of_the_table() -> None:
    told = [intent for intents in TABLE.values() for intent in intents.split()]
    assert sorted(told) == sorted(TOPICS)
    assert len(told) == len(set(told))


def test_nothing_grave_is_in_the_line_of_everyday_things() -> None:
    context = circumstances(NOON)
    for name in (name for name, needs in NEEDS.items() if needs == "likely"):
        for one in wanted(Intent(name), replace(context, speaker=somebody("adult"))):
            assert (name, one.domains & (GRAVE | FINE)) == (name, frozenset())


def test_an_intent_that_nobody_thought_of_needs_to_be_sure() -> None:
    assert needs_of(Intent("LaunchRocket"), circumstances(NOON)) == "sure"


@pytest.mark.parametrize(
    ("name", "slots", "needs"),
    [
        ("RememberFact", {"text": "a chave do carro está na gaveta"}, "likely"),
        ("RememberFact", {"text": "a senha do cofre é 4821"}, "sure"),
        ("RememberFact", {"text": "a festa é sábado", "words": "lembra em segredo que a festa é sábado"}, "sure"),
        ("RecallFact", {"about": "chave do carro"}, "likely"),
        ("RecallFact", {"about": "senha do wifi"}, "sure"),
        ("RecallFact", {"about": "senha do wifi das visitas"}, "likely"),
        ("ListReminders", {}, "likely"),
        ("ListReminders", {"person": "ana"}, "likely"),
        ("ListReminders", {"person": "Bia"}, "sure"),
        ("CreateReminder", {"person": "Bia"}, "sure"),
        ("CancelReminder", {"kind": "alarm"}, "likely"),
        ("CancelReminder", {"kind": "command"}, "sure"),
        ("ListClear", {"mine": True}, "likely"),
    ],
)
def test_what_is_in_it_may_need_more(name: str, slots: dict[str, str | bool], needs: str) -> None:
    context = replace(circumstances(NOON), speaker=somebody("adult"))
    assert needs_of(Intent(name, slots=slots), context) == needs


@pytest.mark.parametrize("role", [role for role in ROLES if role not in {"guest", "device"}])
async def test_every_intent_by_who_is_only_likely(database_url: str, tmp_path: Path, role: Role) -> None:
    """By the real check: everyday things as their role, the house's as both they and a stranger, the rest not."""
    async with home(database_url, tmp_path) as house:
        sure = somebody(role)
        they, guest = replace(sure, trusted=False), somebody("guest")
        assert sure.id is not None
        house.people.living.residents = {sure.id: Resident(sure.id, "Ana", role, True)}
        permissions, context = house.people.permissions, circumstances(NOON)
        for case in matrix(permissions, list(TOPICS), NOON):
            effect, theirs, guests = (permissions.effect([case.intent], one, context) for one in (they, sure, guest))
            others = case.intent.slots.get("person") is not None
            needs = "sure" if others else NEEDS[case.intent.name]
            expected = {"likely": theirs, "house": strictest((theirs, guests)), "sure": "deny"}[needs]
            assert (case.told, effect) == (case.told, expected)
            if effect == "deny":
                with pytest.raises(Refused):
                    await permissions.check([case.intent], replace(context, speaker=they, user_id=they.id))


async def test_a_day_of_somebody_who_is_only_likely(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        place = they.says(replace(they.marcos, trusted=False))
        said = [
            ("me lembra de pagar o aluguel amanhã às nove", ""),
            ("quais são os meus lembretes", "aluguel"),
            ("muda o lembrete do aluguel para amanhã às dez", "aluguel"),
            ("cancela o lembrete do aluguel", "aluguel"),
            ("coloca um timer de dez minutos", "dez minutos"),
            ("quanto falta no timer", "minutos"),
            ("cancela o timer", ""),
            ("me acorda amanhã às sete", "sete"),
            ("cancela o alarme", ""),
            ("coloca leite na lista de compras", "leite"),
            ("o que tem na lista de compras", "leite"),
            ("tira o leite da lista de compras", "leite"),
            ("lembra que a chave do carro está na gaveta", "chave"),
            ("onde está a chave do carro", "gaveta"),
            ("repete", "gaveta"),
            ("quem sou eu", "Acho que você é Marcos"),
        ]
        for words, heard in said:
            turn = await house.butler.ask(words, place)
            assert (words, UNSURE in turn.reply[0]) == (words, False)
            assert (words, heard in turn.reply[0]) == (words, True), turn.reply
            assert (words, [one.status for one in turn.actions]) == (words, ["success"] * len(turn.actions))
        assert await house.db.fetchval("SELECT count(*) FROM reminders WHERE status = 'pending'") == 0
        whose = await house.db.fetch("SELECT DISTINCT user_id FROM reminders WHERE kind = 'reminder'")
        assert [row["user_id"] for row in whose] == [they.marcos.id]


async def test_secrets_and_what_cannot_be_taken_back_need_to_be_sure(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        place, sure = they.says(replace(they.marcos, trusted=False)), they.says(they.marcos)
        await house.butler.ask("lembra que a senha do cofre é girassol", sure)
        await house.butler.ask("lembra que a chave do carro está na gaveta", sure)
        assert "girassol" in (await house.butler.ask("qual é a senha do cofre", sure)).reply[0]
        hidden = await house.butler.ask("o que você sabe do girassol", place)  # whatever the words that ask for it
        assert "cofre" not in " ".join(hidden.reply)
        for words in (
            "qual é a senha do cofre",
            "lembra que a senha do portão é margarida",
            "esquece o que eu te falei da chave do carro",
            "esquece o que eu disse hoje",
            "pode guardar o som do que eu falo",
            "o que você guarda de mim",
            "quais são os lembretes da Bia",
            "abre o portão",
        ):
            turn = await house.butler.ask(words, place)
            assert (words, turn.reply[0].startswith(UNSURE)) == (words, True)
            assert not turn.actions
        assert await house.db.fetchval("SELECT count(*) FROM memories WHERE kind = 'fact'") == 2
        assert house.links.orders == []


async def test_a_promised_command_is_not_called_off_by_who_is_only_likely(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        await house.butler.ask("fecha o portão amanhã às dez", they.says(they.marcos))
        assert await house.db.fetchval("SELECT count(*) FROM reminders WHERE kind = 'command'") == 1
        for words in ("cancela o lembrete do portão", "cancela fechar o portão", "cancela o comando de amanhã"):
            await house.butler.ask(words, they.says(replace(they.marcos, trusted=False)))
        assert await house.db.fetchval("SELECT status FROM reminders WHERE kind = 'command'") == "pending"
        await house.butler.ask("cancela o lembrete do portão", they.says(they.marcos))
        assert await house.db.fetchval("SELECT status FROM reminders WHERE kind = 'command'") == "cancelled"
