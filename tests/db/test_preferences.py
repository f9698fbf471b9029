"""The config table: the database's check agrees with the declarations, says why, seeds, notifies."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from config.preferences import BRAIN_TEMPERATURE, DECLARED, STT_MODEL, TTS_SPEED, InvalidPreference, Preferences
from db.database import Database, open_database
from db.listen import Notification, notifications
from db.preference_check import check_body, install_check, literal
from db.preferences import load, rows, set_value
from db.upgrade import upgrade
from support.postgres import Databases

FROM_THE_SEED = {
    "wake_word.sensitivity": 0.7,
    "tts.voice": "pt_BR-faber-medium",
    "brain.model": "qwen2.5:3b",
    "brain.temperature": 0.7,
    "brain.max_tokens": 200,
}


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url) as database:
        yield database


@asynccontextmanager
async def unchecked(db: Database) -> AsyncIterator[None]:
    await db.execute("ALTER TABLE config DISABLE TRIGGER config_check")
    yield
    await db.execute("ALTER TABLE config ENABLE TRIGGER config_check")


async def test_every_key_is_seeded_and_loads_as_its_default(db: Database) -> None:
    preferences, faults = await load(db)
    assert faults == []
    assert preferences.as_dict() == {key: p.default for key, p in DECLARED.items()}
    assert FROM_THE_SEED.items() <= preferences.as_dict().items()
    listed = await rows(db)
    assert [row.key for row in listed] == list(DECLARED)
    assert all(row.description and row.updated_by == "mordomo" and row.updated_at for row in listed)


# The database and the declarations must judge every value alike.


def _near(bound: float) -> st.SearchStrategy[float | int]:
    return st.sampled_from([bound, -bound, int(bound), int(bound) + 1, int(bound) - 1, bound * (1 + 1e-15), bound + 1e-9])


BOUNDS = sorted({b for p in DECLARED.values() for b in (p.minimum, p.maximum) if b is not None})
TEXTS = st.one_of(
    st.text(),
    st.text("aA0._:/- \t\n\u00a0é", max_size=8),
    st.sampled_from([choice for p in DECLARED.values() for choice in p.choices]),
    st.sampled_from(["America/Sao_Paulo", "america/sao_paulo", "UTC", "Brasília", "", " ", "x\n", "\u2028x", "a" * 500]),
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
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=4)


class Judge:
    """The database's opinion of a JSON text for a key, asked without leaving anything behind."""

    def __init__(self, databases: Databases, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._url = databases.create(migrated=True)
        self._drop = lambda: databases.drop(self._url)
        self._connection = runner.run(asyncpg.connect(self._url))

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
        self._drop()


@pytest.fixture(scope="module")
def judge(postgres: Databases) -> "AsyncIterator[Judge]":
    with asyncio.Runner() as runner:
        judge = Judge(postgres, runner)
        yield judge
        judge.close()


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
    fitting = TEXTS if preference.kind is str else st.booleans() if preference.kind is bool else SCALARS.filter(
        lambda value: isinstance(value, int | float)
    )
    text = json.dumps(data.draw(fitting))
    assert (judge.refusal(key, text) is not None) == _refused_by_us(key, text)


@pytest.mark.parametrize("text", ["2.00000000000000000001", "1e400", "-1e400", "1e-400", "0.1e1", "2e0", "1" + "0" * 4000])
@pytest.mark.parametrize("key", ["brain.temperature", "stt.beam_size"])
def test_they_agree_on_numbers_that_no_float_holds(judge: Judge, key: str, text: str) -> None:
    assert (judge.refusal(key, text) is not None) == _refused_by_us(key, text)


@pytest.mark.parametrize("key", DECLARED)
def test_the_refusal_is_the_same_sentence(judge: Judge, key: str) -> None:
    for value in (None, [1], "\x7f", -1e9):
        try:
            DECLARED[key].read(value)
        except InvalidPreference as refused:
            said = judge.refusal(key, json.dumps(value))
            assert said is not None
            assert said.partition("; recebeu ")[0] == str(refused).partition("; recebeu ")[0]
        else:
            pytest.fail("a value that no preference takes")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "UPDATE config SET value = '7' WHERE key = 'brain.temperature'",
            "brain.temperature: precisa ser número de 0 a 2; recebeu 7",
        ),
        (
            "UPDATE config SET value = '\"bela\"' WHERE key = 'wake_word.engine'",
            "wake_word.engine: precisa ser um destes textos: microwakeword, openwakeword, porcupine; recebeu \"bela\"",
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
async def test_whoever_edits_by_sql_is_told(db: Database, statement: str, message: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await db.execute(statement)
    assert refused.value.message == message


async def test_an_unknown_key_is_told_its_neighbours(db: Database) -> None:
    with pytest.raises(InvalidPreference, match=r"^brain\.modelo: esta preferência não existe\. Parecidas: brain\.model"):
        await set_value(db, "brain.modelo", "x", "teste")
    with pytest.raises(InvalidPreference, match=r"não existe\. Veja todas com: mordomo config list$"):
        await set_value(db, "xyz", "x", "teste")


async def test_values_are_set_signed_and_loaded(db: Database) -> None:
    await set_value(db, "brain.temperature", 1, "Ana")
    await set_value(db, "stt.model", "/modelos/d'água \\ \"x\" 🎉", "voz")
    preferences, faults = await load(db)
    assert (preferences[BRAIN_TEMPERATURE], preferences[STT_MODEL], faults) == (1.0, "/modelos/d'água \\ \"x\" 🎉", [])
    row = next(row for row in await rows(db) if row.key == "brain.temperature")
    assert (row.value, row.default, row.updated_by) == (1, 0.7, "Ana")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "a\0b", "\ud800", [[["a"]]], pytest.param(10**5000, id="huge"), 3])
