"""A mosquitto that people enter with a name and a password, and with what else a test sets."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from daemon.devices.broker import mosquitto_program


async def must(*command: str) -> None:
    """Run a program that must succeed."""
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0, command


@asynccontextmanager
async def guarded_mosquitto(folder: Path, passwords: Mapping[str, str], *settings: str) -> AsyncIterator[int]:
    """Run one on a free port, which it gives; `settings` are lines of its configuration, about files of `folder`."""
    program = mosquitto_program()
    if program is None or shutil.which("mosquitto_passwd") is None:
        pytest.skip("mosquitto or mosquitto_passwd is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "users").touch()
    for name, password in passwords.items():
        await must("mosquitto_passwd", "-b", f"{folder}/users", name, password)
    own = (f"listener {port} 127.0.0.1", "allow_anonymous false", f"password_file {folder}/users")
    (folder / "conf").write_text("\n".join((*own, *settings, "")))
    for file in folder.iterdir():
        file.chmod(0o644)  # where the tests run as root, mosquitto reads them as a user of its own
    folder.chmod(0o755)
    server = await asyncio.create_subprocess_exec(program, "-c", f"{folder}/conf", stderr=asyncio.subprocess.PIPE)
    try:
        assert server.stderr is not None
        while b"running" not in await server.stderr.readline():
            assert server.returncode is None
        yield port
    finally:
        server.terminate()
        await server.communicate()
