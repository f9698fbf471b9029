"""What skills say in pieces: words listed, things counted, how long something takes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from daemon.language.pt_br import spoken_time
from daemon.language.pt_br.number_words import cardinal, ordinal
from daemon.language.pt_br.spoken_time import at_clock, spoken_duration
from daemon.language.replies import Replies

__all__ = ["at_clock", "cardinal", "counted", "listed", "spoken_duration", "spoken_rule"]


def listed(names: Sequence[str], word: str = "e") -> str:
    """Return the names joined: `leite, ovos e pão`."""
    return f"{', '.join(names[:-1])} {word} {names[-1]}" if len(names) > 1 else "".join(names)


def spoken_rule(rule: str, at: datetime, *, skips: bool = False) -> str:
    """Return a recurrence with its hour: `todo dia às oito da noite`; one that `skips` holidays says so."""
    return f"{_rule_and_hour(rule, at)}, menos nos feriados" if skips else _rule_and_hour(rule, at)


def _rule_and_hour(rule: str, at: datetime) -> str:
    parts = dict(part.split("=", 1) for part in rule.split(";") if "=" in part)
    said = spoken_time.spoken_rule(rule)
    if (place := parts.get("BYSETPOS", "")) and len(parts.get("BYDAY", "").split(",")) > 1:
        said = "no último dia útil do mês" if place == "-1" else f"todo {ordinal(abs(int(place)))} dia útil"
    if parts.get("FREQ") in {"HOURLY", "MINUTELY"}:
        return said
    if parts.get("FREQ") == "YEARLY" and "BYMONTHDAY" not in parts:
        said = spoken_time.spoken_rule(f"{rule};BYMONTH={at.month};BYMONTHDAY={at.day}")
    hours = [int(hour) for hour in parts.get("BYHOUR", "").split(",") if hour.isdecimal() and int(hour) < 24]
    return f"{said} {listed([at_clock(at.replace(hour=hour)) for hour in hours or [at.hour]])}"


def counted(replies: Replies, key: str, count: int, *, feminine: bool = False, **slots: Any) -> str:
    """Return the sentence of `key.none`, `key.one` or `key.several`; `{count}` is in words."""
    if count == 0:
        return replies.say(f"{key}.none", **slots)
    return replies.say(
        f"{key}.one" if count == 1 else f"{key}.several", count=cardinal(count, feminine=feminine), **slots
    )
