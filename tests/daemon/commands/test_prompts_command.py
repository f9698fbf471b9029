"""`mordomo prompts`, as somebody types it."""

import json
from pathlib import Path

import pytest
from support.command import Ended, mordomo

from daemon.brain.prompt import factory
from db.database import Database

MESSAGE = "00000000-0000-0000-0000-000000000001"


@pytest.fixture
def text(tmp_path: Path) -> Path:
    file = tmp_path / "novo.txt"
    file.write_text("Você é o Mordomo, e fala pouco.\n", "utf-8")
    return file


async def run(database_url: str, tmp_path: Path, *arguments: str) -> Ended:
    return await mordomo(database_url, "prompts", *arguments, data_dir=tmp_path)


async def test_a_version_from_its_text_to_its_use(database_url: str, tmp_path: Path, text: Path) -> None:
    assert "em uso" in (await run(database_url, tmp_path, "list")).out
    added = await run(database_url, tmp_path, "add", str(text), "--note", "mais curto")
    assert (added.status, "versão 2" in added.out) == (0, True)
    assert (await run(database_url, tmp_path, "show", "2")).out == "Você é o Mordomo, e fala pouco.\n"
    assert (await run(database_url, tmp_path, "show")).out.split() == factory().split()
    assert (await run(database_url, tmp_path, "shadow", "2")).status == 0
    listed = json.loads((await run(database_url, tmp_path, "list", "--json")).out)
    assert [(row["version"], row["status"], row["note"]) for row in listed] == [
        (2, "shadow", "mais curto"),
        (1, "active", "de fábrica"),
    ]
    assert "versão 2 está em uso" in (await run(database_url, tmp_path, "activate", "2")).out
    listed = json.loads((await run(database_url, tmp_path, "list", "--json")).out)
    assert [row["status"] for row in listed] == ["active", "retired"]


async def test_the_shadow_ends(database_url: str, tmp_path: Path, text: Path) -> None:
    await run(database_url, tmp_path, "add", str(text))
    await run(database_url, tmp_path, "shadow", "2")
    assert (await run(database_url, tmp_path, "shadow", "--off")).status == 0
    listed = json.loads((await run(database_url, tmp_path, "list", "--json")).out)
    assert [row["status"] for row in listed] == ["draft", "active"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("activate", "7"), "Não há a versão 7"),
        (("show", "7"), "Não há a versão 7"),
        (("shadow", "1"), "está em uso"),
        (("shadow",), "--off"),
        (("add", "/nao/existe.txt"), "Não consegui ler"),
        (("add", "/dev/null"), "letras"),
    ],
)
async def test_mistakes_are_told(database_url: str, tmp_path: Path, arguments: tuple[str, ...], why: str) -> None:
    ended = await run(database_url, tmp_path, *arguments)
    assert ended.status == 1
    assert why in ended.err.replace("\n", " ")


async def test_versions_side_by_side(db: Database, database_url: str, tmp_path: Path, text: Path) -> None:
    await run(database_url, tmp_path, "add", str(text))
    await run(database_url, tmp_path, "shadow", "2")
    await db.execute(
        f"""
        INSERT INTO conversations (id) VALUES ('{MESSAGE}');
        INSERT INTO messages (id, conversation_id, role, content) VALUES ('{MESSAGE}', '{MESSAGE}', 'user', 'oi');
        INSERT INTO inferences (message_id, prompt_id, digest, shadow, model, total_ms, first_token_ms, tokens, content,
                                calls)
            SELECT '{MESSAGE}', id, digest, status = 'shadow', 'qwen2.5:3b', 800 * version, 200 * version, 12, 'Olá!',
                   '[{{"tool": "ligar", "arguments": {{}}, "outcome": "done"}}]' FROM prompt_templates
        """
    )
    shown = (await run(database_url, tmp_path, "compare")).out
    for told in (
        "versão 2",
        "versão 1",
        "à sombra",
        "200 / 200 ms",
        "1600 / 1600 ms",
        "4 letras, 12 tokens",
        "100% de 1",
    ):
        assert told in shown
    told = json.loads((await run(database_url, tmp_path, "compare", "--json")).out)
    assert [(each["version"], each["agrees"], each["usable"]) for each in told] == [(2, 1.0, 1.0), (1, None, 1.0)]
