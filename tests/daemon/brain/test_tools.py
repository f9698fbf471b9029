"""A call's names become things of the house, or a reason that a model can do something with."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.house import DOOR, GATE, HOUSE, KITCHEN, LAMP

from daemon.brain.tools import ALL, Toolbox, Unusable
from daemon.engines.protocols import ToolCall
from daemon.language.language import Language
from daemon.language.plan import Area, Intent, Thing
from daemon.skills.skill import Context, Skill

EVERY = {intent: Skill(lambda *_: (), lambda *_: None) for kind in ALL for intent in kind.INTENTS}  # type: ignore[arg-type]
TOOLBOX = Toolbox(EVERY, Language())
ROOM_LAMPS = tuple(
    Thing(f"light.{room}", "light", "abajur", ("luminária",), room) for room in ("sala", "cozinha", "quarto")
)
SHUTTERS = (Thing("cover.p1", "cover", "persiana", area="sala"), Thing("cover.p2", "cover", "persiana", area="quarto"))
HOME = replace(HOUSE, things=(*HOUSE.things, *ROOM_LAMPS, *SHUTTERS), areas=(*HOUSE.areas, Area("quarto", ("suíte",))))
NOW = datetime(2026, 11, 20, 14, 5, tzinfo=ZoneInfo("America/Sao_Paulo"))


def intent(area: str | None, arguments: dict[str, object], tool: str = "ligar") -> Intent:
    return TOOLBOX.intent(TOOLBOX.read(ToolCall(tool, arguments)), Context(NOW, HOME, area))


@pytest.mark.parametrize(
    ("area", "arguments", "targets"),
    [
        ("sala", {"nomes": ["luz da sala"]}, [LAMP.id]),
        ("sala", {"nomes": "Luz da Cozinha"}, [KITCHEN.id]),
        ("sala", {"nomes": ["abajur"]}, ["light.sala"]),
        ("quarto", {"nomes": ["luminaria"]}, ["light.quarto"]),
        ("sala", {"nomes": ["abajur"], "comodo": "suíte"}, ["light.quarto"]),
        ("sala", {"nomes": ["o abajur da cozinha"]}, ["light.cozinha"]),
        ("sala", {"nomes": ["light.quarto"]}, ["light.quarto"]),
        ("sala", {"tipo": "persianas", "comodo": "quarto"}, ["cover.p2"]),
        ("sala", {"nomes": ["portão", "porta da frente", "portão"]}, [GATE.id, DOOR.id]),
    ],
)
def test_names(area: str, arguments: dict[str, object], targets: list[str]) -> None:
    assert list(intent(area, arguments).targets) == targets


@pytest.mark.parametrize(
    ("area", "arguments", "why"),
    [
        (None, {"nomes": ["abajur"]}, "há mais de um 'abajur': abajur (sala), abajur (cozinha), abajur (quarto)"),
        ("sala", {"nomes": ["persiana"], "comodo": "cozinha"}, "não há 'persiana' na casa"),
        ("sala", {"tipo": "geladeira"}, "não há nada do tipo 'geladeira'"),
        (
            "sala",
            {"nomes": ["luz da sala"], "comodo": "porão"},
            "não há o cômodo 'porão'; há: sala, cozinha, garagem, quarto",
        ),
        ("sala", {"nomes": [""]}, "não há"),
        ("sala", {"nomes": ["x" * 400]}, "argumentos que não servem"),
        ("sala", {"nomes": ["luz"] * 40}, "argumentos que não servem"),
    ],
)
def test_reasons(area: str | None, arguments: dict[str, object], why: str) -> None:
    with pytest.raises(Unusable) as unusable:
        intent(area, arguments)
    assert why in unusable.value.why


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (ToolCall("ligar", {"nomes": ["portão"]}), ("HassTurnOn", {"action": "open"})),
        (ToolCall("desligar", {"nomes": ["porta da frente"]}), ("HassTurnOff", {"action": "unlock"})),
        (ToolCall("ajustar_luz", {"nomes": ["luz da sala"], "brilho": "30%"}), ("HassLightSet", {"brightness": 30.0})),
        (ToolCall("ajustar", {"nomes": ["portão"], "o_que": "abertura", "valor": 50}), ("HassSetPosition", {"position": 50.0})),
        (ToolCall("midia", {"acao": "mudo"}), ("HassMediaPlayerMute", {})),
        (ToolCall("alarme_da_casa", {"acao": "desarmar"}), ("AlarmDisarm", {})),
        (ToolCall("timer", {"acao": "comecar", "segundos": "90"}), ("HassStartTimer", {"duration_s": 90.0})),
        (ToolCall("lista", {"acao": "por", "coisas": "leite"}),
         ("HassListAddItem", {"name": "compras", "items": ("leite",), "item": "leite"})),
        (ToolCall("mudar_lembrete", {"acao": "adiar", "qual": "remédio", "quando": "às dez"}),
         ("SnoozeReminder", {"query": "remédio", "when": "às dez"})),
        (ToolCall("criar_lembrete", {"o_que": "pão", "quando": "amanhã", "despertador": True, "para_quem": ""}),
         ("CreateReminder", {"message": "pão", "when": "amanhã", "kind": "alarm"})),
        (ToolCall("ligar", {"nomes": ["luz da sala"], "por_segundos": 60}), ("HassTurnOn", {"for_s": 60.0})),
    ],
)  # fmt: skip
def test_calls_are_the_intents_that_people_s_words_are(call: ToolCall, expected: tuple[str, dict[str, object]]) -> None:
    made = TOOLBOX.intent(TOOLBOX.read(call), Context(NOW, HOME, "sala"))
    assert (made.name, dict(made.slots)) == expected


def test_a_house_without_a_skill_has_no_tool_for_it() -> None:
    few = Toolbox({"HassTurnOn": EVERY["HassTurnOn"]}, Language())
    assert [tool.name for tool in few.tools] == ["ligar"]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from([tool.name for tool in TOOLBOX.tools]),
    st.dictionaries(
        st.sampled_from("nomes comodo tipo quando brilho acao o_que valor coisas recado x".split()), JSON, max_size=4
    ),
)
def test_whatever_a_model_writes_is_an_intent_or_a_reason(tool: str, arguments: dict[str, object]) -> None:
    try:
        made = intent("sala", arguments, tool)
    except Unusable:
        return
    assert made.name in EVERY
    assert "confirmed" not in made.slots
