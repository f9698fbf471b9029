"""Which skill carries out which intent."""

from collections.abc import Callable
from dataclasses import dataclass, field

from daemon.language.replies import Replies
from daemon.memory.recall import Recall
from daemon.people.privacy.erasing import Erasing
from daemon.people.voices.recognition import HouseVoices
from daemon.skills.about import AboutSkills, OwnFacts
from daemon.skills.agenda import just_spoken
from daemon.skills.approvals import ApprovalSkills, Requests
from daemon.skills.broadcast import broadcast_skills
from daemon.skills.clock import clock_skills
from daemon.skills.devices import device_skills
from daemon.skills.holidays import holiday_skills
from daemon.skills.keeping import keeping_skills
from daemon.skills.later import postponable
from daemon.skills.ledger import LedgerSkills
from daemon.skills.media import media_skills
from daemon.skills.memory import MemorySkills
from daemon.skills.naming import NamingSkills
from daemon.skills.orders import Orders
from daemon.skills.permissions import PermissionSkills, Read
from daemon.skills.privacy import PrivacySkills
from daemon.skills.rooms import room_skills
from daemon.skills.routines import RoutineSkills, Understand
from daemon.skills.skill import Skill
from daemon.skills.states import state_skills
from daemon.skills.talk import Settings, talk_skills
from daemon.skills.voices import VoiceSkills
from db.database import Database
from db.recurrence import WorkingDays


@dataclass(frozen=True, slots=True)
class House:
    """What the skills work with. `announce` has a sentence spoken once the voice is free.

    `calendar` are the household's working days; `hush` stops what rings or is being reminded of, if anything;
    `requests` are for leave that people ask of each other, `rules` reads from a sentence what somebody may; `erasing`
    erases what somebody wants forgotten; `recall` finds what was told; `settings` changes how fast is spoken; `facts`
    are what is true of this Mordomo.
    """

    orders: Orders
    db: Database
    replies: Replies
    understand: Understand
    announce: Callable[[str], None]
    calendar: Callable[[], WorkingDays | None] = lambda: None
    hush: Callable[[], bool] = lambda: False
    requests: Requests | None = None
    rules: Read = lambda *_: None
    erasing: Erasing | None = None
    recall: Recall | None = None
    voices: HouseVoices | None = None
    settings: Settings | None = None
    facts: OwnFacts = field(default_factory=OwnFacts)


def skills(house: House) -> dict[str, Skill]:
    """Return every skill by the intents' names."""
    replies, db = house.replies, house.db
    moving = {**device_skills(house.orders), **media_skills(house.orders), **room_skills(house.orders)}
    ledger = LedgerSkills(db, replies)
    return {
        **postponable(moving, db, replies, house.calendar),
        **state_skills(replies, ledger.tell),
        **clock_skills(replies),
        **holiday_skills(replies, house.calendar),
        **talk_skills(replies, house.settings, lambda context: just_spoken(db, context)),
        **AboutSkills(db, replies, house.facts).by_intent(),
        **broadcast_skills(replies, house.announce),
        **ledger.by_intent(),
        **NamingSkills(db, replies).by_intent(),
        **PermissionSkills(db, replies, house.rules).by_intent(),
        **RoutineSkills(db, replies, house.understand).by_intent(),
        **(ApprovalSkills(house.requests, replies).by_intent() if house.requests is not None else {}),
        **(PrivacySkills(house.erasing, replies).by_intent() if house.erasing is not None else {}),
        **(MemorySkills(db, replies, house.recall).by_intent() if house.recall is not None else {}),
        **(VoiceSkills(db, replies, house.voices).by_intent() if house.voices is not None else {}),
        **keeping_skills(db, replies, house.calendar, house.hush),
    }
