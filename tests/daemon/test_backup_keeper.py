"""What the daemon makes of the notes of docker-compose.yml's keeper."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.preferences import Preferences
from daemon.backups import MEND_KEEPER, part_of_backups
from db.backup.contents import Contents
from db.backup.folder import Folder, Manifest
from db.backup.keeper import keeper_trouble, kept

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def noted(archive: Path, *, looked: timedelta, base: timedelta | None, failed: str = "") -> None:
    """Write the state as the keeper does."""
    moments = {
        "looked": NOW - looked,
        "base": NOW - base if base is not None else None,
        "failed": NOW if failed else None,
    }
    lines = [f"{name}={int(at.timestamp()) if at else ''}" for name, at in moments.items()]
    (archive / "state").write_text("\n".join([*lines, f"why={failed}", ""]), encoding="utf-8")


def test_a_week_is_well_and_what_is_not_is_said(tmp_path: Path) -> None:
    assert "não anotou nada" in keeper_trouble(tmp_path, NOW)
    minute, day = timedelta(minutes=1), timedelta(days=1)
    noted(tmp_path, looked=minute, base=7 * day)
    assert keeper_trouble(tmp_path, NOW) == ""
    noted(tmp_path, looked=day, base=day)
    assert "parado há 24 horas" in keeper_trouble(tmp_path, NOW)
    noted(tmp_path, looked=minute, base=10 * day)
    assert "é de 10 dias atrás" in keeper_trouble(tmp_path, NOW)
    noted(tmp_path, looked=minute, base=None)
    assert "ainda não há" in keeper_trouble(tmp_path, NOW)
    noted(tmp_path, looked=minute, base=day, failed="não consegui copiar o servidor: a=b disco cheio")
    assert keeper_trouble(tmp_path, NOW) == "não consegui copiar o servidor: a=b disco cheio"


@pytest.mark.parametrize(
    "text", ["", "looked=\nbase=\nfailed=\nwhy=\n", "looked=x\nbase=\nfailed=\nwhy=\n", "\0", "a\nb"]
)
def test_notes_that_cannot_be_read_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "state").write_text(text)
    assert kept(tmp_path) is None
    assert keeper_trouble(tmp_path, NOW)


def test_health_and_doctor_tell_it(tmp_path: Path) -> None:
    folder, archive = Folder(tmp_path / "backup"), tmp_path / "archive"
    folder.make()
    archive.mkdir()
    made = Manifest("mordomo-x", NOW, 1, "", None, "16", Contents({}, {}, ()), verified_at=NOW)
    folder.dump(made.name).touch()
    folder.write(made)
    part = part_of_backups(folder, Preferences(), NOW, archive=archive)
    assert (part.condition, part.mend) == ("failed", MEND_KEEPER)
    noted(archive, looked=timedelta(minutes=9), base=timedelta(days=1))
    assert part_of_backups(folder, Preferences(), NOW, archive=archive).condition == "ok"
