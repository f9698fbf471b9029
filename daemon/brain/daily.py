"""The language model's tools for the day's business: reminders, timers, lists, routines, memories, a word to all.

Docstrings as in `arguments.py`: they are what the model is told.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from daemon.brain.arguments import Arguments, Names, Seconds, Text, filled
from daemon.language.plan import Value


class CreateReminder(Arguments):
    """Marca um lembrete ou um despertador."""

    TOOL = "criar_lembrete"
    INTENTS = ("CreateReminder",)
    o_que: Text = Field(description="de que lembrar")
    quando: Text = Field(description="quando, nas palavras da pessoa: amanhã às nove, toda terça às 7h, daqui a 1 hora")
    despertador: bool = False
    para_quem: Text = Field(default="", description="só se for para outra pessoa")

    @property
    def slots(self) -> Mapping[str, Value]:
        """What, when, for whom."""
        kind = "alarm" if self.despertador else None
        return filled(message=self.o_que, when=self.quando, kind=kind, person=self.para_quem)


class ListReminders(Arguments):
    """Diz quais lembretes e despertadores estão marcados."""

    TOOL = "ver_lembretes"
    INTENTS = ("ListReminders",)
    quais: Text = Field(default="", description="um dia ou um assunto: amanhã, dentista")

    @property
    def slots(self) -> Mapping[str, Value]:
        """Which."""
        return filled(query=self.quais)


class ChangeReminder(Arguments):
    """Cancela, muda de hora, adia ou dá por feito um lembrete que já existe."""

    TOOL = "mudar_lembrete"
    INTENTS = ("CancelReminder", "UpdateReminder", "SnoozeReminder", "CompleteReminder")
    acao: Literal["cancelar", "mudar", "adiar", "feito"]
    qual: Text = Field(description="palavras do lembrete")
    quando: Text = Field(default="", description="a nova hora, nas palavras da pessoa")

    @property
    def intent(self) -> str:
        """The intent of the action."""
        return self.INTENTS[("cancelar", "mudar", "adiar", "feito").index(self.acao)]

    @property
    def slots(self) -> Mapping[str, Value]:
        """Which, and to when."""
        return filled(query=self.qual, when=self.quando)


class Timer(Arguments):
    """Começa um timer, diz quanto falta, cancela, pausa, continua, aumenta ou diminui."""

    TOOL = "timer"
    INTENTS = ("HassStartTimer", "HassTimerStatus", "HassCancelTimer", "HassPauseTimer", "HassUnpauseTimer",
               "HassIncreaseTimer", "HassDecreaseTimer")  # fmt: skip
    ACTIONS: ClassVar = ("comecar", "quanto_falta", "cancelar", "pausar", "continuar", "aumentar", "diminuir")
    acao: Literal["comecar", "quanto_falta", "cancelar", "pausar", "continuar", "aumentar", "diminuir"]
    segundos: Seconds | None = None
    nome: Text = ""

    @model_validator(mode="after")
    def _how_long(self) -> "Timer":
        if self.acao in {"comecar", "aumentar", "diminuir"} and self.segundos is None:
            raise ValueError("faltam os segundos")
        return self

    @property
    def intent(self) -> str:
        """The intent of the action."""
        return self.INTENTS[self.ACTIONS.index(self.acao)]

    @property
    def slots(self) -> Mapping[str, Value]:
        """How long, and its name."""
        return filled(duration_s=self.segundos, name=self.nome)


class Lists(Arguments):
    """Lê uma lista, põe ou tira coisas dela, ou risca o que foi comprado ou feito."""

    TOOL = "lista"
    INTENTS = ("ListGetItems", "HassListAddItem", "HassListRemoveItem", "HassListCompleteItem")
    ACTIONS: ClassVar = ("ler", "por", "tirar", "riscar")
    acao: Literal["ler", "por", "tirar", "riscar"]
    lista: Text = Field(default="compras", description="nome da lista")
    coisas: Names = Field(default=[])

    @model_validator(mode="after")
    def _what(self) -> "Lists":
        if self.acao != "ler" and not self.coisas:
            raise ValueError("faltam as coisas")
        return self

    @property
    def intent(self) -> str:
        """The intent of the action."""
        return self.INTENTS[self.ACTIONS.index(self.acao)]

    @property
    def slots(self) -> Mapping[str, Value]:
        """The list, and what."""
        return filled(name=self.lista, items=tuple(self.coisas), item=", ".join(self.coisas))


class Broadcast(Arguments):
    """Diz um recado em voz alta para a casa."""

    TOOL = "avisar_todos"
    INTENTS = ("HassBroadcast",)
    recado: Text

    @property
    def slots(self) -> Mapping[str, Value]:
        """The words."""
        return filled(message=self.recado)


class Routine(Arguments):
    """Faz uma rotina da casa, pelo nome dela."""

    TOOL = "rotina"
    INTENTS = ("RunRoutine",)
    nome: Text

    @property
    def slots(self) -> Mapping[str, Value]:
        """Its name."""
        return filled(name=self.nome)


class ListRoutines(Arguments):
    """Diz quais rotinas a casa tem."""

    TOOL = "ver_rotinas"
    INTENTS = ("ListRoutines",)


class Remember(Arguments):
    """Guarda na memória um fato que a pessoa pediu para guardar. Não serve para avisar numa hora."""

    TOOL = "guardar_lembranca"
    INTENTS = ("RememberFact",)
    fato: Text = Field(description="o fato, com as palavras que a pessoa usou")

    @property
    def slots(self) -> Mapping[str, Value]:
        """The fact."""
        return filled(text=self.fato)


class Recollect(Arguments):
    """Procura na memória o que já foi contado sobre um assunto."""

    TOOL = "buscar_lembranca"
    INTENTS = ("RecallFact",)
    assunto: Text

    @property
    def slots(self) -> Mapping[str, Value]:
        """What about."""
        return filled(about=self.assunto)


class Forget(Arguments):
    """Apaga da memória um fato que a pessoa pediu para esquecer."""

    TOOL = "esquecer_lembranca"
    INTENTS = ("ForgetFact",)
    o_que: Text = Field(description="o fato, com as palavras que a pessoa usou")

    @property
    def slots(self) -> Mapping[str, Value]:
        """Which."""
        return filled(query=self.o_que)
