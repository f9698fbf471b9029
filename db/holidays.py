"""Brazil's days off: national holidays, a state's, a city's, and those that the household names itself."""

import re
from collections.abc import Collection
from datetime import date
from functools import lru_cache

OPTIONAL = ("Carnaval", "Corpus Christi")
"""Days on which, by law, nobody need close, and on which banks do and schools mostly."""
CITIES = {"SP-Capital": "São Paulo Capital"}
"""Cities whose own holidays are known, as the preference names them, and as the package `holidays` does."""
DAY = re.compile(r"([0-3][0-9])/([01][0-9])", re.ASCII)


class Calendar:
    """The days off of one household (a `WorkingDays` of `db/recurrence.py`)."""

    def __init__(self, place: str, own: Collection[tuple[int, int]], *, carnival: bool) -> None:
        """Know the days off of a state ("SP"), of a city of CITIES, or of the country (""), and `own` (month, day)."""
        from holidays import OPTIONAL as BY_CHOICE  # noqa: PLC0415 - slow to import, and rarely needed
        from holidays import PUBLIC, country_holidays  # noqa: PLC0415

        where = CITIES.get(place, place) or None
        self._public = country_holidays("BR", subdiv=where, categories=(PUBLIC,), language="pt_BR")
        self._by_choice = country_holidays("BR", categories=(BY_CHOICE,), language="pt_BR")
        self._own = frozenset(own)
        self._carnival = carnival

    def name(self, day: date) -> str | None:
        """Return what the holiday is called, or None where there is none."""
        named: str | None = self._public.get(day)
        by_choice: str = self._by_choice.get(day) or "" if self._carnival else ""
        if named is None and any(each in by_choice for each in OPTIONAL):
            named = by_choice
        return named or ("feriado da casa" if (day.month, day.day) in self._own else None)

    def holiday(self, day: date) -> bool:
        """Tell whether a day is a holiday."""
        return self.name(day) is not None

    def works(self, day: date) -> bool:
        """Tell whether a day is neither a holiday nor of the weekend. Saturdays are not worked, as banks count."""
        return day.weekday() < 5 and not self.holiday(day)


@lru_cache(maxsize=8)
def calendar(place: str, own: str, *, carnival: bool) -> Calendar:
    """Return the calendar of a place; `own` are days of the household's, as "25/01, 08/12"; other text is ignored."""
    return Calendar(place, {(int(month), int(day)) for day, month in DAY.findall(own)}, carnival=carnival)
