"""Reminders changed by voice: cancelled, moved, put off, done; and asked back where several may be meant."""

from datetime import UTC, datetime, timedelta

import pytest
from reminders_said import CONTEXT, NOW, TOMORROW_8, do, spoken, titles

from daemon.errors import CannotDo
from daemon.language.plan import Intent
from daemon.language.replies import Replies
from daemon.skills.keeping import keeping_skills
from daemon.skills.skill import AsksBack
from db.database import Database


async def test_one_is_cancelled_by_its_words_and_two_are_asked_about(db: Database) -> None:
    await do(db, "CreateReminder", message="dentista da Ana", when=TOMORROW_8)
    await do(db, "CreateReminder", message="dentista do João", when="2026-11-22T08:00:00-03:00")
    with pytest.raises(AsksBack, match="Qual deles"):
        await do(db, "CancelReminder", query="dentista")
    assert len(await titles(db)) == 2
    await do(db, "CancelReminder", query="dentista da Ana")
    assert await titles(db) == ["dentista do João"]
    with pytest.raises(CannotDo):
        await do(db, "CancelReminder", query="cinema")


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ("o da Ana", ["dentista do João", "dentista do Davi"]),
        ("o de domingo", ["dentista da Ana", "dentista do Davi"]),
        ("o das nove", ["dentista da Ana", "dentista do João"]),
        ("o primeiro", ["dentista do João", "dentista do Davi"]),
        ("o último", ["dentista da Ana", "dentista do João"]),
        ("todos", []),
        ("os três", []),
    ],
)
async def test_the_answer_picks_among_those_named(db: Database, answer: str, left: list[str]) -> None:
    await do(db, "CreateReminder", message="dentista da Ana", when=TOMORROW_8)
    await do(db, "CreateReminder", message="dentista do João", when="2026-11-22T08:00:00-03:00")
    await do(db, "CreateReminder", message="dentista do Davi", when="2026-11-23T09:00:00-03:00")
    await do(db, "CreateReminder", message="pilates", when="2026-11-22T19:00:00-03:00")
    with pytest.raises(AsksBack) as asked:
        await do(db, "CancelReminder", query="dentista")
    await do(db, "CancelReminder", **{**asked.value.plan.intents[0].slots, "query": answer})
    assert [title for title in await titles(db) if title != "pilates"] == left


async def test_one_is_cancelled_by_its_hour_or_its_day(db: Database) -> None:
    await do(db, "CreateReminder", message="pilates", when="2026-11-21T19:00:00-03:00")
    await do(db, "CreateReminder", message="dentista", when="2026-11-22T08:00:00-03:00")
    await do(db, "CancelReminder", query="sete")
    assert await titles(db) == ["dentista"]
    await do(db, "CancelReminder", date="2026-11-22")
    assert await titles(db) == []


async def test_of_a_series_it_asks_whether_only_this_one(db: Database) -> None:
    daily = {"message": "remédio", "when": TOMORROW_8, "rrule": "FREQ=DAILY;BYHOUR=8;BYMINUTE=0"}
    await do(db, "CreateReminder", **daily)
    with pytest.raises(AsksBack, match="só dessa vez ou todos") as asked:
        await do(db, "CancelReminder", query="remédio")
    slots = asked.value.plan.intents[0].slots
    assert "Pulei remédio amanhã" in (await do(db, "CancelReminder", **{**slots, "scope": "só dessa vez"})).say
    assert await db.fetchval("SELECT scheduled_at FROM reminders WHERE status = 'pending'") == datetime(
        2026, 11, 22, 11, 0, tzinfo=UTC
    )
    with pytest.raises(AsksBack) as asked:
        await do(db, "CancelReminder", query="remédio")
    await do(db, "CancelReminder", **{**asked.value.plan.intents[0].slots, "scope": "todos"})
    assert await titles(db) == []


async def test_a_series_is_moved_from_now_on_or_once(db: Database) -> None:
    await do(db, "CreateReminder", message="remédio", when=TOMORROW_8, rrule="FREQ=DAILY;BYHOUR=8;BYMINUTE=0")
    with pytest.raises(AsksBack, match="daqui para a frente") as asked:
        await do(db, "UpdateReminder", query="remédio", when="2026-11-21T10:00:00-03:00")
    slots = asked.value.plan.intents[0].slots
    said = (await do(db, "UpdateReminder", **{**slots, "scope": "daqui pra frente"})).say
    assert said == "Mudei remédio: agora todo dia às dez da manhã."
    row = await db.fetchrow("SELECT scheduled_at, rrule FROM reminders WHERE status = 'pending'")
    assert row is not None
    assert (row["scheduled_at"].hour, row["rrule"]) == (13, "FREQ=DAILY;BYHOUR=10;BYMINUTE=0")
    await do(db, "UpdateReminder", query="remédio", when="2026-11-21T11:00:00-03:00", scope="só amanhã")
    rows = await db.fetch("SELECT scheduled_at, rrule FROM reminders WHERE status = 'pending' ORDER BY 1")
    assert [(row["scheduled_at"].day, row["scheduled_at"].hour) for row in rows] == [(21, 14), (22, 13)]


