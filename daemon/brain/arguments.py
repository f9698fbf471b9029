"""The language model's tools: what each takes, and which intent it is. A tool is one skill, or a few that are alike.

What a tool's docstring says is what the model is told of it, and so are the descriptions of its fields: these are in
Portuguese, as its conversation is.
What a person alone should do by their own words (names, guards, teaching routines) is no tool.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from daemon.language.plan import Value

MOST_NAMES = 20
LONGEST = 300
"""Characters of a text that a tool takes."""
READING = frozenset({"HassGetState", "HassClimateGetTemperature", "ListReminders", "ListRoutines", "HassTimerStatus",
                     "ListGetItems", "RecallFact"})  # fmt: skip
"""Intents that change nothing."""


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _number(value: object) -> object:
    return value.strip().removesuffix("%").replace(",", ".") if isinstance(value, str) else value


Text = Annotated[str, Field(max_length=LONGEST)]
Names = Annotated[list[Text], BeforeValidator(_several), Field(max_length=MOST_NAMES)]
Percent = Annotated[float, BeforeValidator(_number), Field(ge=0, le=100)]
Seconds = Annotated[float, BeforeValidator(_number), Field(gt=0, le=31 * 86400)]


class Arguments(BaseModel):
    """What one call of a tool says. `INTENTS` are all that it may become, `DOMAINS` the things that it may mean."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    TOOL: ClassVar[str]
    INTENTS: ClassVar[tuple[str, ...]]
    DOMAINS: ClassVar[frozenset[str] | None] = None

    @property
    def intent(self) -> str:
        """The intent that this call is."""
        return self.INTENTS[0]

    @property
    def slots(self) -> Mapping[str, Value]:
        """The intent's slots."""
        return {}

    @property
    def reads(self) -> bool:
        """Whether this only asks; what changes something needs the person's own words."""
        return self.intent in READING


class Pointing(Arguments):
    """A call that means things of the house."""

    nomes: Names = Field(default=[], description="nomes dos aparelhos, como estão na lista da casa")
    comodo: Text = Field(default="", description="o cômodo, se a pessoa disse um")
    tipo: Text = Field(default="", description="em vez de nomes: todos deste tipo no cômodo, como luz ou persiana")


class Commanding(Pointing):
    """A call that moves things, now or later."""

    quando: Text = Field(default="", description="só se não for agora: quando, nas palavras da pessoa")
    por_segundos: Seconds | None = Field(default=None, description="só se for por um tempo: depois volta como estava")

    @property
    def slots(self) -> Mapping[str, Value]:
        """When, where it is not now."""
        later: dict[str, Value] = {"when": self.quando} if self.quando else {}
        return later | ({"for_s": self.por_segundos} if self.por_segundos else {})


class TurnOn(Commanding):
    """Liga ou acende; de persiana, portão ou janela: abre; de fechadura: tranca; de cena ou botão: aciona."""

    TOOL = "ligar"
    INTENTS = ("HassTurnOn",)


class TurnOff(Commanding):
    """Desliga ou apaga; de persiana, portão ou janela: fecha; de fechadura: destranca."""

    TOOL = "desligar"
    INTENTS = ("HassTurnOff",)


Color = Literal["red", "green", "blue", "yellow", "orange", "purple", "pink", "white", "turquoise"]


class SetLight(Commanding):
    """Ajusta o brilho ou a cor de luzes."""

    TOOL = "ajustar_luz"
    INTENTS = ("HassLightSet",)
    DOMAINS = frozenset({"light"})
    brilho: Percent | None = Field(default=None, description="0 a 100")
    cor: Color | None = None
    kelvin: Annotated[int, Field(ge=1000, le=10000)] | None = Field(default=None, description="tom do branco")

    @property
    def slots(self) -> Mapping[str, Value]:
        """How bright, in which colour."""
        given = {"brightness": self.brilho, "color": self.cor, "color_temperature": self.kelvin}
        return {**super().slots, **{slot: value for slot, value in given.items() if value is not None}}


