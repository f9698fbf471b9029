"""The words that columns may hold; the tables check the same. They need no table, and cost nothing to import."""

from typing import Literal

ActionStatus = Literal["pending", "executing", "success", "failed"]
ApprovalStatus = Literal["pending", "granted", "executing", "done", "failed", "refused", "expired"]
AuditAction = Literal["INSERT", "UPDATE", "DELETE", "TRUNCATE"]
Channel = Literal["voice", "web", "mqtt", "cli", "daemon", "sql"]
ConsentKind = Literal["voiceprint", "audio", "memory"]
ConsentWay = Literal["voice", "cli", "web"]
Cause = Literal["mordomo", "house", "unknown"]
"""Why a state changed: a command of ours, something in the house (a switch on the wall, another program), or nobody
knows: it was already so when we came."""
ErasureScope = Literal["person", "since", "voiceprint", "audio", "memory"]
"""All of a person; what was said and kept since a moment; or what one consent allowed."""
Remembers = Literal["fact", "message"]
Errand = Literal["put", "remove"]
Role = Literal["user", "assistant", "system"]
Effect = Literal["allow", "ask", "deny"]
PromptStatus = Literal["draft", "active", "shadow", "retired"]
ReminderStatus = Literal["pending", "triggered", "cancelled"]
Kind = Literal["reminder", "alarm", "timer", "command"]
OnHoliday = Literal["skip", "next", "previous"]
Ack = Literal["none", "required"]
Late = Literal["speak", "mention", "drop"]
Step = Literal[
    "spoken", "repeated", "escalated", "snoozed", "done", "missed", "mentioned", "dropped", "pushed", "carried_out"
]
LogLevel = Literal["DEBUG", "INFO", "WARN", "ERROR"]
