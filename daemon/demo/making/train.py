"""Make the small Whisper of the demonstration, from nothing.

    pip install -e '.[training]'
    python -m daemon.demo.making.train --minutes 35 --out DIR

DIR/whisper-casa is the model; to ship it, put it in the place of `daemon/demo/speech/whisper-casa`. The minutes are of
CPU time for each thread; before them some minutes go into speaking the sentences. The sentences, voices and noises are
the same each time; the weights are not quite, because the time decides how many steps there are.
"""

import argparse
import os
from pathlib import Path

import structlog

from daemon.demo.making import gather, tokens

log = structlog.get_logger(__name__)


def train(minutes: float, out: Path, threads: int, seed: int, sentences: int | None) -> Path:
    """Make the model in `out`/whisper-casa; `sentences` takes only the first so many, to try the script quickly."""
    # Threads that wait must not count as working: on a busy machine they would use up most of the minutes.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # torch takes seconds to import, and the processes that speak import this module: they do without it.
    from daemon.demo.making.export import export  # noqa: PLC0415
    from daemon.demo.making.learn import learn  # noqa: PLC0415

    training = [*gather.KEY_PHRASES, *gather.texts(seed).training[:sentences]]
    work = out / "float"
    ids = tokens.write(work, training)
    written = tokens.encoded(work, training)
    log.info("speaking", sentences=len(training), vocabulary=ids.size)
    examples = gather.gather(gather.jobs(training, 2, seed), threads)
    return export(learn(examples, written, ids, minutes, threads), ids, work, out / "whisper-casa")


def main() -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(description="Make the small Whisper of the demonstration.")
    parser.add_argument("--minutes", type=float, default=35, help="CPU minutes of training for each thread")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--sentences", type=int, default=None, help="only the first so many, to try the script")
    asked = parser.parse_args()
    print(train(asked.minutes, asked.out, asked.threads, asked.seed, asked.sentences))


if __name__ == "__main__":
    main()
