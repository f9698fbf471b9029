"""SQLModel tables, one file a noun. Tables: weights of neural networks never live here."""

from models.action import Action
from models.audit_log import AuditLog
from models.config import Config
from models.conversation import Conversation
from models.message import Message
from models.reminder import Reminder
from models.sentence import Sentence
from models.system_log import SystemLog
from models.table import Table
from models.user import User

__all__ = [
    "Action",
    "AuditLog",
    "Config",
    "Conversation",
    "Message",
    "Reminder",
    "Sentence",
    "SystemLog",
    "Table",
    "User",
]
