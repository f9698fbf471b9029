"""Times and durations as people say them: `amanhã às sete da manhã`, `daqui a um minuto`, `dez e meia`."""

from datetime import date, datetime, timedelta

from daemon.language.pt_br.number_words import cardinal, ordinal

WEEKDAYS = ("segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado", "domingo")
MONTHS = ("janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro",
          "novembro", "dezembro")  # fmt: skip
_WHILE_ANSWERING_S = 3
_NEAR_S = 3600
_UNITS = ((86400, "dia", "dias", False), (3600, "hora", "horas", True), (60, "minuto", "minutos", False),
          (1, "segundo", "segundos", False))  # fmt: skip


def spoken_clock(at: datetime, *, period: bool = False) -> str:
    """Return the hour in words, without article: `dez e meia`, `meio-dia`; with `period`, `sete da manhã`."""
    if at.minute == 0 and at.hour in {0, 12}:
        return "meia-noite" if at.hour == 0 else "meio-dia"
    hour = at.hour % 12 if period else at.hour
    words = {0: "meia-noite", 12: "meio-dia"}.get(at.hour) or cardinal(hour, feminine=True)
    if at.minute:
        words += " e meia" if at.minute == 30 else f" e {cardinal(at.minute)}"
    named = period and at.hour not in {0, 12}
    return f"{words} {_part_of_day(at.hour)}" if named else words


def at_clock(at: datetime, *, period: bool = True) -> str:
    """Return the hour with its preposition: `às sete da manhã`, `à uma da tarde`, `ao meio-dia`."""
    lead = {0: "à", 12: "ao"}.get(at.hour, "à" if (at.hour % 12 == 1 and period) or at.hour == 1 else "às")
    return f"{lead} {spoken_clock(at, period=period)}"


def is_clock(at: datetime) -> str:
    """Return what time it is as a sentence's core: `são dez e meia da manhã`, `é uma e cinco da tarde`."""
    single = at.hour % 12 in {0, 1}
    return f"{'é' if single else 'são'} {spoken_clock(at, period=True)}"


def _part_of_day(hour: int) -> str:
    if hour < 6:
        return "da madrugada" if hour < 5 else "da manhã"
    if hour < 12:
        return "da manhã"
    return "da tarde" if hour < 19 else "da noite"


def spoken_day(day: date, today: date) -> str:
    """Return the day as said today: `hoje`, `amanhã`, `na sexta-feira`, `no dia dez de março`."""
    ahead = (day - today).days
    near = {0: "hoje", 1: "amanhã", 2: "depois de amanhã", -1: "ontem"}.get(ahead)
    if near:
        return near
    weekday = WEEKDAYS[day.weekday()]
    if 2 < ahead < 7:
        return f"{'no' if day.weekday() >= 5 else 'na'} {weekday}"
    numbered = f"{spoken_day_of_month(day.day)} de {MONTHS[day.month - 1]}"
    year = f" de {cardinal(day.year)}" if day.year != today.year else ""
    if 7 <= ahead < 14:
        return f"{'no' if day.weekday() >= 5 else 'na'} {weekday}, dia {numbered}{year}"
    return f"no dia {numbered}{year}"


def spoken_day_of_month(day: int) -> str:
    """Return the day of the month in words: the first is `primeiro`."""
    return "primeiro" if day == 1 else cardinal(day)


def spoken_date(day: date) -> str:
    """Return the whole date: `sexta-feira, vinte de novembro de dois mil e vinte e seis`."""
    month = MONTHS[day.month - 1]
    return f"{WEEKDAYS[day.weekday()]}, {spoken_day_of_month(day.day)} de {month} de {cardinal(day.year)}"


def spoken_moment(when: datetime | date, now: datetime) -> str:
    """Return a moment as said at `now`, both in the household's zone; a day alone where `when` is a date.

    Within the hour it is a wait (`daqui a um minuto`), else day and hour (`amanhã às sete da manhã`).
    """
    if not isinstance(when, datetime):
        return spoken_day(when, now.date())
    wait_s = round((when - now).total_seconds())
    minutes_s = round(wait_s / 60) * 60
    if wait_s > 120 or 0 <= minutes_s - wait_s <= _WHILE_ANSWERING_S < wait_s:
        wait_s = minutes_s  # nobody says the seconds of a quarter of an hour, nor those that the answer took
    if 0 < wait_s < _NEAR_S and (wait_s % 300 == 0 or wait_s < 600):
        return f"daqui a {spoken_duration(wait_s)}"
    night = when.hour == 0 and when.date() > now.date()  # "hoje à meia-noite" is the end of today
    day = when.date() - timedelta(1) if night else when.date()
    return f"{spoken_day(day, now.date())} {at_clock(when)}"


