"""The whole daemon as a process: spoken to by WAV, with broken input, set by SQL, asked by command."""

import asyncio
import json
import os
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiomqtt
import asyncpg
import httpx
import numpy as np
import pytest
from support.background import Background
from support.daemon_process import DaemonProcess, daemon_process, until
from support.folders import short_folder

from daemon.audio.frames import FRAME_BYTES, Utterance
from daemon.audio.wav import read_speech
from daemon.demo.models import WHISPER_CASA
from daemon.demo.show import SCENES
from daemon.engines.silero import Silero
from daemon.engines.whisper import Whisper
from daemon.language.words import plain_words

pytestmark = pytest.mark.timeout(300)
LAMP_SCENE = SCENES / "acende-sala.wav"


@pytest.fixture(scope="module")
def mordomo(background: Background) -> Iterator[DaemonProcess]:
    """A daemon that the tests of this module share; those that kill have one of their own."""
    with short_folder() as folder:
        running = daemon_process(folder / "data")
        yield background.run(running.__aenter__(), timeout_s=90)
        background.run(running.__aexit__(None, None, None), timeout_s=60)


@pytest.fixture
def run(background: Background) -> Any:
    """Run a coroutine on the loop that the shared daemon lives on."""
    return lambda work: background.run(work, timeout_s=120)


async def lamp_state(daemon: DaemonProcess, name: str) -> str | None:
    """Return what the running daemon knows of a device's state."""
    household = (await daemon.get("/household")).json()
    return next((device["state"] for device in household["devices"] if device["name"] == name), None)


def write_pcm(path: Path, samples: np.ndarray, rate: int, width: int, channels: int) -> Path:
    """Write a WAV in a form that households have."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


def speech_of(path: Path) -> np.ndarray:
    """Return a scene's samples."""
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


