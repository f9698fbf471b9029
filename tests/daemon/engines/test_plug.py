import asyncio

import pytest

from daemon.engines.plug import Plug, PlugState
from daemon.errors import EngineFailed, EngineMissing


class Kettle:
    """An engine that does nothing but know whether it was closed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


class Maker:
    """Builds kettles, or fails as told."""

    def __init__(self) -> None:
        self.made: list[Kettle] = []
        self.failure: EngineFailed | None = None

    def __call__(self) -> Kettle:
        if self.failure is not None:
            raise self.failure
        self.made.append(Kettle(f"kettle {len(self.made)}"))
        return self.made[-1]


async def test_builds_once_on_first_use() -> None:
    make = Maker()
    plug = Plug("kettle", make)
    assert plug.state == PlugState("empty")

    async def use() -> Kettle:
        async with plug.use() as kettle:
            return kettle

    users = await asyncio.gather(*(use() for _ in range(10)))
    assert len(make.made) == 1
    assert set(users) == {make.made[0]}
    assert plug.state.condition == "ready"


async def test_a_missing_engine_says_what_mends_it_and_is_tried_again() -> None:
    make = Maker()
    make.failure = EngineMissing("kettle", "não está aqui", "compre uma chaleira")
    plug = Plug("kettle", make)
    with pytest.raises(EngineMissing):
        async with plug.use():
            pass
    assert (plug.state.condition, plug.state.mend) == ("missing", "compre uma chaleira")
    make.failure = None
    async with plug.use() as kettle:
        assert kettle is make.made[0]


async def test_reload_lets_the_turn_under_way_keep_its_engine() -> None:
    make = Maker()
    plug = Plug("kettle", make)
    async with plug.use() as old:
        await plug.reload()
        assert plug.replaced(old)
        assert old.closed == 0
        async with plug.use() as new:
            assert new is not old
    assert (old.closed, new.closed) == (1, 0)


async def test_a_reload_that_fails_keeps_the_old_engine() -> None:
    make = Maker()
    plug = Plug("kettle", make)
    await plug.load()
    make.failure = EngineMissing("kettle", "não está baixada", "mordomo models pull")
    await plug.reload()
    async with plug.use() as kettle:
        assert kettle is make.made[0]
    assert plug.state.condition == "ready"
    assert "não está baixada" in plug.state.detail
    assert plug.state.mend == "mordomo models pull"


async def test_an_engine_that_breaks_is_built_anew_and_closed_when_nobody_uses_it() -> None:
    make = Maker()
    plug = Plug("kettle", make)
    async with plug.use() as other:
        with pytest.raises(EngineFailed):
            async with plug.use():
                raise EngineFailed("kettle", "queimou")
        assert plug.state.condition == "failed"
        assert other.closed == 0
    assert other.closed == 1
    async with plug.use() as new:
        assert new is make.made[1]


async def test_close_waits_for_who_uses_it() -> None:
    plug = Plug("kettle", Maker())
    async with plug.use() as kettle:
        plug.close()
        assert kettle.closed == 0
    assert kettle.closed == 1
