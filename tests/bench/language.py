"""How quickly sentences are understood: `python -m tests.bench.language`. Exits 1 where a bar is missed.

Sentences of the golden files, in a house of 50 things and in one of 2,000; the time to read the language's files; and
ten kilobytes of anything. Times are the processor's, so that what else the machine does is not counted.
"""

import random
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import yaml

from daemon.language.language import Language
from daemon.language.plan import Heard, Household, Thing
from daemon.language.wire import household_from_json

TESTS = Path(__file__).parent.parent / "daemon" / "language"
NOW = datetime.fromisoformat("2026-11-20T10:00:00-03:00")
ROOMS = ("sala", "cozinha", "quarto do casal", "quarto das crianças", "banheiro", "escritório", "varanda", "garagem")
MEDIAN_MS, P99_MS, START_S, FUZZ_MS = 2.0, 10.0, 0.5, 50.0


def house(things: int) -> Household:
    """The large house of the tests, filled up with lamps, sockets, sensors and blinds to so many things."""
    import json

    base = household_from_json(json.loads((TESTS / "large_household.json").read_text("utf-8")))
    more = [
        Thing(f"{domain}.extra_{i}", domain, f"{noun} {i} {'da' if i % 2 else 'do'} {ROOMS[i % len(ROOMS)]}",
              area=ROOMS[i % len(ROOMS)], state="off")
        for i in range(max(0, things - len(base.things)))
        for domain, noun in [(("light", "spot"), ("switch", "tomada"), ("sensor", "sensor"), ("cover", "cortina"))[i % 4]]
    ]  # fmt: skip
    return replace(base, things=(*base.things, *more)[:things])


def sentences() -> list[str]:
    """All sentences of the golden files and the blind sets."""
    said: list[str] = []
    for path in sorted((TESTS / "golden_files").glob("*.yaml")):
        said.extend(case[0] for case in yaml.safe_load(path.read_text("utf-8"))["cases"])
    for path in sorted(TESTS.glob("*_held_out.yaml")):
        said.extend(case[1] for case in yaml.safe_load(path.read_text("utf-8"))["cases"])
    return said


def spent_ms(language: Language, texts: list[str], household: Household) -> list[float]:
    """The time for each sentence, in ms, sorted; the household is prepared before."""
    language.understand(Heard("liga a luz", NOW, "sala"), household)
    times = []
    for text in texts:
        began = time.thread_time()
        language.understand(Heard(text, NOW, "sala"), household)
        times.append((time.thread_time() - began) * 1000)
    return sorted(times)


def start_s() -> float:
    """The time to read the language's files in a fresh process, imports aside."""
    code = (
        "import time\nfrom daemon.language.language import Language\n"
        "began = time.thread_time()\nLanguage()\nprint(time.thread_time() - began)"
    )
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def worst_fuzz_ms(language: Language, household: Household) -> float:
    """The longest time for hostile text of 10 kB and less."""
    chance = random.Random(7)
    words = " ".join(sentences()).split()
    texts = [
        "a" * 10_000,
        "e " * 5_000,
        "liga a luz e " * 800,
        "\u0301" * 10_000,
        "não, " * 2_000,
        "1" * 599,
        "1h" * 290,
    ]
    texts += ["".join(chr(chance.randrange(1, 0xD7FF)) for _ in range(size)) for size in (100, 599, 10_000)]
    texts += [" ".join(chance.choice(words) for _ in range(size)) for size in (20, 60, 79, 90) for _ in range(8)]
    worst = 0.0
    for text in texts:
        began = time.thread_time()
        language.understand(Heard(text, NOW, "sala"), household)
        worst = max(worst, (time.thread_time() - began) * 1000)
    return worst


def main() -> int:
    """Measure, print, and tell by the exit status whether all bars are held."""
    language, texts, good = Language(), sentences(), True
    language.prepare()  # as the daemon does before anybody speaks
    for things, share in ((50, 1), (2000, 2)):
        household = house(things)
        times = spent_ms(language, texts, household)
        median, p99 = statistics.median(times), times[int(len(times) * 0.99)]
        held = median <= MEDIAN_MS * share and p99 <= P99_MS * share
        good = good and held
        print(f"{things} things, {len(texts)} sentences: median {median:.2f} ms, p99 {p99:.2f} ms,"
              f" worst {times[-1]:.2f} ms{'' if held else '  MISSED'}")  # fmt: skip
    began = time.thread_time()
    language.understand(Heard("liga a luz", NOW, "sala"), replace(house(2000)))
    print(f"a new household of 2000 things: {(time.thread_time() - began) * 1000:.0f} ms")
    fuzz, start = worst_fuzz_ms(language, house(50)), start_s()
    print(f"start {start:.2f} s, worst fuzz {fuzz:.1f} ms")
    return 0 if good and fuzz <= FUZZ_MS and start <= START_S else 1


if __name__ == "__main__":
    sys.exit(main())