class SetLevel(Commanding):
    """Ajusta a abertura (%), a velocidade (%), o volume (%) ou a temperatura (graus) de um aparelho."""

    TOOL = "ajustar"
    INTENTS = ("HassSetPosition", "HassFanSetSpeed", "HassSetVolume", "HassClimateSetTemperature")
    o_que: Literal["abertura", "velocidade", "volume", "temperatura"]
    valor: Annotated[float, BeforeValidator(_number), Field(ge=0, le=100)]

    @property
    def intent(self) -> str:
        """The intent of what is set."""
        return self.INTENTS[("abertura", "velocidade", "volume", "temperatura").index(self.o_que)]

    @property
    def slots(self) -> Mapping[str, Value]:
        """The level under the name that its intent has for it."""
        slot = {"abertura": "position", "velocidade": "percentage", "volume": "volume_level"}.get(self.o_que)
        return {**super().slots, slot or "temperature": self.valor}


class SetMode(Commanding):
    """Muda o modo do ar-condicionado."""

    TOOL = "modo_do_ar"
    INTENTS = ("ClimateSetMode",)
    DOMAINS = frozenset({"climate"})
    modo: Literal["cool", "heat", "fan_only", "dry", "auto"]

    @property
    def slots(self) -> Mapping[str, Value]:
        """The mode."""
        return {**super().slots, "hvac_mode": self.modo}


class Stop(Pointing):
    """Para uma persiana, um portão ou uma janela no meio do caminho."""

    TOOL = "parar"
    INTENTS = ("CoverStop",)
    DOMAINS = frozenset({"cover", "valve"})


_MEDIA = ("pausar", "continuar", "proxima", "anterior", "mudo", "com_som")


class Media(Pointing):
    """Comanda o que está tocando na TV ou na caixa de som."""

    TOOL = "midia"
    INTENTS = ("HassMediaPause", "HassMediaUnpause", "HassMediaNext", "HassMediaPrevious", "HassMediaPlayerMute",
               "HassMediaPlayerUnmute")  # fmt: skip
    DOMAINS = frozenset({"media_player"})
    acao: Literal["pausar", "continuar", "proxima", "anterior", "mudo", "com_som"]

    @property
    def intent(self) -> str:
        """The intent of the action."""
        return self.INTENTS[_MEDIA.index(self.acao)]


class Robot(Pointing):
    """Manda o robô aspirador limpar, ou voltar para a base."""

    TOOL = "robo"
    INTENTS = ("HassVacuumStart", "HassVacuumReturnToBase")
    DOMAINS = frozenset({"vacuum"})
    acao: Literal["limpar", "voltar"]

    @property
    def intent(self) -> str:
        """The intent of the action."""
        return self.INTENTS[self.acao == "voltar"]


class Alarm(Pointing):
    """Arma ou desarma o alarme contra invasão."""

    TOOL = "alarme_da_casa"
    INTENTS = ("AlarmArm", "AlarmDisarm")
    DOMAINS = frozenset({"alarm_control_panel"})
    acao: Literal["armar", "armar_com_gente", "armar_noite", "desarmar"]

    @property
    def intent(self) -> str:
        """The intent of the action."""
        return self.INTENTS[self.acao == "desarmar"]

    @property
    def slots(self) -> Mapping[str, Value]:
        """How it is armed."""
        mode = {"armar": "away", "armar_com_gente": "home", "armar_noite": "night"}.get(self.acao)
        return {"mode": mode} if mode else {}


class GetState(Pointing):
    """Diz como estão aparelhos agora: ligados, abertos, o que um sensor mede."""

    TOOL = "ver_estado"
    INTENTS = ("HassGetState",)


class GetTemperature(Arguments):
    """Diz quantos graus faz num cômodo."""

    TOOL = "ver_temperatura"
    INTENTS = ("HassClimateGetTemperature",)
    comodo: Text = ""

    @property
    def slots(self) -> Mapping[str, Value]:
        """The room."""
        return {"area": self.comodo} if self.comodo else {}


def filled(**slots: Any) -> Mapping[str, Value]:
    """Return the slots that have a value."""
    return {slot: value for slot, value in slots.items() if value not in (None, "", [])}
