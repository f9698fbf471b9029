"""What can be told of the parts while no daemon runs: what is installed, what is named, what answers."""

import asyncio
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx

from config.environment import Environment
from config.preferences import WAKE_WORD_ENGINE, Preferences
from daemon.audio import portaudio
from daemon.backups import part_of_backups
from daemon.engines import registry
from daemon.engines.protocols import Engine
from daemon.errors import EngineFailed, EngineMissing, LinkDown
from daemon.health import Part
from db.backup.folder import Folder
from db.database import connect

PULL = "mordomo models pull"
LOOK_S = 2.0


def examine(env: Environment) -> list[Part]:
    """Return the parts, with the preferences' defaults: the table of preferences needs the daemon's database."""
    prefs = Preferences()
    return [
        asyncio.run(_database(env)),
        _broker(env),
        _sound("microphone", "microfone", "input"),
        _sound("speaker", "alto-falante", "output"),
        _built(
            "wake_word", "palavra de ativação", lambda: registry.wake_word(env, lambda: prefs), prefs[WAKE_WORD_ENGINE]
        ),
        _built("voices", "quem fala", lambda: registry.speaker_encoder(lambda: prefs), "modelo de vozes"),
        *(_weights(kind, name, path) for kind, name, path in registry.needed_weights(env, lambda: prefs)),
        _brain(env),
        _memory(env),
        part_of_backups(Folder(env.backups), prefs, datetime.now(UTC), archive=env.archive_dir),
    ]


async def _database(env: Environment) -> Part:
    if env.database_url is None:
        detail = f"PostgreSQL próprio, em {env.data_dir}; liga junto com o Mordomo"
        return Part("database", "banco de dados", "off", detail)
    try:
        connection = await connect(env.database_url.get_secret_value(), pooled=env.database_pooled)
        await connection.close()
    except LinkDown as down:
        mend = "confira MORDOMO_DATABASE_URL e se o servidor está ligado"
        return Part("database", "banco de dados", "away", down.why, mend, needed=True)
    return Part("database", "banco de dados", "ok", "o de MORDOMO_DATABASE_URL")


def _broker(env: Environment) -> Part:
    if env.mqtt_url is not None:
        return Part("broker", "broker MQTT", "off", "o de MORDOMO_MQTT_URL; liga-se a ele quando o Mordomo roda")
    if shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:" + _path()):
        return Part("broker", "broker MQTT", "off", "mosquitto próprio; liga junto com o Mordomo")
    detail = "mosquitto não está instalado; o amqtt serve para experimentar, não para morar com ele"
    return Part("broker", "broker MQTT", "trial", detail, "sudo apt install mosquitto")


def _path() -> str:
    import os  # noqa: PLC0415

    return os.environ.get("PATH", "")


def _sound(name: str, title: str, direction: portaudio.Direction) -> Part:
    try:
        found = portaudio.present(direction, "")
    except EngineMissing as missing:
        return Part(name, title, "missing", missing.why, missing.mend)
    return Part(name, title, "ok", found)


def _built(name: str, title: str, build: Callable[[], Engine], what: str) -> Part:
    try:
        engine = build()
    except EngineMissing as missing:
        return Part(name, title, "missing", missing.why, missing.mend)
    except EngineFailed as failed:
        return Part(name, title, "failed", f"{what}: {failed.why}")
    engine.close()
    return Part(name, title, "ok", engine.name)


def _weights(kind: str, name: str, path: Path | None) -> Part:
    title = {"whisper": "transcrição", "piper": "voz"}[kind]
    if path is None:
        stand_in = "a voz simples espeak-ng fala no lugar dela" if kind == "piper" else "sem ele não entendo fala"
        return Part(kind, title, "missing", f"{name} não está baixado; {stand_in}", PULL)
    return Part(kind, title, "ok", f"{name}, em {path}")


def _brain(env: Environment) -> Part:
    try:
        httpx.get(f"{env.ollama_url}/api/version", timeout=LOOK_S, trust_env=False).raise_for_status()
    except httpx.HTTPError:
        detail = f"não há Ollama em {env.ollama_url}: comandos funcionam, conversa não"
        return Part("brain", "modelo de linguagem", "away", detail, "instale o Ollama e rode: ollama serve")
    return Part("brain", "modelo de linguagem", "ok", env.ollama_url)


def _memory(env: Environment) -> Part:
    if env.qdrant_url is None:
        return Part("memory", "memória", "off", "no banco de dados: com pgvector onde o servidor tem, senão sem índice")
    try:
        httpx.get(f"{env.qdrant_url}/readyz", timeout=LOOK_S, trust_env=False).raise_for_status()
    except httpx.HTTPError:
        detail = f"o Qdrant em {env.qdrant_url} não responde: acho só pelas palavras"
        return Part("memory", "memória", "away", detail, "confira MORDOMO_QDRANT_URL e se o Qdrant está ligado")
    return Part("memory", "memória", "ok", f"Qdrant em {env.qdrant_url}")
