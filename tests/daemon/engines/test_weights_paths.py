"""Where weights lie, and what is said of those that are not there."""

from pathlib import Path

import pytest
from faster_whisper.utils import _MODELS

from daemon.demo.models import TONES_VOICE, WHISPER_CASA
from daemon.engines.weights import WHISPER_REPOS, InstalledModel, installed, piper_path, whisper_path
from daemon.errors import EngineMissing

VOICE = "pt_BR-faber-medium"


class TestPaths:
    def test_any_local_path(self, tmp_path: Path) -> None:
        assert whisper_path(tmp_path, str(WHISPER_CASA)) == WHISPER_CASA
        assert piper_path(tmp_path, str(TONES_VOICE)) == TONES_VOICE

    def test_what_is_not_there_says_what_mends_it(self, tmp_path: Path) -> None:
        with pytest.raises(EngineMissing, match="não está instalado") as no_model:
            whisper_path(tmp_path, "small")
        with pytest.raises(EngineMissing, match="não está instalad") as no_voice:
            piper_path(tmp_path, VOICE)
        assert no_model.value.mend == no_voice.value.mend == "mordomo models pull"
        with pytest.raises(EngineMissing, match="não está instalado"):
            whisper_path(tmp_path, str(tmp_path / "nada"))
        with pytest.raises(EngineMissing, match="incompleto"):
            whisper_path(tmp_path, str(tmp_path))

    def test_a_voice_without_its_json(self, tmp_path: Path) -> None:
        (tmp_path / "v.onnx").write_bytes(b"x")
        with pytest.raises(EngineMissing, match=r"v\.onnx\.json"):
            piper_path(tmp_path, str(tmp_path / "v.onnx"))

    def test_nothing_installed(self, tmp_path: Path) -> None:
        assert installed(tmp_path / "nowhere") == []

    def test_what_was_put_there_by_hand(self, tmp_path: Path) -> None:
        (tmp_path / "whisper").mkdir()
        (tmp_path / "whisper" / "base").symlink_to(WHISPER_CASA)
        (found,) = installed(tmp_path)
        assert found == InstalledModel("whisper", "base", tmp_path / "whisper" / "base", found.bytes, complete=True)
        assert found.bytes > 1_000_000

    def test_the_names_are_those_that_faster_whisper_knows(self) -> None:
        assert {name: repo for name, repo in _MODELS.items() if name in WHISPER_REPOS} == WHISPER_REPOS
        left_out = set(_MODELS) - set(WHISPER_REPOS) - {"large", "turbo"}
        assert all(name.endswith(".en") or name.startswith("distil") for name in left_out)
