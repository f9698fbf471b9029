import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from daemon.ahead import ahead


async def test_gives_every_item_in_order() -> None:
    async def numbers() -> AsyncGenerator[int, None]:
        for number in range(1000):
            yield number

    assert [n async for n in ahead(numbers(), depth=3)] == list(range(1000))


async def test_the_producer_goes_on_while_the_consumer_is_busy() -> None:
    produced: list[int] = []
    all_produced = asyncio.Event()

    async def numbers() -> AsyncGenerator[int, None]:
        for number in range(5):
            produced.append(number)
            yield number
        all_produced.set()

    async with aclosing(ahead(numbers())) as items:
        assert await anext(items) == 0
        await all_produced.wait()
        assert produced == [0, 1, 2, 3, 4]
        assert [n async for n in items] == [1, 2, 3, 4]


async def test_an_error_comes_after_the_items_before_it() -> None:
    async def broken() -> AsyncGenerator[int, None]:
        yield 1
        yield 2
        raise RuntimeError("broke")

    got: list[int] = []
    with pytest.raises(RuntimeError, match="broke"):
        async for item in ahead(broken()):
            got.append(item)
    assert got == [1, 2]


async def test_leaving_early_ends_the_producer() -> None:
    ended = asyncio.Event()

    async def endless() -> AsyncGenerator[int, None]:
        try:
            while True:
                yield 0
                await asyncio.sleep(0)
        finally:
            ended.set()

    async with aclosing(ahead(endless(), depth=2)) as items:
        await anext(items)
    await asyncio.wait_for(ended.wait(), 5)
