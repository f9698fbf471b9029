"""What is never done on a voice alone, and never for a program that writes on the broker."""

from daemon.language.plan import Thing

RISKY = frozenset(
    {
        ("lock", "unlock"),
        ("lock", "unlatch"),
        ("lock", "toggle"),
        ("alarm_control_panel", "disarm"),
        ("alarm_control_panel", "turn_off"),
        ("alarm_control_panel", "toggle"),
    }
)
"""(domain, verb) that let somebody in."""
RISKY_COVERS = frozenset({"garage", "gate", "door"})
OPENING = frozenset({"open", "set_position", "toggle", "press", "turn_on"})
SAFE = frozenset({"lock", "close", "stop", "arm_home", "arm_away", "arm_night", "arm_vacation"})
"""Verbs that need no yes, even of what the household guards: nobody should have to confirm that a door is shut."""
GUARDED = "guarded"
"""The attribute of a thing that the household marked: true asks always, false never, none by its kind."""


def is_risky(thing: Thing, verb: str) -> bool:
    """Tell whether this needs a person's spoken yes."""
    marked = thing.attributes.get(GUARDED)
    if isinstance(marked, bool):
        return marked and verb not in SAFE
    if thing.domain == "cover" and thing.device_class in RISKY_COVERS:
        return verb in OPENING
    return (thing.domain, verb) in RISKY
