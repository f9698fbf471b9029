"""Leave that is asked of others: asked aloud, answered by whoever may, carried out once, with both names."""

from pathlib import Path

import pytest
from support.clock import FakeClock
from support.family import family, row, settled
from support.house import Links, home

from daemon.errors import CannotDo, Refused
from daemon.skills.approvals import Answer

ASKED = "A Ana quer abrir o portão. Posso?"


async def test_a_child_asks_and_an_adult_lets(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        asked = await house.butler.ask("abre o portão", they.says(they.ana))
        assert asked.reply == ["Isso precisa de permissão. Vou perguntar a Marcos."]
        assert not asked.actions
        await settled(house)
        assert house.announced == [ASKED]
        answered = await house.butler.ask("pode", they.says(they.marcos))
        assert answered.reply[0] in {"Certo.", "Combinado."}
        assert house.links.orders == []  # granted is one step, done another
        await settled(house)
        assert [(order.entity_id, order.verb) for order in house.links.orders] == [("cover.portao", "open")]
        assert await row(house) == "done"
        did = await house.db.fetchrow("SELECT * FROM actions WHERE action_type = 'iot_control'")
        assert did is not None
        assert (did["parameters"]["asked_by"], did["parameters"]["approved_by"]) == ("Ana", "Marcos")
        assert did["parameters"]["words"] == "abre o portão"
        steps = await house.db.fetch(
            "SELECT new ->> 'status', actor, channel FROM audit_log WHERE table_name = 'approvals'"
            " AND new ? 'status' ORDER BY at, id"
        )
        assert [tuple(step) for step in steps] == [
            ("pending", "Ana", "voice"), ("granted", "Marcos", "voice"),
            ("executing", "mordomo", "daemon"), ("done", "mordomo", "daemon"),
        ]  # fmt: skip
        await settled(house)
        assert len(house.links.orders) == 1


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ("sim", "granted"), ("pode sim", "granted"), ("a Ana pode", "granted"), ("pode abrir", "granted"),
        ("não", "refused"), ("não pode", "refused"), ("não, Ana, agora não", "refused"),
        ("beleza", "pending"), ("ok", "pending"), ("que horas são", "pending"), ("acende a luz da sala", "pending"),
    ],
)  # fmt: skip
async def test_what_answers_it(database_url: str, tmp_path: Path, answer: str, status: str) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        await house.butler.ask("abre o portão", they.says(they.ana))
        await house.butler.ask(answer, they.says(they.marcos, "cozinha"))
        assert await row(house) == status


async def test_only_who_may_answers(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        await house.butler.ask("abre o portão", they.says(they.ana))
        for person in (they.ana, they.bia, they.guest):
            turn = await house.butler.ask("pode", they.says(person))
            assert "não posso dar permissão" in turn.reply[0] or "não pode dar permissão" in turn.reply[0]
            assert "Marcos" in turn.reply[0]
        assert await row(house) == "pending"
        with pytest.raises(Refused, match="Marcos"):
            await house.people.approvals.answer(None, Answer(True, they.bia, "Bia", "voice"))
        assert await row(house) == "pending"


async def test_a_refusal_is_told_to_who_asked(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        await house.butler.ask("abre o portão", they.says(they.ana))
        refused = await house.butler.ask("não pode", they.says(they.marcos, "cozinha"))
        assert refused.reply == ["Certo, não vou abrir o portão."]
        await settled(house)
        assert house.announced == ["Ana, a resposta foi não: não posso abrir o portão."]
        assert house.links.orders == []
        await settled(house)
        assert len(house.announced) == 1


async def test_who_asked_takes_it_back(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        await house.butler.ask("abre o portão", they.says(they.ana))
        said = await house.people.approvals.answer(None, Answer(False, they.ana, "Ana", "voice"))
        assert said == "Certo, não vou abrir o portão."
        assert await row(house) == "refused"


async def test_nobody_answers(database_url: str, tmp_path: Path) -> None:
    clock = FakeClock()
    async with home(database_url, tmp_path, clock=clock) as house:
        they = await family(house)
        await house.butler.ask("abre o portão", they.says(they.ana))
        clock.advance(121)
        late = await house.butler.ask("sim", they.says(they.marcos))
        assert all(action.name != "answer_approval" for action in late.actions)
        with pytest.raises(CannotDo, match="nenhum pedido"):
            await house.people.approvals.answer(None, Answer(True, they.marcos, "Marcos", "voice"))
        await settled(house)
        assert await row(house) == "expired"
        assert house.announced == ["Ana, ninguém respondeu, então não vou abrir o portão."]
        assert house.links.orders == []


async def test_the_same_is_not_asked_twice_at_once(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        await house.butler.ask("abre o portão", they.says(they.ana))
        again = await house.butler.ask("abre o portão", they.says(they.ana))
        assert again.reply == ["Já perguntei, e estou esperando a resposta."]
        assert await house.db.fetchval("SELECT count(*) FROM approvals") == 1


async def test_a_stranger_asks_from_a_room(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        asked = await house.butler.ask("abre o portão", house.aloud)  # a voice that nobody knows
        assert asked.reply == ["Isso precisa de permissão. Vou perguntar a Marcos."]
        await settled(house)
        assert house.announced == ["Alguém na sala quer abrir o portão. Posso?"]
        await house.butler.ask("sim", they.says(they.marcos))
        await settled(house)
        assert len(house.links.orders) == 1


async def test_a_device_that_fails_is_told_and_recorded(database_url: str, tmp_path: Path) -> None:
    links = Links(cover__portao=CannotDo("O portão está emperrado."))
    async with home(database_url, tmp_path, links=links) as house:
        they = await family(house)
        await house.butler.ask("abre o portão", they.says(they.ana))
        await house.butler.ask("pode", they.says(they.marcos))
        await settled(house)
        assert (await row(house), await row(house, "outcome")) == ("failed", "O portão está emperrado.")


async def test_who_gave_leave_and_lost_the_right_does_not_open_it(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        they = await family(house)
        await house.butler.ask("abre o portão", they.says(they.ana))
        await house.butler.ask("pode", they.says(they.marcos))
        await house.db.execute("UPDATE users SET role = 'child' WHERE id = $1", they.marcos.id)
        await house.people.living.refresh()
        await settled(house)
        assert house.links.orders == []
        assert await row(house) == "failed"
