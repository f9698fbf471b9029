"""What a first-time user tries on the demonstration house: colours, whites and speeds, from the sentence to the lamp."""

from datetime import UTC, datetime

import pytest

from daemon.demo.toy import Toy, toys
from daemon.devices.commands import command
from daemon.devices.house import House
from daemon.devices.order import Order, Value, Verb
from daemon.language.language import Language
from daemon.language.plan import Heard

NOW = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def language() -> Language:
    return Language()


@pytest.fixture
def things() -> dict[str, Toy]:
    return {toy.id: toy for toy in toys("demo")}


def house_of(things: dict[str, Toy]) -> House:
    """The house as these devices announce themselves and say that they are."""
    house = House()
    for toy in things.values():
        topic, payload = toy.announcement("homeassistant")
        house.announce(topic, payload.encode())
        tell(house, toy)
    return house


def tell(house: House, toy: Toy) -> None:
    if (said := toy.report()) is not None:
        house.hear(toy.place, said.encode(), NOW)


@pytest.mark.parametrize(
    ("sentence", "target", "slots"),
    [
        ("deixa a luz da sala azul", "light.sala", {"color": "blue"}),
        ("coloca a luz da sala vermelha", "light.sala", {"color": "red"}),
        ("deixa a fita de LED roxa", "light.fita_led", {"color": "purple"}),
        ("põe a luz do quarto quente", "light.quarto_casal", {"color_temperature": 2700}),
        ("põe a luz da sala em luz fria", "light.sala", {"color_temperature": 4000}),
        ("põe a luz da sala em 4000 kelvin", "light.sala", {"color_temperature": 4000}),
        ("luz da sala branca", "light.sala", {"color": "white"}),
        ("põe o ventilador da sala no máximo", "fan.ventilador_sala", {"percentage": 100}),
    ],
)
def test_first_sentences_are_understood(
    language: Language, things: dict[str, Toy], sentence: str, target: str, slots: dict[str, object]
) -> None:
    (intent,) = language.understand(Heard(sentence, NOW), house_of(things).household()).intents
    assert intent.targets == (target,)
    assert {key: intent.slots[key] for key in slots} == slots


@pytest.mark.parametrize(
    ("target", "verb", "value", "told"),
    [
        ("light.sala", "set_color", (0, 0, 255), {"color": (4, 0, 255)}),
        ("light.quarto_casal", "set_color_temp", 2700, {"color_temp_kelvin": 2702}),
        ("light.quarto_casal", "set_brightness", 30, {"brightness_pct": 30, "color_temp_kelvin": 4000}),
        ("fan.teto_criancas", "set_speed", 60, {"percentage": 60}),
    ],
)
def test_the_device_obeys_and_says_so(
    things: dict[str, Toy], target: str, verb: Verb, value: Value, told: dict[str, object]
) -> None:
    house, toy = house_of(things), things[target]
    entity = house.entity(target)
    assert entity is not None
    wanted = command(entity, house.condition(target), toy.name, Order(target, verb, value))
    for topic, payload in wanted.messages:
        toy.obey(topic.rpartition("/")[2], payload.decode())
    tell(house, toy)
    condition = house.condition(target)
    assert wanted.goal is not None
    assert wanted.goal.reached(condition)
    assert {key: condition.attributes.get(key) for key in told} == told


@pytest.mark.parametrize("payload", ["{", "[]", '{"color":{"x":"a","y":1}}', '{"color":5}', '{"color_temp":1e999}'])
def test_what_a_lamp_does_not_understand_it_ignores(things: dict[str, Toy], payload: str) -> None:
    lamp = things["light.sala"]
    before = lamp.report()
    lamp.obey("json", payload)
    assert lamp.report() == before
