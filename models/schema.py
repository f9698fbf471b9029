"""Every table: who compares the database with them, or has them made, imports this."""

from models.action import Action
from models.approval import Approval
from models.area import Area
from models.audit_log import AuditLog
from models.config import Config
from models.consent import Consent
from models.conversation import Conversation
from models.device import Device
from models.entity import Entity
from models.entity_state import EntityState
from models.erasure import Erasure
from models.inference import Inference
from models.list import List
from models.list_item import ListItem
from models.memory import Memory
from models.memory_outbox import MemoryOutbox
from models.message import Message
from models.permission import Permission
from models.prompt_template import PromptTemplate
from models.reminder import Reminder
from models.reminder_step import ReminderStep
from models.routine import Routine
from models.sentence import Sentence
from models.spoken_code import SpokenCode
from models.system_log import SystemLog
from models.table import Table
from models.user import User
from models.vector import Vector

__all__ = [
    "Action",
    "Approval",
    "Area",
    "AuditLog",
    "Config",
    "Consent",
    "Conversation",
    "Device",
    "Entity",
    "EntityState",
    "Erasure",
    "Inference",
    "List",
    "ListItem",
    "Memory",
    "MemoryOutbox",
    "Message",
    "Permission",
    "PromptTemplate",
    "Reminder",
    "ReminderStep",
    "Routine",
    "Sentence",
    "SpokenCode",
    "SystemLog",
    "Table",
    "User",
    "Vector",
]