def spoken_duration(seconds: float) -> str:
    """Return a duration in its two largest units: `uma hora e meia`, `dez minutos`, `dois dias e três horas`."""
    left = max(0, round(seconds))
    if left == 0:
        return "zero segundos"
    parts: list[str] = []
    for size, one, many, feminine in _UNITS:
        count, left = divmod(left, size)
        if count == 0:
            if parts:
                break
            continue
        if parts and count * size * 2 == _last_size(parts):
            return f"{parts[0]} e {'meia' if parts[0].split()[-1].startswith('hora') else 'meio'}"
        parts.append(f"{cardinal(count, feminine=feminine)} {one if count == 1 else many}")
        if len(parts) == 2:
            break
    return "meia hora" if parts == ["trinta minutos"] else " e ".join(parts)


def _last_size(parts: list[str]) -> int:
    unit = parts[0].split()[-1]
    return next(size for size, one, many, _ in _UNITS if unit in {one, many})


_REPEATS = {"DAILY": "todo dia", "HOURLY": "de hora em hora", "WEEKLY": "toda semana", "MONTHLY": "todo mês",
            "YEARLY": "todo ano", "MINUTELY": "a cada minuto"}  # fmt: skip
_EVERY = {"DAILY": "dias", "HOURLY": "horas", "WEEKLY": "semanas", "MONTHLY": "meses", "MINUTELY": "minutos"}
_CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_SHORT = ("segunda", "terça", "quarta", "quinta", "sexta", "sábado", "domingo")


def spoken_rule(rrule: str, when: datetime | None = None) -> str:
    """Return a recurrence (RFC 5545, the parts that Mordomo writes) in words: `toda terça às sete da noite`.

    Its hours are told where `when`, a moment of it, is given.
    """
    parts = dict(part.split("=", 1) for part in rrule.removeprefix("RRULE:").split(";") if "=" in part)
    said = _repeated(parts)
    hours = [int(hour) for hour in parts.get("BYHOUR", "").split(",") if hour]
    if when is None or not hours:
        return said
    clocks = [at_clock(when.replace(hour=hour)) for hour in hours] if len(hours) > 1 else [at_clock(when)]
    return f"{said} {_listed(clocks)}"


def _repeated(parts: dict[str, str]) -> str:
    frequency, every = parts.get("FREQ", "DAILY"), int(parts.get("INTERVAL", "1"))
    days = [_CODES.index(code) for code in parts.get("BYDAY", "").split(",") if code in _CODES]
    month_days = [int(day) for day in parts.get("BYMONTHDAY", "").split(",") if day]
    if days and "BYSETPOS" in parts:
        return _counted(int(parts["BYSETPOS"]), days)
    if days:
        return _weekdays(days) + (", semana sim, semana não" if every == 2 else "")
    if month_days and "BYMONTH" in parts:
        return f"todo ano, no dia {_month_days(month_days)} de {MONTHS[int(parts['BYMONTH']) - 1]}"
    if month_days:
        return "todo último dia do mês" if month_days == [-1] else f"todo dia {_month_days(month_days)} do mês"
    if every > 1 and frequency in _EVERY:
        return f"a cada {cardinal(every, feminine=frequency in {'HOURLY', 'WEEKLY'})} {_EVERY[frequency]}"
    return _REPEATS.get(frequency, "sempre")


def _counted(position: int, days: list[int]) -> str:
    """Say the nth working day, or the nth of one weekday, of every month."""
    feminine = len(days) == 1 and days[0] < 5
    which = ("última" if feminine else "último") if position == -1 else ordinal(position, feminine=feminine)
    what = "dia útil" if days == [0, 1, 2, 3, 4] else _SHORT[days[0]]
    return f"{'toda' if feminine else 'todo'} {which} {what} do mês"


def _month_days(days: list[int]) -> str:
    return _listed([spoken_day_of_month(day) for day in days])


def _weekdays(days: list[int]) -> str:
    if days == [0, 1, 2, 3, 4]:
        return "de segunda a sexta"
    if days == [5, 6]:
        return "todo fim de semana"
    if len(days) == 7:
        return "todo dia"
    return f"{'todo' if days[0] >= 5 else 'toda'} {_listed([_SHORT[day] for day in days])}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} e {names[-1]}"
