"""`make secrets`: passwords nobody has to invent, and none that is overwritten."""

import shutil
import stat
from pathlib import Path

import pytest

from config.passwords import filled, main, mosquitto_line

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    for name in (".env.example", "config/mosquitto.acl.example"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_it_makes_what_compose_needs_for_the_owners_eyes_only(checkout: Path) -> None:
    assert main(checkout) == 0
    lines = (checkout / ".env").read_text().splitlines()
    secrets = dict(line.split("=") for line in lines if "=" in line and not line.startswith("#"))
    assert len({secrets["POSTGRES_PASSWORD"], secrets["MQTT_PASSWORD"]}) == 2
    assert min(len(secrets["POSTGRES_PASSWORD"]), len(secrets["MQTT_PASSWORD"])) >= 32
    assert secrets["MQTT_BIND"] == "127.0.0.1"
    for name in (".env", "config/mosquitto.passwords"):
        assert stat.S_IMODE((checkout / name).stat().st_mode) == 0o600
    assert secrets["MQTT_PASSWORD"] not in (checkout / "config/mosquitto.passwords").read_text()
    assert (checkout / "config/mosquitto.acl").read_text() == (ROOT / "config/mosquitto.acl.example").read_text()


def test_what_exists_is_left_alone(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(checkout) == 0
    before = (checkout / ".env").read_text()
    assert main(checkout) == 1
    assert (checkout / ".env").read_text() == before
    assert "Já existe: .env" in capsys.readouterr().err


def test_every_secret_is_new() -> None:
    assert filled("A=\nB=x\n#C=\n")[0].splitlines()[1:] == ["B=x", "#C="]
    assert filled("A=\n")[1]["A"] != filled("A=\n")[1]["A"]
    assert mosquitto_line("ana", "x") != mosquitto_line("ana", "x")