async def test_what_cannot_be_set_is_an_invalid_preference(db: Database, value: object) -> None:
    with pytest.raises(InvalidPreference, match="stt.model"):
        await set_value(db, "stt.model", value, "teste")
    assert (await load(db))[0][STT_MODEL] == "small"


async def test_an_editor_who_does_not_sign_is_signed_by_the_server(database_url: str, db: Database) -> None:
    await set_value(db, "tts.speed", 1.5, "Ana")
    client = await asyncpg.connect(database_url)
    await client.execute("UPDATE config SET value = '0.8' WHERE key = 'tts.speed'")
    user = await client.fetchval("SELECT session_user")
    await client.close()
    row = next(row for row in await rows(db) if row.key == "tts.speed")
    assert (row.value, row.updated_by) == (0.8, user)


async def test_updated_at_moves_with_the_value_only(db: Database) -> None:
    async def touched() -> object:
        return await db.fetchval("SELECT updated_at FROM config WHERE key = 'tts.speed'")

    first = await touched()
    await db.execute("UPDATE config SET description = 'outra' WHERE key = 'tts.speed'")
    await db.execute("UPDATE config SET value = value WHERE key = 'tts.speed'")
    assert await touched() == first
    await set_value(db, "tts.speed", 1.1, "Ana")
    assert await touched() > first  # type: ignore[operator]


async def test_a_start_keeps_values_renews_descriptions_and_seeds_what_is_missing(database_url: str, db: Database) -> None:
    await set_value(db, "tts.speed", 1.25, "Ana")
    await db.execute("DELETE FROM config WHERE key = 'stt.model'")
    await db.execute("UPDATE config SET description = 'velha' WHERE key = 'brain.model'")
    assert (await load(db))[0][STT_MODEL] == "small"
    assert next(row for row in await rows(db) if row.key == "stt.model").updated_at is None
    await upgrade(database_url)
    listed = {row.key: row for row in await rows(db)}
    assert listed["tts.speed"].value == 1.25
    assert listed["stt.model"].updated_at is not None
    description = await db.fetchval("SELECT description FROM config WHERE key = 'brain.model'")
    assert description == DECLARED["brain.model"].description


async def test_bad_rows_keep_the_last_good_value_and_are_reported(database_url: str, db: Database) -> None:
    last = Preferences({"brain.temperature": 0.2})
    async with unchecked(db):
        await db.execute("UPDATE config SET value = '99' WHERE key = 'brain.temperature'")
        await db.execute("UPDATE config SET value = ('1' || repeat('0', 5000))::jsonb WHERE key = 'tts.speed'")
        deep = "[" * 3000 + "]" * 3000
        await db.execute("UPDATE config SET value = $1::text::jsonb WHERE key = 'stt.model'", deep)
        await db.execute("INSERT INTO config (key, value) VALUES ('som.cor', '1')")
    preferences, faults = await load(db)
    assert preferences.as_dict() == Preferences().as_dict()
    assert (await load(db, last))[0][BRAIN_TEMPERATURE] == 0.2
    assert [fault.partition(":")[0] for fault in faults] == ["brain.temperature", "som.cor", "stt.model", "tts.speed"]
    await upgrade(database_url)  # descriptions are renewed beside bad values
    assert (await load(db))[0][TTS_SPEED] == 1.0


async def test_a_check_that_was_switched_off_or_changed_is_put_back(database_url: str, db: Database) -> None:
    await db.execute("ALTER TABLE config DISABLE TRIGGER config_check")
    await upgrade(database_url)
    with pytest.raises(InvalidPreference):
        await set_value(db, "tts.speed", 9, "teste")
    await db.execute("CREATE OR REPLACE FUNCTION check_config() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
    async with db.transaction() as connection:
        assert await install_check(connection)
        assert not await install_check(connection)
    with pytest.raises(InvalidPreference):
        await set_value(db, "tts.speed", 9, "teste")
    assert await db.fetchval("SELECT prosrc FROM pg_proc WHERE proname = 'check_config'") == check_body()


async def test_every_change_is_notified_once_by_key(database_url: str, db: Database) -> None:
    stream = notifications(database_url, ["mordomo_config"])
    assert await anext(stream) == Notification("", "")
    await set_value(db, "tts.speed", 1.5, "Ana")
    await set_value(db, "tts.speed", 1.5, "Ana")  # the same again is no change
    await db.execute("UPDATE config SET description = 'outra'")
    await db.execute("DELETE FROM config WHERE key = 'stt.model'")
    await set_value(db, "stt.model", "base", "Ana")
    await db.execute("TRUNCATE config")
    assert [(await anext(stream)).payload for _ in range(4)] == ["tts.speed", "stt.model", "stt.model", ""]
    await stream.aclose()


@pytest.mark.parametrize("conforming", ["on", "off"])
@pytest.mark.parametrize("text", ["", "d'água", "\\", "\\'; DROP TABLE users; --", "$check$", "é 🎉 %s {x}", "a\nb"])
async def test_literals_read_as_they_were_written(db: Database, text: str, conforming: str) -> None:
    async with db.transaction() as connection:
        await connection.execute(f"SET LOCAL standard_conforming_strings = {conforming}")
        assert await connection.fetchval(f"SELECT {literal(text)}") == text
