"""Where the weights of neural networks lie, and how named ones come from the hub.

    MODELS_DIR/whisper/NAME/model.bin …          MODELS_DIR/piper/NAME.onnx and NAME.onnx.json
    MODELS_DIR/whisper/.NAME.part/               MODELS_DIR/piper/.NAME.part/          on their way; they do not count

Sources: the repositories that `faster_whisper.utils._MODELS` names (those for English alone left out), and the paths of
`piper.download_voices`.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from daemon.clock import Clock, SystemClock
from daemon.engines.hub import HUB, Hub, Progress
from daemon.engines.parts import alone_in, sync_folder
from daemon.errors import EngineMissing

Kind = Literal["whisper", "piper"]

WHISPER_REPOS = {
    "tiny": "Systran/faster-whisper-tiny",
    "base": "Systran/faster-whisper-base",
    "small": "Systran/faster-whisper-small",
    "medium": "Systran/faster-whisper-medium",
    "large-v1": "Systran/faster-whisper-large-v1",
    "large-v2": "Systran/faster-whisper-large-v2",
    "large-v3": "Systran/faster-whisper-large-v3",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
}
ALIASES = {"large": "large-v3", "turbo": "large-v3-turbo"}
PIPER_REPO = "rhasspy/piper-voices"

_WHISPER_FILES = ("config.json", "model.bin", "tokenizer.json")
_VOCABULARY = ("vocabulary.json", "vocabulary.txt")
_WHISPER_WANTED = frozenset((*_WHISPER_FILES, *_VOCABULARY, "preprocessor_config.json"))
_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_VOICE = re.compile(
    r"(?P<family>[a-z]{2,3})_(?P<region>[A-Z]{2})-(?P<voice>\w+)-(?P<quality>x_low|low|medium|high)", re.ASCII
)
_PULL = "mordomo models pull"


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model on the disk. `complete` is False while it is on its way, or when a file of it is gone."""

    kind: Kind
    name: str
    path: Path
    bytes: int
    complete: bool


def whisper_path(models_dir: Path, name: str) -> Path:
    """Return the folder of the Whisper model `name`: a size, "owner/repo" of the hub, or a folder's path.

    Raises EngineMissing when it is not there whole.
    """
    if _is_path(name):
        path, mend = Path(name).expanduser(), "confira stt.model: mordomo config set stt.model small"
    else:
        path, mend = models_dir / "whisper" / _whisper_folder(name), _PULL
    lacking = missing_from_whisper(path)
    if lacking:
        raise EngineMissing("whisper", _not_there(f"o modelo {name}", path, lacking), mend)
    return path


def piper_path(models_dir: Path, voice: str) -> Path:
    """Return the .onnx of the Piper voice `voice`: a name like pt_BR-faber-medium, or a file's path.

    Raises EngineMissing when it, or the .onnx.json beside it, is not there.
    """
    if _is_path(voice) or voice.endswith(".onnx"):
        path, mend = Path(voice).expanduser(), "confira tts.voice: mordomo config set tts.voice pt_BR-faber-medium"
    else:
        path, mend = models_dir / "piper" / f"{_voice(voice)[0]}.onnx", _PULL
    lacking = missing_from_piper(path)
    if lacking:
        raise EngineMissing("piper", _not_there(f"a voz {voice}", path.parent, lacking), mend)
    return path


def missing_from_whisper(path: Path) -> list[str]:
    """Return what a folder lacks to be a Whisper model in CTranslate2's form; a tokenizer would be fetched online."""
    lacking = [name for name in _WHISPER_FILES if not _has(path / name)]
    return lacking if any(_has(path / name) for name in _VOCABULARY) else [*lacking, _VOCABULARY[0]]


def missing_from_piper(path: Path) -> list[str]:
    """Return what a Piper voice lacks: the .onnx itself, or its .onnx.json."""
    return [file.name for file in (path, path.with_name(path.name + ".json")) if not _has(file)]


def installed(models_dir: Path) -> list[InstalledModel]:
    """Return what was downloaded, whole or in part, by kind and name."""
    found: list[InstalledModel] = []
    for folder in _folders(models_dir / "whisper"):
        name = folder.name.replace("--", "/")
        if folder.name.startswith("."):
            found.append(_on_its_way("whisper", folder))
        else:
            found.append(InstalledModel("whisper", name, folder, _size(folder), not missing_from_whisper(folder)))
    voices = models_dir / "piper"
    for file in sorted(voices.glob("*.onnx")):
        size = file.stat().st_size
        found.append(InstalledModel("piper", file.stem, file, size, not missing_from_piper(file)))
    found += [_on_its_way("piper", folder) for folder in _folders(voices) if folder.name.startswith(".")]
    return sorted(found, key=lambda model: (model.kind, model.name, model.complete))


