"""When the next holiday is, and whether a day is one, on the household's own calendar."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from daemon.errors import CannotDo
from daemon.language.plan import Intent
from daemon.language.replies import Replies
from daemon.skills.skill import Action, Carried, Context, Done, Skill, asking
from db.recurrence import WorkingDays

FARTHEST = 400
"""Days that are looked at for the next holiday."""


def holiday_skills(replies: Replies, calendar: Callable[[], WorkingDays | None]) -> dict[str, Skill]:
    """Return the skill that knows the holidays. A day comes in the slot `date`; without one it is the next holiday.

    With `asked: when` the question is not whether it is a holiday, but when the day named is.
    """

    async def act(intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        days, today = calendar(), context.now.date()
        if days is None:
            raise CannotDo(replies.say("holiday.unknown", seed=context.seed))
        named = intent.slots.get("date")
        day = date.fromisoformat(str(named)) if named else _next(days, today)
        name = days.name(day)
        key = "next" if named is None else "when" if intent.slots.get("asked") == "when" else "is" if name else "is_not"
        said = replies.moment(day, context.now)
        say = replies.say(f"holiday.{key}", seed=context.seed, day=said, Day=said[:1].upper() + said[1:], name=name,
                          wait=_wait(replies, (day - today).days))  # fmt: skip
        return Carried(say, (Done(ok=True, result={"date": day.isoformat(), "holiday": name}),))

    return {"GetHoliday": Skill(asking("get_holiday"), act)}


def _next(days: WorkingDays, today: date) -> date:
    later = (today + timedelta(n) for n in range(1, FARTHEST))
    return next((day for day in later if days.holiday(day)), today)


def _wait(replies: Replies, left: int) -> str:
    if left < 2:  # "hoje" and "amanhã" say it
        return ""
    return replies.say("holiday.wait", days=left)
