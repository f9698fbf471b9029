"""What a reminder sounds like. A title is anybody's text: put into a sentence, and never read as anything else."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from daemon.language.pt_br.number_words import cardinal
from daemon.language.pt_br.spoken_time import at_clock, spoken_duration
from daemon.language.replies import Replies
from daemon.reminders.late import LATE
from daemon.reminders.leases import ESCALATE_AFTER
from daemon.reminders.outage import Outage
from db.reminders import Due

TOLD = 5
"""So many titles are read out in a briefing; the rest are counted."""


def announced(replies: Replies, due: Due, now: datetime) -> str:
    """Return the words of one reminder at its moment, or of one that is late but spoken all the same."""
    late_s = (now - due.asked_for).total_seconds()
    slots: dict[str, Any] = {"title": due.title, "ago": spoken_duration(late_s)}
    if due.kind == "timer":
        return replies.say("timer.over_ago" if late_s > LATE.total_seconds() else "timer.over", **slots)
    if due.kind == "command":
        return replies.say("command.missed", **slots)
    if due.ack == "required" and due.times_spoken >= ESCALATE_AFTER and due.escalate_to is not None:
        key = "reminder.escalated"
    elif due.ack == "required" and due.times_spoken > 0:
        key = "reminder.again"
    elif due.lead_s:
        key, slots["ahead"] = "reminder.ahead", spoken_duration(due.lead_s)
    else:
        key = "reminder.due"
    said = replies.say(key, seed=due.id.int, **slots)
    called = f"{due.addressee}, {said[:1].lower()}{said[1:]}" if due.addressee else said
    return f"{called} {replies.say('reminder.answer')}" if due.ack == "required" else called


def briefed(replies: Replies, dues: Sequence[Due], now: datetime, zone: tzinfo, outage: Outage | None) -> str:
    """Return one briefing of late ones, the newest first, since those matter most."""
    told = [_told(replies, due, now, zone) for due in list(reversed(dues))[:TOLD]]
    more = len(dues) - len(told)
    if outage is None:
        return replies.briefing(told, more)
    since, until = (at_clock(each.astimezone(zone)) for each in (outage.since, outage.until))
    away = replies.say(f"outage.{_kind(outage)}", since=_from(since), until=until)
    key = "outage.lost_one" if len(dues) == 1 else "outage.lost"
    lost = replies.say(key, count=cardinal(len(dues)), listed="; ".join(told))
    return f"{away} {lost} {replies.say('reminder.more', count=cardinal(more))}" if more else f"{away} {lost}"


def _told(replies: Replies, due: Due, now: datetime, zone: tzinfo) -> str:
    ago = spoken_duration((now - due.asked_for).total_seconds())
    if due.kind == "timer":
        return replies.say("timer.briefed", title=due.title, ago=ago)
    moment = replies.moment(due.asked_for.astimezone(zone), now.astimezone(zone))
    key = "command.briefed" if due.kind == "command" else "reminder.briefed"
    return replies.say(key, title=due.title, moment=moment)


def _kind(outage: Outage) -> str:
    return "asleep" if outage.asleep else "power" if outage.power else "off"


def _from(clock: str) -> str:
    """Return an hour as the start of a span: `das duas da tarde`, `da uma da tarde`, `do meio-dia`."""
    lead, _, hour = clock.partition(" ")
    return f"d{'o' if lead == 'ao' else lead.replace('à', 'a')} {hour}"
