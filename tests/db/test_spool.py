"""The spool, on a real disk: what is appended is there after anything, in order, and bounded."""

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.errors import LinkDown
from db.spool import Spool
from db.text import storable_json


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with_close = Spool(tmp_path / "spool")
    yield with_close
    with_close.close()


def drained(spool: Spool, limit: int = 100) -> list[object]:
    found: list[object] = []
    while batch := spool.peek(limit):
        found += [each.record for each in batch]
        spool.done(batch[-1], len(batch))
    return found


def test_records_come_back_in_order_and_leave_an_empty_file(spool: Spool, tmp_path: Path) -> None:
    for number in range(250):
        spool.append({"n": number, "text": "açaí"})
    assert spool.waiting == 250
    assert drained(spool) == [{"n": number, "text": "açaí"} for number in range(250)]
    assert (spool.waiting, spool.size_bytes) == (0, 0)
    assert (tmp_path / "spool/records.jsonl").stat().st_size == 0


def test_what_was_not_drained_survives_a_restart(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    first.append({"n": 1})
    first.append({"n": 2})
    first.close()
    again = Spool(tmp_path)
    assert (again.waiting, again.instance) == (2, first.instance)
    assert drained(again) == [{"n": 1}, {"n": 2}]
    again.close()


def test_a_crash_in_the_middle_of_draining_replays_everything(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    for number in range(3):
        first.append({"n": number})
    batch = first.peek(2)
    first.done(batch[-1], len(batch))
    assert first.waiting == 1
    first.close()
    again = Spool(tmp_path)
    assert drained(again) == [{"n": 0}, {"n": 1}, {"n": 2}]
    again.close()


def test_what_is_appended_while_a_batch_is_in_hand_is_kept(spool: Spool) -> None:
    spool.append({"n": 1})
    batch = spool.peek(10)
    spool.append({"n": 2})
    spool.done(batch[-1], len(batch))
    assert spool.waiting == 1
    assert drained(spool) == [{"n": 2}]


@pytest.mark.parametrize("damage", [b'{"n": 2, "te', b"\0" * 700, b'\xff\xfe{"n"', b"[1]\n", b"7\n", b"[" * 90_000])
def test_a_damaged_line_is_set_aside_and_the_rest_goes_on(tmp_path: Path, damage: bytes) -> None:
    first = Spool(tmp_path)
    first.append({"n": 1})
    first.close()
    with (tmp_path / "records.jsonl").open("ab") as file:
        file.write(damage)
    again = Spool(tmp_path)
    again.append({"n": 3})
    assert drained(again) == [{"n": 1}, {"n": 3}]
    assert again.waiting == 0
    assert (tmp_path / "refused.jsonl").read_bytes().startswith(damage.rstrip(b"\n"))
    again.close()


def test_a_full_spool_refuses_and_takes_again_once_drained(tmp_path: Path) -> None:
    spool = Spool(tmp_path, most_records=2)
    spool.append({"n": 1})
    spool.append({"n": 2})
    with pytest.raises(LinkDown, match="full"):
        spool.append({"n": 3})
    assert drained(spool) == [{"n": 1}, {"n": 2}]
    spool.append({"n": 4})
    assert drained(spool) == [{"n": 4}]
    spool.close()


def test_it_is_bounded_in_bytes_too(tmp_path: Path) -> None:
    spool = Spool(tmp_path, most_bytes=1000)
    with pytest.raises(LinkDown, match="full"):
        spool.append({"text": "a" * 1000})
    spool.append({"text": "a" * 100})
    spool.close()


def test_a_full_disk_is_said_and_leaves_nothing_half(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: the kernel cuts the write short and then refuses it."""
    script = f"""
import resource, signal
from pathlib import Path
from db.errors import LinkDown
from db.spool import Spool
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
spool = Spool(Path({str(tmp_path)!r}))
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
kept = 0
try:
    while True:
        spool.append({{"n": kept, "text": "a" * 100}})
        kept += 1
except LinkDown as down:
    assert down.what == "spool", down
assert spool.waiting == kept
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
spool.append({{"n": kept, "text": "again"}})
print(kept)
"""
    kept = int(subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout)
    assert kept > 20
    spool = Spool(tmp_path)
    records = drained(spool)
    assert len(records) == kept + 1
    assert records[-1] == {"n": kept, "text": "again"}
    assert not (tmp_path / "refused.jsonl").exists()
    spool.close()


def test_only_the_owner_reads_it(spool: Spool, tmp_path: Path) -> None:
    spool.append({"n": 1})
    spool.refuse({"n": 1}, "because")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "spool").iterdir()}
    assert modes == dict.fromkeys(("records.jsonl", "refused.jsonl", "instance", "lock"), 0o600)
    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o700


def test_one_process_at_a_time(spool: Spool, tmp_path: Path) -> None:
    with pytest.raises(LinkDown, match="another"):
        Spool(tmp_path / "spool")


def test_a_damaged_instance_is_named_anew(tmp_path: Path) -> None:
    (tmp_path / "instance").write_text("not a name")
    spool = Spool(tmp_path)
    assert len(spool.instance) == 36
    spool.close()


def test_an_unusable_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LinkDown, match="spool"):
        Spool(tmp_path / "file")


def test_files_are_given_back(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        spool = Spool(tmp_path)
        spool.append({"n": 1})
        spool.refuse({"n": 1}, "because")
        spool.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters()), inner, max_size=4),
    max_leaves=20,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(values=st.lists(JSON, max_size=5))
def test_anything_mended_for_the_database_survives_the_disk(spool: Spool, values: list[object]) -> None:
    records = [{"value": storable_json(value)} for value in values]
    for record in records:
        spool.append(record)
    assert drained(spool) == json.loads(json.dumps(records))
