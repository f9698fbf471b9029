"""The benches in their short form: that they run and measure what they say; their bars are for `make bench…`."""

import pytest
from support.folders import short_folder

from bench import mqtt
from bench.reminders import lateness, overdue_at_start
from bench.turn import overheads


@pytest.mark.parametrize("command", [False, True])
async def test_turn_overhead(command: bool) -> None:
    with short_folder() as folder:
        found = await overheads(3, early=True, command=command, data_dir=folder / "data")
    assert len(found) == 3
    assert all(0 < overhead_ms < 500 for overhead_ms in found)


async def test_plan_to_device_and_flood() -> None:
    found = await mqtt.measured(entities=520, turns=3, per_s=200)
    assert {name: len(values) for name, values in found.items()} == dict.fromkeys(
        ("published", "to_device", "quiet", "flooded"), 3
    )
    assert all(value > 0 for values in found.values() for value in values)
    assert {figure.bar for figure in mqtt.figures_of(found, 520, 200)} == {"", "3 ms", "10 ms", "20 ms"}


async def test_reminders_lateness_and_a_start_with_many_overdue(database_url: str) -> None:
    late_ms = await lateness(database_url, reminders=20, within_s=1.0)
    assert len(late_ms) == 20
    assert all(0 <= each < 1000 for each in late_ms)
    start = await overdue_at_start(database_url, overdue=300)
    assert (start["briefings"], start["spoken one by one"]) == (1, 0)
    assert start["memory, MB"] < 200
