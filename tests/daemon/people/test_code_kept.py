"""The spoken code: read from what is said, kept as a hash, given by command, and gone with its person."""

import asyncio
import json
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from support.clock import FakeClock
from support.coded import CODE, SPOKEN, WRONG, around, every_row, stands
from support.command import Ended, mordomo

from config.preferences import Preferences
from daemon.language.pt_br.codes import said_digits
from daemon.people.codes import LONGEST, hashed, same, unfit
from daemon.people.living import Living
from daemon.people.voices.trust import Trust
from db import codes, permissions
from db.codes import Hashed
from db.database import open_database
from db.erasure import Wish, erase_rows
from db.export import exported
from db.listen import notifications


@pytest.mark.parametrize("text", SPOKEN)
def test_digits_are_read_as_they_are_said(text: str) -> None:
    assert said_digits(text) == (CODE, True)


@pytest.mark.parametrize(
    ("text", "digits"),
    [("meia um zero meia", "6106"), ("zero zero onze", "0011"), ("vinte, trinta e dois", "2032"),
     ("três um catorze", "3114"), ("mil duzentos", "1200"), ("12 34 56 78", "12345678")],
)  # fmt: skip
def test_other_digits(text: str, digits: str) -> None:
    assert said_digits(text) == (digits, True)


def test_a_sentence_is_no_code() -> None:
    assert said_digits("coloca um timer de vinte minutos") == ("120", False)
    assert said_digits("abre o portão") == ("", False)


@pytest.mark.parametrize("code", ["482", "482112345", "48a1", "", "1111", "1234", "4321", "012345", "４８２１"])
def test_what_anybody_would_guess_will_not_do(code: str) -> None:
    assert unfit(code)


def test_it_is_kept_as_a_salted_hash() -> None:
    assert unfit(CODE) is None
    assert len(CODE) <= LONGEST
    one, other = hashed(CODE), hashed(CODE)
    assert one.hash != other.hash
    assert same(CODE, one)
    assert not same(WRONG, one)
    assert (one.n, one.r, one.p) == (2**15, 8, 1)


async def test_who_has_one_is_told_at_once(database_url: str, tmp_path: Path) -> None:
    async with around(database_url, tmp_path) as at:
        assert at.they.bia.id is not None
        assert not at.house.people.living.has_code(at.they.bia)
        async with aclosing(notifications(database_url, [permissions.CHANNEL])) as changes:
            await anext(changes)  # it listens
            await codes.put(at.house.db, at.they.bia.id, hashed(CODE), at.clock.now())
            await asyncio.wait_for(anext(changes), 10)
        await at.house.people.living.refresh()
        assert at.house.people.living.has_code(at.they.bia)


async def test_it_goes_with_the_person_and_is_not_exported(database_url: str, tmp_path: Path) -> None:
    async with around(database_url, tmp_path) as at:
        marcos = at.they.marcos.id
        assert marcos is not None
        async with at.house.db.transaction() as connection:
            (row,) = (await exported(connection, marcos, "Marcos"))["spoken_codes"]
        assert not {"salt", "hash"} & row.keys()
        receipt = await erase_rows(at.house.db, Wish(marcos, "Marcos", "person", "cli"), at.clock.now())
        assert receipt.counts["spoken_codes"] == 1
        assert await at.house.db.fetchval("SELECT count(*) FROM spoken_codes") == 0


async def test_a_code_is_given_and_taken_by_command(database_url: str, tmp_path: Path) -> None:
    async def people(*arguments: str, typed: str = "") -> Ended:
        return await mordomo(database_url, "people", *arguments, data_dir=tmp_path, typed=typed)

    assert (await people("add", "Ana")).status == 0
    for weak, why in (("1234", "sequência"), ("7777", "iguais"), ("12", "4 a 8"), ("", "4 a 8")):
        refused = await people("code", "Ana", typed=f"{weak}\n")
        assert (refused.status, why in refused.err) == (1, True)
    given = await people("code", "Ana", typed=f"{CODE}\n")
    assert given.status == 0, given.err
    assert CODE not in given.out + given.err
    assert json.loads((await people("list", "--json")).out)[0]["code"] is True
    async with open_database(database_url) as db:
        row = await db.fetchrow("SELECT salt, hash, n, r, p FROM spoken_codes")
        assert row is not None
        assert same(CODE, Hashed(*row))
        assert not stands(CODE, await every_row(db))
    async with open_database(database_url) as db:
        ana, now = await db.fetchval("SELECT id FROM users"), datetime.now(UTC)
        for _ in range(codes.MOST_WRONG):
            assert await codes.begin(db, ana, now) is not None
        assert await codes.begin(db, ana, now) is None
        living = Living(db, Preferences)
        await living.refresh()
        assert "o código de Ana está bloqueado até" in str(living.part().detail)
    assert "bloqueado até" in (await people("list")).out
    assert "não tem mais código" in (await people("code", "Ana", "--remove")).out
    assert (await people("code", "Ana", "--remove")).status == 1


def test_a_code_counts_for_its_person_in_its_room_for_a_while() -> None:
    clock = FakeClock()
    trust, ana = Trust(clock, lambda: 0.2, lambda: 120), UUID(int=1)
    trust.vouch(("microphone", "sala"), ana)
    assert trust.vouched(("microphone", "sala"), ana)
    assert not trust.vouched(("microphone", "sala"), UUID(int=2))
    assert not trust.vouched(("microphone", "sala"), None)
    assert not trust.vouched(("microphone", "cozinha"), ana)
    clock.advance(121)
    assert not trust.vouched(("microphone", "sala"), ana)
