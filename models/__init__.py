"""SQLModel tables, one file a noun. Tables: weights of neural networks never live here."""

from models.action import Action
from models.area import Area
from models.audit_log import AuditLog
from models.config import Config
from models.conversation import Conversation
from models.device import Device
from models.entity import Entity
from models.entity_state import EntityState
from models.list import List
from models.list_item import ListItem
from models.message import Message
from models.reminder import Reminder
from models.reminder_step import ReminderStep
from models.routine import Routine
from models.sentence import Sentence
from models.system_log import SystemLog
from models.table import Table
from models.user import User

__all__ = [
    "Action",
    "Area",
    "AuditLog",
    "Config",
    "Conversation",
    "Device",
    "Entity",
    "EntityState",
    "List",
    "ListItem",
    "Message",
    "Reminder",
    "ReminderStep",
    "Routine",
    "Sentence",
    "SystemLog",
    "Table",
    "User",
]
