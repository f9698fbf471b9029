"""Which skill carries out which intent."""

from daemon.devices.link import Devices
from daemon.language.replies import Replies
from daemon.skills.clock import clock_skills
from daemon.skills.devices import device_skills
from daemon.skills.reminders import ReminderSkills
from daemon.skills.skill import Skill
from daemon.skills.states import state_skills
from daemon.skills.talk import talk_skills
from db.database import Database


def skills(devices: Devices, db: Database, replies: Replies) -> dict[str, Skill]:
    """Return every skill by the intents' names."""
    return {
        **device_skills(devices, replies),
        **state_skills(replies),
        **clock_skills(replies),
        **talk_skills(replies),
        **ReminderSkills(db, replies).by_intent(),
    }
