"""How each part of the running daemon is, for health, banner and doctor. Looking is bounded and changes nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from config.environment import Environment
from config.preferences import OUTPUT_DEVICE, STT_MODEL, TTS_VOICE, Preferences
from daemon.audio import portaudio
from daemon.backups import Backups
from daemon.devices.link import Devices
from daemon.engines.registry import DEMO, DEMO_STT_NAME, SIMPLE_VOICE
from daemon.errors import EngineFailed, EngineMissing, LinkDown
from daemon.health import Part, part_of_plug
from daemon.listening import Listening
from daemon.live_preferences import LivePreferences
from daemon.log_sink import Backlog, LogSink
from daemon.plugs import Plugs
from daemon.servers import Schema, Servers
from db.database import Database
from db.ledger import Ledger

PULL = "mordomo models pull"
LOOK_S = 2.5


@dataclass(frozen=True, slots=True)
class Parts:
    """Looks at every part and tells its condition."""

    env: Environment
    servers: Servers
    db: Database
    ledger: Ledger
    prefs: LivePreferences
    plugs: Plugs
    devices: Devices
    listening: Listening
    schema: Schema
    backups: Backups
    others: list[Callable[[], Part]] = field(default_factory=list)
    """What looks after itself and tells how it is: the keeping of the tables, the log's way into them."""

    async def look(self) -> list[Part]:
        """Return every part, the ones that no turn can do without first."""
        prefs = self.prefs.now()
        database, speaker, brain = await asyncio.gather(self._database(), self._speaker(prefs), self._brain())
        return [
            database,
            self._broker(),
            self._devices(),
            part_of_plug("microphone", "microfone", self.listening.state),
            speaker,
            part_of_plug("wake_word", "palavra de ativação", self.plugs.wake_word.state),
            part_of_plug("voice_detector", "detector de voz", self.plugs.detector.state),
            self._stt(prefs),
            self._tts(prefs),
            brain,
            await self.backups.part(),
            *(part() for part in self.others),
        ]

    async def _database(self) -> Part:
        kind = "PostgreSQL próprio" if self.servers.postgres is not None else "PostgreSQL da casa"
        mend = "" if self.servers.postgres is not None else "confira MORDOMO_DATABASE_URL e se o servidor está ligado"
        waiting = self.ledger.waiting
        try:
            version = await self.db.fetchval("SHOW server_version", timeout=LOOK_S)
        except LinkDown as down:
            spooled = f"; {waiting} registros esperam no disco" if waiting else ""
            return Part("database", "banco de dados", "away", f"{kind}: {down.why}{spooled}", mend, needed=True)
        if not self.schema.ready.is_set():
            return Part("database", "banco de dados", "starting", "preparando as tabelas", needed=True)
        detail = f"{kind} {str(version).split()[0]}" + (f"; {waiting} registros a guardar" if waiting else "")
        return Part("database", "banco de dados", "ok", detail, needed=True)

    def _broker(self) -> Part:
        own = self.servers.broker
        kind = f"{own.kind}, {own.url}" if own is not None else "MQTT da casa"
        if not self.devices.is_connected:
            mend = "" if own is not None else "confira MORDOMO_MQTT_URL e se o broker está ligado"
            return Part("broker", "broker MQTT", "away", kind, mend)
        if own is not None and own.notice:
            return Part("broker", "broker MQTT", "trial", f"{kind}: {own.notice}", "sudo apt install mosquitto")
        return Part("broker", "broker MQTT", "ok", kind)

    def _devices(self) -> Part:
        house = self.devices.house
        if len(house) == 0:
            mend = "ligue no broker aparelhos com descoberta do Home Assistant (Zigbee2MQTT, Tasmota, ESPHome)"
            return Part("devices", "aparelhos", "missing", "nenhum se anunciou ainda", mend)
        if house.only_demo:
            return Part("devices", "aparelhos", "trial", f"{len(house)} da casa de demonstração")
        return Part("devices", "aparelhos", "ok", f"{len(house)} conhecidos")

    async def _speaker(self, prefs: Preferences) -> Part:
        try:
            card = await asyncio.to_thread(portaudio.present, "output", prefs[OUTPUT_DEVICE])
        except EngineMissing as missing:
            return Part("speaker", "alto-falante", "missing", missing.why, missing.mend)
        return Part("speaker", "alto-falante", "ok", card)

    def _stt(self, prefs: Preferences) -> Part:
        state = self.plugs.stt.state
        if state.condition == "ready" and state.detail == DEMO_STT_NAME:
            detail = "modelo de demonstração: só conhece frases de demonstração e vozes sintéticas"
            mend = "" if prefs[STT_MODEL] == DEMO else PULL
            return Part("stt", "transcrição", "trial", detail, mend)
        return part_of_plug("stt", "transcrição", state)

    def _tts(self, prefs: Preferences) -> Part:
        state, wanted = self.plugs.tts.state, prefs[TTS_VOICE]
        if wanted == DEMO:
            return part_of_plug("tts", "voz", state, trial=True)
        if state.condition == "ready" and SIMPLE_VOICE in state.detail and wanted != SIMPLE_VOICE:
            detail = f"falo com a voz simples espeak-ng; a voz {wanted} não está baixada"
            return Part("tts", "voz", "trial", detail, PULL)
        return part_of_plug("tts", "voz", state)

    async def _brain(self) -> Part:
        name, title = "brain", "modelo de linguagem"
        try:
            async with asyncio.timeout(LOOK_S), self.plugs.brain.use() as brain:
                await brain.check()
        except TimeoutError:
            return Part(name, title, "away", f"o Ollama em {self.env.ollama_url} não responde", "ollama serve")
        except LinkDown:
            detail = f"não há Ollama em {self.env.ollama_url}: comandos funcionam, conversa não"
            return Part(name, title, "away", detail, "instale o Ollama e rode: ollama serve")
        except EngineMissing as missing:
            return Part(name, title, "missing", missing.why, missing.mend)
        except EngineFailed as failed:
            return Part(name, title, "failed", failed.why)
        return Part(name, title, "ok", self.plugs.brain.state.detail)


def part_of_log(sink: LogSink, backlog: Backlog) -> Part:
    """Return how the log reaches the database: lines that are lost now, or were since the start."""
    name, title, before = sink.name, "registro do sistema", sink.dropped
    if backlog.lost:
        detail = f"linhas que se perderam: {backlog.lost}; chegam mais depressa do que o banco as guarda, ou ele parou"
        return Part(name, title, "failed", detail, "confira o banco de dados, ou peça menos: MORDOMO_LOG_LEVEL=INFO")
    if before:
        return Part(name, title, "ok", f"linhas que se perderam desde o início: {before}; agora nenhuma")
    return Part(name, title, "ok", "nenhuma linha se perdeu")
