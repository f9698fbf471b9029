"""The benches in their short form: that they run and measure what they say; their bars are for `make bench…`."""

from pathlib import Path

import pytest
from support.postgres import own_server_only

from bench import brain, mqtt, voices
from bench.reminders import lateness, overdue_at_start
from bench.turn import overheads


@pytest.mark.parametrize("command", [False, True])
async def test_turn_overhead(command: bool, database_url: str, tmp_path: Path) -> None:
    found = await overheads(database_url, 2, early=True, command=command, folder=tmp_path, warming=1)
    assert len(found) == 2
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


@own_server_only
async def test_a_turn_with_the_language_model(database_url: str, tmp_path: Path) -> None:
    found = await brain.measured(database_url, tmp_path, turns=2, memories=50, things=6, warming=1)
    assert {name: len(values) for name, values in found.items()} == dict.fromkeys(
        ("ours, words", "its processor time", "first sound", "ours, a deed"), 2
    )
    assert all(0 < value < 2000 for values in found.values() for value in values)
    assert {figure.bar for figure in brain.figures_of(found)} == {"", "p99 30 ms", "p99 20 ms"}


def test_voices_told_apart() -> None:
    found = voices.measure("vozes sintéticas", voices.synthetic(6, 7), draws=3, short=True)
    assert set(found) == {"3 s", "1 s", "3 s, ruído"}
    assert found["3 s"].eer <= voices.MOST_EER
    assert found["3 s"].wrong <= 0.02
    assert found["3 s"].trials == 12
    assert all(one.right + one.unknown + one.wrong == pytest.approx(1) for one in found.values())
