"""Timers by voice, on a real database: rows, so that what runs here runs on after a restart."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from support.clock import FakeClock
from support.house import home

from daemon.errors import CannotDo
from daemon.language.plan import Household, Intent, Value
from daemon.language.replies import Replies
from daemon.skills.skill import AsksBack, Carried, Context
from daemon.skills.timers import TimerSkills
from db.database import Database

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=ZoneInfo("America/Sao_Paulo"))


async def do(db: Database, what: str, after_s: float = 0, **slots: Value) -> Carried:
    context = replace(Context(NOW, Household(), area="sala"), now=NOW + timedelta(seconds=after_s))
    skill = TimerSkills(db, Replies.load("pt_br")).by_intent()[what]
    intent = Intent(what, (), slots)
    return await skill.act(intent, skill.actions(intent, context), context)


async def test_it_is_a_row_that_ends_when_it_was_asked_to(db: Database) -> None:
    assert (
        await do(db, "HassStartTimer", duration_s=480, name="macarrão")
    ).say == "Timer do macarrão: oito minutos, contando."
    row = await db.fetchrow("SELECT title, kind, scheduled_at, duration_s, area FROM reminders")
    assert row is not None
    assert tuple(row) == ("macarrão", "timer", NOW + timedelta(minutes=8), 480, "sala")


async def test_how_much_is_left(db: Database) -> None:
    with pytest.raises(CannotDo, match="nenhum timer"):
        await do(db, "HassTimerStatus")
    await do(db, "HassStartTimer", duration_s=600)
    assert (await do(db, "HassTimerStatus", after_s=180)).say == "Faltam sete minutos."
    assert (await do(db, "HassTimerStatus", after_s=540)).say == "Falta um minuto."
    await do(db, "HassStartTimer", duration_s=3600, name="bolo")
    assert (await do(db, "HassTimerStatus", name="bolo")).say == "Falta uma hora no timer do bolo."
    assert (
        await do(db, "HassTimerStatus")
    ).say == "Há dois timers: timer de dez minutos, faltam dez minutos; timer do bolo, falta uma hora."
    assert (await do(db, "HassTimerStatus", duration_s=600)).say == "Faltam dez minutos."


async def test_a_paused_one_waits(db: Database) -> None:
    await do(db, "HassStartTimer", duration_s=600)
    assert (await do(db, "HassPauseTimer", after_s=60)).say == "Parei o timer, com nove minutos."
    assert (await do(db, "HassTimerStatus", after_s=900)).say == "O timer está parado, com nove minutos."
    assert (await do(db, "HassPauseTimer", after_s=900)).say == "O timer já está parado."
    assert (await do(db, "HassUnpauseTimer", after_s=1000)).say == "Continuando o timer: nove minutos."
    assert await db.fetchval("SELECT scheduled_at FROM reminders") == NOW + timedelta(seconds=1540)
    assert (await do(db, "HassUnpauseTimer", after_s=1001)).say == "O timer já está contando."


async def test_more_and_less(db: Database) -> None:
    await do(db, "HassStartTimer", duration_s=600)
    assert (await do(db, "HassIncreaseTimer", duration_s=300)).say == "Timer: agora faltam quinze minutos."
    assert (await do(db, "HassDecreaseTimer", duration_s=120)).say == "Timer: agora faltam treze minutos."
    assert await db.fetchval("SELECT scheduled_at FROM reminders") == NOW + timedelta(minutes=13)
    await do(db, "HassPauseTimer")
    assert (await do(db, "HassIncreaseTimer", duration_s=60)).say == "Timer: agora faltam quatorze minutos."
    assert (await do(db, "HassDecreaseTimer", duration_s=3600)).say == "O timer já acabou."


async def test_which_of_several_is_asked(db: Database) -> None:
    await do(db, "HassStartTimer", duration_s=600, name="bolo")
    await do(db, "HassStartTimer", duration_s=300, name="arroz")
    with pytest.raises(AsksBack, match="o timer do arroz ou o timer do bolo") as asked:
        await do(db, "HassCancelTimer")
    assert asked.value.plan.awaits == "name"
    assert (await do(db, "HassCancelTimer", name="o do bolo")).say == "Cancelei o timer do bolo."
    assert (await do(db, "HassStartTimer", duration_s=600)).outcomes[0].ok
    assert (await do(db, "HassCancelTimer", name="o de cinco minutos")).say == "Cancelei o timer do arroz."
    with pytest.raises(CannotDo, match="Não há um timer do feijão"):
        await do(db, "HassCancelTimer", name="feijão")


async def test_all_at_once(db: Database) -> None:
    for name in ("bolo", "arroz", ""):
        await do(db, "HassStartTimer", duration_s=600, name=name)
    assert (await do(db, "HassCancelAllTimers")).say == "Cancelei três timers."
    assert await db.fetchval("SELECT count(*) FROM reminders WHERE status = 'pending'") == 0


@pytest.mark.parametrize(("answer", "seconds"), [("dez minutos", 600), ("uns cinco minutos", 300), ("meia hora", 1800)])
async def test_how_long_is_asked(db: Database, answer: str, seconds: int) -> None:
    with pytest.raises(AsksBack, match="De quanto tempo"):
        await do(db, "HassStartTimer", name="bolo")
    await do(db, "HassStartTimer", name="bolo", duration_s=answer)
    assert await db.fetchval("SELECT duration_s FROM reminders") == seconds


async def test_in_words_from_end_to_end(database_url: str, tmp_path: Path) -> None:
    clock = FakeClock()
    async with home(database_url, tmp_path, clock=clock) as house:
        for text in ("põe um timer de uma hora pro bolo", "timer de dez minutos"):
            await house.butler.ask(text, house.written)
        clock.advance(60)
        assert (await house.butler.ask("quanto falta pro bolo", house.written)).reply == [
            "Faltam cinquenta e nove minutos no timer do bolo."
        ]
        asked = await house.butler.ask("cancela o timer", house.written)
        assert asked.reply[0].startswith("Qual deles")
        assert (await house.butler.ask("o do bolo", house.written)).reply == ["Cancelei o timer do bolo."]
