"""`mordomo stats` as it is typed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from support.command import Ended, mordomo

from daemon.commands.stats import What, unit
from daemon.commands.stats_tables import milliseconds, size
from db.ledger import new_id

REPORTS = ["turns", "people", "intents", "latency", "latency_by_room", "failures", "sizes", "indexes"]


@pytest.fixture
async def used(database_url: str) -> str:
    """A database with three turns and a failed action; its URL."""
    db = await asyncpg.connect(database_url)
    ana = await db.fetchval("INSERT INTO users (name) VALUES ('[red]Ana[/] \x1b[2J') RETURNING id")
    now = datetime.now(UTC)
    for number, days in enumerate((0, 0, 20)):
        talk, at = new_id(), now - timedelta(days=days, minutes=1)
        await db.execute("INSERT INTO conversations (id, user_id, started_at) VALUES ($1, $2, $3)", talk, ana, at)
        await db.execute(
            "INSERT INTO messages (conversation_id, role, content, timestamp, intent, confidence, metadata)"
            " VALUES ($1, 'user', 'oi', $2, $3, 0.5, '{\"area\": \"quarto\"}')",
            talk, at, "HassTurnOn" if number else "llm",
        )  # fmt: skip
        await db.execute(
            "INSERT INTO messages (conversation_id, role, content, timestamp, latency_ms, metadata)"
            " VALUES ($1, 'assistant', 'Olá', $2, 1500, $3)",
            talk, at, '{"source": "microfone", "outcome": "model_failed", "steps": {"transcribe": 12.34, "act": 0.5}}',
        )  # fmt: skip
    await db.execute(
        "INSERT INTO actions (action_type, action_name, parameters, status, error_message)"
        " VALUES ('iot_control', 'turn_on', '{}', 'failed', 'o aparelho não respondeu')"
    )
    await db.close()
    return database_url


async def test_every_report_for_people(used: str, tmp_path: Path) -> None:
    shown = await mordomo(used, "stats", data_dir=tmp_path)
    assert shown.status == 0
    for part in (
        "Respostas, nos últimos 30 dias",
        "Quem mais conversou, nos últimos 7 dias",
        "[red]Ana[/] [2J",
        "conversa, para o modelo de linguagem",
        "HassTurnOn",
        "transcrever",
        "12 ms",
        "0,5 ms",
        "do fim da fala ao primeiro som",
        "1,5 s",
        "quarto",
        "microfone",
        "o aparelho não respondeu",
        "o modelo de linguagem, que falhou",
        "messages",
        "Índices que nenhuma consulta usou ainda",
        "idx_users_metadata",
        "█",
    ):
        assert part in shown.out, part
    assert "\x1b" not in shown.out


async def test_one_report_over_other_days_for_programs(used: str, tmp_path: Path) -> None:
    async def read(*arguments: str) -> dict[str, list[dict[str, object]]]:
        ended = await mordomo(used, "stats", *arguments, "--json", data_dir=tmp_path)
        assert ended.status == 0, ended.err
        whole: dict[str, list[dict[str, object]]] = json.loads(ended.out)
        return whole

    assert list(await read()) == REPORTS
    assert [row["messages"] for row in (await read("people"))["people"]] == [4]
    assert [row["messages"] for row in (await read("people", "--days", "30"))["people"]] == [6]
    latency = await read("latency", "--days", "1")
    assert {row["step"]: row["turns"] for row in latency["latency"]} == {"latency": 2, "transcribe": 2, "act": 2}
    assert latency["latency_by_room"][0]["room"] == "quarto"


async def test_an_empty_house_is_told_kindly(database_url: str, tmp_path: Path) -> None:
    shown = await mordomo(database_url, "stats", data_dir=tmp_path, columns=80)
    assert shown.status == 0
    for sentence in (
        "Ainda não respondi a ninguém",
        "Ninguém conversou comigo",
        "Ninguém me pediu nada",
        "Nada falhou.",
    ):
        assert sentence in shown.out
    assert max(len(line) for line in shown.out.splitlines()) <= 80


async def test_an_unknown_report_is_refused(database_url: str, tmp_path: Path) -> None:
    ended: Ended = await mordomo(database_url, "stats", "gossip", data_dir=tmp_path)
    assert ended.status == 2
    assert all(name in ended.err for name in What)


def test_bars_are_few_enough() -> None:
    assert [unit(days) for days in (1, 31, 32, 183, 184, 36500)] == ["day", "day", "week", "week", "month", "month"]


def test_figures_as_people_read_them() -> None:
    assert [milliseconds(ms) for ms in (None, 0, 0.44, 9.96, 350.4, 1000, 2149)] == [
        "", "0,0 ms", "0,4 ms", "10,0 ms", "350 ms", "1,0 s", "2,1 s",
    ]  # fmt: skip
    assert [size(count) for count in (0, 8192, 5 << 20, 3 << 30)] == ["0 kB", "8 kB", "5,0 MB", "3,0 GB"]
