"""The sound of what was said: kept only with consent, as a file of the person's alone, and let go of."""

import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from support.clock import FakeClock
from support.house import Home, home

from config.preferences import Preferences
from daemon.audio.frames import Utterance
from daemon.audio.wav import WavSource
from daemon.butler import Place
from daemon.people.person import Person
from daemon.people.privacy.backups import HeldBackups
from daemon.people.privacy.clips import Clips, all_clips
from daemon.people.privacy.erasing import Erasing
from daemon.people.privacy.upkeep import Upkeep
from daemon.turn import Turn
from db import consents
from db.backup.folder import Folder
from db.backup.source import Source
from db.database import Database
from db.erasure import Wish

SPOKEN = b"\1\2" * 8000


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[Home]:
    async with home(database_url, tmp_path, clock=FakeClock()) as built:
        yield built


async def resident(house: Home, name: str) -> Person:
    key: UUID = await house.db.fetchval("INSERT INTO users (name) VALUES ($1) RETURNING id", name)
    await house.people.living.refresh()
    return Person(key, name, "adult", 0.9)


async def spoken(house: Home, person: Person | None) -> Turn:
    turn = await house.butler.ask("que horas são", Place("microphone", "sala", None, person))
    turn.understood = replace(turn.understood, utterance=Utterance(SPOKEN, 400))
    return turn


async def allow(house: Home, person: Person, *, given: bool) -> None:
    assert person.id is not None
    await consents.record(house.db, person.id, "audio", given=given, how="cli", at=house.butler.clock.now())


async def test_nothing_is_kept_of_who_did_not_allow_it(house: Home, tmp_path: Path) -> None:
    ana, clips = await resident(house, "Ana"), Clips(house.db, tmp_path / "audio")
    assert await clips.keep(await spoken(house, ana)) is None
    assert await clips.keep(await spoken(house, None)) is None
    await allow(house, ana, given=True)
    await allow(house, ana, given=False)
    assert await clips.keep(await spoken(house, ana)) is None
    assert not (tmp_path / "audio").exists()


async def test_what_is_allowed_is_a_file_that_nobody_else_reads(house: Home, tmp_path: Path) -> None:
    ana, clips = await resident(house, "Ana"), Clips(house.db, tmp_path / "audio")
    await allow(house, ana, given=True)
    turn = await spoken(house, ana)
    path = await clips.keep(turn)
    assert path is not None
    assert path.parent == tmp_path / "audio" / str(ana.id)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700
    (clip,) = all_clips(tmp_path / "audio")
    assert (clip.message_id, clip.at) == (str(turn.id), turn.started_at)
    frames = b"".join([frame async for frame in WavSource(path, tail_s=0).frames()])
    assert frames.startswith(SPOKEN)
    assert await clips.keep(await spoken(house, None)) is None, "what another says is not hers"


async def test_a_turn_that_was_erased_meanwhile_leaves_no_sound(house: Home, tmp_path: Path) -> None:
    ana = await resident(house, "Ana")
    assert ana.id is not None
    await allow(house, ana, given=True)
    before = await spoken(house, ana)
    erasing = Erasing(house.db, None, tmp_path, house.butler.clock)
    await erasing.erase(Wish(ana.id, "Ana", "since", "voice", since=before.started_at))
    assert await Clips(house.db, tmp_path / "audio").keep(before) is None
    during = await spoken(house, ana)
    clips = Clips(_Withdrawing(house.db, ana.id), tmp_path / "audio")  # type: ignore[arg-type]
    assert await clips.keep(during) is None
    assert all_clips(tmp_path / "audio") == []


class _Withdrawing:
    """A database in which the consent is withdrawn between two questions about it."""

    def __init__(self, db: Database, user_id: UUID) -> None:
        self.db, self.user_id, self.asked = db, user_id, 0

    async def fetchval(self, sql: str, *args: object) -> object:
        if self.asked:
            sql_no = "INSERT INTO consents (user_id, kind, given, how) VALUES ($1, 'audio', FALSE, 'cli')"
            await self.db.execute(sql_no, self.user_id)
        self.asked += 1
        return await self.db.fetchval(sql, *args)


async def test_what_is_old_or_of_nobody_any_more_is_let_go(house: Home, tmp_path: Path) -> None:
    ana, clips = await resident(house, "Ana"), Clips(house.db, tmp_path / "audio")
    clock = house.butler.clock
    assert isinstance(clock, FakeClock)
    await allow(house, ana, given=True)
    old = await clips.keep(await spoken(house, ana))
    clock.advance(timedelta(days=20).total_seconds())
    new, gone = await spoken(house, ana), await spoken(house, ana)
    kept, without = await clips.keep(new), await clips.keep(gone)
    assert old is not None
    assert kept is not None
    assert without is not None
    await house.db.execute("DELETE FROM messages WHERE id = $1", gone.id)
    prefs = Preferences({"privacy.audio_days": 7})
    held = HeldBackups(Source("postgresql://x/x", None), Folder(tmp_path / "backup"), lambda: prefs)
    upkeep = Upkeep(Erasing(house.db, None, tmp_path, clock), held, clips, lambda: prefs, clock)
    await upkeep.let_go()
    assert [clip.path for clip in all_clips(tmp_path / "audio")] == [kept]
    await allow(house, ana, given=False)
    await upkeep.let_go()
    assert all_clips(tmp_path / "audio") == []
    assert not kept.parent.exists()


async def test_it_never_waits_and_never_fails_the_turn(house: Home, tmp_path: Path) -> None:
    ana, clips = await resident(house, "Ana"), Clips(house.db, tmp_path / "audio")
    await allow(house, ana, given=True)
    turns = [await spoken(house, ana) for _ in range(12)]
    for turn in turns:
        clips.put(turn)  # nobody takes them out
    clips.put(replace(turns[0], id=uuid4(), understood=replace(turns[0].understood, utterance=None)))