class TestSpokenTurn:
    def test_a_recording_moves_the_lamp_and_is_kept_and_answered_aloud(
        self, mordomo: DaemonProcess, run: Any, tmp_path: Path
    ) -> None:
        async def scenario() -> None:
            await mordomo.ask("apaga a luz da sala")
            assert await lamp_state(mordomo, "luz da sala") == "off"
            broker = (await mordomo.get("/health")).json()["parts"]["broker"]["detail"]
            port = int(broker.rsplit(":", 1)[1])
            seen: list[tuple[str, bytes]] = []

            async def watch(ready: asyncio.Event) -> None:
                async with aiomqtt.Client("127.0.0.1", port) as client:
                    await client.subscribe("#")
                    ready.set()
                    async for message in client.messages:
                        if not message.retain:
                            seen.append((message.topic.value, bytes(message.payload or b"")))

            ready = asyncio.Event()
            watching = asyncio.create_task(watch(ready))
            await ready.wait()
            reply = tmp_path / "reply.wav"
            status, out, err = await mordomo.command("listen", str(LAMP_SCENE), "--out", str(reply), "--json")
            assert status == 0, err
            turn = json.loads(out)
            assert "acende a luz da sala" in turn["transcript"]["text"].lower()
            assert [action["status"] for action in turn["actions"]] == ["success"]
            assert await lamp_state(mordomo, "luz da sala") == "on"
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            assert any(b"on" in payload.lower() for _, payload in seen), seen
            messages = await mordomo.rows(
                "SELECT role, intent, audio_duration_ms, transcription_model, latency_ms FROM messages "
                "WHERE conversation_id = $1 ORDER BY timestamp, role DESC",
                turn["conversation_id"],
            )
            user, assistant = messages[-2:]
            assert (user["role"], assistant["role"]) == ("user", "assistant")
            assert user["intent"] == "HassTurnOn"
            assert user["audio_duration_ms"] > 500
            assert user["transcription_model"] == turn["transcript"]["model"]
            assert assistant["latency_ms"] is not None
            action = (await mordomo.rows("SELECT * FROM actions WHERE message_id = $1", turn["turn_id"]))[0]
            assert (action["action_type"], action["action_name"], action["status"]) == (
                "iot_control", "turn_on", "success",
            )  # fmt: skip
            assert action["executed_at"] is not None
            await _is_speech(reply, " ".join(turn["reply"]))

        run(scenario())

    @pytest.mark.parametrize("form", ["8-bit", "48 kHz stereo", "float with NaN"])
    def test_other_forms_of_the_same_recording_are_understood_alike(
        self, mordomo: DaemonProcess, run: Any, tmp_path: Path, form: str
    ) -> None:
        samples = speech_of(LAMP_SCENE)
        path = tmp_path / "fala.wav"
        if form == "8-bit":
            write_pcm(path, ((samples.astype(np.int32) >> 8) + 128).astype(np.uint8), 16_000, 1, 1)
        elif form == "48 kHz stereo":
            write_pcm(path, np.repeat(np.repeat(samples, 3), 2), 48_000, 2, 2)
        else:
            floats = samples.astype("<f4") / 32768
            floats[100:110] = np.nan
            _write_float(path, floats)
        status, out, err = run(mordomo.command("listen", str(path), "--json", "--out", str(tmp_path / "r.wav")))
        assert status == 0, err
        assert "acende a luz da sala" in json.loads(out)["transcript"]["text"].lower()

    @pytest.mark.parametrize("content", [b"", b"isto nao e um som\n" * 50, b"RIFF\xff\xff\xff\xffWAVEfmt "])
    def test_what_is_no_recording_is_refused_with_its_name(
        self, mordomo: DaemonProcess, run: Any, tmp_path: Path, content: bytes
    ) -> None:
        path = tmp_path / "recado.wav"
        path.write_bytes(content)
        status, _, err = run(mordomo.command("listen", str(path)))
        assert status == 1
        assert "recado.wav" in err
        assert "Traceback" not in err

    def test_an_hour_of_silence_is_said_to_be_silent(self, mordomo: DaemonProcess, run: Any, tmp_path: Path) -> None:
        path = tmp_path / "hora.wav"
        write_pcm(path, np.zeros(3600 * 16_000, np.int16), 16_000, 2, 1)
        status, _, err = run(mordomo.command("listen", str(path)))
        assert status == 1
        assert "hora.wav" in err
        assert run(mordomo.get("/ready")).status_code == 200

    def test_the_daemon_refuses_garbage_sent_to_it_directly(self, mordomo: DaemonProcess, run: Any) -> None:
        async def post() -> httpx.Response:
            async with httpx.AsyncClient(base_url=mordomo.url, trust_env=False) as http:
                return await http.post("/listen", content=os.urandom(5000))

        answer = run(post())
        assert answer.status_code == 422
        assert isinstance(answer.json()["detail"], str)


class TestPreferences:
    def test_an_update_by_sql_is_applied_within_a_second(self, mordomo: DaemonProcess, run: Any) -> None:
        async def scenario() -> None:
            await mordomo.rows("UPDATE config SET value = '\"espeak\"' WHERE key = 'tts.voice'")

            async def simple_voice_chosen() -> bool:
                part = (await mordomo.get("/health")).json()["parts"]["tts"]
                return bool(part["condition"] == "ok")

            await until(simple_voice_chosen, within_s=1.0)

        run(scenario())

    def test_the_database_refuses_a_bad_value_and_says_why(self, mordomo: DaemonProcess, run: Any) -> None:
        with pytest.raises(asyncpg.CheckViolationError, match=r"wake_word\.sensitivity.*0 a 1.*7"):
            run(mordomo.rows("UPDATE config SET value = '7' WHERE key = 'wake_word.sensitivity'"))

    def test_the_command_line_does_the_same(self, mordomo: DaemonProcess, run: Any) -> None:
        status, _, err = run(mordomo.command("config", "set", "brain.temperature", "quente"))
        assert status == 1
        assert "brain.temperature" in err
        assert run(mordomo.command("config", "set", "brain.temperature", "0.5"))[0] == 0
        assert run(mordomo.command("config", "get", "brain.temperature"))[1].strip() == "0.5"


