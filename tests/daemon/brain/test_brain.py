"""A turn with the language model: calls become deeds of the house, and claims are held against them."""

import json
from pathlib import Path

import pytest
from support.house import Home, Links, home
from support.speech_engines import ScriptedChat

from config.preferences import Preferences
from daemon.butler import Place
from daemon.engines.protocols import ChatMessage, Piece, ToolCall
from daemon.errors import CannotDo
from daemon.people.person import Person
from daemon.turn import Turn

LAMP_ON = ToolCall("ligar", {"nomes": ["luz da sala"]})
WISH = "eu queria que você fosse gentil de acender a luz da sala, Mordomo, se não for pedir muito"
"""Words that are no command to the language, and ask for LAMP_ON."""


def rounds(*given: list[Piece]) -> ScriptedChat:
    return ScriptedChat(rounds=given)


def result(message: ChatMessage) -> dict[str, object]:
    assert message.role == "tool"
    told: dict[str, object] = json.loads(message.content)
    return told


async def actions(house: Home, turn: Turn) -> list[tuple[str, str]]:
    sql = "SELECT action_name, status FROM actions WHERE message_id = $1 ORDER BY created_at"
    return [(row["action_name"], row["status"]) for row in await house.db.fetch(sql, turn.id)]


class TestHands:
    async def test_a_call_is_done_stored_and_told_in_the_house_s_own_words(
        self, database_url: str, tmp_path: Path
    ) -> None:
        brain = rounds([LAMP_ON], ["Prontinho, acendi a luz da sala."])
        async with home(database_url, tmp_path, brain=brain) as house:
            turn = await house.butler.ask(WISH, house.written)
            assert turn.understood.plan.route == "llm"
            assert [(order.entity_id, order.verb) for order in house.links.orders] == [("light.sala", "turn_on")]
            assert turn.reply == ["Acendi a luz da sala."]  # said once, though the model says it too
            assert await actions(house, turn) == [("turn_on", "success")]
            assert result(brain.asked[1][-1]) == {"feito": True, "dito": "Acendi a luz da sala."}

    async def test_what_it_asks_for_goes_on_into_the_next_round(self, database_url: str, tmp_path: Path) -> None:
        question = ToolCall("ver_estado", {"nomes": ["temperatura da sala"]})
        brain = rounds([question], ["Na sala faz 23 graus, bem agradável."])
        async with home(database_url, tmp_path, brain=brain) as house:
            turn = await house.butler.ask("será que eu vou passar frio na sala se ficar de camiseta?", house.written)
            assert turn.reply == ["Na sala faz 23 graus, bem agradável."]
            told = result(brain.asked[1][-1])
            assert told["feito"] is True
            assert told["dados"] == {"get_state": {"sensor.temperatura": "23.4"}}
            assert await actions(house, turn) == [("get_state", "success")]

    @pytest.mark.parametrize(
        ("call", "why"),
        [
            (ToolCall("ligar", {"nomes": ["luz do porão"]}), "não há 'luz do porão' na casa"),
            (ToolCall("ligar", {"nomes": ["luz da sala"], "urgente": True}), "urgente"),
            (ToolCall("ligar", {}), "faltou dizer quais aparelhos"),
            (ToolCall("ligar", {"nomes": ["luz"], "comodo": "adega"}), "não há o cômodo 'adega'"),
            (ToolCall("ajustar_luz", {"nomes": ["luz da sala"], "brilho": 400}), "brilho"),
            (ToolCall("explodir", {}), "não existe a ferramenta 'explodir'"),
            (ToolCall("timer", {"acao": "comecar"}), "faltam os segundos"),
        ],
    )
    async def test_a_call_that_cannot_be_is_told_why_and_may_be_mended(
        self, database_url: str, tmp_path: Path, call: ToolCall, why: str
    ) -> None:
        brain = rounds([call], [LAMP_ON], [])
        async with home(database_url, tmp_path, brain=brain) as house:
            turn = await house.butler.ask(WISH, house.written)
            told = result(brain.asked[1][-1])
            assert told["feito"] is False
            assert why in str(told["por_que"])
            assert turn.reply == ["Acendi a luz da sala."]

    async def test_what_the_words_do_not_ask_for_is_asked_and_a_yes_does_it(
        self, database_url: str, tmp_path: Path
    ) -> None:
        brain = rounds([ToolCall("ligar", {"nomes": ["luz da cozinha"]}), "Acendi a luz da cozinha."])
        async with home(database_url, tmp_path, brain=brain) as house:
            turn = await house.butler.ask("que breu danado", house.written)
            assert house.links.orders == []
            assert turn.reply == ["Você quer que eu faça isto: acender a luz da cozinha? Diga sim ou não."]
            assert await house.db.fetchval("SELECT count(*) FROM actions") == 0
            yes = await house.butler.ask("sim", house.written)
            assert [order.entity_id for order in house.links.orders] == ["light.cozinha"]
            assert await actions(house, yes) == [("turn_on", "success")]
            assert len(brain.asked) == 1

    async def test_the_question_tells_what_and_when(self, database_url: str, tmp_path: Path) -> None:
        later = {"nomes": ["luz da cozinha"], "quando": "amanhã às nove"}
        remind = {"o_que": "comprar pão", "quando": "às oito da noite"}
        brain = rounds([ToolCall("ligar", later)], [ToolCall("criar_lembrete", remind)])
        async with home(database_url, tmp_path, brain=brain) as house:
            turn = await house.butler.ask("que breu danado", house.written)
            assert "acender a luz da cozinha, amanhã às nove?" in turn.reply[0]
            turn = await house.butler.ask("que fome danada", house.written)
            assert "marcar “comprar pão” para às oito da noite?" in turn.reply[0]
            assert await house.db.fetchval("SELECT count(*) FROM reminders") == 0

    async def test_a_gate_needs_its_own_yes(self, database_url: str, tmp_path: Path) -> None:
        brain = rounds([ToolCall("ligar", {"nomes": ["portão"]})])
        async with home(database_url, tmp_path, brain=brain) as house:
            turn = await house.butler.ask("queria muito abrir o portão, se não for pedir demais, tá", house.written)
            assert turn.reply == ["Quer mesmo abrir o portão? Diga sim ou não."]
            assert house.links.orders == []
            await house.butler.ask("sim", house.written)
            assert [order.verb for order in house.links.orders] == ["open"]

    async def test_the_model_can_do_no_more_than_who_speaks(self, database_url: str, tmp_path: Path) -> None:
        brain = rounds([ToolCall("ligar", {"nomes": ["portão"]}), "Abri o portão."])
        async with home(database_url, tmp_path, brain=brain) as house:
            child = Place("text", "sala", None, person=Person(None, "Ana", "child"))
            turn = await house.butler.ask("queria muito abrir o portão, se não for pedir demais, tá", child)
            assert turn.understood.plan.route == "llm"
            assert house.links.orders == []
            assert turn.reply == ["Isso precisa de permissão. Vou perguntar."]
            assert await house.db.fetchval("SELECT count(*) FROM actions") == 0
            assert await house.db.fetchval("SELECT words FROM approvals") == turn.understood.text

    async def test_what_fails_is_told_and_not_claimed(self, database_url: str, tmp_path: Path) -> None:
        brain = rounds([LAMP_ON], ["Pronto, acendi a luz da sala!"])
        links = Links(light__sala=CannotDo("Essa lâmpada não responde."))
        async with home(database_url, tmp_path, brain=brain, links=links) as house:
            turn = await house.butler.ask(WISH, house.written)
            assert turn.reply == ["Essa lâmpada não responde."]
            assert result(brain.asked[1][-1])["feito"] is False

    async def test_the_same_call_is_done_once(self, database_url: str, tmp_path: Path) -> None:
        brain = rounds([LAMP_ON, LAMP_ON], [LAMP_ON], [LAMP_ON])
        async with home(database_url, tmp_path, brain=brain) as house:
            turn = await house.butler.ask(WISH, house.written)
            assert len(house.links.orders) == 1
            assert turn.reply == ["Acendi a luz da sala."]

    async def test_rounds_are_bounded(self, database_url: str, tmp_path: Path) -> None:
        asking: list[list[Piece]] = [[ToolCall("ver_lembretes", {"quais": str(number)})] for number in range(20)]
        brain = rounds(*asking)
        prefs = Preferences({"brain.rounds": 3})
        async with home(database_url, tmp_path, brain=brain, prefs=lambda: prefs) as house:
            turn = await house.butler.ask("me conta uma coisa interessante sobre mim", house.written)
            assert len(brain.asked) == 3
            assert turn.reply == ["Comecei, mas me perdi no meio. Pode pedir de outro jeito?"]

    async def test_a_call_that_was_written_as_text_is_a_call_and_never_read_aloud(
        self, database_url: str, tmp_path: Path
    ) -> None:
        written = '<tool_call>\n{"name": "ligar", "arguments": {"nomes": ["luz da sala"]}}\n</tool_call>'
        brain = rounds([written[at : at + 5] for at in range(0, len(written), 5)], [])
        async with home(database_url, tmp_path, brain=brain) as house:
            turn = await house.butler.ask(WISH, house.written)
            assert turn.reply == ["Acendi a luz da sala."]

    async def test_no_tools_are_offered_where_the_household_wants_none(self, database_url: str, tmp_path: Path) -> None:
        brain, prefs = rounds(["Não sei."]), Preferences({"brain.tools": False})
        async with home(database_url, tmp_path, brain=brain, prefs=lambda: prefs) as house:
            await house.butler.ask(WISH, house.written)
            assert brain.offered == [[]]


