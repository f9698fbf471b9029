"""What Mordomo says of itself: from how it is set and what it runs on, never from what a language model believes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from ipaddress import ip_address
from pathlib import PurePath
from typing import Literal
from urllib.parse import urlsplit

from config.preferences import (
    CONVERSATION_FOLLOW_UP_S,
    MICROPHONE_MUTED,
    PRIVACY_AUDIO_DAYS,
    REMINDERS_PUSH_URL,
    RETENTION_MESSAGES_DAYS,
    WAKE_WORD_ENGINE,
    WAKE_WORD_PHRASE,
    Preferences,
)
from daemon.engines.plug import PlugState
from daemon.errors import LinkDown
from daemon.language.plan import Intent
from daemon.language.replies import Replies
from daemon.skills.saying import cardinal, listed
from daemon.skills.skill import Action, Carried, Context, Done, Skill, asking
from db import consents
from db.database import Database

Where = Literal["here", "home", "outside"]
HOME_NAMES = (".local", ".lan", ".home", ".internal", ".home.arpa")
HANDY = ("light", "climate", "cover", "fan", "media_player", "lock", "vacuum")
"""Kinds of devices that are told among what it can do, where the house has one."""


@dataclass(frozen=True, slots=True)
class OwnFacts:
    """What is true of this Mordomo. `servers` are the addresses that it works with, by their keys in the replies."""

    prefs: Callable[[], Preferences] = Preferences
    hearing: Callable[[], PlugState] = lambda: PlugState("empty")
    servers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AboutSkills:
    """Answers questions about Mordomo itself."""

    db: Database
    replies: Replies
    facts: OwnFacts

    def by_intent(self) -> dict[str, Skill]:
        """Return the skills by the intents that they carry out."""
        return {"TellAboutMe": Skill(asking("tell_about_me"), self.tell)}

    async def tell(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Answer what was asked."""
        asked = str(intent.slots.get("asked"))
        if asked == "recording":
            say = await self._recording(context)
        elif asked in {"internet", "offline", "others"}:
            say = self._internet(asked)
        elif asked == "listening":
            say = self._listening(context)
        elif asked == "skills":
            say = self._skills(context)
        else:
            say = self.replies.say(f"about.{asked}", wake=self._wake(), version=version("mordomo"))
        return Carried(say, (Done(ok=True, result={"asked": asked}),))

    def _wake(self) -> str:
        return PurePath(self.facts.prefs()[WAKE_WORD_PHRASE]).stem.replace("_", " ")

    def _listening(self, context: Context) -> str:
        prefs = self.facts.prefs()
        if prefs[MICROPHONE_MUTED]:
            return self.replies.say("about.muted")
        if self.facts.hearing().condition != "ready":
            return self.replies.say("about.deaf")
        said = self.replies.say("about.listening", wake=self._wake())
        if follow_s := prefs[CONVERSATION_FOLLOW_UP_S]:
            said += " " + self.replies.say("about.follows", seconds=cardinal(follow_s))
        return f"{self.replies.say('about.called')} {said}" if context.channel == "voice" else said

    async def _recording(self, context: Context) -> str:
        prefs = self.facts.prefs()
        days, kept = prefs[PRIVACY_AUDIO_DAYS], prefs[RETENTION_MESSAGES_DAYS]
        key = "about.sound_kept" if await self._keeps_sound(context) else "about.sound_not_kept"
        sound = self.replies.say(key, days=cardinal(days))
        words = self.replies.say("about.words_kept" if not kept else "about.words_kept_days", days=cardinal(kept))
        return f"{sound} {words} {self._place()}"

    async def _keeps_sound(self, context: Context) -> bool:
        if context.user_id is None:
            return False
        try:
            standing = await consents.standing(self.db, context.user_id)
        except LinkDown:
            return False  # then nothing can be kept either
        audio = standing.get("audio")
        return audio is not None and audio.given

    def _place(self) -> str:
        where = whereabouts(self.facts.servers.get("database", ""))
        return self.replies.say(f"about.kept_{where}")

    def _internet(self, asked: str) -> str:
        prefs = self.facts.prefs()
        there = {key: whereabouts(url) for key, url in self.facts.servers.items() if url}
        if push := prefs[REMINDERS_PUSH_URL]:
            there["push"] = whereabouts(push)
        out = [self.replies.say(f"about.to_{key}") for key, where in there.items() if where == "outside"]
        if prefs[WAKE_WORD_ENGINE] == "porcupine":
            out.append(self.replies.say("about.to_porcupine"))
        if asked != "internet":
            away = {"offline": "about.offline_partly", "others": "about.others_outside"}[asked]
            return self.replies.say(away if out else f"about.{asked}", listed=listed(out))
        near = [self.replies.say(f"about.to_{key}") for key, where in there.items() if where == "home"]
        said = self.replies.say("about.outside", listed=listed(out)) if out else self.replies.say("about.inside")
        return f"{said} {self.replies.say('about.nearby', listed=listed(near))}" if near else said

    def _skills(self, context: Context) -> str:
        has = {thing.domain for thing in context.household.things}
        devices = [self.replies.say(f"about.can_{domain}") for domain in HANDY if domain in has]
        about = self.replies.say("about.devices", listed=listed(devices)) + " " if devices else ""
        return about + self.replies.say("about.skills")


def whereabouts(url: str) -> Where:
    """Tell whether an address is on this computer, in the house's network, or outside."""
    host = urlsplit(url).hostname or ""
    if host in {"", "localhost"} or host.startswith("/"):
        return "here"
    try:
        address = ip_address(host)
    except ValueError:
        return "home" if "." not in host or host.endswith(HOME_NAMES) else "outside"
    return "here" if address.is_loopback else "home" if address.is_private or address.is_link_local else "outside"
