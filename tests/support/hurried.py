"""Services as a supervisor in a hurry runs them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from daemon.errors import LinkDown

PAUSE_S = 0.01


class Runs(Protocol):
    """What is run."""

    async def run(self) -> None: ...


@asynccontextmanager
async def hurried(*services: Runs) -> AsyncIterator[None]:
    """Run them until the end of the body, each again at once when its link is down. Fails where one had a bug."""

    async def again_and_again(service: Runs) -> None:
        while True:
            with suppress(LinkDown):
                await service.run()
            await asyncio.sleep(PAUSE_S)

    tasks = [asyncio.create_task(again_and_again(each)) for each in services]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for task in tasks:
            assert task.cancelled(), task.exception()
