"""`mordomo permissions` and `mordomo approvals`, as typed, with no daemon running."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.command import mordomo

from db import approvals
from db.approvals import Asked
from db.audit import recent
from db.database import Database
from db.permissions import every
from db.users import named


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


async def told(database_url: str, data_dir: Path, *arguments: str) -> Any:
    ended = await mordomo(database_url, *arguments, "--json", data_dir=data_dir)
    assert ended.status == 0, ended.err
    return json.loads(ended.out)


async def test_roles_and_rules(db: Database, database_url: str, data_dir: Path) -> None:
    await named(db, "Ana")
    assert await told(database_url, data_dir, "permissions", "roles", "Ana", "criança") == [
        {"name": "Ana", "role": "child", "voice": False}
    ]
    shown = await mordomo(database_url, "permissions", "roles", data_dir=data_dir)
    assert shown.out == "Ana: criança\n"
    for rule in (
        ("allow", "Ana", "portão"),
        ("deny", "criança", "tv", "--from", "21h", "--until", "06:00", "--days", "dom-qui", "--area", "aqui"),
        ("ask", "visita", "HassTurnOn", "--note", "Só com licença"),
    ):
        ended = await mordomo(database_url, "permissions", *rule, data_dir=data_dir)
        assert (ended.status, ended.out) == (0, "Regra guardada; já vale.\n"), ended.err
    rules = await told(database_url, data_dir, "permissions", "list")
    (gate,) = [rule for rule in rules if rule["person"] == "Ana"]
    assert (gate["domain"], gate["effect"]) == ("gate", "allow")
    (night,) = [rule for rule in rules if rule["weekdays"]]
    assert (night["from"], night["until"], night["weekdays"]) == ("21:00", "06:00", [1, 2, 3, 4, 7])
    assert night["here"]
    shown = await mordomo(database_url, "permissions", "list", "Ana", data_dir=data_dir)
    assert "portão" in shown.out
    assert "visita" not in shown.out
    off = await mordomo(database_url, "permissions", "switch", gate["id"][-6:], "--off", data_dir=data_dir)
    assert off.out == "A regra está de lado.\n"
    gone = await mordomo(database_url, "permissions", "remove", gate["id"][-6:], data_dir=data_dir)
    assert gone.out == "Regra apagada.\n"
    assert gate["id"] not in {str(row.id) for row in await every(db)}
    assert {change.channel for change in await recent(db, "permissions")} == {"cli"}


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("allow", "Zeca", "portão"), "Não conheço ninguém chamado Zeca"),
        (("allow", "criança", "foguete"), "não sei o que é “foguete”"),
        (("deny", "criança", "tv", "--from", "21:00"), "Um horário tem começo e fim"),
        (("deny", "criança", "tv", "--from", "21:00", "--until", "21h"), "a mesma hora"),
        (("deny", "criança", "tv", "--from", "noite", "--until", "21h"), "“noite” não é uma hora"),
        (("deny", "criança", "tv", "--days", "feriado"), "não sei que dias são"),
        (("remove", "zzz"), "Não há uma regra zzz"),
        (("roles", "Zeca", "criança"), "Zeca"),
        (("roles", "Zeca", "rei"), "Não conheço o papel “rei”"),
    ],
)
async def test_what_cannot_be_is_said(database_url: str, data_dir: Path, arguments: tuple[str, ...], why: str) -> None:
    ended = await mordomo(database_url, "permissions", *arguments, data_dir=data_dir)
    assert ended.status == 1
    assert why in " ".join(ended.err.split())


async def test_the_matrix_of_this_house(database_url: str, data_dir: Path) -> None:
    shown = await mordomo(database_url, "permissions", "matrix", data_dir=data_dir)
    (gate,) = [line for line in shown.out.splitlines() if line.startswith("HassTurnOn portão")]
    assert gate.split("|")[3].strip() == "ask"


async def test_requests_are_listed_and_need_a_daemon_to_be_answered(
    db: Database, database_url: str, data_dir: Path
) -> None:
    none = await mordomo(database_url, "approvals", "list", data_dir=data_dir)
    assert none.out == "Ninguém pediu permissão para nada ainda.\n"
    now = datetime.now(UTC)
    await approvals.ask(db, Asked(None, "Ana", "child", "microphone", "sala", "abre", "abrir o portão", [], now,
                                  now + timedelta(minutes=2)))  # fmt: skip
    (listed,) = await told(database_url, data_dir, "approvals", "list")
    assert (listed["doing"], listed["status"]) == ("abrir o portão", "pending")
    shown = await mordomo(database_url, "approvals", "list", data_dir=data_dir)
    assert "espera resposta" in shown.out
    unanswered = await mordomo(database_url, "approvals", "grant", data_dir=data_dir)
    assert unanswered.status == 2
    assert "Não há nenhum Mordomo rodando" in unanswered.err
    wrong = await mordomo(database_url, "approvals", "refuse", "zzz", data_dir=data_dir)
    assert (wrong.status, wrong.err.strip()) == (1, "Não há um pedido zzz.")