async def pull(
    kind: Kind,
    name: str,
    models_dir: Path,
    progress: Progress,
    *,
    endpoint: str = HUB,
    clock: Clock | None = None,
) -> Path:
    """Download a named model and return where it lies; what is there whole is not asked for again.

    An interrupted download goes on where it stopped, every file is compared with the hub's checksum, and the model
    takes its place in one rename. `progress(file, done, whole)` counts bytes. Raises LinkDown (hub not reached, or lost
    again and again), EngineMissing (no such model), EngineFailed (wrong checksum, disk full, already being downloaded).
    """
    hub = Hub(endpoint, clock or SystemClock())
    if kind == "piper":
        return await _pull_voice(hub, models_dir / "piper", name, progress)
    return await _pull_whisper(hub, models_dir / "whisper", name, progress)


async def _pull_whisper(hub: Hub, home: Path, name: str, progress: Progress) -> Path:
    folder = home / _whisper_folder(name)
    with alone_in(home, folder.name):
        if not missing_from_whisper(folder):
            return folder
        repo = WHISPER_REPOS.get(ALIASES.get(name, name), name)
        files = [file for file in await hub.files(repo) if file.path in _WHISPER_WANTED]
        if not {file.path for file in files}.issuperset(_WHISPER_FILES):
            raise EngineMissing("whisper", f"{repo} não é um modelo Whisper para o CTranslate2", "escolha outro modelo")
        staged = await hub.fetch(repo, files, home / f".{folder.name}.part", progress)
        if folder.exists():
            shutil.rmtree(folder)
        staged.rename(folder)
        sync_folder(home)
    return folder


async def _pull_voice(hub: Hub, home: Path, name: str, progress: Progress) -> Path:
    voice, below = _voice(name)
    path = home / f"{voice}.onnx"
    with alone_in(home, voice):
        if not missing_from_piper(path):
            return path
        wanted = {f"{below}/{voice}.onnx", f"{below}/{voice}.onnx.json"}
        files = [file for file in await hub.files(PIPER_REPO, below) if file.path in wanted]
        if len(files) != len(wanted):
            raise EngineMissing("piper", f"a voz {voice} não existe no repositório de vozes", "escolha outra voz")
        staged = await hub.fetch(PIPER_REPO, files, home / f".{voice}.part", progress)
        # The voice counts once its .onnx is there: last, so that a cut between the two leaves nothing half.
        (staged / f"{voice}.onnx.json").replace(home / f"{voice}.onnx.json")
        (staged / f"{voice}.onnx").replace(path)
        shutil.rmtree(staged)
        sync_folder(home)
    return path


def _whisper_folder(name: str) -> str:
    known = ALIASES.get(name, name)
    if known in WHISPER_REPOS:
        return known
    if _REPO.fullmatch(name):
        return name.replace("/", "--")
    sizes = ", ".join(WHISPER_REPOS)
    raise EngineMissing("whisper", f"não conheço o modelo {name!r}", f"escolha um destes em stt.model: {sizes}")


def _voice(name: str) -> tuple[str, str]:
    """Return the voice's name and its folder in the repository. Raises EngineMissing for what is no voice's name."""
    match = _VOICE.fullmatch(name)
    if match is None:
        raise EngineMissing(
            "piper", f"{name!r} não é nome de voz Piper", "escolha em tts.voice um nome como pt_BR-faber-medium"
        )
    family, region = match["family"], match["region"]
    return name, f"{family}/{family}_{region}/{match['voice']}/{match['quality']}"


def _is_path(name: str) -> bool:
    return name.startswith(("/", "./", "../", "~")) or ("/" in name and Path(name).is_dir())


def _not_there(what: str, where: Path, lacking: list[str]) -> str:
    if not where.exists():
        return f"{what} não está instalado"
    return f"{what} está incompleto em {where}: falta {', '.join(lacking)}"


def _on_its_way(kind: Kind, folder: Path) -> InstalledModel:
    name = folder.name.removeprefix(".").removesuffix(".part").replace("--", "/")
    return InstalledModel(kind, name, folder, _size(folder), complete=False)


def _folders(home: Path) -> list[Path]:
    return sorted(path for path in home.iterdir() if path.is_dir()) if home.is_dir() else []


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _has(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0
