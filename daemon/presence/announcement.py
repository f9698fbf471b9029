"""How Mordomo announces itself by Home Assistant's MQTT discovery: one device with five controls."""

import json
from typing import Any

from daemon.devices.roster import OWN_ORIGIN
from daemon.presence.messages import ASK, MICROPHONE, MICROPHONE_SET, MUTED, OPEN, STATUS, STOP, TURN

LONGEST_STATE = 255
"""Home Assistant keeps no longer state."""


def topic(prefix: str) -> str:
    """Return the discovery topic of Mordomo itself."""
    return f"{prefix}/device/mordomo/config"


def payload(area: str) -> str:
    """Return the announcement, in the device-based form with abbreviated keys. `area` is suggested for the device."""
    parts: dict[str, dict[str, Any]] = {
        "microphone": {"p": "switch", "name": "Microfone mudo", "cmd_t": MICROPHONE_SET, "stat_t": MICROPHONE,
                       "pl_on": MUTED, "pl_off": OPEN, "stat_on": MUTED, "stat_off": OPEN,
                       "ic": "mdi:microphone-off"},
        "heard": {"p": "sensor", "name": "Últimas palavras", "stat_t": TURN, "ic": "mdi:ear-hearing",
                  "val_tpl": f"{{{{ (value_json.text or '')[:{LONGEST_STATE}] }}}}", "json_attr_t": TURN},
        "reply": {"p": "sensor", "name": "Última resposta", "stat_t": TURN, "ic": "mdi:message-text",
                  "val_tpl": f"{{{{ (value_json.reply or '')[:{LONGEST_STATE}] }}}}"},
        "ask": {"p": "text", "name": "Pedir ao Mordomo", "cmd_t": ASK, "cmd_tpl": '{"text": {{ value | to_json }}}',
                "min": 1, "max": LONGEST_STATE, "ic": "mdi:comment-question"},
        "stop": {"p": "button", "name": "Parar de falar", "cmd_t": STOP, "pl_prs": "STOP", "ic": "mdi:stop"},
    }  # fmt: skip
    for name, part in parts.items():
        part["uniq_id"] = f"mordomo_{name}"
    return json.dumps(
        {
            "dev": {"ids": [OWN_ORIGIN], "name": "Mordomo", "mf": "Mordomo", "mdl": "Assistente de voz", "sa": area},
            "o": {"name": OWN_ORIGIN},
            "avty": [{"t": STATUS}],
            "cmps": parts,
        },
        ensure_ascii=False,
    )
