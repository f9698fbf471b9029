"""The whole daemon as a process: killed, stopped and started again, with its servers taken away."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator

import psutil
import pytest
import pytest_asyncio
from support.daemon_process import DaemonProcess, daemon_process, until
from support.folders import short_folder

from db.embedded import EmbeddedPostgres

pytestmark = [pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]
USUAL = ("--no-prompt",)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[DaemonProcess]:
    """A daemon that the tests of this file share, and leave as they found it, or ended."""
    with short_folder() as folder:
        async with daemon_process(folder / "data", started=False) as daemon:
            yield daemon


@pytest_asyncio.fixture(loop_scope="module")
async def mordomo(house: DaemonProcess) -> DaemonProcess:
    """The same, running as usual."""
    if house.arguments != USUAL:
        await house.end()
        house.arguments = USUAL
    if house.process is None or house.process.returncode is not None:
        await house.start()
    return house


async def test_sigkill_in_the_middle_of_a_turn_and_of_a_reminder_loses_nothing(mordomo: DaemonProcess) -> None:
    created = await mordomo.ask("me lembra de tomar o remédio daqui a 3 segundos")
    assert created["actions"][0]["status"] == "success", created
    asking = asyncio.create_task(mordomo.ask("apaga todas as luzes da casa"))

    async def acting() -> bool:
        return bool(await mordomo.rows("SELECT 1 FROM actions WHERE status IN ('pending', 'executing')"))

    watching = asyncio.create_task(until(acting))
    await asyncio.wait({asking, watching}, return_when=asyncio.FIRST_COMPLETED)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await mordomo.end(signal.SIGKILL)
    await asyncio.gather(asking, return_exceptions=True)
    await mordomo.start()

    async def settled() -> bool:
        open_actions = await mordomo.rows("SELECT 1 FROM actions WHERE status IN ('pending', 'executing')")
        spoken = await mordomo.rows("SELECT 1 FROM reminders WHERE status = 'triggered'")
        waiting = await mordomo.rows("SELECT status, lease_until FROM reminders")
        return not open_actions and bool(spoken or waiting)

    await until(settled)
    kept = await mordomo.rows("SELECT count(*) FROM reminders WHERE title = 'tomar o remédio'")
    assert kept[0]["count"] == 1
    messages = await mordomo.rows("SELECT content FROM messages WHERE role = 'user'")
    assert [row["content"] for row in messages].count("me lembra de tomar o remédio daqui a 3 segundos") == 1


async def test_sigterm_ends_within_five_seconds_and_leaves_no_server_behind(mordomo: DaemonProcess) -> None:
    assert mordomo.process is not None
    children = psutil.Process(mordomo.process.pid).children(recursive=True)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await mordomo.end(within_s=5.0) == 0, mordomo.log
    assert loop.time() - began < 5.0
    assert not EmbeddedPostgres(mordomo.data_dir).running()
    _, alive = psutil.wait_procs(children, timeout=5)
    assert not alive
    assert "Traceback" not in mordomo.log


async def test_sigterm_during_the_start_does_not_wait_for_its_end() -> None:
    with short_folder() as folder:
        async with daemon_process(folder / "data", started=False) as mordomo:
            await mordomo.launch()  # there is a whole schema to make

            async def under_way() -> bool:
                return "schema_upgrade " in mordomo.log

            await until(under_way, within_s=60)
            assert await mordomo.end(within_s=5.0) == 0, mordomo.log
            assert "Traceback" not in mordomo.log
            assert "Mordomo pronto" not in mordomo.log
            assert not EmbeddedPostgres(mordomo.data_dir).running(), mordomo.log


async def test_without_the_demonstration_house_nothing_of_it_is_left(mordomo: DaemonProcess) -> None:
    assert (await mordomo.get("/household")).json()["devices"]
    await mordomo.end()
    mordomo.arguments = (*USUAL, "--no-demo-house")
    await mordomo.start()

    async def nothing_left() -> bool:
        return not (await mordomo.get("/household")).json()["devices"]

    await until(nothing_left)  # the broker takes its announcements back one after the other
    assert (await mordomo.get("/health")).json()["parts"]["devices"]["condition"] == "missing"


async def test_commands_work_while_the_database_is_away_and_everything_is_stored_after(mordomo: DaemonProcess) -> None:
    postgres = EmbeddedPostgres(mordomo.data_dir)
    postmaster = int((postgres.cluster / "postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGSTOP)
    for child in psutil.Process(postmaster).children():
        os.kill(child.pid, signal.SIGSTOP)
    try:
        turn = await mordomo.ask("acende a luz da cozinha")
        assert turn["actions"][0]["status"] == "success", turn
        began = time.monotonic()
        promised = await mordomo.ask("me lembra de beber água daqui a uma hora")
        assert promised["actions"][0]["status"] == "failed", promised
        assert "não consigo ver nem guardar lembretes" in promised["reply"][0]
        assert time.monotonic() - began < 6, "somebody stands there and waits"
    finally:
        for child in psutil.Process(postmaster).children():
            os.kill(child.pid, signal.SIGCONT)
        os.kill(postmaster, signal.SIGCONT)

    async def stored() -> bool:
        found = await mordomo.rows("SELECT status FROM actions WHERE message_id = $1", turn["turn_id"])
        return [row["status"] for row in found] == ["success"]

    await until(stored, within_s=60)


async def test_a_killed_database_server_is_started_again(mordomo: DaemonProcess) -> None:
    await mordomo.ask("que horas são")
    postgres = EmbeddedPostgres(mordomo.data_dir)
    os.kill(int((postgres.cluster / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)

    async def answers() -> bool:
        return (await mordomo.get("/ready")).status_code == 200

    await asyncio.sleep(0)
    await until(answers, within_s=60)
    assert (await mordomo.ask("me lembra de beber água daqui a uma hora"))["actions"][0]["status"] == "success"


async def test_a_killed_broker_is_started_again_and_meanwhile_refused_aloud(mordomo: DaemonProcess) -> None:
    broker = json.loads((mordomo.data_dir / "broker" / "state.json").read_text())
    os.kill(broker["pid"], signal.SIGKILL)

    async def away() -> bool:
        return bool((await mordomo.get("/health")).json()["parts"]["broker"]["condition"] == "away")

    await until(away)
    turn = await mordomo.ask("acende a luz da sala")  # the broker may be back by now
    assert turn["actions"][0]["status"] == "success" or "aparelhos" in turn["reply"][0]

    async def works() -> bool:
        return bool((await mordomo.ask("acende a luz da sala"))["actions"][0]["status"] == "success")

    await until(works, within_s=60)
