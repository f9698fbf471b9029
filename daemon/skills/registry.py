"""Which skill carries out which intent."""

from daemon.devices.link import Devices
from daemon.language.replies import Replies
from daemon.skills.clock import clock_skills
from daemon.skills.devices import device_skills
from daemon.skills.reminders import ReminderSkills
from daemon.skills.skill import Skill
from db.database import Database


def skills(devices: Devices, db: Database, replies: Replies) -> dict[str, Skill]:
    """Return every skill by the intents' names."""
    return {**device_skills(devices, replies), **clock_skills(replies), **ReminderSkills(db, replies).by_intent()}
