"""Devices of the rarer kinds, for `--every`: one of each component that the usual demonstration house has none of."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from daemon.demo.toy import Toy

_READ = {"stat_t": "~", "val_tpl": "{{ value_json.state }}"}


@dataclass(frozen=True, slots=True)
class Kind:
    """A component: what it announces, and what it makes of a payload on `place/set/<what>`.

    `words` turn payloads into states; `values` name readings that take the payload as it is, or the number that it is.
    """

    config: Mapping[str, Any]
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)


_ROBOT = {"start": "cleaning", "pause": "paused", "stop": "idle", "return_to_base": "docked", "clean_spot": "cleaning"}
_ALARM = {"ARM_HOME": "armed_home", "ARM_AWAY": "armed_away", "ARM_NIGHT": "armed_night", "DISARM": "disarmed"}
_POWER = {"ON": "on", "OFF": "off"}
KINDS: Mapping[str, Kind] = {
    "valve": Kind({"cmd_t": "~/set/move", **_READ}, {"move": {"OPEN": "open", "CLOSE": "closed"}}),
    "siren": Kind({"cmd_t": "~/set/siren", "stat_t": "~", "stat_val_tpl": "{{ value_json.state }}",
                   "cmd_tpl": "{{ value }}"}, {"siren": _POWER}),
    "vacuum": Kind({"cmd_t": "~/set/robot", "stat_t": "~", "set_fan_spd_t": "~/set/force",
                    "fanspd_lst": ["quiet", "normal", "max"],
                    "sup_feat": ["start", "pause", "stop", "return_home", "clean_spot", "fan_speed", "state"]},
                   {"robot": _ROBOT}, {"force": "fan_speed"}),
    "lawn_mower": Kind({"act_stat_t": "~", "act_val_tpl": "{{ value_json.state }}", "strt_mw_cmd_t": "~/set/mow",
                        "pause_cmd_t": "~/set/mow", "dock_cmd_t": "~/set/mow"},
                       {"mow": {"start_mowing": "mowing", "pause": "paused", "dock": "docked"}}),
    "humidifier": Kind({"cmd_t": "~/set/power", "stat_t": "~", "stat_val_tpl": "{{ value_json.state }}",
                        "hum_cmd_t": "~/set/humidity", "hum_stat_t": "~", "min_hum": 30, "max_hum": 80,
                        "hum_state_tpl": "{{ value_json.humidity }}"}, {"power": _POWER}, {"humidity": "humidity"}),
    "water_heater": Kind({"mode_cmd_t": "~/set/mode", "mode_stat_t": "~", "mode_stat_tpl": "{{ value_json.state }}",
                          "modes": ["off", "eco", "gas"], "temp_cmd_t": "~/set/temperature", "temp_stat_t": "~",
                          "temp_stat_tpl": "{{ value_json.temperature }}", "min_temp": 30, "max_temp": 60},
                         {"mode": {"off": "off", "eco": "eco", "gas": "gas"}}, {"temperature": "temperature"}),
    "alarm_control_panel": Kind({"cmd_t": "~/set/alarm", "cod_arm_req": False, "cod_dis_req": False, **_READ},
                                {"alarm": _ALARM}),
    "select": Kind({"cmd_t": "~/set/option", "ops": ["manhã", "tarde", "noite"], **_READ},
                   {"option": {"manhã": "manhã", "tarde": "tarde", "noite": "noite"}}),
    "number": Kind({"cmd_t": "~/set/number", "min": 0, "max": 60, "step": 5, "unit_of_meas": "min",
                    "stat_t": "~", "val_tpl": "{{ value_json.value }}"}, values={"number": "value"}),
    "text": Kind({"cmd_t": "~/set/text", "max": 40, "stat_t": "~", "val_tpl": "{{ value_json.value }}"},
                 values={"text": "value"}),
    "button": Kind({"cmd_t": "~/set/press"}),
    "event": Kind({"stat_t": "~", "evt_typ": ["press"]}),
    "media_player": Kind({"state_state_topic": "~", "state_state_template": "{{ value_json.state }}",
                          "state_volume_topic": "~", "state_volume_template": "{{ value_json.volume }}",
                          "command_play_topic": "~/set/play", "command_play_payload": "play",
                          "command_pause_topic": "~/set/play", "command_pause_payload": "pause",
                          "command_volume_topic": "~/set/volume"},
                         {"play": {"play": "playing", "pause": "paused"}}, {"volume": "volume"}),
}  # fmt: skip


@dataclass(slots=True)
class Gadget(Toy):
    """A device of one of KINDS; `values` are its readings. An `event` has no state: it tells `values` when rung."""

    values: dict[str, Any] = field(default_factory=dict)

    def kind(self) -> Mapping[str, Any]:
        """Return what its announcement says beyond what all say."""
        return KINDS[self.component].config

    def report(self) -> str | None:
        """Return what it tells on `place`, retained; None for what has no state."""
        said = dict(self.values) if self.state is None else {"state": self._word(), **self.values}
        return json.dumps(said, ensure_ascii=False) if said else None

    def obey(self, what: str, payload: str) -> None:
        """Do what `place/set/<what>` asks. What it does not understand it ignores, as devices do."""
        kind = KINDS[self.component]
        self.state = kind.words.get(what, {}).get(payload, self.state)
        if (reading := kind.values.get(what)) is not None:
            try:
                self.values[reading] = float(payload)
            except ValueError:
                self.values[reading] = payload[:40]

    def _word(self) -> str | None:
        return self.state.upper() if self.state in {"on", "off"} else self.state


def gadgets(root: str) -> list[Toy]:
    """Return one device of each kind, with their topics below `root`."""
    return [
        Gadget(
            id=entity_id,
            name=name,
            area=area,
            place=f"{root}/{entity_id.replace('.', '/')}",
            status=f"{root}/status",
            own={},
            state=state,
            values=dict(values),
        )
        for entity_id, name, area, state, values in (
            ("valve.jardim", "registro do jardim", "jardim", "closed", {}),
            ("siren.quintal", "sirene do quintal", "jardim", "off", {}),
            ("vacuum.aspirador", "aspirador", "sala", "docked", {"fan_speed": "normal"}),
            ("lawn_mower.cortador", "cortador de grama", "jardim", "docked", {}),
            ("humidifier.quarto", "umidificador", "quarto do casal", "off", {"humidity": 50}),
            ("water_heater.boiler", "boiler", "banheiro", "eco", {"temperature": 45}),
            ("alarm_control_panel.casa", "alarme", "corredor", "disarmed", {}),
            ("select.turno", "turno da irrigação", "jardim", "manhã", {}),
            ("number.irrigacao", "tempo de irrigação", "jardim", None, {"value": 15}),
            ("text.recado", "recado da geladeira", "cozinha", None, {"value": "bom dia"}),
            ("button.campainha", "campainha", "varanda", None, {}),
            ("event.campainha", "toque da campainha", "varanda", None, {}),
            ("media_player.som", "caixa de som", "sala", "paused", {"volume": 0.3}),
        )
    ]
