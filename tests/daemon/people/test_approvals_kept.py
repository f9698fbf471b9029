"""Leave that is kept: over restarts, in a crowd, without a database, for later, and forgotten with its people."""

import asyncio
import time
from pathlib import Path
from uuid import uuid4

import pytest
from support.clock import FakeClock
from support.family import family, row, settled
from support.house import home
from support.postgres import Databases

from daemon.errors import CannotDo, LinkDown
from daemon.language.plan import Intent
from daemon.people.person import UNKNOWN
from daemon.reminders.carrying import ScheduledCommands
from daemon.skills.approvals import Answer
from daemon.skills.skill import Context
from db import approvals as rows
from db.permissions import set_role
from db.reminder_search import of_kind

ASKED = "A Ana quer abrir o portão. Posso?"


@pytest.mark.parametrize("died", ["after the question", "after the yes", "while doing it", "long after the yes"])
async def test_a_restart_neither_loses_nor_repeats(database_url: str, tmp_path: Path, died: str) -> None:
    clock = FakeClock()
    async with home(database_url, tmp_path / "one", clock=clock) as house:
        they = await family(house)
        await house.butler.ask("abre o portão", they.says(they.ana))
        await house.people.approvals.look()
        assert house.announced == [ASKED]
        if died != "after the question":
            await house.butler.ask("pode", they.says(they.marcos))
        if died == "while doing it":
            (claimed,) = await rows.claim(house.db, clock.now(), clock.now().replace(year=2000))
            assert claimed.status == "executing"
    clock.advance(300 if died == "long after the yes" else 10)
    async with home(database_url, tmp_path / "two", clock=clock) as house:
        await settled(house)
        if died == "after the question":
            assert house.announced == []  # asked once, and still waiting
            await house.butler.ask("sim", they.says(they.marcos))
            await settled(house)
        assert len(house.links.orders) == (died in {"after the question", "after the yes"})
        clock.advance(300)
        await settled(house)
        assert len(house.links.orders) == (died in {"after the question", "after the yes"})
        ends = {"while doing it": "failed", "long after the yes": "expired"}
        assert await row(house) == ends.get(died, "done")
        if died == "while doing it":
            assert house.announced == ["Ana, fui interrompido quando ia abrir o portão, e não sei se isso foi feito."]


async def test_two_answers_at_once_are_one(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        await house.butler.ask("abre o portão", they.says(they.ana))
        given = [Answer(granted, they.marcos, "Marcos", "voice") for granted in (True, False) * 4]
        told = await asyncio.gather(
            *(house.people.approvals.answer(None, one) for one in given), return_exceptions=True
        )
        assert sum(isinstance(each, str) for each in told) == 1
        assert all(isinstance(each, str | CannotDo) for each in told)
        claims = await asyncio.gather(*(house.people.approvals.look() for _ in range(4)))
        await house.people.approvals.settle()
        assert len(claims) == 4
        assert len(house.links.orders) == (await row(house) == "done")


async def test_teasing_is_bounded(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        told = [
            (await house.butler.ask(f"põe o portão em {10 * number}%", they.says(they.ana))).reply[0]
            for number in range(1, 10)
        ]
        waits = await house.db.fetchval("SELECT count(*) FROM approvals WHERE status = 'pending'")
        assert waits <= rows.MOST_OPEN
        assert told[-1] in {"Há pedidos demais esperando resposta. Peça de novo daqui a pouco.",
                            "Já perguntei, e estou esperando a resposta."}  # fmt: skip


async def test_without_a_database_nothing_is_asked_nor_done(
    postgres: Databases, database_url: str, tmp_path: Path
) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        postgres.drop(database_url)
        turn = await house.butler.ask("abre o portão", they.says(they.ana))
        assert house.links.orders == []
        assert turn.actions == []
        with pytest.raises(LinkDown):
            await house.people.approvals.answer(uuid4(), Answer(True, they.marcos, "Marcos", "voice"))


async def test_the_house_that_knows_no_voice_lets_all_speak(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        assert house.people.living.who(None, None, "microphone") == UNKNOWN
        turn = await house.butler.ask("abre o portão", house.aloud)
        assert turn.reply == ["Quer mesmo abrir o portão? Diga sim ou não."]


async def test_the_service_asks_lets_expire_and_hears_of_answers_by_sql(database_url: str, tmp_path: Path) -> None:
    clock, moved = FakeClock(), asyncio.Event()
    async with home(database_url, tmp_path, clock=clock) as house:
        house.links.before = moved.set
        they = await family(house)
        await house.butler.ask("abre o portão", they.says(they.ana))
        service = asyncio.create_task(house.people.approvals.run())
        try:
            for _ in range(4):
                await clock.asleep(30)
                clock.advance(30)
            await clock.asleep(30)
            assert house.announced == [ASKED, "Ana, ninguém respondeu, então não vou abrir o portão."]
            await house.butler.ask("abre o portão", they.says(they.ana))
            await house.db.execute(
                "UPDATE approvals SET status = 'granted', decided_by = 'Marcos', decided_user = $1, decided_role = 'adult',"
                " decided_via = 'cli', decided_at = $2 WHERE status = 'pending'",
                they.marcos.id, clock.now(),
            )  # fmt: skip
            async with asyncio.timeout(10):
                await moved.wait()
            await house.people.approvals.settle()
            assert await row(house) == "done"
        finally:
            service.cancel()
            await asyncio.wait({service})


async def test_what_is_granted_for_later_is_done_then_by_leave_of_who_granted_it(
    database_url: str, tmp_path: Path
) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        await house.butler.ask("abre o portão amanhã às sete", they.says(they.ana))
        await house.butler.ask("pode", they.says(they.marcos))
        await settled(house)
        assert await row(house) == "done"
        (due,) = await of_kind(house.db, "command")
        assert due.metadata["authority"] == {"role": "adult", "user_id": str(they.marcos.id)}
        assert house.links.orders == []
        hands = ScheduledCommands(house.butler, house.announced.append)
        await hands.carry_out(due)
        assert [order.verb for order in house.links.orders] == ["open"]
        assert they.marcos.id is not None
        await set_role(house.db, they.marcos.id, "child")
        await house.people.living.refresh()
        await hands.carry_out(due)
        assert len(house.links.orders) == 1  # as what they are today


async def test_who_answered_and_left_is_forgotten(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        await house.butler.ask("abre o portão", they.says(they.ana))
        await house.butler.ask("não", they.says(they.marcos))
        assert await row(house, "decided_by") == "Marcos"
        await house.db.execute("DELETE FROM users WHERE id = $1", they.marcos.id)
        assert (await row(house), await row(house, "decided_by")) == ("refused", "alguém que saiu")
        await house.db.execute("DELETE FROM users WHERE id = $1", they.ana.id)
        assert await house.db.fetchval("SELECT count(*) FROM approvals") == 0


async def test_checking_costs_less_than_half_a_millisecond(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        context = Context(house.butler.clock.now(), house.butler.household(), "sala", speaker=they.ana)
        intents = [Intent("HassTurnOn", ("light.sala", "light.cozinha"))]
        took = []
        for _ in range(200):
            began = time.perf_counter()
            await house.people.permissions.check(intents, context)
            took.append(time.perf_counter() - began)
        assert sorted(took)[100] < 0.0005