async def test_a_wait_moves_it_from_its_own_hour(db: Database) -> None:
    await do(db, "CreateReminder", message="dentista", when=TOMORROW_8)
    assert "amanhã às nove" in (await do(db, "SnoozeReminder", query="dentista", duration_s=3600)).say


async def test_done_is_said_of_what_was_just_spoken(db: Database) -> None:
    await spoken(db, "tomar o remédio", 2)
    assert "tomar o remédio" in (await do(db, "CompleteReminder")).say
    assert await db.fetchval("SELECT done_at FROM reminders") == NOW
    with pytest.raises(CannotDo):
        await do(db, "CompleteReminder")
    today = (await do(db, "ListReminders", date="2026-11-20")).say
    assert today.endswith("Hoje já foi: tomar o remédio.")
    assert "tomar o remédio" in (await do(db, "ListReminders", done=True)).say


async def test_of_two_spoken_together_it_asks_which_is_done(db: Database) -> None:
    await spoken(db, "tomar o remédio", 2)
    await spoken(db, "ligar para a vó", 3)
    await spoken(db, "levar o lixo", 300)
    with pytest.raises(AsksBack, match=r"Qual deles: .*remédio.*vó"):
        await do(db, "CompleteReminder")
    assert "vó" in (await do(db, "CompleteReminder", query="vó")).say


async def test_done_before_its_hour(db: Database) -> None:
    await do(db, "CreateReminder", message="regar as plantas", when="2026-11-20T18:00:00-03:00")
    assert "feito" in (await do(db, "CompleteReminder", query="plantas")).say
    assert await titles(db) == []


async def test_it_is_put_off_ten_minutes_unless_told_how_long(db: Database) -> None:
    with pytest.raises(CannotDo, match="Não lembrei de nada"):
        await do(db, "SnoozeReminder")
    await spoken(db, "tomar o remédio", 1)
    assert (await do(db, "SnoozeReminder")).say == "Combinado: lembro de novo daqui a dez minutos."
    row = await db.fetchrow("SELECT status, scheduled_at FROM reminders")
    assert row is not None
    assert (row["status"], row["scheduled_at"]) == ("pending", NOW + timedelta(minutes=10))


async def test_me_lembra_em_dez_minutos_is_about_what_was_just_spoken(db: Database) -> None:
    await spoken(db, "tomar o remédio", 1)
    carried = await do(db, "CreateReminder", message="", when="2026-11-20T10:20:00-03:00")
    assert carried.say == "Combinado: lembro de novo daqui a vinte minutos."
    assert await titles(db) == ["tomar o remédio"]


async def test_all_are_cancelled_when_all_are_meant(db: Database) -> None:
    for day in (21, 22, 23):
        await do(db, "CreateReminder", message=f"coisa {day}", when=f"2026-11-{day}T08:00:00-03:00")
    with pytest.raises(AsksBack, match=r"São três: coisa 21, .* Cancelo todos") as asked:
        await do(db, "CancelReminder", all=True)
    assert asked.value.plan.awaits == "confirmed"
    assert len(await titles(db)) == 3
    carried = await do(db, "CancelReminder", all=True, confirmed=True)
    assert "três" in carried.say
    assert await titles(db) == []


async def test_para_hushes_what_rings_and_nothing_else(db: Database) -> None:
    rings = [True]
    skills = keeping_skills(db, Replies.load("pt_br"), hush=lambda: rings.pop() if rings else False)
    await do(db, "CreateReminder", message="acordar", kind="alarm", when=TOMORROW_8)

    async def say(intent: Intent) -> str:
        return (await skills[intent.name].act(intent, (), CONTEXT)).say

    assert await say(Intent("HassNevermind", (), {"declined": True})) == "Está bem."
    assert rings
    assert await say(Intent("HassNevermind")) == "Parei."
    assert await say(Intent("HassNevermind")) == "Está bem."
    rings.append(True)
    assert await say(Intent("CancelReminder", (), {"kind": "alarm"})) == "Parei."
    assert await titles(db) == ["acordar"]
    assert "Cancelei o alarme" in await say(Intent("CancelReminder", (), {"kind": "alarm"}))


async def test_what_is_being_said_is_put_off_too(db: Database) -> None:
    await db.execute(
        "INSERT INTO reminders (title, scheduled_at, kind, lease_until, leased_by) VALUES ('acordar', $1, 'alarm', $2, 'x')",
        NOW - timedelta(minutes=1), NOW + timedelta(minutes=1),
    )  # fmt: skip
    assert (await do(db, "SnoozeReminder", duration_s=300)).say == "Combinado: lembro de novo daqui a cinco minutos."
    row = await db.fetchrow("SELECT scheduled_at, leased_by FROM reminders")
    assert row is not None
    assert tuple(row) == (NOW + timedelta(minutes=5), "")
