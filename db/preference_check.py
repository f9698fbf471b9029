"""The database's own check of preferences: a trigger on config, generated from `config/preferences.py`.

Whoever edits a row, with whatever program, is told at once, in Portuguese, which rule a value breaks. The check and
`Preference.read` accept and refuse the same values. Deleting a row is allowed: it means back to the default.
"""

import re
from typing import Any, Protocol

from config.preference import MAX_TEXT, Preference, timezones
from config.preferences import DECLARED

KEY_CONSTRAINT = "config_key"
VALUE_CONSTRAINT = "config_value"
"""What the error's constraint_name says: the key is unknown, or the value breaks its rule."""

TRIGGER = (
    "CREATE OR REPLACE TRIGGER config_check BEFORE INSERT OR UPDATE OF key, value ON config"
    " FOR EACH ROW EXECUTE FUNCTION check_config();"
)


class Runs(Protocol):
    """The part of a connection that installing needs."""

    async def execute(self, sql: str, /) -> str:
        """Run one statement."""
        ...

    async def fetchval(self, sql: str, /, *args: Any) -> Any:
        """Return the first value of the first row."""
        ...


_HEAD = """
DECLARE
    kind text := jsonb_typeof(NEW.value);
    said text := NEW.value #>> '{}';
    exact numeric;
    figure float8;  -- rounded as Python's; NULL beyond every rule
    good boolean := false;
    rule text;
BEGIN
    IF kind = 'number' THEN
        exact := said::numeric;
        figure := CASE WHEN abs(exact) < 2.4703282292062328e-324 THEN 0 WHEN abs(exact) < 1e300 THEN exact::float8 END;
    END IF;
    CASE NEW.key
"""
_TAIL = """
    ELSE
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = {key_constraint},
            MESSAGE = left(NEW.key, 80) || ': esta preferência não existe',
            HINT = coalesce((
                SELECT 'Parecidas: ' || string_agg(known, ', ' ORDER BY likeness DESC, known) || '. '
                FROM (
                    SELECT known, (
                        SELECT count(*) FROM generate_series(1, length(known) - 2) AS i
                        WHERE position(substr(known, i, 3) IN lower(left(NEW.key, 255))) > 0
                    )::float8 / (length(known) - 2) AS likeness
                    FROM unnest(ARRAY[{keys}]) AS known
                    ORDER BY likeness DESC, known LIMIT 3
                ) AS nearest
                WHERE likeness >= 0.4
            ), '') || 'Veja todas com: mordomo config list';
    END CASE;
    IF good IS NOT TRUE THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = {value_constraint},
            MESSAGE = NEW.key || ': precisa ser ' || rule || '; recebeu '
                || left(coalesce(NEW.value::text, 'nada'), 80);
    END IF;
    RETURN NEW;
END
"""


def check_body() -> str:
    """Return the body of the plpgsql function `check_config()`."""
    cases = "".join(_case(preference) for preference in DECLARED.values())
    tail = _TAIL.format(
        keys=", ".join(map(literal, DECLARED)),
        key_constraint=literal(KEY_CONSTRAINT),
        value_constraint=literal(VALUE_CONSTRAINT),
    )
    return _HEAD + cases.rstrip("\n") + tail


def install_check_sql() -> tuple[str, str]:
    """Return the statements that put the check in place, or a newer check in the place of an older one."""
    body = check_body()
    tag = "$check$"
    while tag in body:
        tag = tag[:-1] + "_$"
    return (
        f"CREATE OR REPLACE FUNCTION check_config() RETURNS trigger LANGUAGE plpgsql AS {tag}{body}{tag};",
        TRIGGER,
    )


async def install_check(connection: Runs) -> bool:
    """Put the check in place unless the very same is there and switched on; tell whether there was anything to do."""
    there = await connection.fetchval(
        "SELECT f.proname = 'check_config' AND f.prosrc = $1 AND t.tgenabled IN ('O', 'A')"
        " FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid"
        " WHERE t.tgrelid = 'config'::regclass AND t.tgname = 'config_check'",
        check_body(),
    )
    if there:
        return False
    for statement in install_check_sql():
        await connection.execute(statement)
    await connection.execute("ALTER TABLE config ENABLE TRIGGER config_check")
    return True


def literal(text: str) -> str:
    r"""Return `text` as an SQL string that reads the same whatever `standard_conforming_strings` is.

    PostgreSQL manual, 4.1.2.2: within E'', a backslash and a quote are doubled.
    """
    doubled = text.replace("\\", "\\\\").replace("'", "''")
    return f"E'{doubled}'" if "\\" in text else f"'{doubled}'"


def _case(preference: Preference[Any]) -> str:
    return (
        f"    WHEN {literal(preference.key)} THEN\n"
        f"        rule := {literal(preference.rule)};\n"
        f"        good := {_condition(preference)};\n"
    )


def _condition(preference: Preference[Any]) -> str:
    if preference.kind is bool:
        return "kind = 'boolean'"
    if preference.kind is str:
        return f"kind = 'string' AND {_text_condition(preference)}"
    whole = "figure = trunc(figure) AND " if preference.kind is int else ""
    return f"{whole}figure BETWEEN {preference.minimum!r} AND {preference.maximum!r}"


def _text_condition(preference: Preference[Any]) -> str:
    if preference.choices:
        return f"said = ANY (ARRAY[{', '.join(map(literal, preference.choices))}])"
    if preference.is_timezone:
        return f"said = ANY (ARRAY[{', '.join(map(literal, sorted(timezones())))}])"
    # COLLATE "C" makes \s and the ranges ASCII's, as re.ASCII does; (?p) keeps `.` from matching a line's end.
    fits = f'length(said) <= {MAX_TEXT} AND said COLLATE "C" !~ {literal(_UNFIT)}'
    if preference.pattern is None:
        return fits
    return f'{fits} AND said COLLATE "C" ~ {literal(f"(?p)^(?:{preference.pattern})$")}'


_UNFIT = r"[\x01-\x1f\x7f]"
"""PostgreSQL's words for the control characters; it holds neither NUL nor halves of surrogate pairs anyway."""

assert all(re.fullmatch(r"[a-z_.]+", key) for key in DECLARED)  # noqa: S101 - keys stand in NOTIFY and in commands
