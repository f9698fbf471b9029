"""What may be said on Mordomo's own topics: the schemas are the declarations, and nothing else is taken."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from support.clock import FakeClock

import daemon.presence.schemas as schemas_folder
from daemon.devices.discovery import announced
from daemon.devices.house import House
from daemon.devices.template import compiled
from daemon.presence import announcement
from daemon.presence.limits import Limit
from daemon.presence.messages import (
    ASK,
    HEARD,
    MAX_BYTES,
    MICROPHONE_SET,
    SAY,
    SCHEMAS,
    STOP,
    TOPICS,
    Ask,
    Malformed,
    Say,
    heard,
)  # fmt: skip
from daemon.presence.schemas.__main__ import written

FOLDER = Path(schemas_folder.__path__[0])
DOCUMENT = Path(__file__).parents[3] / "docs" / "mqtt.md"


def test_each_file_is_its_declaration() -> None:
    files = {path.stem: path.read_text("utf-8") for path in FOLDER.glob("*.json")}
    assert files == {name: written(name) for name in SCHEMAS}


def test_the_examples_in_the_document_are_what_they_say() -> None:
    text = DOCUMENT.read_text("utf-8")
    topics: dict[str, type[BaseModel]] = {topic: model for model, topic in TOPICS.items()}
    topics |= {ASK: Ask, SAY: Say}
    found = re.findall(r"^`(mordomo/[a-z/]+)`.*?```json\n(.+?)\n```", text, re.DOTALL | re.MULTILINE)
    assert {topic for topic, _ in found} == topics.keys()
    for topic, example in found:
        topics[topic].model_validate_json(example)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b'{"text": "acende a luz"}', Ask(text="acende a luz")),
        (
            b'{"text": "oi", "area": "sala", "speak": true, "id": "a.1"}',
            Ask(text="oi", area="sala", speak=True, id="a.1"),
        ),
        ('{"text": " olá \\n mundo\\u202e "}'.encode(), Ask(text="olá mundo")),
    ],
)
def test_a_request(payload: bytes, expected: Ask) -> None:
    assert heard(ASK, payload) == expected


def test_words_that_are_no_json() -> None:
    assert heard(STOP, b"STOP") is None
    assert heard(MICROPHONE_SET, b"muted") is True
    assert heard(MICROPHONE_SET, b"open") is False


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (ASK, b""), (ASK, b"acende a luz"), (ASK, b"[]"), (ASK, b"null"), (ASK, b"\xff\xfe"), (ASK, b'{"text": 1}'),
        (ASK, b'{"text": ""}'), (ASK, b'{"text": "\\u200b"}'), (ASK, b'{"text": "oi", "confirmed": true}'),
        (ASK, b'{"text": "oi", "person": "Ana"}'), (ASK, b'{"text": "oi", "speak": "yes"}'),
        (ASK, b'{"text": "oi", "id": "a b"}'), (ASK, json.dumps({"text": "x" * 501}).encode()),
        (ASK, b"[" * 5000), (SAY, b'{"text": "oi", "speak": true}'), (SAY, b'{"text": "oi", "area": ""}'),
        (STOP, b"now"), (MICROPHONE_SET, b"ON"), (ASK, b'{"text": "oi"}' + b" " * MAX_BYTES),
    ],
)  # fmt: skip
def test_what_is_malformed_is_refused(topic: str, payload: bytes) -> None:
    with pytest.raises(Malformed):
        heard(topic, payload)


@given(st.sampled_from(HEARD), st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["text", "area", "id", "speak", "x"]), inner), max_leaves=6,
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_whatever_comes_is_read_or_refused(topic: str, payload: bytes) -> None:
    try:
        said = heard(topic, payload)
    except Malformed:
        return
    if isinstance(said, Ask | Say):
        assert 0 < len(said.text) <= 500
        assert said.text.isprintable()


def test_home_assistant_can_read_the_announcement() -> None:
    topic, payload = announcement.topic("homeassistant"), announcement.payload("sala")
    entities = announced("homeassistant", topic, payload.encode())
    assert {entity.component for entity in entities} == {"switch", "sensor", "text", "button"}
    assert all(entity.device_name == "Mordomo" and not entity.problems for entity in entities)
    ask: dict[str, Any] = json.loads(payload)["cmps"]["ask"]
    sent = compiled(ask["cmd_tpl"])({"value": 'diz "oi"\\n'})
    assert heard(ask["cmd_t"], sent.encode()) == Ask(text='diz "oi"\\n')


def test_the_house_does_not_take_mordomo_for_a_device() -> None:
    house = House()
    house.announce(announcement.topic("homeassistant"), announcement.payload("sala").encode())
    assert len(house) == 0


def test_a_limit_fills_with_time() -> None:
    clock = FakeClock()
    limit = Limit(clock, burst=2, every_s=10)
    assert [limit.allows() for _ in range(3)] == [True, True, False]
    clock.advance(9)
    assert not limit.allows()
    clock.advance(1.5)
    assert limit.allows()
    clock.advance(10_000)
    assert [limit.allows() for _ in range(3)] == [True, True, False]
