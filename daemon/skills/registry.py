"""Which skill carries out which intent."""

from collections.abc import Callable
from dataclasses import dataclass

from daemon.language.replies import Replies
from daemon.skills.broadcast import broadcast_skills
from daemon.skills.clock import clock_skills
from daemon.skills.devices import device_skills
from daemon.skills.keeping import keeping_skills
from daemon.skills.later import postponable
from daemon.skills.ledger import LedgerSkills
from daemon.skills.media import media_skills
from daemon.skills.naming import NamingSkills
from daemon.skills.orders import Orders
from daemon.skills.rooms import room_skills
from daemon.skills.routines import RoutineSkills, Understand
from daemon.skills.skill import Skill
from daemon.skills.states import state_skills
from daemon.skills.talk import talk_skills
from db.database import Database
from db.recurrence import WorkingDays


@dataclass(frozen=True, slots=True)
class House:
    """What the skills work with. `announce` has a sentence spoken once the voice is free.

    `calendar` are the household's working days; `hush` stops what rings or is being reminded of, if anything.
    """

    orders: Orders
    db: Database
    replies: Replies
    understand: Understand
    announce: Callable[[str], None]
    calendar: Callable[[], WorkingDays | None] = lambda: None
    hush: Callable[[], bool] = lambda: False


def skills(house: House) -> dict[str, Skill]:
    """Return every skill by the intents' names."""
    replies, db = house.replies, house.db
    moving = {**device_skills(house.orders), **media_skills(house.orders), **room_skills(house.orders)}
    ledger = LedgerSkills(db, replies)
    return {
        **postponable(moving, db, replies),
        **state_skills(replies, ledger.tell),
        **clock_skills(replies),
        **talk_skills(replies),
        **broadcast_skills(replies, house.announce),
        **ledger.by_intent(),
        **NamingSkills(db, replies).by_intent(),
        **RoutineSkills(db, replies, house.understand).by_intent(),
        **keeping_skills(db, replies, house.calendar, house.hush),
    }
