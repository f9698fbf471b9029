"""Sound and pictures: play, pause, the next one, louder, quieter, mute."""

from collections.abc import Sequence

from daemon.devices.order import Verb
from daemon.errors import CannotDo
from daemon.language.plan import Intent, Thing
from daemon.language.replies import Replies
from daemon.skills.orders import Orders, Wish, targets
from daemon.skills.skill import Action, Carried, Context, Skill, asking

STEP_PCT = 10
SOUNDING = frozenset({"playing", "paused", "on", "buffering", "idle"})
VERBS: dict[str, Verb] = {
    "HassMediaPause": "pause", "HassMediaUnpause": "play", "HassMediaNext": "next_track",
    "HassMediaPrevious": "previous_track", "HassMediaPlayerMute": "mute", "HassMediaPlayerUnmute": "unmute",
}  # fmt: skip
PLAYER = "media_player"


def media_skills(orders: Orders) -> dict[str, Skill]:
    """Return the skills of players, by intent."""
    replies = orders.replies

    def skill(verb: Verb) -> Skill:
        return orders.skill(lambda *_: (Wish(verb),), players, "media.none")

    def louder(thing: Thing, intent: Intent) -> Sequence[Wish]:
        return (Wish("set_volume", _louder(replies, thing, intent)),)

    def volume(thing: Thing, intent: Intent) -> Sequence[Wish]:
        asked = intent.slots.get("volume_level")
        if not isinstance(asked, int | float):
            raise CannotDo(replies.say("devices.from_where", name=thing.name))
        return (Wish("set_volume", asked),)

    async def search(_: Intent, __: Sequence[Action], context: Context) -> Carried:
        has_player = any(thing.domain == PLAYER for thing in context.household.things)
        raise CannotDo(replies.say("media.no_search" if has_player else "media.none", seed=context.seed))

    return {
        **{intent: skill(verb) for intent, verb in VERBS.items()},
        "HassSetVolume": orders.skill(volume, players, "media.none"),
        "HassSetVolumeRelative": orders.skill(louder, players, "media.none"),
        "HassMediaSearchAndPlay": Skill(asking("play_media"), search),
    }


def players(intent: Intent, context: Context) -> Sequence[Thing]:
    """Return the players meant: those named, else those of the room, of them what plays; else what plays anywhere."""
    if intent.targets:
        return targets(intent, context)
    every = [thing for thing in context.household.things if thing.domain == PLAYER]
    area = intent.slots.get("area") or context.area
    here = [thing for thing in every if thing.area == area]
    sounding = [thing for thing in here or every if thing.state == "playing"]
    awake = [thing for thing in here if thing.state in SOUNDING]
    return sounding or awake or here or (every if len(every) == 1 else [])


def _louder(replies: Replies, thing: Thing, intent: Intent) -> float:
    """Return the volume in percent that a step leads to. Raises CannotDo where the player never told its volume."""
    now, step = thing.attributes.get("volume_pct"), intent.slots.get("volume_step")
    if not isinstance(now, int | float) or isinstance(now, bool):
        raise CannotDo(replies.say("devices.from_where", name=thing.name))
    by = step if isinstance(step, int | float) else STEP_PCT if step == "up" else -STEP_PCT
    return max(0.0, min(100.0, now + by))
