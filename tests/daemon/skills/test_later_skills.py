"""Commands for later: a row before the promise, what puts it back before the lamp is lit."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.clock import FakeClock
from support.house import Links, home

from daemon.devices.order import Order, Outcome
from db.database import Database


async def rows(db: Database) -> list[dict[str, Any]]:
    found = await db.fetch(
        "SELECT title, kind, scheduled_at, rrule, plan, late FROM reminders WHERE status = 'pending'"
    )
    return [dict(row) for row in found]


@pytest.mark.parametrize(
    ("text", "said", "after_s"),
    [
        (
            "apaga a luz da cozinha às dez da noite",
            "Combinado: apago a luz da cozinha hoje às dez da noite.",
            13 * 3600,
        ),
        ("apaga a luz da cozinha daqui a dez minutos", "Combinado: apago a luz da cozinha daqui a dez minutos.", 600),
        ("abre o portão às sete da noite", "Quer mesmo abrir o portão? Diga sim ou não.", 0),
    ],
)
async def test_it_is_stored_and_said_back(
    database_url: str, tmp_path: Path, text: str, said: str, after_s: int
) -> None:
    clock = FakeClock()
    async with home(database_url, tmp_path, clock=clock) as house:
        assert (await house.butler.ask(text, house.written)).reply == [said]
        assert house.links.orders == []
        stored = await rows(house.db)
        assert [(row["scheduled_at"] - clock.now()).total_seconds() for row in stored] == ([after_s] if after_s else [])


async def test_a_gate_for_later_takes_its_yes_now(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path, clock=FakeClock()) as house:
        await house.butler.ask("abre o portão às sete da noite", house.written)
        said = (await house.butler.ask("sim", house.written)).reply
        assert said == ["Combinado: abro o portão hoje às sete da noite."]
        assert house.links.orders == []
        (row,) = await rows(house.db)
        assert row["plan"][0]["slots"]["confirmed"] is True


async def test_again_and_again(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path, clock=FakeClock()) as house:
        said = (await house.butler.ask("acende a luz da sala todo dia às seis da tarde", house.written)).reply
        assert said == ["Combinado: acendo a luz da sala todo dia às seis da tarde."]
        (row,) = await rows(house.db)
        assert (row["kind"], row["title"]) == ("command", "acender a luz da sala")
        assert row["rrule"] == "FREQ=DAILY;BYHOUR=18;BYMINUTE=0"
        assert row["plan"] == [{"intent": "HassTurnOn", "targets": ["light.sala"], "slots": {"name": "luz da sala"}}]


async def test_but_not_on_holidays(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path, clock=FakeClock()) as house:  # the 20th of November is a holiday
        text = "todo dia às seis da tarde acende a luz da sala menos nos feriados"
        said = (await house.butler.ask(text, house.written)).reply
        assert said == ["Combinado: acendo a luz da sala todo dia às seis da tarde, menos nos feriados."]
        row = await house.db.fetchrow("SELECT scheduled_at, on_holiday, plan FROM reminders")
        assert row is not None
        assert row["scheduled_at"] == datetime(2026, 11, 21, 21, tzinfo=UTC)
        assert row["on_holiday"] == "skip"
        assert "on_holiday" not in row["plan"][0]["slots"]


async def test_for_a_while_is_now_and_back(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path, clock=FakeClock()) as house:
        said = (await house.butler.ask("acende a luz da sala por dez minutos", house.written)).reply
        assert said == ["Acendi a luz da sala. Depois, daqui a dez minutos, apago a luz da sala."]
        assert [(order.entity_id, order.verb) for order in house.links.orders] == [("light.sala", "turn_on")]
        (row,) = await rows(house.db)
        assert row["plan"][0]["intent"] == "HassTurnOff"
        assert row["late"] == "speak"  # however late, the lamp goes out


async def test_a_level_goes_back_to_what_it_was(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path, clock=FakeClock()) as house:
        await house.butler.ask("coloca a luz da sala em 30% por dez minutos", house.written)
        (row,) = await rows(house.db)
        assert row["plan"][0]["intent"] == "HassTurnOff"


async def test_asked_again_meanwhile_it_still_goes_back_to_how_it_was_first(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path, clock=FakeClock()) as house:
        await house.butler.ask("acende a luz da sala por dez minutos", house.written)
        said = (await house.butler.ask("coloca a luz da sala em 30% por meia hora", house.written)).reply
        assert said == ["Coloquei a luz da sala em 30%. Depois, daqui a meia hora, apago a luz da sala."]
        (row,) = await rows(house.db)
        assert row["plan"][0]["intent"] == "HassTurnOff"


async def test_at_an_hour_and_for_a_while(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path, clock=FakeClock()) as house:
        said = (await house.butler.ask("acende a luz da sala às sete da noite por duas horas", house.written)).reply
        assert said == ["Combinado: acendo a luz da sala hoje às sete da noite, por duas horas."]
        (row,) = await rows(house.db)
        assert row["plan"][0]["slots"]["for_s"] == 7200


async def test_what_did_not_obey_is_not_put_back(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path, clock=FakeClock(), links=Links(light__sala="silent")) as house:
        said = (await house.butler.ask("acende a luz da sala por dez minutos", house.written)).reply
        assert said == ["Mandei, mas a luz da sala não respondeu."]
        assert await rows(house.db) == []


class Watching(Links):
    """Devices that note what was stored by the time they are moved."""

    db: Database
    stored: int = 0

    async def carry_out(self, order: Order) -> Outcome:
        self.stored = await self.db.fetchval("SELECT count(*) FROM reminders WHERE kind = 'command'")
        return await super().carry_out(order)


async def test_it_is_put_back_even_if_mordomo_dies_while_it_acts(database_url: str, tmp_path: Path) -> None:
    links = Watching()
    async with home(database_url, tmp_path, clock=FakeClock(), links=links) as house:
        links.db = house.db
        await house.butler.ask("acende a luz da sala por dez minutos", house.written)
        assert links.stored == 1


async def test_what_would_let_somebody_in_is_not_put_back_by_itself(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path, clock=FakeClock()) as house:
        said = (await house.butler.ask("tranca a porta da frente por dez minutos", house.written)).reply
        assert said[0].startswith("Isso eu não sei desfazer depois")
        assert house.links.orders == []
        assert await rows(house.db) == []


async def test_it_is_cancelled_by_its_words(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path, clock=FakeClock()) as house:
        await house.butler.ask("apaga a luz da cozinha às dez da noite", house.written)
        said = (await house.butler.ask("cancela o lembrete da luz da cozinha", house.written)).reply
        assert said == ["Cancelei: não vou apagar a luz da cozinha."]
        assert await rows(house.db) == []
