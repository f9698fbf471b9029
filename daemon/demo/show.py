"""The demonstration: recorded scenes through the whole of Mordomo, on servers, devices and models of its own."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from config.environment import Environment
from config.preferences import STT_MODEL, TTS_VOICE
from daemon.app import Mordomo, assemble
from daemon.audio.frames import Speaker
from daemon.audio.wav import WavSource, WavSpeaker
from daemon.butler import Place
from daemon.engines.registry import DEMO, SIMPLE_VOICE
from daemon.errors import LinkDown
from daemon.listening import Listening, endpoint_rules
from daemon.servers import DemoHouse, servers
from daemon.supervise import supervise
from daemon.trial import announced
from daemon.turn import Turn
from db.preferences import set_value

SCENES = Path(__file__).with_name("scenes")
DEVICES_S = 15.0
"""How long the demonstration house may take to announce itself."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A recording, what is said in it after the wake word, where, and what should come of it."""

    wav: Path
    text: str
    area: str
    expects: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A scene and the turn it became: None where the wake word or the speech went unheard."""

    scene: Scene
    turn: Turn | None
    reply_wav: Path


def scenes() -> list[Scene]:
    """Return the recorded scenes, in their order."""
    listed = yaml.safe_load((SCENES / "scenes.yaml").read_text(encoding="utf-8"))
    return [Scene(SCENES / one["wav"], one["text"], one["area"], one["expects"]) for one in listed]


@asynccontextmanager
async def demo_mordomo(env: Environment) -> AsyncIterator[Mordomo]:
    """Give a Mordomo of its own, on a data directory that is gone afterwards, with the demonstration house running."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(_own_folder())
        own = env.model_copy(update={"data_dir": folder / "data", "database_url": None, "mqtt_url": None})
        with_servers = await stack.enter_async_context(servers(own))
        mordomo = await stack.enter_async_context(assemble(own, with_servers, observe=lambda _: None))
        mordomo.trial.demo_house = True
        group = await stack.enter_async_context(asyncio.TaskGroup())
        services = [*mordomo.services(), DemoHouse(with_servers.mqtt_url)]
        tasks = [group.create_task(supervise(service, mordomo.clock)) for service in services]
        try:
            await mordomo.schema.ready.wait()
            for preference, value in ((STT_MODEL, DEMO), (TTS_VOICE, SIMPLE_VOICE)):
                await set_value(mordomo.db, preference.key, value, by="demonstração")
            await mordomo.prefs.refresh()
            await mordomo.plugs.load()
            if not await announced(mordomo.devices.house, mordomo.clock, DEVICES_S):
                raise LinkDown("demo_house", "a casa de demonstração não se anunciou")
            yield mordomo
        finally:
            for task in tasks:
                task.cancel()


def make_folder(path: Path) -> None:
    """Make the folder for the answers, with those above it."""
    path.mkdir(parents=True, exist_ok=True)


@contextmanager
def _own_folder() -> Iterator[Path]:
    """Lend a folder that the database's own user may pass through and nobody else may look into."""
    with tempfile.TemporaryDirectory(prefix="mordomo-demo-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


async def show(
    mordomo: Mordomo, scene: Scene, speaker: Speaker | None, folder: Path, *, realtime: bool = True
) -> Shown:
    """Let Mordomo hear a scene as if from a microphone, and answer it on `speaker`, or to a WAV in `folder`."""
    reply_wav = folder / f"resposta-{scene.wav.name}"
    turns: list[Turn] = []
    place = Place("demo", scene.area, mordomo.voice.through(speaker or WavSpeaker(reply_wav)))
    listening = Listening(
        source=lambda: WavSource(scene.wav, realtime=realtime),
        place=lambda: place,
        butler=mordomo.butler,
        wake_word=mordomo.plugs.wake_word,
        detector=mordomo.plugs.detector,
        rules=lambda: endpoint_rules(mordomo.prefs.now()),
        clock=mordomo.clock,
        answered=turns.append,
    )
    await listening.run()
    return Shown(scene, turns[0] if turns else None, reply_wav)
