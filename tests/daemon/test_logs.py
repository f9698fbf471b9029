"""Logs on the console: for people, as JSON, without secrets, libraries' own as well."""

import json
import logging

import pytest
import structlog

from daemon import logs
from daemon.log_masks import MASK, is_secret, masked, masked_text
from daemon.log_sink import Backlog

pytestmark = pytest.mark.usefixtures("logging_as_before")


def stored(backlog: Backlog) -> list[tuple[str, str, str, dict[str, object]]]:
    lines, _ = backlog.take(1000)
    return [(line.level, line.source, line.message, json.loads(line.metadata)) for line in lines]


def failing(error: Exception) -> None:
    raise error


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json", "INFO")
    structlog.get_logger("daemon.x").info("turn_done", area="sala", ms=12.5)
    told = json.loads(capsys.readouterr().err)
    assert told.pop("timestamp").endswith("Z")
    assert told == {"event": "turn_done", "area": "sala", "ms": 12.5, "level": "info", "logger": "daemon.x"}


def test_the_console_shows_its_level_and_the_table_has_info(capsys: pytest.CaptureFixture[str]) -> None:
    backlog = Backlog()
    logs.configure("console", "ERROR", backlog)
    log = structlog.get_logger("daemon.x")
    log.debug("never")
    log.info("quiet", n=1)
    log.error("loud")
    shown = capsys.readouterr().err
    assert "loud" in shown
    assert "quiet" not in shown
    assert stored(backlog) == [("INFO", "daemon.x", "quiet", {"n": 1}), ("ERROR", "daemon.x", "loud", {})]


def test_debug_goes_everywhere_when_asked_for() -> None:
    backlog = Backlog()
    logs.configure("console", "DEBUG", backlog)
    structlog.get_logger().debug("detail")
    assert stored(backlog) == [("DEBUG", "mordomo", "detail", {})]


def test_libraries_flow_in(capsys: pytest.CaptureFixture[str]) -> None:
    backlog = Backlog()
    logs.configure("json", "INFO", backlog)
    logging.getLogger("alembic.runtime").warning("version %s", "0002")
    logging.getLogger("alembic.runtime").info("not this")
    logging.getLogger("odd").log(35, "between two levels, 100% sure")
    try:
        failing(OSError("disk"))
    except OSError:
        logging.getLogger("uvicorn").exception("request failed")
    warned, odd, failed = stored(backlog)
    assert warned == ("WARN", "alembic.runtime", "version 0002", {})
    assert odd == ("WARN", "odd", "between two levels, 100% sure", {})
    assert failed[:3] == ("ERROR", "uvicorn", "request failed")
    assert "OSError: disk" in str(failed[3]["exception"])
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_a_record_that_cannot_be_written_breaks_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json", "INFO", Backlog())
    logging.getLogger("library").warning("%d", "not a number")
    assert "Logging error" in capsys.readouterr().err


def test_the_context_of_a_turn_is_kept() -> None:
    backlog = Backlog()
    logs.configure("console", "INFO", backlog)
    with structlog.contextvars.bound_contextvars(turn="abc"):
        structlog.get_logger("daemon.x").info("heard")
    assert stored(backlog) == [("INFO", "daemon.x", "heard", {"turn": "abc"})]


@pytest.mark.parametrize("form", ["console", "json"])
def test_no_secret_is_shown_or_stored(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    backlog = Backlog()
    logs.configure(form, "INFO", backlog)
    log = structlog.get_logger("daemon.x")
    with structlog.contextvars.bound_contextvars(session_token="s3cr3t-a"):
        log.warning(
            "refused postgresql://ana:s3cr3t-b@casa/x",
            url="mqtt://ana:s3cr3t-c@casa:1883",
            senha="s3cr3t-d",
            nested={"headers": [{"Authorization": "Bearer s3cr3t-e"}]},
            why=ValueError("password=s3cr3t-f"),
        )
    local = "s3cr3t-g"
    try:
        failing(ConnectionError(f"no route to amqp://x:{'s3cr3t-h'}@y and {len(local)}"))
    except ConnectionError:
        log.exception("link_broken")
    logging.getLogger("httpx").error("GET http://x/?token=s3cr3t-i&b=1")
    shown = capsys.readouterr().err
    assert "s3cr3t" not in shown
    assert "link_broken" in shown
    assert "s3cr3t" not in str(stored(backlog))


@pytest.mark.parametrize(
    "name",
    ["password", "mqtt_password", "senha", "api_key", "apiKey", "accessToken", "tokens", "Authorization", "Cookie"],
)
def test_names_that_tell(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name", ["key", "monkey", "keyboard", "max_tokenizer", "secretary", "author", "passage", "event"]
)
def test_names_that_do_not(name: str) -> None:
    assert not is_secret(name)


def test_counts_of_tokens_stay() -> None:
    assert masked("tokens", 200) == 200
    assert masked("x", {"max_tokens": 200, "first_token_s": 1.5, "token": "abc"}) == {
        "max_tokens": 200, "first_token_s": 1.5, "token": MASK,
    }  # fmt: skip
    assert masked_text("max_tokens=200") == "max_tokens=200"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://ana:a@b:5432/x?host=/s", f"postgresql://ana:{MASK}@b:5432/x?host=/s"),
        ("postgresql://ana:p@ss@b/x", f"postgresql://ana:{MASK}@b/x"),
        ("redis://:p@b", f"redis://:{MASK}@b"),
        ("https://casa.br/a:b@c", "https://casa.br/a:b@c"),
        ("http://casa:8765/health", "http://casa:8765/health"),
        ("Authorization: Basic YWJjOmRlZmdoaWo=", f"Authorization: {MASK}"),
        ("host=x password='a b' user=y", f"host=x password={MASK} user=y"),
        ("ana@casa.br disse: oi", "ana@casa.br disse: oi"),
        ("às 10:30 a senha não muda", "às 10:30 a senha não muda"),
    ],
)
def test_texts(text: str, shown: str) -> None:
    assert masked_text(text) == shown
