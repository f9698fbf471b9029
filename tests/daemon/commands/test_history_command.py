"""`mordomo history` as it is typed, and what its moments mean."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg
import pytest
import typer
from support.command import Ended, mordomo

from daemon.commands.history import moment

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
NOW = datetime(2026, 11, 20, 15, 30, tzinfo=SAO_PAULO)


@pytest.fixture
async def talked(database_url: str) -> str:
    """A database with a conversation of Ana's a week ago, and one of nobody known a year ago; its URL."""
    db = await asyncpg.connect(database_url)
    ana = await db.fetchval("INSERT INTO users (name) VALUES ('Ana Conceição') RETURNING id")
    now = datetime.now(UTC)
    for who, at, said in (
        (ana, now - timedelta(days=7), ["lembra dos remédios", "Anotei: tomar o remédio."]),
        (None, now - timedelta(days=365), ["acaba [bold]o remédio[/] \x1b[31mhoje", "Certo."]),
    ):
        talk = await db.fetchval(
            "INSERT INTO conversations (user_id, started_at) VALUES ($1, $2) RETURNING id", who, at
        )
        for number, content in enumerate(said):
            await db.execute(
                "INSERT INTO messages (conversation_id, role, content, timestamp) VALUES ($1, $2, $3, $4)",
                talk, "assistant" if number else "user", content, at + timedelta(seconds=number),
            )  # fmt: skip
    await db.close()
    return database_url


async def test_searching(talked: str, tmp_path: Path) -> None:
    async def found(*arguments: str) -> Ended:
        return await mordomo(talked, "history", "search", *arguments, data_dir=tmp_path)

    everything = await found("remedios")
    assert everything.status == 0
    assert everything.out.count("\n") == 6
    assert "lembra dos remédios" in everything.out
    assert "Ana Conceição" in everything.out
    assert "alguém" in everything.out
    assert "[bold]o remédio[/]" in everything.out
    assert "\x1b" not in everything.out

    narrowed = await found("remedio", "--since", "30d", "--person", "ana", "--limit", "1", "--json")
    (one,) = json.loads(narrowed.out)
    assert (one["person"], one["role"]) == ("Ana Conceição", "assistant")
    assert one["content"] == "Anotei: tomar o remédio."
    assert {"text": "remédio", "found": True} in one["excerpt"]
    assert datetime.fromisoformat(one["at"]).utcoffset() == timedelta(hours=-3)

    old = await found("remedio", "--until", "60d", "--json")
    assert [each["person"] for each in json.loads(old.out)] == [None]


async def test_searching_in_vain_says_so(talked: str, tmp_path: Path) -> None:
    async def said(*arguments: str) -> Ended:
        return await mordomo(talked, "history", "search", *arguments, data_dir=tmp_path)

    nothing = await said("dentista")
    assert (nothing.status, nothing.out.startswith("Não achei “dentista” nas conversas.")) == (0, True)
    assert "não há uma palavra que eu possa procurar" in (await said("o que é isso?")).out
    assert (await said("dentista", "--json")).out == "[]\n"
    stranger = await said("remedio", "--person", "Zeca")
    assert (stranger.status, stranger.err) == (1, "Não conheço ninguém chamado “Zeca”. Conheço: Ana Conceição.\n")
    when = await said("remedio", "--since", "31/02/2026")
    assert when.status == 1
    assert "Não entendi o momento “31/02/2026”. Diga, por exemplo: 30d" in when.err


async def test_the_last_conversations(talked: str, tmp_path: Path) -> None:
    shown = await mordomo(talked, "history", "list", data_dir=tmp_path)
    assert shown.status == 0
    assert "Ana Conceição: lembra dos remédios\n  mordomo: Anotei: tomar o remédio.\n" in shown.out
    assert shown.out.index("Certo.") < shown.out.index("Anotei")
    assert "\x1b" not in shown.out
    newest = json.loads((await mordomo(talked, "history", "list", "--limit", "1", "--json", data_dir=tmp_path)).out)
    assert [[message["role"] for message in talk["messages"]] for talk in newest] == [["user", "assistant"]]


async def test_a_new_house_has_no_history_and_says_so(database_url: str, tmp_path: Path) -> None:
    shown = await mordomo(database_url, "history", "list", data_dir=tmp_path)
    assert (shown.status, shown.out) == (0, "Ainda não há conversas guardadas.\n")
    searched = await mordomo(database_url, "history", "search", "dentista", "--person", "Ana", data_dir=tmp_path)
    assert searched.status == 1
    assert "Ainda não conheço ninguém pelo nome." in searched.err


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("30d", NOW - timedelta(days=30)),
        (" 12 H ", NOW - timedelta(hours=12)),
        ("2sem", NOW - timedelta(days=14)),
        ("3mês", NOW - timedelta(days=90)),
        ("1a", NOW - timedelta(days=365)),
        ("hoje", datetime(2026, 11, 20, tzinfo=SAO_PAULO)),
        ("Ontem", datetime(2026, 11, 19, tzinfo=SAO_PAULO)),
        ("20/11", datetime(2026, 11, 20, tzinfo=SAO_PAULO)),
        ("21/11", datetime(2025, 11, 21, tzinfo=SAO_PAULO)),
        ("1/2/2024", datetime(2024, 2, 1, tzinfo=SAO_PAULO)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=SAO_PAULO)),
        ("2026-11-01T08:30", datetime(2026, 11, 1, 8, 30, tzinfo=SAO_PAULO)),
        ("2026-11-01T08:30:00Z", datetime(2026, 11, 1, 8, 30, tzinfo=UTC)),
    ],
)
def test_moments(text: str, meant: datetime) -> None:
    assert moment(text, NOW) == meant


def test_until_a_day_has_all_of_it() -> None:
    assert moment("20/11", NOW, end_of_day=True) == datetime(2026, 11, 21, tzinfo=SAO_PAULO)
    assert moment("30d", NOW, end_of_day=True) == NOW - timedelta(days=30)
    assert moment("2026-11-01T08:30", NOW, end_of_day=True) == datetime(2026, 11, 1, 8, 30, tzinfo=SAO_PAULO)


@pytest.mark.parametrize(
    "text", ["", "d", "-3d", "999999a", "31/02", "29/02", "2026-13-01", "9999-12-31", "logo", "0/0", "1000000000d"]
)
def test_what_is_no_moment_ends_the_command_with_a_sentence(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        moment(text, NOW, end_of_day=True)
    assert "Não entendi o momento" in capsys.readouterr().err
