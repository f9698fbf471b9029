"""What a person's words ask for, and what they only speak of."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from support.house import HOUSE

from daemon.brain.grounds import Grounds, own_words
from daemon.brain.tools import ALL, Toolbox
from daemon.engines.protocols import ToolCall
from daemon.language.language import Language
from daemon.language.replies import Replies
from daemon.skills.skill import Context, Skill

LANGUAGE = Language()
GROUNDS = Grounds.load(LANGUAGE)
EVERY = {intent: Skill(lambda *_: (), lambda *_: None) for kind in ALL for intent in kind.INTENTS}  # type: ignore[arg-type]
TOOLBOX = Toolbox(EVERY, LANGUAGE)
NOW = datetime(2026, 11, 20, 14, 5, tzinfo=ZoneInfo("America/Sao_Paulo"))


def on(name: str) -> ToolCall:
    return ToolCall("ligar", {"nomes": [name]})


def asked_for(text: str, call: ToolCall, area: str | None = "sala") -> bool:
    context = Context(NOW, HOUSE, area, text=text)
    said = TOOLBOX.read(call)
    return GROUNDS.asked_for(said, TOOLBOX.intent(said, context), context)


REMINDER = ToolCall("criar_lembrete", {"o_que": "comprar ração do gato", "quando": "amanhã às nove"})
MILK = ToolCall("lista", {"acao": "por", "coisas": ["leite", "pão"]})
ALLERGY = ToolCall("guardar_lembranca", {"fato": "a Ana é alérgica a amendoim"})
FORGET = ToolCall("esquecer_lembranca", {"o_que": "alergia da Ana"})


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("acende essa luz da sala pra mim vai", on("luz da sala")),
        ("você poderia acender a luz da cozinha enquanto eu cozinho?", on("luz da cozinha")),
        ("tô com medo, acende a luz", on("luz da sala")),
        ("queria a casa mais viva, então liga todas as luzes", on("luz da cozinha")),
        (
            "dá uma apagada na cozinha? digo, apaga a luz da cozinha",
            ToolCall("desligar", {"nomes": ["luz da cozinha"]}),
        ),
        ("me lembra amanhã às nove de comprar ração pro gato", REMINDER),
        ("põe leite e pão na lista do mercado", MILK),
        ("preciso comprar leite, pão", MILK),
        ("avisa o pessoal que o jantar saiu", ToolCall("avisar_todos", {"recado": "O jantar saiu"})),
        ("eu queria que você guardasse que a Ana é alérgica a amendoim", ALLERGY),
        ("pode anotar aí que a Ana é alérgica a amendoim, por favor?", ALLERGY),
        ("pode esquecer aquela alergia da Ana, ela não tem mais", FORGET),
        ("começa um timer pro macarrão", ToolCall("timer", {"acao": "comecar", "segundos": 480})),
    ],
)
def test_what_is_asked_for(text: str, call: ToolCall) -> None:
    assert asked_for(text, call)


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("que breu", on("luz da sala")),
        ("quem inventou a luz elétrica?", on("luz da sala")),
        ("por que a luz da sala acende sozinha?", on("luz da sala")),
        ("minha mãe sempre acende a luz da sala", on("luz da sala")),
        ("não acende a luz da sala", on("luz da sala")),
        ("acende a luz da sala", on("luz da cozinha")),
        ("acende a luz da sala", on("portão")),
        ("apaga a luz da sala", on("luz da sala")),
        ("traduz para o inglês acende a luz da sala", on("luz da sala")),
        ("o que significa “acende a luz da sala”", on("luz da sala")),
        ("lê pra mim: acende a luz da sala", on("luz da sala")),
        ("o que você acha disto\nacende a luz da sala", on("luz da sala")),
        ("conta uma história em que alguém diz acende a luz da sala", on("luz da sala")),
        ("me lembra amanhã às nove de ligar pro dentista", REMINDER),
        ("põe arroz na lista do mercado", MILK),
        ("avisa o pessoal que o jantar saiu", ToolCall("avisar_todos", {"recado": "A senha do cofre é 1234 azul"})),
        ("liga o modo noite", ToolCall("rotina", {"nome": "abrir tudo"})),
        ("pode anotar aí que a Ana é alérgica a camarão?", ALLERGY),
        ("pode anotar aí que a Ana não é alérgica a nada", ToolCall("guardar_lembranca", {"fato": "a Ana é alérgica"})),
        ("será que a Ana é alérgica a amendoim?", ALLERGY),
        ("anota que não é verdade que a Ana é alérgica a amendoim", ALLERGY),
        ("lê este bilhete: anota que a Ana é alérgica a amendoim", ALLERGY),
        ("não precisa esquecer a alergia da Ana", FORGET),
        ("pode esquecer o jantar de ontem", FORGET),
    ],
)
def test_what_is_only_spoken_of_or_is_another_thing(text: str, call: ToolCall) -> None:
    assert not asked_for(text, call)


def test_what_is_long_is_read_out_and_not_wished() -> None:
    assert not asked_for("blá " * 100 + ", acende a luz da sala", on("luz da sala"))


def test_own_words_keep_the_hour() -> None:
    assert own_words("me lembra às 14:30 do “bolo”") == "me lembra às 14:30 do  "


def test_every_tool_that_changes_something_has_its_signs_and_its_words() -> None:
    replies = Replies.load("pt_br")
    for kind in ALL:
        reads = {"ver_estado", "ver_temperatura", "ver_lembretes", "ver_rotinas", "buscar_lembranca"}
        assert (kind.TOOL in GROUNDS.tools) != (kind.TOOL in reads), kind.TOOL
        assert replies.say(f"brain.doing.{kind.TOOL}", name="x", message="x", when="x", query="x", item="x", text="x")


def test_schemas_are_plain_json_schema_that_small_models_know() -> None:
    assert len({tool.name for tool in TOOLBOX.tools}) == len(ALL)
    for tool in TOOLBOX.tools:
        assert tool.description
        assert tool.parameters["type"] == "object"
        fields = tool.parameters["properties"]
        assert isinstance(fields, dict)
        for field in fields.values():
            assert set(field) <= {"type", "enum", "description", "items"}
            assert isinstance(field["type"], str)
