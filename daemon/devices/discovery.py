"""Home Assistant's MQTT discovery: an announcement becomes entities.

Both forms are read: one component a topic (`<prefix>/<component>/[<node>/]<object>/config`) and a device with its
`components` (`<prefix>/device/[<node>/]<object>/config`), with abbreviated keys, the `~` base, and options that a
device shares with its components. Source: Home Assistant's documentation of its MQTT integration.

How an entity's id is formed: the component, a dot, and the slug of the first of `default_entity_id` (what follows its
dot), `object_id`, `unique_id`, else of the topic's node and object. `light` with `object_id: sala` is `light.sala`. The
id depends on nothing but the announcement; when two announce the same, the house gives the later one a suffix.
"""

import json
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NoReturn

from daemon.devices import abbreviations, components
from daemon.devices.entity import Entity, Presence
from daemon.devices.naming import clean_name, slug
from daemon.devices.template import BadTemplate, compiled
from daemon.devices.traits import traits

MAX_PAYLOAD = 256 * 1024
"""Longest payload that is looked at, in bytes."""
MAX_COMPONENTS = 256
MAX_TOPIC = 1024
MAX_SECONDS = 366 * 86_400.0
SHARED = frozenset(
    {"availability", "availability_mode", "availability_template", "availability_topic", "command_topic", "device",
     "encoding", "origin", "payload_available", "payload_not_available", "qos", "state_topic"}
)  # fmt: skip
_NOT_IN_TOPIC = re.compile("[#\x00-\x1f\x7f\ud800-\udfff]")
_PART = r"[^/]{1,200}"


class BadAnnouncement(ValueError):  # noqa: N818 - it says what the announcement is
    """A discovery payload that is refused; the message says why, without quoting it."""


def parse_json(payload: bytes | str) -> Any:
    """Decode strict JSON. Raises ValueError for what is malformed, too deep, or holds NaN."""
    try:
        return _DECODER.decode(payload if isinstance(payload, str) else payload.decode("utf-8-sig"))
    except RecursionError:
        raise ValueError("nested too deep") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def announced(prefix: str, topic: str, payload: bytes) -> tuple[Entity, ...]:
    """Return the entities that `payload` on `topic` announces; none where it removes them. Raises BadAnnouncement."""
    match = re.fullmatch(rf"{re.escape(prefix)}/(\w{{1,32}})/(?:({_PART})/)?({_PART})/config", topic)
    if match is None:
        raise BadAnnouncement("topic is not <prefix>/<component>/[<node>/]<object>/config")
    if not payload:
        return ()
    if len(payload) > MAX_PAYLOAD:
        raise BadAnnouncement(f"payload is longer than {MAX_PAYLOAD} bytes")
    try:
        found = parse_json(payload)
    except ValueError as problem:
        raise BadAnnouncement(f"payload is not JSON: {type(problem).__name__}") from None
    if not isinstance(found, dict):
        raise BadAnnouncement("payload is not an object")
    component, node, name = match.groups()
    fallback = f"{node}_{name}" if node else name
    if "migrate_discovery" in found or "migr_discvry" in found:
        return ()
    if component != "device":
        return (_entity(component, topic, fallback, _unabridged(found)),)
    return device_announced(topic, fallback, found)


def device_announced(topic: str, fallback: str, found: Mapping[str, Any]) -> tuple[Entity, ...]:
    """Return what a device with its components announces on `topic`. Raises BadAnnouncement."""
    return tuple(_components(topic, fallback, _unabridged(found)))


def _components(topic: str, fallback: str, whole: dict[str, Any]) -> Iterable[Entity]:
    parts = whole.get("components")
    if not isinstance(parts, dict) or len(parts) > MAX_COMPONENTS:
        raise BadAnnouncement(f"components is not an object of at most {MAX_COMPONENTS}")
    shared = {key: value for key, value in whole.items() if key in SHARED or key == "~"}
    for key, part in parts.items():
        if not isinstance(part, dict):
            raise BadAnnouncement("a component is not an object")
        config = _unabridged({"~": shared["~"]} | part if "~" in shared else part)
        component = config.get("platform")
        if not isinstance(component, str) or not re.fullmatch(r"\w{1,32}", component):
            raise BadAnnouncement("a component has no platform")
        if set(config) - {"platform", "~"}:  # nothing but the platform: the component is taken away
            yield _entity(component, f"{topic}#{key[:200]}", f"{fallback}_{key}", shared | config)


def _unabridged(found: Mapping[str, Any]) -> dict[str, Any]:
    config = {abbreviations.KEYS.get(key, key): value for key, value in found.items()}
    for key, names in (("device", abbreviations.DEVICE), ("origin", abbreviations.ORIGIN)):
        if isinstance(inner := config.get(key), dict):
            config[key] = {names.get(short, short): value for short, value in inner.items()}
    if "availability" in config:
        entries = config["availability"] if isinstance(config["availability"], list) else [config["availability"]]
        config["availability"] = [
            {abbreviations.KEYS.get(key, key): value for key, value in entry.items()}
            for entry in entries[:MAX_COMPONENTS]
            if isinstance(entry, dict)
        ]
    return _based(config)


