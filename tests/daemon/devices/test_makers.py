"""Announcements as makers publish them: each becomes the right entity, hears its device and speaks its maker's bytes."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from daemon.devices.commands import command, verbs
from daemon.devices.components import REPORTS
from daemon.devices.entity import Condition, Entity
from daemon.devices.house import House
from daemon.devices.order import Order
from daemon.devices.traits import limits
from daemon.errors import CannotDo

MAKERS = sorted(Path(__file__).with_name("makers").glob("*.yaml"))
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
COMPONENTS = frozenset(
    """light switch fan cover valve lock climate sensor binary_sensor button scene select number siren vacuum humidifier
    water_heater media_player alarm_control_panel event lawn_mower""".split()
)


def cases() -> Iterator[Any]:
    for path in MAKERS:
        for case in yaml.safe_load(path.read_text())["announced"]:
            yield pytest.param(case, id=f"{path.stem}: {case['about']}")


def house_of(case: dict[str, Any]) -> House:
    """The house to which the device of this case has announced itself, in as many messages as its maker takes."""
    house = House()
    for topic, payload in {case["topic"]: case["payload"], **case.get("also", {})}.items():
        house.announce(topic, json.dumps(payload).encode())
    return house


def entities_in(house: House) -> dict[str, Entity]:
    return {entity.id: entity for entity in house.entities}


def entity_of(case: dict[str, Any], wanted: dict[str, Any]) -> str:
    return str(wanted.get("entity") or next(iter(case["entities"])))


def as_value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@pytest.mark.parametrize("case", list(cases()))
def test_an_announcement_becomes_its_entities(case: dict[str, Any]) -> None:
    found = entities_in(house_of(case))
    assert found.keys() == case["entities"].keys()
    for entity_id, wanted in case["entities"].items():
        entity = found[entity_id]
        assert (sorted(entity.abilities), entity.problems) == (wanted["abilities"], ())
        bounds = limits(entity.component, entity.config)
        for ability, (low, high) in wanted.get("limits", {}).items():
            assert bounds[ability] == pytest.approx((low, high), abs=0.1)
        for key in ("unit", "area", "device_class", "category", "name", "device_name", "off_delay_s"):
            assert getattr(entity, key) == wanted.get(key, getattr(entity, key))
        assert [list(one) for one in entity.asks] == wanted.get("asks", [list(one) for one in entity.asks])


@pytest.mark.parametrize("case", list(cases()))
def test_orders_become_the_bytes_that_the_maker_expects(case: dict[str, Any]) -> None:
    found = entities_in(house_of(case))
    for wanted in case.get("commands", []):
        entity = found[entity_of(case, wanted)]
        order = Order(entity.id, wanted["verb"], as_value(wanted.get("value")))
        messages = [[topic, data.decode()] for topic, data in command(entity, Condition(), "x", order).messages]
        assert messages == wanted["messages"], wanted
    for wanted in case.get("refused", []):
        entity = found[entity_of(case, wanted)]
        with pytest.raises(CannotDo) as refused:
            command(entity, Condition(), "x", Order(entity.id, wanted["verb"], as_value(wanted.get("value"))))
        assert wanted["say"] in refused.value.say


@pytest.mark.parametrize("case", list(cases()))
def test_what_the_device_says_is_heard(case: dict[str, Any]) -> None:
    house = house_of(case)
    for wanted in case.get("told", []):
        entity_id = entity_of(case, wanted)
        house.hear(wanted["topic"], wanted["payload"].encode(), NOW)
        condition = house.condition(entity_id)
        if "state" in wanted:
            assert condition.state == wanted["state"], wanted
        if "available" in wanted:
            assert condition.available is wanted["available"]
        if "attributes" in wanted:
            expected = {key: as_value(value) for key, value in wanted["attributes"].items()}
            assert dict(condition.attributes) == expected, wanted
    assert not house.refused or any(wanted.get("unread") for wanted in case["told"])


def test_every_component_has_an_announcement_here_and_every_order_a_device_that_takes_it() -> None:
    every = [case for path in MAKERS for case in yaml.safe_load(path.read_text())["announced"]]
    seen = {entity_id.partition(".")[0] for case in every for entity_id in case["entities"]}
    assert COMPONENTS - seen <= {"scene"}
    ordered = {
        (entity_of(case, wanted).partition(".")[0], wanted["verb"])
        for case in every
        for wanted in case.get("commands", [])
    }
    main = {component for component in COMPONENTS if verbs(component)}
    assert main - {component for component, _ in ordered} <= {"scene"}
    assert {table.partition(".")[0] for table in REPORTS} <= COMPONENTS