class TestTruth:
    @pytest.mark.parametrize(
        "claim",
        [
            "Acendi a luz da sala.",
            "Pronto, já liguei a luz da sala para você!",
            "Claro, vou acender a luz da sala agora.",
            "A luz da sala foi acesa.",
            "Anotado!",
            "Lembrete criado para amanhã.",
            "Feito.",
            "Estou abrindo o portão.",
        ],
    )
    async def test_a_claim_without_a_deed_is_not_spoken(self, database_url: str, tmp_path: Path, claim: str) -> None:
        async with home(database_url, tmp_path, brain=rounds([f"Boa ideia. {claim} Até logo."])) as house:
            turn = await house.butler.ask("que dia lindo, né?", house.written)
            assert claim not in turn.reply
            assert turn.reply[0] == "Boa ideia."
            assert "não fiz isso" in turn.reply[1] or "ainda não fiz" in turn.reply[1]
            assert turn.reply[2:] == ["Até logo."]

    async def test_of_several_false_claims_one_correction_is_enough(self, database_url: str, tmp_path: Path) -> None:
        brain = rounds(["Acendi a luz. Apaguei a luz da cozinha. Anotei tudo."])
        async with home(database_url, tmp_path, brain=brain) as house:
            turn = await house.butler.ask("que dia lindo, né?", house.written)
            assert len(turn.reply) == 1

    async def test_the_right_deed_with_the_wrong_room_is_no_truth(self, database_url: str, tmp_path: Path) -> None:
        brain = rounds([LAMP_ON], ["Acendi a luz da sala e também a luz da cozinha."])
        async with home(database_url, tmp_path, brain=brain) as house:
            turn = await house.butler.ask(WISH, house.written)
            assert turn.reply[0] == "Acendi a luz da sala."
            assert len(turn.reply) == 2
            assert "não fiz" in turn.reply[1]

    @pytest.mark.parametrize(
        "sentence",
        [
            "Não acendi nada ainda.",
            "Quer que eu acenda a luz?",
            "O interruptor foi inventado em 1884.",
            "Você já ligou para a sua mãe?",
            "Posso acender a luz, se quiser.",
            "Ele disse “acendi a luz” e saiu.",
        ],
    )
    async def test_what_claims_nothing_is_spoken(self, database_url: str, tmp_path: Path, sentence: str) -> None:
        async with home(database_url, tmp_path, brain=rounds([sentence])) as house:
            turn = await house.butler.ask("que dia lindo, né?", house.written)
            assert turn.reply == [sentence]
