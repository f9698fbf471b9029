"""The link to brokers that want TLS, a name and a password."""

import gc
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from guarded_mosquitto import guarded_mosquitto, must
from lamps_on_mqtt import devices_at
from mqtt_gadget import running
from support.folders import short_folder

from daemon.errors import LinkDown


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as folder:
        yield folder


@asynccontextmanager
async def guarded_broker(folder: Path) -> AsyncIterator[int]:
    """A mosquitto that wants TLS, a name and a password; gives its port. Its certificate is its own authority."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    await must("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
               "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
               "-keyout", f"{folder}/key.pem", "-out", f"{folder}/ca.pem")  # fmt: skip
    tls = (f"certfile {folder}/ca.pem", f"keyfile {folder}/key.pem")
    async with guarded_mosquitto(folder, {"casa": "s@nha"}, *tls) as port:
        yield port


async def test_tls_with_a_name_and_a_password(folder: Path) -> None:
    async with guarded_broker(folder) as port:
        ca = f"?ca={folder}/ca.pem"
        async with running(devices_at(f"mqtts://casa:s%40nha@127.0.0.1:{port}{ca}", "homeassistant")) as devices:
            assert devices.is_connected
        for url in (f"mqtts://casa:wrong@127.0.0.1:{port}{ca}", f"mqtts://127.0.0.1:{port}{ca}"):
            with pytest.raises(LinkDown, match="Not authorized"):
                await devices_at(url, "homeassistant").run()


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # paho leaves that socket to the collector
async def test_a_broker_that_cannot_prove_itself_gets_no_password(folder: Path) -> None:
    async with guarded_broker(folder) as port:
        with pytest.raises(LinkDown, match="CERTIFICATE_VERIFY_FAILED") as refused:
            await devices_at(f"mqtts://casa:s%40nha@127.0.0.1:{port}", "homeassistant").run()
        assert "nha" not in str(refused.value)
    del refused
    gc.collect()
