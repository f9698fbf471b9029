"""The words of Home Assistant's templates that tell time. Source: its templating documentation, "Time".

The moment and the household's zone come with each rendering, as `_now`; a template without it tells no time.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from jinja2 import pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, Undefined

MAX_TOLD = 200
"""Longest text, or form of one, that is read as a time or written as one."""
_UNTOLD = object()
_AMISS = (TypeError, ValueError, OverflowError, OSError)


def _moment(context: Context) -> datetime:
    moment = context.get("_now")
    if not isinstance(moment, datetime):
        raise SecurityError("no time is told here")
    return moment


def _zone(context: Context) -> tzinfo:
    return _moment(context).tzinfo or UTC


@pass_context
def now(context: Context) -> datetime:
    """Return the moment, in the household's zone."""
    return _moment(context)


@pass_context
def utcnow(context: Context) -> datetime:
    """Return the moment, in UTC."""
    return _moment(context).astimezone(UTC)


@pass_context
def today_at(context: Context, at: Any = "00:00") -> datetime:
    """Return the moment of today at a time of the clock, such as `18:30`."""
    told = datetime.strptime(_short(at), "%H:%M:%S" if str(at).count(":") == 2 else "%H:%M")  # noqa: DTZ007
    return _moment(context).replace(hour=told.hour, minute=told.minute, second=told.second, microsecond=0)


def as_datetime(value: Any, default: Any = _UNTOLD) -> Any:
    """Return a moment from seconds since 1970 or from ISO text; as told, without a zone where it has none."""
    try:
        return _read(value)
    except _AMISS:
        return _otherwise(default, None)


@pass_context
def as_timestamp(context: Context, value: Any, default: Any = _UNTOLD) -> Any:
    """Return the seconds since 1970 of a moment, or of a text that tells one."""
    try:
        return _placed(context, _read(value)).timestamp()
    except _AMISS:
        return _otherwise(default, None)


@pass_context
def as_local(context: Context, value: Any) -> datetime:
    """Return a moment in the household's zone."""
    return _placed(context, _read(value)).astimezone(_zone(context))


@pass_context
def timestamp_custom(
    context: Context, value: Any, form: Any = "%Y-%m-%d %H:%M:%S", local: Any = True, default: Any = _UNTOLD
) -> Any:
    """Return seconds since 1970 as a text of this form."""
    try:
        told = datetime.fromtimestamp(float(value), _zone(context) if local else UTC)
        return told.strftime(_short(form))
    except _AMISS:
        return _otherwise(default, value)


@pass_context
def timestamp_local(context: Context, value: Any, default: Any = _UNTOLD) -> Any:
    """Return seconds since 1970 as ISO text, in the household's zone."""
    try:
        return datetime.fromtimestamp(float(value), _zone(context)).isoformat()
    except _AMISS:
        return _otherwise(default, value)


def timestamp_utc(value: Any, default: Any = _UNTOLD) -> Any:
    """Return seconds since 1970 as ISO text, in UTC."""
    try:
        return datetime.fromtimestamp(float(value), UTC).isoformat()
    except _AMISS:
        return _otherwise(default, value)


def strptime(value: Any, form: Any, default: Any = _UNTOLD) -> Any:
    """Return the moment that a text of this form tells."""
    try:
        return datetime.strptime(_short(value), _short(form))  # noqa: DTZ007 - as in Home Assistant, as told
    except _AMISS:
        return _otherwise(default, value)


def duration(**parts: Any) -> timedelta:
    """Return what Home Assistant calls `timedelta`."""
    return timedelta(**{name: float(value) for name, value in parts.items()})


def as_timedelta(value: Any) -> timedelta | None:
    """Return the duration of `1 02:03:04`, `02:03:04` or seconds; None for anything else."""
    try:
        days, _, clock = _short(value).rpartition(" ")
        hours, minutes, seconds = ([0.0, 0.0] + [float(part) for part in clock.split(":")])[-3:]
        return timedelta(days=float(days.split(" ")[0] or 0), hours=hours, minutes=minutes, seconds=seconds)
    except _AMISS:
        return None


def _read(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - as told
    if isinstance(value, Undefined):
        raise TypeError("not told")
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except ValueError:
        return datetime.fromisoformat(_short(value))


def _placed(context: Context, moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=_zone(context))


def _short(value: Any) -> str:
    text = str(value) if isinstance(value, str | int | float) else ""
    if not 0 < len(text) <= MAX_TOLD:
        raise ValueError("not a short text")
    return text


def _otherwise(default: Any, value: Any) -> Any:
    return value if default is _UNTOLD else default


_TELLING: Mapping[str, Callable[..., Any]] = {
    "as_datetime": as_datetime, "as_timestamp": as_timestamp, "as_local": as_local, "as_timedelta": as_timedelta,
    "strptime": strptime,
}  # fmt: skip
FILTERS: Mapping[str, Callable[..., Any]] = {
    **_TELLING, "timestamp_custom": timestamp_custom, "timestamp_local": timestamp_local,
    "timestamp_utc": timestamp_utc,
}  # fmt: skip
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **_TELLING, "now": now, "utcnow": utcnow, "today_at": today_at, "timedelta": duration,
}  # fmt: skip
METHODS: Mapping[type, frozenset[str]] = {
    datetime: frozenset(
        {"isoformat", "timestamp", "strftime", "replace", "date", "weekday", "isoweekday", "utcoffset", "year", "month",
         "day", "hour", "minute", "second", "microsecond"}
    ),
    date: frozenset({"isoformat", "strftime", "weekday", "isoweekday", "year", "month", "day"}),
    timedelta: frozenset({"total_seconds", "days", "seconds"}),
}  # fmt: skip
TIMES = (datetime, date, timedelta)