def _based(config: dict[str, Any]) -> dict[str, Any]:
    base = config.get("~")
    entries = config.get("availability", [])
    for holder in (config, *entries):
        for key, value in list(holder.items()):
            if key.endswith("topic"):
                expanded = topic_or_none(value, base if isinstance(base, str) else None)
                may_be = expanded is not None and ("+" not in expanded or _may_be_filter(key, expanded))
                if expanded is None or not may_be:
                    del holder[key]
                else:
                    holder[key] = expanded
    return config


def _may_be_filter(key: str, topic: str) -> bool:
    """Tell whether a topic with `+` stands for one device heard through several gateways, as OpenMQTTGateway has it.

    `+` must be a whole level, and two levels at least say what is listened to, the last one among them.
    """
    levels = topic.split("/")
    named = [level for level in levels if level and "+" not in level]
    whole = all(level == "+" or "+" not in level for level in levels)
    return key.endswith("state_topic") and whole and levels[-1] in named and len(named) >= 2


def topic_or_none(value: object, base: str | None = None) -> str | None:
    """Return the whole topic, or None for what may not be one (`#` would let a device listen to all others)."""
    if not isinstance(value, str) or not value:
        return None
    if base is not None and value[0] == "~":
        value = base + value[1:]
    elif base is not None and value[-1] == "~":
        value = value[:-1] + base
    bad = len(value) > MAX_TOPIC or value.startswith(("$", "mordomo/")) or _NOT_IN_TOPIC.search(value)
    return None if bad else value


def _entity(component: str, source: str, fallback: str, config: dict[str, Any]) -> Entity:
    raw_device, raw_origin = config.get("device"), config.get("origin")
    device: Mapping[str, Any] = raw_device if isinstance(raw_device, dict) else {}
    origin: Mapping[str, Any] = raw_origin if isinstance(raw_origin, dict) else {}
    mode = config.get("availability_mode", "latest")
    reports, presences = tuple(components.reports(component, config)), tuple(_presences(config))
    templates = [report.template for report in reports] + [presence.template for presence in presences]
    problems = [_refused(template) for template in templates]
    return Entity(
        id=f"{component}.{_object(config, fallback)}",
        component=component,
        source=source,
        name=clean_name(config.get("name")),
        device_name=clean_name(device.get("name")),
        area=clean_name(device.get("suggested_area")),
        device_class=clean_name(config.get("device_class")),
        unit=clean_name(config.get("unit_of_measurement")),
        category="config" if config.get("enabled_by_default") is False else clean_name(config.get("entity_category")),
        origin=clean_name(origin.get("name")),
        config=MappingProxyType(config),
        reports=tuple(report for report in reports if _refused(report.template) is None),
        presences=tuple(presence for presence in presences if _refused(presence.template) is None),
        presence_mode=mode if mode in ("all", "any") else "latest",
        abilities=components.abilities(component, config),
        problems=tuple(problem for problem in problems if problem is not None),
        words=components.words(component, config),
        traits=traits(component, config),
        off_delay_s=_seconds(config, "off_delay") if component == "binary_sensor" else None,
        expire_s=_seconds(config, "expire_after") if component in ("binary_sensor", "sensor") else None,
    )


def _seconds(config: Mapping[str, Any], key: str) -> float | None:
    seconds = components.number(config, key, 0)
    return min(seconds, MAX_SECONDS) if seconds > 0 else None


def _object(config: Mapping[str, Any], fallback: str) -> str:
    default = config.get("default_entity_id")
    given = default.partition(".")[2] if isinstance(default, str) else None
    for text in (given, config.get("object_id"), config.get("unique_id"), fallback):
        if isinstance(text, str) and (name := slug(text)):
            return name
    return "sem_nome"


def _refused(template: str | None) -> str | None:
    try:
        if template is not None:
            compiled(template)
    except BadTemplate as problem:
        return str(problem)
    return None


def _presences(config: Mapping[str, Any]) -> Iterable[Presence]:
    entries = config.get("availability") or []
    if isinstance(topic := config.get("availability_topic"), str):
        shared = ("payload_available", "payload_not_available")
        entries = [{"topic": topic, "value_template": config.get("availability_template")}
                   | {key: config[key] for key in shared if key in config}]  # fmt: skip
    for entry in entries:
        if isinstance(entry.get("topic"), str):
            template = entry.get("value_template")
            yield Presence(
                topic=entry["topic"],
                available=str(entry.get("payload_available", "online")),
                not_available=str(entry.get("payload_not_available", "offline")),
                template=template if isinstance(template, str) else None,
            )
