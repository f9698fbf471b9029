"""`mordomo devices` as it is typed, on a database that a daemon once filled."""

import asyncio
import json
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from support.command import Ended, mordomo

from db.database import open_database
from db.device_rows import DeviceAnnounced, EntityAnnounced, StateRow, announce, write_states

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)


@pytest.fixture
async def furnished(database_url: str) -> str:
    """A house with a lamp, a sensor of the same device, a gate and something that only technicians name; its URL."""
    lamp = DeviceAnnounced("0x1", "Abajur", "Philips", "LCT", "zigbee2mqtt", "sala")
    gate = DeviceAnnounced("0x2", "Portão", None, None, None, "garagem")
    entities = [
        EntityAnnounced("light.x", "ha/light/x/config", "light", "luz da sala", None, None, None, "0x1"),
        EntityAnnounced("sensor.x", "ha/sensor/x/config", "sensor", "energia", "power", "W", None, "0x1"),
        EntityAnnounced("sensor.sinal", "ha/sensor/y/config", "sensor", "sinal", None, None, "diagnostic", "0x1"),
        EntityAnnounced("cover.portao", "ha/cover/x/config", "cover", "\x1b[31mportão", "garage", None, None, "0x2"),
    ]
    states = [
        StateRow("light.x", NOW, "on", {"brightness_pct": 40}, True, "house", None, NOW),
        StateRow("sensor.x", NOW, "12.5", {}, True, "house", None, NOW),
        StateRow("cover.portao", NOW, "closed", {}, False, "unknown", None, NOW),
    ]
    async with open_database(database_url) as db:
        await announce(db, [lamp, gate], entities, NOW)
        await write_states(db, states, states)
    return database_url


async def test_listing_and_showing(furnished: str, tmp_path: Path) -> None:
    async def told(*arguments: str) -> Ended:
        return await mordomo(furnished, "devices", *arguments, data_dir=tmp_path, columns=140)

    shown = await told("list")
    assert (shown.status, shown.err) == (0, "")
    for piece in ("luz da sala", "ligado, brilho 40%", "20/11 12:30:00", "alguém na casa", "12,5 W", "fora do ar"):
        assert piece in shown.out
    assert "sinal" not in shown.out
    assert "\x1b" not in shown.out
    everything = json.loads((await told("list", "--all", "--json")).out)
    assert {row["entity_id"] for row in everything} == {"light.x", "sensor.x", "sensor.sinal", "cover.portao"}
    (gate,) = json.loads((await told("list", "--area", "GARAGEM", "--json")).out)
    assert (gate["entity_id"], gate["changed_at"]) == ("cover.portao", "2026-11-20T12:30:00-03:00")
    assert "Não há aparelhos nesse recorte" in (await told("list", "--area", "lua")).out

    lamp = await told("show", "Luz da Sala")
    assert all(piece in lamp.out for piece in ("light.x", "Philips LCT", "zigbee2mqtt", "alguém na casa"))
    told_json = json.loads((await told("show", "light.x", "--json")).out)
    assert [change["state"] for change in told_json["history"]] == ["on"]
    stranger = await told("show", "light.nada")
    assert (stranger.status, stranger.err) == (
        1, "Não conheço nenhum aparelho light.nada. Veja os que há com: mordomo devices list\n",
    )  # fmt: skip


async def test_a_new_house_says_what_to_do(database_url: str, tmp_path: Path) -> None:
    shown = await mordomo(database_url, "devices", "list", data_dir=tmp_path)
    assert (shown.status, "Nenhum aparelho se anunciou ainda" in shown.out) == (0, True)
    assert "Ainda não há cômodos" in (await mordomo(database_url, "devices", "areas", data_dir=tmp_path)).out


