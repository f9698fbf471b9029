"""Named weights: where they lie, and how they come from a hub that cuts, lies and is away."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.hub_server import HubServer, hub_server

from daemon.demo.models import TONES_VOICE, WHISPER_CASA
from daemon.engines.parts import alone_in
from daemon.engines.piper import Piper
from daemon.engines.weights import Kind, installed, piper_path, pull, whisper_path
from daemon.engines.whisper import Whisper
from daemon.errors import EngineFailed, EngineMissing, LinkDown

SMALL = "Systran/faster-whisper-small"
VOICE = "pt_BR-faber-medium"
BELOW = "pt/pt_BR/faber/medium"
MODEL_BIN = random.Random(1).randbytes(5000)


@dataclass
class Hurried:
    """A clock on which every pause is over at once."""

    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime(2026, 11, 20, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@dataclass
class Told:
    """What a progress bar would have been told."""

    steps: list[tuple[str, int, int | None]] = field(default_factory=list)

    def __call__(self, file: str, done: int, whole: int | None) -> None:
        self.steps.append((file, done, whole))


@pytest.fixture
async def hub() -> AsyncIterator[HubServer]:
    whisper = {
        ".gitattributes": b"*.bin filter=lfs",
        "README.md": b"# model",
        "config.json": b"{}",
        "model.bin": MODEL_BIN,
        "tokenizer.json": random.Random(2).randbytes(3000),
        "vocabulary.txt": b"a\nb\n",
    }
    voices = {
        "voices.json": b"{}",
        f"{BELOW}/{VOICE}.onnx": random.Random(3).randbytes(4000),
        f"{BELOW}/{VOICE}.onnx.json": b'{"audio": {}}',
        f"{BELOW}/MODEL_CARD": b"card",
        "pt/pt_BR/edresson/low/pt_BR-edresson-low.onnx": b"x" * 2000,
    }
    async with hub_server(
        {SMALL: whisper, "rhasspy/piper-voices": voices, "casa/outro": {"README.md": b"?"}}
    ) as running:
        yield running


async def bring(
    hub: HubServer, home: Path, kind: Kind = "whisper", name: str = "small", told: Told | None = None
) -> Path:
    return await pull(kind, name, home, told or Told(), endpoint=hub.url, clock=Hurried())


class TestPull:
    async def test_a_whisper_model_arrives_whole(self, hub: HubServer, tmp_path: Path) -> None:
        told = Told()
        folder = await bring(hub, tmp_path, told=told)
        assert folder == tmp_path / "whisper" / "small" == whisper_path(tmp_path, "small")
        assert {f.name: f.read_bytes() for f in folder.iterdir()} == {
            name: content for name, content in hub.repos[SMALL].items() if name not in {".gitattributes", "README.md"}
        }
        assert ("model.bin", 5000, 5000) in told.steps
        assert told.steps[0][1] == 0

    async def test_a_voice_arrives_whole(self, hub: HubServer, tmp_path: Path) -> None:
        path = await bring(hub, tmp_path, "piper", VOICE)
        assert path == tmp_path / "piper" / f"{VOICE}.onnx" == piper_path(tmp_path, VOICE)
        assert path.read_bytes() == hub.repos["rhasspy/piper-voices"][f"{BELOW}/{VOICE}.onnx"]
        assert sorted(f.name for f in path.parent.iterdir() if not f.name.endswith(".lock")) == [
            f"{VOICE}.onnx",
            f"{VOICE}.onnx.json",
        ]

    async def test_what_is_there_is_not_asked_for_again(self, hub: HubServer, tmp_path: Path) -> None:
        await bring(hub, tmp_path)
        await bring(hub, tmp_path, "piper", VOICE)
        hub.asked.clear()
        await bring(hub, tmp_path)
        await bring(hub, tmp_path, "piper", VOICE)
        assert hub.asked == []

    async def test_a_cut_connection_goes_on_where_it_stopped(self, hub: HubServer, tmp_path: Path) -> None:
        hub.cuts = 3
        told = Told()
        folder = await bring(hub, tmp_path, told=told)
        assert (folder / "model.bin").read_bytes() == MODEL_BIN
        ranges = [ranged for path, ranged in hub.large() if path.endswith("model.bin")]
        assert ranges == ["", "bytes=700-", "bytes=1400-", "bytes=2100-"]
        assert hub.served == sum(len(hub.repos[SMALL][f.name]) for f in folder.iterdir())
        done = [step[1] for step in told.steps if step[0] == "model.bin"]
        assert done == sorted(done)

    async def test_a_download_given_up_goes_on_the_next_day(self, hub: HubServer, tmp_path: Path) -> None:
        hub.cuts, hub.cut_after = 100, 40
        with pytest.raises(LinkDown, match="rode de novo para continuar"):
            await bring(hub, tmp_path)
        (half,) = installed(tmp_path)
        assert (half.kind, half.name, half.complete) == ("whisper", "small", False)
        assert half.bytes >= 2000
        with pytest.raises(EngineMissing) as missing:
            whisper_path(tmp_path, "small")
        assert missing.value.mend == "mordomo models pull"
        hub.cuts = 0
        hub.asked.clear()
        assert ((await bring(hub, tmp_path)) / "model.bin").read_bytes() == MODEL_BIN
        assert any(ranged == "bytes=2000-" for _, ranged in hub.large())
        assert [model.complete for model in installed(tmp_path)] == [True]

    async def test_a_hub_that_only_cuts_is_given_up_soon(self, hub: HubServer, tmp_path: Path) -> None:
        clock = Hurried()
        hub.cuts, hub.cut_after = 10**6, 0
        with pytest.raises(LinkDown, match="caiu no meio"):
            await pull("whisper", "small", tmp_path, Told(), endpoint=hub.url, clock=clock)
        assert len(hub.asked) < 30

    async def test_a_server_deaf_to_ranges_sends_it_all_again(self, hub: HubServer, tmp_path: Path) -> None:
        hub.cuts, hub.deaf = 1, True
        assert ((await bring(hub, tmp_path)) / "model.bin").read_bytes() == MODEL_BIN

    async def test_a_refused_range_begins_anew(self, hub: HubServer, tmp_path: Path) -> None:
        hub.cuts, hub.refused_ranges = 1, 1
        assert ((await bring(hub, tmp_path)) / "model.bin").read_bytes() == MODEL_BIN

    async def test_a_spoiled_file_is_fetched_once_more(self, hub: HubServer, tmp_path: Path) -> None:
        hub.spoil = 1
        folder = await bring(hub, tmp_path)
        assert all((folder / name).read_bytes() == hub.repos[SMALL][name] for name in ("config.json", "model.bin"))

    async def test_a_file_that_stays_spoiled_is_refused(self, hub: HubServer, tmp_path: Path) -> None:
        hub.spoil = 100
        with pytest.raises(EngineFailed, match="corrompido"):
            await bring(hub, tmp_path)
        assert not (tmp_path / "whisper" / "small").exists()

    async def test_a_file_longer_than_announced_is_refused(self, hub: HubServer, tmp_path: Path) -> None:
        hub.longer = True
        with pytest.raises(EngineFailed, match="maior do que o servidor anunciou"):
            await bring(hub, tmp_path)

    async def test_a_new_version_is_not_glued_to_the_old_part(self, hub: HubServer, tmp_path: Path) -> None:
        hub.cuts, hub.cut_after = 100, 40
        with pytest.raises(LinkDown):
            await bring(hub, tmp_path)
        hub.cuts = 0
        hub.repos[SMALL]["model.bin"] = newer = random.Random(9).randbytes(5000)
        assert ((await bring(hub, tmp_path)) / "model.bin").read_bytes() == newer

    async def test_a_model_that_lost_a_file_is_brought_again(self, hub: HubServer, tmp_path: Path) -> None:
        folder = await bring(hub, tmp_path)
        (folder / "tokenizer.json").write_bytes(b"")
        with pytest.raises(EngineMissing, match=r"tokenizer\.json"):
            whisper_path(tmp_path, "small")
        assert [model.complete for model in installed(tmp_path)] == [False]
        again = await bring(hub, tmp_path)
        assert whisper_path(tmp_path, "small") == again == folder

    async def test_a_busy_hub_says_so(self, hub: HubServer, tmp_path: Path) -> None:
        hub.busy = 1
        with pytest.raises(LinkDown, match="503"):
            await bring(hub, tmp_path)

    @pytest.mark.parametrize(
        ("kind", "name"), [("whisper", "casa/nada"), ("whisper", "casa/outro"), ("piper", "pt_BR-ninguem-low")]
    )
    async def test_what_the_hub_does_not_have(self, hub: HubServer, tmp_path: Path, kind: Kind, name: str) -> None:
        with pytest.raises(EngineMissing):
            await bring(hub, tmp_path, kind, name)
        assert installed(tmp_path) == []

    @pytest.mark.parametrize("name", ["", "..", "../x", "enorme", "a/b/c", "small\0", "pt_BR-../../x-low", "tiny.en"])
    @pytest.mark.parametrize("kind", ["whisper", "piper"])
    async def test_names_that_are_none_never_reach_the_disk(
        self, hub: HubServer, tmp_path: Path, kind: Kind, name: str
    ) -> None:
        with pytest.raises(EngineMissing):
            await bring(hub, tmp_path / "m", kind, name)
        assert hub.asked == []

    @pytest.mark.parametrize(
        "listing",
        [
            b"<html>",
            b"{}",
            b"[1]",
            b'[{"type": "file"}]',
            b"[" * 5_000_000,
            b'[{"type":"file","path":"../model.bin","size":1,"oid":"0"}]',
        ],
    )
    async def test_a_listing_that_is_none(self, hub: HubServer, tmp_path: Path, listing: bytes) -> None:
        hub.listing = listing
        with pytest.raises(EngineFailed):
            await bring(hub, tmp_path)

    @pytest.mark.parametrize(
        ("endpoint", "why"),
        [("http://nao-existe.invalid", "não achei esse endereço"), ("http://127.0.0.1:1", "não consegui conectar")],
    )
    async def test_no_hub_is_said_at_once(self, tmp_path: Path, endpoint: str, why: str) -> None:
        clock = Hurried()
        with pytest.raises(LinkDown, match=why):
            await pull("whisper", "small", tmp_path, Told(), endpoint=endpoint, clock=clock)
        assert clock.slept == []

    async def test_a_full_disk_is_said(self, hub: HubServer, tmp_path: Path) -> None:
        staging = tmp_path / "whisper" / ".small.part"
        staging.mkdir(parents=True)
        digest = hashlib.sha256(MODEL_BIN).hexdigest()
        (staging / f"model.bin.{digest[:16]}.part").symlink_to("/dev/full")
        with pytest.raises(EngineFailed, match="não há espaço no disco"):
            await bring(hub, tmp_path)
        assert not (tmp_path / "whisper" / "small").exists()

    async def test_a_model_larger_than_the_disk_is_refused_before_a_byte(self, hub: HubServer, tmp_path: Path) -> None:
        hub.listing = (
            b"["
            + b",".join(
                b'{"type":"file","path":"%s","size":%d,"oid":"%s"}' % (name, size, b"0" * 40)
                for name, size in (
                    (b"config.json", 2),
                    (b"tokenizer.json", 2),
                    (b"vocabulary.txt", 2),
                    (b"model.bin", 10**18),
                )
            )
            + b"]"
        )
        with pytest.raises(EngineFailed, match=r"não há espaço no disco .*: faltam [\d,]+ GB"):
            await bring(hub, tmp_path)
        assert hub.large() == []

    async def test_two_at_once_do_not_mix(self, hub: HubServer, tmp_path: Path) -> None:
        with alone_in(tmp_path / "whisper", "small"), pytest.raises(EngineFailed, match="já está sendo baixado"):
            await bring(hub, tmp_path)
        assert hub.asked == []

    async def test_cancelled_it_can_go_on_later(self, hub: HubServer, tmp_path: Path) -> None:
        begun = asyncio.Event()

        def told(_file: str, done: int, _whole: int | None) -> None:
            if done:
                begun.set()

        pulling = asyncio.create_task(pull("whisper", "small", tmp_path, told, endpoint=hub.url, clock=Hurried()))
        await begun.wait()
        pulling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await pulling
        with pytest.raises(EngineMissing):
            whisper_path(tmp_path, "small")
        await bring(hub, tmp_path)
        assert whisper_path(tmp_path, "small").is_dir()

    async def test_what_was_pulled_loads_and_speaks(self, tmp_path: Path) -> None:
        casa = {file.name: file.read_bytes() for file in WHISPER_CASA.iterdir()}
        tones = {
            f"{BELOW}/{VOICE}{end}": TONES_VOICE.with_name(TONES_VOICE.name + end[5:]).read_bytes()
            for end in (".onnx", ".onnx.json")
        }
        async with hub_server({"casa/whisper": casa, "rhasspy/piper-voices": tones}) as hub:
            folder = await bring(hub, tmp_path, name="casa/whisper")
            voice = await bring(hub, tmp_path, "piper", VOICE)
        Whisper.load(folder, name="casa", threads=1).close()
        speaking = Piper.load(voice)
        assert [piece async for piece in speaking.synthesise("Oi.")]
        speaking.close()
        assert [(m.kind, m.name, m.complete) for m in installed(tmp_path)] == [
            ("piper", VOICE, True),
            ("whisper", "casa/whisper", True),
        ]
