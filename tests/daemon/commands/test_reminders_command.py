"""`mordomo reminders` and `mordomo lists`, as processes, with no daemon running."""

import json
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from support.command import Ended, mordomo

from db.audit import recent
from db.database import open_database


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


async def told(database_url: str, data_dir: Path, *arguments: str) -> Any:
    ended = await mordomo(database_url, *arguments, "--json", data_dir=data_dir)
    assert ended.status == 0, ended.err
    return json.loads(ended.out)


async def test_added_shown_changed_put_off_and_cancelled(database_url: str, data_dir: Path) -> None:
    made = await told(database_url, data_dir, "reminders", "add", "pilates", "2031-05-06 19:00", "--repeat", "toda terça",
                      "--for", "Ana", "--before", "meia hora")  # fmt: skip
    assert made["scheduled_at"].startswith("2031-05-06T18:30")
    assert made["rrule"] == "FREQ=WEEKLY;BYDAY=TU"
    code = made["id"].replace("-", "")[-6:]
    shown = await mordomo(database_url, "reminders", "list", data_dir=data_dir)
    assert code in shown.out
    assert "pilates" in shown.out
    changed = await told(
        database_url, data_dir, "reminders", "edit", code, "--when", "2031-05-07 20:00", "--title", "ioga"
    )
    assert (changed["title"], changed["rrule"]) == ("ioga", "FREQ=WEEKLY;BYDAY=WE")
    assert changed["scheduled_at"].startswith("2031-05-07T19:30")
    put_off = await told(database_url, data_dir, "reminders", "snooze", code, "2031-05-08 10:00")
    assert put_off["scheduled_at"].startswith("2031-05-08T10:00")
    assert await told(database_url, data_dir, "reminders", "cancel", code) == {"cancelled": 1, "skipped": 0}
    assert await told(database_url, data_dir, "reminders", "list") == []
    async with open_database(database_url) as db:
        assert {change.channel for change in await recent(db, "reminders")} == {"cli"}


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("add", "x", "blá"), "Não entendi quando"),
        (("add", "x", "2001-01-01 10:00"), "já passou"),
        (("add", "", "2031-05-06 19:00"), "Lembrar de quê"),
        (("edit", "abc123"), "Não há um lembrete abc123"),
        (("cancel",), "Diga os códigos"),
        (("import", "/nao/existe.ics"), "Não consegui ler"),
    ],
)
async def test_what_cannot_be_is_said(database_url: str, data_dir: Path, arguments: tuple[str, ...], why: str) -> None:
    ended: Ended = await mordomo(database_url, "reminders", *arguments, data_dir=data_dir)
    assert ended.status == 1
    assert why in ended.err


async def test_out_as_a_calendar_and_in_again(database_url: str, data_dir: Path, tmp_path: Path) -> None:
    await told(database_url, data_dir, "reminders", "add", "remédio; com água", "todo dia às oito")
    file = tmp_path / "casa.ics"
    assert (await mordomo(database_url, "reminders", "export", str(file), data_dir=data_dir)).status == 0
    (event,) = Calendar.from_ical(file.read_bytes()).events
    assert str(event["SUMMARY"]) == "remédio; com água"
    assert event["RRULE"].to_ical() == b"FREQ=DAILY"
    again = await told(database_url, data_dir, "reminders", "import", str(file))
    assert (again["added"], again["already"]) == (0, 1)
    foreign = file.read_text().replace("@mordomo", "@elsewhere")
    file.write_text(foreign)
    assert (await told(database_url, data_dir, "reminders", "import", str(file)))["added"] == 1
    (one, other) = await told(database_url, data_dir, "reminders", "list")
    assert one["scheduled_at"] == other["scheduled_at"]


async def test_lists(database_url: str, data_dir: Path) -> None:
    added = await told(database_url, data_dir, "lists", "add", "compras", "leite", "dois quilos de arroz", "Leites")
    assert added == {"added": ["leite", "dois quilos de arroz"], "already": []}
    again = await told(database_url, data_dir, "lists", "add", "Compra", "leite")
    assert again == {"added": [], "already": ["leite"]}
    await told(database_url, data_dir, "lists", "tick", "compras", "leite")
    shown = await told(database_url, data_dir, "lists", "show", "compras")
    assert [(item["text"], item["ticked_at"] is not None) for item in shown] == [("arroz", False), ("leite", True)]
    assert await told(database_url, data_dir, "lists", "list") == [{"name": "compras", "person": None, "waiting": 1}]
    missing = await mordomo(database_url, "lists", "remove", "compras", "vinho", data_dir=data_dir)
    assert "Não achei “vinho”" in missing.err
    await told(database_url, data_dir, "lists", "clear", "compras", "--yes")
    assert await told(database_url, data_dir, "lists", "show", "compras") == []