class TestCommands:
    def test_without_a_daemon_ask_says_so_and_ends_with_2(self, run: Any, tmp_path: Path) -> None:
        nobody = DaemonProcess(tmp_path / "data")
        for words in (("ask", "que horas são"), ("listen", str(LAMP_SCENE))):
            status, _, err = run(nobody.command(*words))
            assert status == 2, err
            assert "Não há nenhum Mordomo rodando" in err

    def test_a_second_daemon_on_the_same_data_is_refused(self, mordomo: DaemonProcess, run: Any) -> None:
        assert "Já há um Mordomo rodando" in run(DaemonProcess(mordomo.data_dir).refused())

    def test_a_house_in_which_nothing_happens_leaves_its_database_alone(self, mordomo: DaemonProcess, run: Any) -> None:
        """What a service does in its own tables must not wake it: that is a core busy with nothing, day and night."""

        async def statements_in(seconds: float) -> int:
            count = "SELECT xact_commit + xact_rollback AS n FROM pg_stat_database WHERE datname = current_database()"
            before = (await mordomo.rows(count))[0]["n"]
            await asyncio.sleep(seconds)  # there is nothing to wait for: that is the point
            return int((await mordomo.rows(count))[0]["n"] - before)

        assert run(statements_in(3.0)) < 500  # a service that wakes itself makes thousands

    def test_doctor_tells_every_part(self, mordomo: DaemonProcess, run: Any) -> None:
        status, out, _ = run(mordomo.command("doctor", "--json"))
        assert status == 0
        told = json.loads(out)
        assert told["running"] is True
        assert {"database", "broker", "devices", "microphone", "speaker", "stt", "tts", "brain"} <= set(told["parts"])
        assert {"backup", "housekeeping", "log_sink"} <= set(told["parts"])
        for part in told["parts"].values():
            assert part["condition"] in {"ok", "trial", "starting", "off"} or part["detail"]

    def test_without_a_language_model_the_answer_is_honest(self, mordomo: DaemonProcess, run: Any) -> None:
        turn = run(mordomo.ask("quem descobriu o Brasil?"))
        assert turn["outcome"] == "model_failed"
        assert "modelo de linguagem" in turn["reply"][0]

    def test_a_page_of_another_site_is_refused(self, mordomo: DaemonProcess, run: Any) -> None:
        async def post(headers: dict[str, str]) -> int:
            async with httpx.AsyncClient(base_url=mordomo.url, trust_env=False) as http:
                return (await http.post("/ask", json={"text": "que horas são"}, headers=headers)).status_code

        assert run(post({"Origin": "https://evil.example"})) == 403
        assert run(post({"Host": "evil.example"})) == 403
        assert run(post({})) == 200


def _write_float(path: Path, samples: np.ndarray) -> None:
    data = samples.tobytes()
    header = b"RIFF" + (36 + len(data)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    form = (3).to_bytes(2, "little") + (1).to_bytes(2, "little") + (16_000).to_bytes(4, "little")
    form += (64_000).to_bytes(4, "little") + (4).to_bytes(2, "little") + (32).to_bytes(2, "little")
    path.write_bytes(header + form + b"data" + len(data).to_bytes(4, "little") + data)


async def _is_speech(path: Path, said: str) -> None:
    """Hold the reply's WAV against the voice detector, and transcribe it back: it must be what was to be said."""
    pcm = read_speech(path)
    detector = Silero.load()
    frames = [pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm) - FRAME_BYTES, FRAME_BYTES)]
    voiced = [await detector.speech(frame) > 0.5 for frame in frames]
    detector.close()
    assert sum(voiced) / len(voiced) > 0.4
    whisper = Whisper.load(WHISPER_CASA, name="casa")
    heard = await whisper.transcribe(Utterance(pcm, 1000.0))
    whisper.close()
    assert plain_words(heard.text) == plain_words(said)
