"""The whole daemon as a process: leave is asked for, the daemon is killed, and what is granted afterwards is done once."""

import signal
from pathlib import Path

import httpx
import pytest
from support.command import mordomo as typed
from support.daemon_process import DaemonProcess, daemon_process, until

pytestmark = pytest.mark.timeout(180)
ASKED = "abre o portão da garagem"


async def status(daemon: DaemonProcess) -> str:
    (row,) = (await daemon.get("/approvals")).json()
    return str(row["status"])


async def answer(daemon: DaemonProcess) -> int:
    """Say yes over HTTP; return the status."""
    (row,) = (await daemon.get("/approvals")).json()
    async with httpx.AsyncClient(base_url=daemon.url, trust_env=False, timeout=30) as http:
        return (await http.post(f"/approvals/{row['id']}", json={"granted": True})).status_code


async def local_role(daemon: DaemonProcess, role: str, *, opens: bool) -> None:
    """Set as what it is that somebody types here, and wait until that holds."""
    await daemon.rows("UPDATE config SET value = to_jsonb($1::text) WHERE key = 'people.local_role'", role)

    async def holds() -> bool:
        told = (await daemon.ask("quais são as rotinas?"))["reply"][0]
        return told.startswith("Desculpe") is not opens

    await until(holds)


async def gate_is_shut(daemon: DaemonProcess) -> None:
    """Wait until the daemon knows of the gate, and that it is shut."""

    async def known() -> bool:
        devices = (await daemon.get("/household")).json()["devices"]
        return any(device["id"] == "cover.portao" and device["state"] == "closed" for device in devices)

    await until(known)


async def test_killed_between_the_question_and_the_yes(made_data: Path) -> None:
    async with daemon_process(made_data) as mordomo:
        await local_role(mordomo, "guest", opens=False)
        await gate_is_shut(mordomo)
        asked = await mordomo.ask(ASKED)
        assert asked["reply"] == ["Isso precisa de permissão. Vou perguntar."]
        assert asked["actions"] == []
        assert await answer(mordomo) == 403  # a guest at the keyboard is a guest
        await mordomo.end(signal.SIGKILL)
        await mordomo.start()
        assert await status(mordomo) == "pending"
        await local_role(mordomo, "administrator", opens=True)
        await gate_is_shut(mordomo)
        granted = await typed(None, "approvals", "grant", data_dir=made_data)
        assert (granted.status, granted.out.strip() in {"Certo.", "Combinado."}) == (0, True), granted.err

        async def done() -> bool:
            return await status(mordomo) == "done"

        await until(done)
        deeds = await mordomo.rows("SELECT parameters, status FROM actions WHERE action_type = 'iot_control'")
        assert [(deed["status"], "esta máquina" in deed["parameters"]) for deed in deeds] == [("success", True)]
