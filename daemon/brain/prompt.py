"""What the language model reads: what never changes first, so that its server need not read it again; then the rest.

Names, titles, memories and texts from elsewhere are data: JSON within a tag that they cannot close.
"""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import resources
from itertools import pairwise

from daemon.brain.recall import Remembered
from daemon.engines.protocols import ChatMessage
from daemon.language.plan import Household
from daemon.language.words import plain_words
from daemon.skills.skill import Context

MOST_THINGS = 200
"""So many things of the house are named; of a greater one the tools still find all."""
LONGEST_NAME = 80
LONGEST_TEXT = 600
"""Characters of one memory or result."""
LONGEST_MESSAGE = 4000
ASKING = frozenset("onde quem qual quais quanto quanta quantos quantas quando cade".split())
WEEKDAYS = ("segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado", "domingo")


def factory() -> str:
    """Return the instructions that Mordomo comes with."""
    return resources.files("daemon.brain.pt_br").joinpath("prompt.txt").read_text("utf-8").strip()


def instructions(template: str, household: Household) -> ChatMessage:
    """Return the first message: the instructions and the names of the house, the same until one of them changes."""
    rooms: dict[str, list[str]] = {area.name: [] for area in household.areas}
    for thing in household.things[:MOST_THINGS]:
        rooms.setdefault(thing.area or "casa", []).append(clean(thing.name, LONGEST_NAME))
    house = {clean(room, LONGEST_NAME): sorted(names) for room, names in sorted(rooms.items())}
    return ChatMessage("system", f"{template}\n\n<casa>\n{quoted(house)}\n</casa>")


def question(context: Context, remembered: Sequence[Remembered]) -> ChatMessage:
    """Return the last message: when and where it is asked and by whom, what is remembered, and the words said."""
    told: dict[str, object] = {"agora": spoken_today(context.now)}
    told |= {"comodo": context.area} if context.area else {}
    told |= {"quem_fala": context.person} if context.person else {}
    if remembered:
        told["lembrancas"] = [
            {"dia": f"{each.at.astimezone(context.zone):%Y-%m-%d}", "texto": clean(each.text, LONGEST_TEXT)}
            for each in remembered
        ]
    return ChatMessage("user", f"<dados>\n{quoted(told)}\n</dados>\n{words(context.text)}")


def asks(text: str) -> bool:
    """Tell whether a text is a question, with or without its mark."""
    first = plain_words(text)[:4]
    return text.rstrip().endswith("?") or not ASKING.isdisjoint(first) or ("o", "que") in pairwise(first)


def words(text: str) -> str:
    """Return what was said, unable to look like one of our tags."""
    return clean(text, LONGEST_MESSAGE, keep="\n").replace("<", "‹").replace(">", "›")


def quoted(value: object) -> str:
    """Return a value as JSON on one line, in which no tag can begin or end."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text.replace("<", "\\u003c").replace(">", "\\u003e")


def cleaned(value: object) -> object:
    """Return a value with every text in it clean, for `quoted`."""
    if isinstance(value, str):
        return clean(value, LONGEST_TEXT)
    if isinstance(value, Mapping):
        return {clean(str(key), LONGEST_NAME): cleaned(each) for key, each in list(value.items())[:50]}
    if isinstance(value, Sequence):
        return [cleaned(each) for each in value[:50]]
    return value


def clean(text: str, longest: int, keep: str = "") -> str:
    """Return a text without what nobody sees (control, format and direction characters), cut to `longest`."""
    seen = "".join(c if c in keep or unicodedata.category(c)[0] != "C" else " " for c in text)
    return seen if len(seen) <= longest else f"{seen[: longest - 1]}…"


def spoken_today(now: datetime) -> str:
    """Return date and time as a model reads them best: `2026-11-20 14:05 (sexta-feira)`."""
    return f"{now:%Y-%m-%d %H:%M} ({WEEKDAYS[now.weekday()]})"
