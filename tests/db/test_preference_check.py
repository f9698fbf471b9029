"""The check that the database makes of preferences agrees with the declarations, and says why it refuses."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.postgres import Databases

from config.preference import InvalidPreference
from config.preferences import DECLARED, STT_MODEL
from db.database import Database, connect, open_database
from db.preference_check import check_body, install_check, literal
from db.preferences import load, set_value
from db.upgrade import upgrade

# The database and the declarations must judge every value alike.


def _near(bound: float) -> st.SearchStrategy[float | int]:
    return st.sampled_from(
        [bound, -bound, int(bound), int(bound) + 1, int(bound) - 1, bound * (1 + 1e-15), bound + 1e-9]
    )


BOUNDS = sorted({b for p in DECLARED.values() for b in (p.minimum, p.maximum) if b is not None})
TEXTS = st.one_of(
    st.text(),
    st.text("aA0._:/- \t\n\u00a0é", max_size=8),
    st.sampled_from([choice for p in DECLARED.values() for choice in p.choices]),
    st.sampled_from(
        ["America/Sao_Paulo", "america/sao_paulo", "UTC", "Brasília", "", " ", "x\n", "\u2028x", "a" * 500]
    ),
    st.builds(lambda text, times: text * times, st.sampled_from(["a", "é", "🎉"]), st.sampled_from([499, 500, 501])),
    st.sampled_from([str(p.default) for p in DECLARED.values()]).flatmap(
        lambda word: st.sampled_from([word, word + "\n", " " + word, word.upper(), word + "\x7f"])
    ),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-20, 5000),
    st.integers(-(10**400), 10**400),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-6, 70),
    st.sampled_from(BOUNDS).flatmap(_near),
    TEXTS,
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=4
)


class Judge:
    """The database's opinion of a JSON text for a key, asked without leaving anything behind."""

    def __init__(self, databases: Databases, runner: asyncio.Runner) -> None:
        self._runner = runner
        self.url = databases.create(migrated=True)
        self._databases = databases
        self._connection = runner.run(connect(self.url, json_codec=False))

    def refusal(self, key: str, value: str) -> str | None:
        return self._runner.run(self._refusal(key, value))

    async def _refusal(self, key: str, value: str) -> str | None:
        transaction = self._connection.transaction()
        await transaction.start()
        try:
            await self._connection.execute("UPDATE config SET value = $2::text::jsonb WHERE key = $1", key, value)
        except asyncpg.CheckViolationError as refused:
            return refused.message
        except (asyncpg.UntranslatableCharacterError, asyncpg.InvalidTextRepresentationError) as impossible:
            return impossible.message
        finally:
            await transaction.rollback()
        return None

    def close(self) -> None:
        self._runner.run(self._connection.close())
        self._databases.drop(self.url)


@pytest.fixture(scope="module")
def judge(postgres: Databases) -> Iterator[Judge]:
    with asyncio.Runner() as runner:
        judge = Judge(postgres, runner)
        yield judge
        judge.close()


@pytest.fixture
async def steady(judge: Judge) -> AsyncIterator[Database]:
    """The judge's database, for tests that change nothing."""
    async with open_database(judge.url) as database:
        yield database


def _refused_by_us(key: str, text: str) -> bool:
    try:
        DECLARED[key].read(json.loads(text))
    except InvalidPreference:
        return True
    return False


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(list(DECLARED)), value=VALUES)
@example(key="stt.model", value="\u00a0modelo")
@example(key="stt.model", value="small\n")
@example(key="brain.max_tokens", value=10**400)
@example(key="brain.max_tokens", value=200.0)
@example(key="brain.temperature", value=2.0000000000000004)
@example(key="brain.temperature", value=-5e-324)
@example(key="house.area", value="\ud83d")
@example(key="house.area", value="a\0b")
def test_the_database_and_the_declarations_agree(judge: Judge, key: str, value: object) -> None:
    text = json.dumps(value)
    assert (judge.refusal(key, text) is not None) == _refused_by_us(key, text)