async def test_arranging(furnished: str, tmp_path: Path) -> None:
    async def told(*arguments: str) -> Ended:
        return await mordomo(furnished, "devices", *arguments, data_dir=tmp_path)

    assert (await told("rename", "light.x", "abajur")).out == "light.x agora se chama “abajur”.\n"
    assert "cover.portao tem o mesmo nome" in (await told("rename", "light.x", "[31mportão")).out
    assert (await told("rename", "light.x", "abajur")).status == 0
    assert (await told("alias", "abajur", "luminária")).out == "light.x também se chama “luminária”.\n"
    assert (await told("move", "luminária", "Varanda", "--device")).out == "light.x agora fica em “Varanda”.\n"
    assert (await told("move", "light.x", "varanda")).out == "light.x agora fica em “Varanda”.\n"
    assert (await told("favourite", "light.x")).out == "light.x agora é favorito.\n"
    assert (await told("guard", "cover.portao", "--ask", "não")).out == "Para cover.portao, nunca pergunto antes.\n"
    assert "está escondido" in (await told("hide", "sensor.x")).out
    (lamp, gate) = json.loads((await told("list", "--json")).out)
    assert (lamp["name"], lamp["aliases"], lamp["area"], lamp["favourite"]) == (
        "abajur",
        ["luminária"],
        "Varanda",
        True,
    )
    assert gate["guarded"] is False
    assert (await told("rename", "light.x")).out == "light.x agora se chama “luz da sala”.\n"
    assert (await told("move", "light.x")).out == "light.x agora fica onde ele mesmo diz.\n"
    assert (await told("alias", "light.x", "luminária", "--remove")).out == "light.x não tem apelidos.\n"
    assert (await told("rename", "light.x", "a" * 101)).err == "Esse nome não serve: tem mais de 100 letras.\n"
    assert (await told("rename", "light.x", " ")).err == "Esse nome não serve: está vazio.\n"
    db = await asyncpg.connect(furnished)
    assert (
        await db.fetchval("SELECT count(*) FROM audit_log WHERE actor LIKE 'linha de comando (%' AND channel = 'cli'")
        > 8
    )
    await db.close()


async def test_rooms(furnished: str, tmp_path: Path) -> None:
    async def told(*arguments: str) -> Ended:
        return await mordomo(furnished, "devices", *arguments, data_dir=tmp_path)

    assert (await told("area", "sala", "--rename", "Living", "--alias", "estar", "--floor", "térreo")).status == 0
    garage, living = json.loads((await told("areas", "--json")).out)
    assert garage == {"name": "garagem", "aliases": [], "floor": None, "devices": 1}
    assert living == {"name": "Living", "aliases": ["estar", "sala"], "floor": "térreo", "devices": 3}
    assert "Living" in (await told("areas")).out
    assert "Já há um cômodo “living”" in (await told("area", "garagem", "--rename", "living")).err
    assert "Não há nenhum cômodo “lua”" in (await told("area", "lua", "--alias", "x")).err
    assert (await told("area", "sala")).err == "Diga o que mudar: --rename, --alias ou --floor.\n"


async def test_declaring(furnished: str, tmp_path: Path) -> None:
    async def told(*arguments: str) -> Ended:
        return await mordomo(furnished, "devices", *arguments, data_dir=tmp_path)

    topics = ("--command-topic", "poco/set", "--state-topic", "poco")
    made = await told(
        "add", "switch.bomba", "--name", "bomba", *topics, "--area", "Poço", "--config", '{"payload_on": "1"}'
    )
    assert made.out == "switch.bomba foi declarado.\n"
    declared = json.loads((await told("show", "bomba", "--json")).out)
    assert (declared["area"], declared["source"], declared["name"]) == ("Poço", "hand:switch.bomba", "bomba")
    assert declared["declared"] == {
        "payload_on": "1", "name": "bomba", "command_topic": "poco/set", "state_topic": "poco",
    }  # fmt: skip
    assert "já se anuncia sozinho" in (await told("add", "light.x", *topics)).err
    assert "não serve como identificador" in (await told("add", "bomba", *topics)).err
    assert "Falta dizer onde ele recebe ordens" in (await told("add", "switch.outra", "--name", "x")).err
    assert "não é JSON" in (await told("add", "switch.outra", "--config", "{")).err
    assert (await told("remove", "bomba")).out == "Esqueci switch.bomba.\n"
    assert (await told("remove", "bomba")).status == 1


async def test_watching_and_testing(furnished: str, tmp_path: Path) -> None:
    unheard = await mordomo(furnished, "devices", "test", "light.x", data_dir=tmp_path)
    assert (unheard.status, "Não há nenhum Mordomo rodando" in unheard.err) == (2, True)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "daemon", "devices", "watch", "--json", stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"MORDOMO_DATABASE_URL": furnished, "MORDOMO_DATA_DIR": str(tmp_path), "PATH": ""},
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(20), open_database(furnished) as db:
        turned = 0
        line = asyncio.create_task(process.stdout.readline())
        while not line.done():  # until it has taken its first look
            turned += 1
            word = "off" if turned % 2 else "on"
            await db.execute("UPDATE entities SET state = $1 WHERE entity_id = 'light.x'", word)
            await asyncio.wait({line}, timeout=0.4)
        assert json.loads(await line)["entity_id"] == "light.x"
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 130
