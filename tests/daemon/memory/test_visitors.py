"""What is for visitors: a guest is told it by voice, and nothing else that the house keeps."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.family import family
from support.house import Home, home

from daemon.memory.told import told
from daemon.people.person import DEVICE, GUEST, Person
from db import permissions
from db.permissions import PermissionRow

KEPT = (
    "lembra que o wifi da visita é Jabuticaba-2024!",
    "lembra que a toalha das visitas fica no armário do corredor",
    "lembra que a senha do wifi é Coruja77",
    "lembra que a Ana é alérgica a amendoim",
    "lembra que a chave reserva fica embaixo do vaso",
    "lembra que a senha do alarme não é pra visita, é 4851",
)


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[Home]:
    async with home(database_url, tmp_path) as made:
        they = await family(made)
        for fact in KEPT:
            turn = await made.butler.ask(fact, they.says(they.marcos))
            assert turn.actions, fact
        yield made


async def told_to(house: Home, person: Person, question: str) -> str:
    they = await family(house)
    return " ".join((await house.butler.ask(question, they.says(person))).reply)


@pytest.mark.parametrize("question", ["qual é a senha do wifi da visita?", "qual é o wifi?", "qual a senha do wifi"])
async def test_a_guest_is_told_the_visitors_wifi_and_not_the_familys(house: Home, question: str) -> None:
    said = await told_to(house, GUEST, question)
    assert "Jabuticaba-2024" in said
    assert "Coruja" not in said


@pytest.mark.parametrize(
    "question",
    ["onde fica a chave reserva?", "a Ana é alérgica a quê?", "qual é a senha do alarme?", "o que você sabe do vaso?",
     "o que eu te falei sobre a senha?"],
)  # fmt: skip
async def test_a_guest_is_told_nothing_of_the_households(house: Home, question: str) -> None:
    said = await told_to(house, GUEST, question)
    for secret in ("vaso", "amendoim", "4851", "Coruja"):
        assert secret not in said.replace("do vaso?", "")


async def test_where_a_guests_things_are(house: Home) -> None:
    assert "armário do corredor" in await told_to(house, GUEST, "onde fica a toalha das visitas?")


async def test_a_fact_is_the_sentence_as_it_is_and_nothing_read_in_it(house: Home) -> None:
    they = await family(house)
    turn = await house.butler.ask("lembra que o cofre fica no quarto", they.says(they.marcos))
    assert await house.db.fetchval("SELECT text FROM memories ORDER BY created_at DESC LIMIT 1") == (
        "o cofre fica no quarto"
    )
    assert [action.parameters for action in turn.actions] == [{"text": "lembra que o cofre fica no quarto"}]


async def test_of_two_alike_the_one_that_was_named_is_forgotten(house: Home) -> None:
    they = await family(house)
    asked = await house.butler.ask("esquece o wifi da visita", they.says(they.marcos))
    assert "Jabuticaba" in asked.reply[0]
    await house.butler.ask("sim", they.says(they.marcos))
    left = [row[0] for row in await house.db.fetch("SELECT text FROM memories")]
    assert not any("Jabuticaba" in text for text in left)
    assert len(left) == len(KEPT) - 1


async def test_the_family_is_told_all_of_it(house: Home) -> None:
    they = await family(house)
    assert "Coruja77" in await told_to(house, they.marcos, "qual é a senha do wifi?")
    assert "vaso" in await told_to(house, they.marcos, "onde fica a chave reserva?")


@pytest.mark.parametrize("said", ["lembra que o portão abre com 1234", "esquece o wifi da visita", "esquece isso"])
async def test_a_guest_neither_tells_nor_forgets(house: Home, said: str) -> None:
    before = await house.db.fetchval("SELECT count(*) FROM memories")
    await told_to(house, GUEST, said)
    assert await house.db.fetchval("SELECT count(*) FROM memories") == before


async def test_a_program_on_the_broker_is_told_nothing(house: Home) -> None:
    assert "Jabuticaba" not in await told_to(house, DEVICE, "qual é a senha do wifi da visita?")
    turn = await house.butler.ask("qual é a senha do wifi da visita?", house.over_mqtt)
    assert "Jabuticaba" not in " ".join(turn.reply)


async def test_a_household_that_does_not_want_it_says_so_in_a_rule(house: Home) -> None:
    await permissions.put(house.db, PermissionRow("deny", "guest", intent="RecallFact"), "teste")
    assert "Jabuticaba" not in await told_to(house, GUEST, "qual é a senha do wifi da visita?")


@pytest.mark.parametrize(
    ("said", "theirs"),
    [
        ("o wifi da visita é jabuticaba", True),
        ("lembra que a senha dos convidados é sol123", True),
        ("anota que o travesseiro pros hóspedes está no baú", True),
        ("lembra que a toalha para as visitas é a azul", True),
        ("lembra que a visita da tia Rosa é no domingo", False),
        ("lembra que depois da visita do médico tem exame", False),
        ("lembra que o vinho bom não é pra visita", False),
        ("lembra de esconder o chocolate das visitas", False),
        ("guarda só pra mim que o quarto das visitas tem mofo", False),
        ("lembra que a chave fica com o vizinho", False),
    ],
)
def test_what_is_for_visitors_is_known_by_its_words(said: str, *, theirs: bool) -> None:
    found = told(said)
    assert found is not None
    assert found.for_guests is theirs
