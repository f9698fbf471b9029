"""What comes again and again, as data; it is written as an RRULE of RFC 5545."""

from dataclasses import dataclass
from datetime import date, timedelta

from daemon.language.pt_br import holidays

CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
WORKDAYS = (0, 1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class Rule:
    """A recurrence. `weekdays` are 0 (Monday) to 6, `period` a part of the day that came with it (`toda noite`).

    `position` takes the nth of the weekdays in the month (-1 the last); with all five working days it is the working
    day that banks count, which a rule of RFC 5545 knows only where no holiday comes before it.
    """

    frequency: str
    interval: int = 1
    weekdays: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    period: str | None = None
    position: int | None = None
    month: int | None = None

    def text(self) -> str:
        """Return it as an RRULE without hours."""
        parts = [f"FREQ={self.frequency}"]
        if self.interval > 1:
            parts.append(f"INTERVAL={self.interval}")
        if self.month:
            parts.append(f"BYMONTH={self.month}")
        if self.weekdays:
            parts.append("BYDAY=" + ",".join(CODES[d] for d in self.weekdays))
        if self.month_days:
            parts.append("BYMONTHDAY=" + ",".join(map(str, self.month_days)))
        if self.position:
            parts.append(f"BYSETPOS={self.position}")
        return ";".join(parts)

    def allows(self, day: date) -> bool:
        """Tell whether the rule can begin on a day (intervals aside)."""
        if self.position is not None:
            return day == self._counted(day.year, day.month)
        last = (day + timedelta(1)).day == 1
        in_month = not self.month_days or day.day in self.month_days or (last and -1 in self.month_days)
        return (not self.weekdays or day.weekday() in self.weekdays) and in_month and self.month in {None, day.month}

    def _counted(self, year: int, month: int) -> date | None:
        if self.position is None or self.weekdays == WORKDAYS:
            return holidays.nth_working_day(year, month, self.position or 1)
        return holidays.nth_weekday(year, month, self.weekdays[0], self.position)
