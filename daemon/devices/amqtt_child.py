"""A small MQTT broker in a process of its own, for trying Mordomo where mosquitto is not installed.

Run as `python amqtt_child.py --port 1883`; ends on SIGTERM. It keeps nothing on disk, sends no last will for a client
that goes silent and queues little for one that is offline, so it is not for living with.
"""

import argparse
import asyncio
import contextlib
import logging
import signal

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker
from amqtt.errors import NoDataError

LARGEST_PACKET_BYTES = 328_704
"""As `max_packet_size` in config/mosquitto.conf."""
MOST_CLIENTS = 100


class BoundedReader(StreamReaderAdapter):  # type: ignore[misc]  # amqtt gives no types
    """Refuses a packet by its announced length, before its bytes are taken into memory."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader)
        self._writer = writer

    async def read(self, n: int = -1) -> bytes:
        """Return exactly `n` bytes. Ends the connection and raises NoDataError when that is too many."""
        if n > LARGEST_PACKET_BYTES:
            self._writer.transport.abort()
            raise NoDataError(f"packet of {n} bytes refused")
        return bytes(await super().read(n))


async def serve(port: int) -> None:
    """Be a broker on 127.0.0.1:`port` until SIGTERM or SIGINT. Raises OSError when the port is taken."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    broker = Broker(
        {
            "listeners": {"default": {"type": "external", "max_connections": MOST_CLIENTS}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        },
        loop=loop,
    )

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await broker.external_connected(BoundedReader(reader, writer), StreamWriterAdapter(writer), "default")

    await broker.start()
    server = await asyncio.start_server(connected, "127.0.0.1", port)
    await stop.wait()
    server.close()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(broker.shutdown(), 3)


if __name__ == "__main__":
    logging.basicConfig(level=logging.CRITICAL)
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--home", help="whose broker this is, for those who look at the list of processes")
    arguments.add_argument("--port", type=int, required=True)
    asyncio.run(serve(arguments.parse_args().port))
