from pathlib import Path

import pytest

from daemon.data_folder import AlreadyRunning, DataFolder, running


def test_one_daemon_at_a_time(tmp_path: Path) -> None:
    assert running(tmp_path) is None
    with DataFolder(tmp_path) as folder:
        folder.announce("http://127.0.0.1:8765")
        there = running(tmp_path)
        assert there is not None
        assert there.url == "http://127.0.0.1:8765"
        with pytest.raises(AlreadyRunning, match=r"Já há um Mordomo rodando.*8765"), DataFolder(tmp_path):
            pass
    assert running(tmp_path) is None
    with DataFolder(tmp_path):
        pass


def test_what_a_killed_daemon_left_is_not_taken_for_a_running_one(tmp_path: Path) -> None:
    (tmp_path / "daemon.lock").touch()
    (tmp_path / "daemon.json").write_text('{"pid": 1, "url": "http://127.0.0.1:8765"}')
    assert running(tmp_path) is None


def test_nobody_else_may_read_where_it_answers(tmp_path: Path) -> None:
    with DataFolder(tmp_path / "new" / "data") as folder:
        folder.announce("http://127.0.0.1:8765")
        assert (folder.path / "daemon.json").stat().st_mode & 0o077 == 0
        assert folder.path.stat().st_mode & 0o066 == 0
