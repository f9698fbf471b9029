"""The benches in their short form: that they run and measure what they say; their bars are for `make bench…`."""

import pytest
from support.folders import short_folder

from bench.turn import overheads


@pytest.mark.parametrize("command", [False, True])
async def test_turn_overhead(command: bool) -> None:
    with short_folder() as folder:
        found = await overheads(3, early=True, command=command, data_dir=folder / "data")
    assert len(found) == 3
    assert all(0 < overhead_ms < 500 for overhead_ms in found)
