"""What turns an order into something else keeps it from being carried out: negations, conditions, quotations."""

import blind
import pytest

from daemon.language.language import Language
from daemon.language.plan import Heard, Intent
from daemon.language.words import fold

FRAMES = (
    "não {}", "nunca {}", "jamais {}", "ninguém {}", "não é pra {}", "eu não mandei {}", "você não vai {}", "{} não",
    "ele pediu pra {}", "a Marina falou {}", "minha mãe mandou {}", "ela disse: {}", '"{}", disse ele',
    "eu disse pra não {}", "ontem eu pedi {}", "ele sempre {}", "repete comigo: {}", "como se diz {} em inglês",
    "se chover {}", "se a Marina chegar, {}", "quando escurecer, {}", "caso faça frio {}", "assim que eu sair {}",
    "enquanto eu durmo {}", "toda vez que eu chegar {}", "e se eu dissesse {}", "por que você {}",
    "{} quando eu sair", "{} se estiver frio", "{} só se chover", "{} caso esfrie",
)  # fmt: skip


def orders() -> list[blind.Row]:
    """Every seventh plain order of the blind sets: one clause, no question."""
    rows = [row for name in blind.SETS for row in blind.rows(name)]
    plain = [r for r in rows if r.category not in {"llm", "nada", "multiplo"} and not {"?", ","} & set(r.text)]
    return [r for r in plain if len(r.text.split()) <= 9 and not fold(r.text).startswith(("nao ", "chega "))][::7]


@pytest.mark.parametrize("frame", FRAMES)
def test_an_order_inside_is_not_carried_out(frame: str) -> None:
    house, language = blind.household(), Language()
    done = []
    for row in orders():
        said = frame.format(row.text[0].lower() + row.text[1:].rstrip("."))
        plan = language.understand(Heard(said, row.now, row.area), house)
        acts = [] if plan.question else [intent for intent in plan.intents if _acts(intent, frame)]
        done += [(said, acts)] if acts else []
    assert not done


def _acts(intent: Intent, frame: str) -> bool:
    """Tell whether an intent changes something that it ought not: "não me acorda" rightly cancels an alarm.

    A condition at the end of what is to be remembered, bought or played is a part of that text.
    """
    if intent.name.startswith((*blind.HARMLESS, "CancelReminder")):
        return False
    tail = fold(frame.removeprefix("{} ").removeprefix("só "))
    texts = [fold(str(intent.slots.get(key, ""))) for key in ("message", "item", "search_query")]
    return not (frame.startswith("{} ") and any(text.endswith(tail) for text in texts))
