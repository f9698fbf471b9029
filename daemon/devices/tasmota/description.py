"""What a Tasmota says of itself in `tasmota/discovery/<MAC>/config`, read with care: its topics, words and options."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import Any, TypeVar

import yaml

from daemon.devices.discovery import BadAnnouncement
from daemon.devices.naming import clean_name

Announced = dict[str, dict[str, Any]]
"""Components by their keys, as a device's announcement holds them."""
T = TypeVar("T")
MAX_LISTED = 64
MAX_WORD = 100
NEEDED = ("ft", "t", "tp", "state")
ANSWERS = ("STATE", "POWER", "DIMMER", "CHANNEL", "COLOR", "HSBCOLOR", "CT", "WHITE", "SCHEME", "FANSPEED", "SHUTTER")
"""Where answers come with SetOption4: on a topic of their command, not on RESULT."""


@lru_cache(maxsize=1)
def told_words() -> Mapping[str, Any]:
    """Return what `quantities.yaml` says."""
    found: Mapping[str, Any] = yaml.safe_load(
        resources.files(__package__).joinpath("quantities.yaml").read_text(encoding="utf-8")
    )
    return found


class Description:
    """One device's own words. Raises BadAnnouncement for what cannot be used."""

    def __init__(self, mac: str, told: Mapping[str, Any]) -> None:
        if told.get("mac") != mac:
            raise BadAnnouncement("mac is not the topic's")
        self.mac = mac
        self._told = told
        prefixes, state = self.texts("tp"), self.texts("state")
        if len(prefixes) < 3 or len(state) < 2 or not all(prefixes[:3]) or not all(state[:2]):
            raise BadAnnouncement("prefixes or words for on and off are missing")
        self._command, self._stat, self._tele = (self._topic(str(prefix)) for prefix in prefixes[:3])
        if self._command in (self._stat, self._tele):
            raise BadAnnouncement("its topic has no %prefix%: what it says and what it is told would be one")
        self.off, self.on = (str(word)[:MAX_WORD] for word in state[:2])
        self.name = clean_name(told.get("dn")) or f"Tasmota {mac[-6:]}"

    @property
    def commands(self) -> str:
        """What the topic of each of its commands begins with."""
        return self._command

    def command(self, what: str) -> str:
        """Return the topic of a command."""
        return self._command + what

    def tele(self, what: str) -> str:
        """Return a topic on which it tells something by itself."""
        return self._tele + what

    def also(self) -> Mapping[str, tuple[str, ...]]:
        """Return where it tells the same as on a topic of `tele`: what it was asked, and what it has just done."""
        results = [self._stat + answer for answer in (self._answers() if self.option("4") else ("RESULT",))]
        return {
            self.tele("STATE"): tuple(results),
            self.tele("SENSOR"): (self._stat + "STATUS10", *results),
        }

    def result(self, what: str) -> str:
        """Return the topic on which it tells what `what` has just done."""
        return self._stat + (what if self.option("4") else "RESULT")

    def device(self) -> dict[str, Any]:
        """Return the device as Home Assistant's announcements describe one."""
        pairs = [self.mac[at : at + 2].lower() for at in range(0, len(self.mac), 2)]
        return {
            "identifiers": [self.mac], "connections": [["mac", ":".join(pairs)]], "name": self.name,
            "manufacturer": "Tasmota", "model": self._told.get("md"), "sw_version": self._told.get("sw"),
        }  # fmt: skip

    def availability(self) -> dict[str, Any]:
        """Return how it tells that it is on line; nothing for one that sleeps most of the time."""
        if self.flag("dslp"):
            return {}
        online, offline = self._told.get("onln"), self._told.get("ofln")
        return {
            "availability_topic": self.tele("LWT"),
            "payload_available": online if isinstance(online, str) else "Online",
            "payload_not_available": offline if isinstance(offline, str) else "Offline",
        }

    def raw(self, key: str) -> object:
        """Return what it says, as it says it."""
        return self._told.get(key)

    def flag(self, key: str) -> bool:
        """Tell whether it says so."""
        return self.number(key) != 0

    def option(self, number: str) -> bool:
        """Tell whether this SetOption is on."""
        options = self._told.get("so")
        return isinstance(options, dict) and options.get(number) in (1, True)

    def number(self, key: str) -> int:
        """Return a whole number, 0 where it says none."""
        value = self._told.get(key)
        return value if isinstance(value, int) else 0

    def numbers(self, key: str) -> tuple[int, ...]:
        """Return a list of whole numbers; empty where it has none."""
        values = self._told.get(key)
        return tuple(one if isinstance(one, int) else 0 for one in _items(values))

    def texts(self, key: str) -> tuple[str | None, ...]:
        """Return a list of texts, None where one is missing."""
        return tuple(one[:MAX_WORD] if isinstance(one, str) else None for one in _items(self._told.get(key)))

    def _topic(self, prefix: str) -> str:
        full, topic = self._told.get("ft"), self._told.get("t")
        if not isinstance(full, str) or not isinstance(topic, str):
            raise BadAnnouncement("its topic is missing")
        host = self._told.get("hn")
        named = {"%hostname%": host if isinstance(host, str) else "", "%id%": self.mac[-6:], "%prefix%": prefix,
                 "%topic%": topic}  # fmt: skip
        for token, value in named.items():
            full = full.replace(token, value)
        return full if full.endswith("/") else f"{full}/"

    def _answers(self) -> list[str]:
        switches = [f"SWITCH{number + 1}" for number, mode in enumerate(self.numbers("swc")) if mode >= 0]
        powers = [f"POWER{number + 1}" for number, kind in enumerate(self.numbers("rl")) if kind]
        return [*ANSWERS, *powers, *switches]


def _items(values: object) -> Sequence[object]:
    return values[:MAX_LISTED] if isinstance(values, list) else ()


def nth(values: Sequence[T], number: int, default: T) -> T:
    """Return one of a list, or `default` where it is shorter."""
    return values[number] if number < len(values) else default


def quoted(text: str) -> str:
    """Return a device's word as a template writes it, whatever is in it."""
    return json.dumps(text)


def power(number: int) -> str:
    """Return where a template finds whether a relay is on: the first one's number may be left out."""
    return f"value_json.POWER{number + 1}" if number else "(value_json.POWER1 | default(value_json.POWER))"
