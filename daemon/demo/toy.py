"""One device of the demonstration house: how it announces itself, what it says, what it does when it is told.

Made to the same rules as real ones (Home Assistant's MQTT discovery): a lamp does not know Mordomo.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import yaml

ORIGIN = {"name": "mordomo-demo"}
STEP_S = 0.25
"""How often what moves tells where it is."""
MIREDS = (153, 500)
"""The coldest and the warmest white of lamps with colours."""
NEUTRAL = 250


@dataclass(slots=True)
class Toy:
    """A device. `place` is its topic: it tells its state there, and commands come on `place/set/…`.

    A lamp with colours is at `white`, in mired, or at `color`, the CIE's x and y: the one of them that is not None.
    """

    id: str
    name: str
    area: str
    place: str
    status: str
    own: Mapping[str, Any]
    state: str | None = None
    brightness: int | None = None
    white: int | None = None
    color: tuple[float, float] | None = None
    position: float | None = None
    target: float | None = None
    temperature: float | None = None
    speed: int | None = None
    value: float | None = None
    sets: Mapping[str, str] = field(default_factory=dict)

    @property
    def component(self) -> str:
        """Home Assistant's word for the kind of device: light, cover, fan."""
        return self.id.partition(".")[0]

    def announcement(self, prefix: str) -> tuple[str, str]:
        """Return the topic and the payload that announce it."""
        name = self.id.partition(".")[2]
        device: dict[str, Any] = {"ids": [f"demo_{self.component}_{name}"], "name": self.name, "mf": "Mordomo"}
        if self.area:
            device["sa"] = self.area
        config = {
            "~": self.place, "name": self.name, "obj_id": name, "uniq_id": f"demo_{self.component}_{name}",
            "dev": device, "o": ORIGIN, "avty_mode": "all",
            "avty": [{"t": self.status}, {"t": f"{self.place}/available"}],
            **self.kind(),
        }  # fmt: skip
        if "class" in self.own:
            config["dev_cla"] = self.own["class"]
        return f"{prefix}/{self.component}/demo_{name}/config", json.dumps(config, ensure_ascii=False)

    def kind(self) -> Mapping[str, Any]:
        """Return what its announcement says beyond what all say."""
        announced: Mapping[str, Any] = getattr(self, f"_{self.component}")()
        return announced

    def _light(self) -> dict[str, Any]:
        if self.own.get("color"):
            return {"schema": "json", "cmd_t": "~/set/json", "stat_t": "~", "bri_scl": 254,
                    "sup_clrm": ["xy", "color_temp"], "min_mirs": MIREDS[0], "max_mirs": MIREDS[1]}  # fmt: skip
        dimmer = {"bri_cmd_t": "~/set/brightness", "bri_stat_t": "~", "bri_scl": 100, "on_cmd_type": "first",
                  "bri_val_tpl": "{{ value_json.brightness }}"}  # fmt: skip
        return {**self._switch(), "stat_val_tpl": "{{ value_json.state }}", **(dimmer if self.brightness else {})}

    def _switch(self) -> dict[str, Any]:
        return {"cmd_t": "~/set/power", "stat_t": "~", "val_tpl": "{{ value_json.state }}"}

    def _fan(self) -> dict[str, Any]:
        speeds = {"pct_cmd_t": "~/set/speed", "pct_stat_t": "~", "pct_val_tpl": "{{ value_json.speed }}",
                  "spd_rng_max": self.own.get("speeds")}  # fmt: skip
        return {**self._switch(), "stat_val_tpl": "{{ value_json.state }}", **(speeds if "speeds" in self.own else {})}

    def _cover(self) -> dict[str, Any]:
        return {"cmd_t": "~/set/move", "stat_t": "~", "val_tpl": "{{ value_json.state }}",
                "set_pos_t": "~/set/position", "pos_t": "~", "pos_tpl": "{{ value_json.position }}"}  # fmt: skip

    def _lock(self) -> dict[str, Any]:
        return {"cmd_t": "~/set/lock", "stat_t": "~", "val_tpl": "{{ value_json.state }}"}

    def _climate(self) -> dict[str, Any]:
        return {"mode_cmd_t": "~/set/mode", "mode_stat_t": "~", "mode_stat_tpl": "{{ value_json.state }}",
                "modes": ["off", "cool", "fan_only", "auto"], "temp_cmd_t": "~/set/temperature", "temp_stat_t": "~",
                "temp_stat_tpl": "{{ value_json.temperature }}", "min_temp": 16, "max_temp": 30, "temp_step": 1,
                "curr_temp_t": "~", "curr_temp_tpl": "{{ value_json.room }}"}  # fmt: skip

    def _sensor(self) -> dict[str, Any]:
        return {"stat_t": "~", "val_tpl": "{{ value_json.value }}", "unit_of_meas": self.own["unit"],
                "stat_cla": "measurement"}  # fmt: skip

    def _binary_sensor(self) -> dict[str, Any]:
        return {"stat_t": "~", "val_tpl": "{{ value_json.state }}"}

    def _scene(self) -> dict[str, Any]:
        return {"cmd_t": "~/set/power"}

    def report(self) -> str | None:
        """Return what it tells on `place`, retained; None for what has no state."""
        said: dict[str, Any] = {}
        if self.state is not None:
            said["state"] = self.state if self.component in {"cover", "climate"} else self.state.upper()
        if self.component == "light" and self.brightness is not None:
            scale = 254 if self.own.get("color") else 100
            said["brightness"] = max(1, round(self.brightness * scale / 100))
        if self.color is not None:
            said |= {"color_mode": "xy", "color": dict(zip("xy", self.color, strict=True))}
        elif self.white is not None:
            said |= {"color_mode": "color_temp", "color_temp": self.white}
        for key in ("position", "temperature", "speed"):
            if (known := getattr(self, key)) is not None:
                said[key] = round(known)
        if self.value is not None:
            said["room" if self.component == "climate" else "value"] = round(self.value, 1)
        return json.dumps(said) if said else None

    def obey(self, what: str, payload: str) -> None:
        """Do what `place/set/<what>` asks. What it does not understand it ignores, as devices do."""
        if what == "json":
            self._obey_json(payload)
        elif what in {"power", "lock"}:
            words = {"ON": "on", "OFF": "off", "LOCK": "locked", "UNLOCK": "unlocked"}
            self.state = words.get(payload, self.state)
        elif what == "mode" and payload in {"off", "cool", "fan_only", "auto"}:
            self.state = payload
        elif what == "move":
            self.target = {"OPEN": 100.0, "CLOSE": 0.0, "STOP": self.position}.get(payload, self.target)
        else:
            self._obey_number(what, payload)
        self.step(0)

    def _obey_json(self, payload: str) -> None:
        try:
            told = json.loads(payload)
            self.state = {"ON": "on", "OFF": "off"}.get(told.get("state"), self.state)
            if "brightness" in told:
                self.brightness = max(1, min(100, round(float(told["brightness"]) / 2.54)))
            if "color" in told:
                x, y = (max(0.0, min(1.0, float(told["color"][axis]))) for axis in "xy")
                self.color, self.white = (round(x, 4), round(y, 4)), None
            elif "color_temp" in told:
                self.color, self.white = None, max(MIREDS[0], min(MIREDS[1], round(float(told["color_temp"]))))
        except (ValueError, TypeError, AttributeError, KeyError, OverflowError):
            return

    def _obey_number(self, what: str, payload: str) -> None:
        try:
            number = float(payload)
        except ValueError:
            return
        if not math.isfinite(number):
            return
        if what == "position":
            self.target = max(0.0, min(100.0, number))
        elif what == "brightness":
            self.brightness, self.state = max(1, min(100, round(number))), "on"
        elif what == "speed":
            self.speed, self.state = max(1, min(int(self.own.get("speeds", 1)), round(number))), "on"
        elif what == "temperature":
            self.temperature = max(16.0, min(30.0, number))

    def step(self, seconds: float) -> bool:
        """Move for `seconds` towards where it was sent; tell whether it still moves."""
        if self.position is None:
            return False
        target = self.position if self.target is None else self.target
        most = 100 * seconds / float(self.own.get("travel_s", 4))
        self.position += max(-most, min(most, target - self.position))
        if abs(target - self.position) < 0.5:
            self.position, self.target = target, None
            self.state = "closed" if target < 0.5 else "open"
            return False
        self.state = "opening" if target > self.position else "closing"
        return True


def toys(root: str) -> list[Toy]:
    """Return the devices of `house.yaml`, with their topics below `root`."""
    rooms = yaml.safe_load(resources.files(__package__).joinpath("house.yaml").read_text(encoding="utf-8"))
    return [_toy(root, area, own) for area, things in rooms.items() for own in things]


def _toy(root: str, area: str, own: Mapping[str, Any]) -> Toy:
    position = own.get("position")
    return Toy(
        id=own["id"],
        name=own["name"],
        area=area,
        place=f"{root}/{own['id'].replace('.', '/')}",
        status=f"{root}/status",
        own=own,
        state=own.get("state") if position is None else ("open" if position else "closed"),
        brightness=own.get("brightness"),
        white=NEUTRAL if own.get("color") else None,
        position=None if position is None else float(position),
        temperature=own.get("temperature"),
        speed=1 if "speeds" in own else None,
        value=own.get("value", own.get("room")),
        sets=own.get("sets", {}),
    )