@pytest.mark.parametrize("key", DECLARED)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_they_agree_on_values_of_the_right_kind(judge: Judge, key: str, data: st.DataObject) -> None:
    preference = DECLARED[key]
    fitting = (
        TEXTS
        if preference.kind is str
        else st.booleans()
        if preference.kind is bool
        else SCALARS.filter(lambda value: isinstance(value, int | float))
    )
    text = json.dumps(data.draw(fitting))
    assert (judge.refusal(key, text) is not None) == _refused_by_us(key, text)


@pytest.mark.parametrize(
    "text", ["2.00000000000000000001", "1e400", "-1e400", "1e-400", "0.1e1", "2e0", "1" + "0" * 4000]
)
@pytest.mark.parametrize("key", ["brain.temperature", "stt.beam_size"])
def test_they_agree_on_numbers_that_no_float_holds(judge: Judge, key: str, text: str) -> None:
    assert (judge.refusal(key, text) is not None) == _refused_by_us(key, text)


@pytest.mark.parametrize("key", DECLARED)
def test_the_refusal_is_the_same_sentence(judge: Judge, key: str) -> None:
    for value in (None, [1], "\x7f", -1e9):
        with pytest.raises(InvalidPreference) as refused:
            DECLARED[key].read(value)
        said = judge.refusal(key, json.dumps(value))
        assert said is not None
        assert said.partition("; recebeu ")[0] == str(refused.value).partition("; recebeu ")[0]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "UPDATE config SET value = '7' WHERE key = 'brain.temperature'",
            "brain.temperature: precisa ser número de 0 a 2; recebeu 7",
        ),
        (
            "UPDATE config SET value = '\"bela\"' WHERE key = 'wake_word.engine'",
            'wake_word.engine: precisa ser um destes textos: microwakeword, openwakeword, porcupine; recebeu "bela"',
        ),
        (
            "UPDATE config SET value = '\"Marte/Olimpo\"' WHERE key = 'house.timezone'",
            'house.timezone: precisa ser um fuso horário, como "America/Sao_Paulo"; recebeu "Marte/Olimpo"',
        ),
        (
            "UPDATE config SET key = 'tts.voz' WHERE key = 'tts.voice'",
            "tts.voz: esta preferência não existe",
        ),
    ],
)
async def test_whoever_edits_by_sql_is_told(steady: Database, statement: str, message: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await steady.execute(statement)
    assert refused.value.message == message


async def test_an_unknown_key_is_told_its_neighbours(steady: Database) -> None:
    with pytest.raises(
        InvalidPreference, match=r"^brain\.modelo: esta preferência não existe\. Parecidas: brain\.model"
    ):
        await set_value(steady, "brain.modelo", "x", "teste")
    with pytest.raises(InvalidPreference, match=r"não existe\. Veja todas com: mordomo config list$"):
        await set_value(steady, "xyz", "x", "teste")


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), "a\0b", "\ud800", [[["a"]]], pytest.param(10**5000, id="huge"), 3]
)
async def test_what_cannot_be_set_is_an_invalid_preference(steady: Database, value: object) -> None:
    with pytest.raises(InvalidPreference, match=r"^stt[.]model: "):
        await set_value(steady, "stt.model", value, "teste")
    assert (await load(steady))[0][STT_MODEL] == "small"


async def test_a_check_that_was_switched_off_or_changed_is_put_back(database_url: str, db: Database) -> None:
    await db.execute("ALTER TABLE config DISABLE TRIGGER config_check")
    await upgrade(database_url)
    with pytest.raises(InvalidPreference):
        await set_value(db, "tts.speed", 9, "teste")
    await db.execute(
        "CREATE OR REPLACE FUNCTION check_config() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
    )
    async with db.transaction() as connection:
        assert await install_check(connection)
        assert not await install_check(connection)
    with pytest.raises(InvalidPreference):
        await set_value(db, "tts.speed", 9, "teste")
    assert await db.fetchval("SELECT prosrc FROM pg_proc WHERE proname = 'check_config'") == check_body()


@pytest.mark.parametrize("conforming", ["on", "off"])
async def test_literals_read_as_they_were_written(steady: Database, conforming: str) -> None:
    async with steady.transaction() as connection:
        await connection.execute(f"SET LOCAL standard_conforming_strings = {conforming}")
        for text in ("", "d'água", "\\", "\\'; DROP TABLE users; --", "$check$", "é 🎉 %s {x}", "a\nb"):
            assert await connection.fetchval(f"SELECT {literal(text)}") == text
