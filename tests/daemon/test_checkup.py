"""A device's check-up: what is ordered, what is written down, and what is said of it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.clock import FakeClock

from daemon.checkup import CheckUp
from daemon.devices.house import House
from daemon.devices.order import Order, Outcome
from daemon.errors import CannotDo, LinkDown
from db.database import Database
from db.ledger import open_ledger


class Scripted:
    """Devices whose outcomes are given, an error among them if wanted."""

    def __init__(self) -> None:
        self.house = House()
        for component, name in (("light", "x"), ("lock", "porta"), ("switch", "mudo")):
            announced = json.dumps({"obj_id": name, "name": name, "stat_t": f"s/{name}", "cmd_t": "c"}).encode()
            self.house.announce(f"homeassistant/{component}/{name}/config", announced)
        self.orders: list[Order] = []
        self.outcome: str | Exception = "confirmed"

    async def carry_out(self, order: Order) -> Outcome:
        self.orders.append(order)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return Outcome(self.outcome, "on", {"state": "off"}, 12.0)  # type: ignore[arg-type]


@pytest.fixture
async def check_up(db: Database, tmp_path: Path) -> AsyncIterator[CheckUp]:
    async with open_ledger(db, tmp_path) as ledger:
        yield CheckUp(Scripted(), ledger, FakeClock())


def links(check_up: CheckUp) -> Scripted:
    assert isinstance(check_up.devices, Scripted)
    return check_up.devices


async def test_it_is_turned_over_and_back_and_both_are_in_the_ledger(check_up: CheckUp, db: Database) -> None:
    links(check_up).house.hear("s/x", b"ON", check_up.clock.now())
    report = await check_up.test("light.x", {})
    assert (report.ok, report.verdict) == (True, "Está tudo certo: obedece e conta como está.")
    assert [step.verb for step in report.steps] == ["turn_off", "turn_on"]
    rows = await db.fetch(
        "SELECT a.id, action_name, status, content, a.result ->> 'outcome' AS outcome FROM actions AS a"
        " JOIN messages AS m ON m.id = message_id ORDER BY array_position(ARRAY['turn_off', 'turn_on'], action_name::text)"
    )
    assert [tuple(row)[1:] for row in rows] == [
        ("turn_off", "success", "testa x", "confirmed"), ("turn_on", "success", "testa x", "confirmed"),
    ]  # fmt: skip
    assert [order.action_id for order in links(check_up).orders] == [row["id"] for row in rows]


@pytest.mark.parametrize(
    ("outcome", "heard", "verdict"),
    [
        ("silent", True, "Não obedece, ou obedece sem contar."),
        ("silent", False, "Nunca contou como está."),
        ("unavailable", True, "Está fora do ar."),
        ("sent", True, "Mandei as ordens;"),
        (CannotDo("x não recebe ordens."), True, "O anúncio dele não diz onde recebe ordens."),
    ],
)
async def test_each_way_of_going_wrong_has_its_words(
    check_up: CheckUp, outcome: str | Exception, heard: bool, verdict: str
) -> None:
    links(check_up).outcome = outcome
    if heard:
        links(check_up).house.hear("s/x", b"OFF", check_up.clock.now())
    report = await check_up.test("light.x", {})
    assert report.verdict.startswith(verdict)
    assert report.ok is (outcome == "sent")


async def test_what_lets_somebody_in_is_not_moved_just_to_see(check_up: CheckUp) -> None:
    for entity_id, marks in (("lock.porta", {}), ("light.x", {"guarded": True}), ("light.nada", {})):
        with pytest.raises(CannotDo):
            await check_up.test(entity_id, marks)
    assert links(check_up).orders == []


async def test_a_broker_that_goes_away_leaves_nothing_open(check_up: CheckUp, db: Database) -> None:
    links(check_up).outcome = LinkDown("broker", "caiu")
    with pytest.raises(LinkDown):
        await check_up.test("light.x", {})
    assert [row[0] for row in await db.fetch("SELECT status FROM actions")] == ["failed", "failed"]
