"""The next holiday, and whether a day is one, on the household's own calendar."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from support.house import HOUSE

from daemon.errors import CannotDo
from daemon.language.language import Language
from daemon.language.plan import Heard
from daemon.language.replies import Replies
from daemon.skills.holidays import holiday_skills
from daemon.skills.skill import Context
from db.holidays import calendar

NOW = datetime(2026, 11, 20, 14, 5, tzinfo=ZoneInfo("America/Sao_Paulo"))  # Consciência Negra, a Friday
CONTEXT = Context(NOW, HOUSE)
LANGUAGE = Language(HOUSE)
DAYS = calendar("SP-Capital", "08/12", carnival=True)


async def said(text: str, *, knows: bool = True) -> str:
    (intent,) = LANGUAGE.understand(Heard(text, NOW), HOUSE).intents
    skill = holiday_skills(Replies.load("pt_br"), lambda: DAYS if knows else None)[intent.name]
    return (await skill.act(intent, skill.actions(intent, CONTEXT), CONTEXT)).say


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("quando é o próximo feriado?", "O próximo feriado é feriado da casa: no dia oito de dezembro, daqui a 18 dias."),
        ("hoje é feriado?", "Hoje é feriado: Dia Nacional de Zumbi e da Consciência Negra."),
        ("amanhã é feriado?", "Não, amanhã não é feriado."),
        ("segunda-feira é feriado?", "Não, na segunda-feira não é feriado."),
        ("quando é o Natal?", "É no dia vinte e cinco de dezembro, daqui a 35 dias."),
        ("que dia cai o Carnaval?", "É no dia nove de fevereiro de dois mil e vinte e sete, daqui a 81 dias."),
        ("quantos dias faltam pro dia das mães?", "É no dia nove de maio de dois mil e vinte e sete, daqui a 170 dias."),
    ],
)  # fmt: skip
async def test_on_the_households_calendar(asked: str, answer: str) -> None:
    assert await said(asked) == answer


async def test_without_a_calendar_it_says_so() -> None:
    with pytest.raises(CannotDo, match="feriados"):
        await said("quando é o próximo feriado?", knows=False)
