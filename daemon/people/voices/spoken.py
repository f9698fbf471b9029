"""A voice learnt at the microphone by command: five sentences, shown one by one and said back."""

from collections.abc import Callable
from contextlib import aclosing

from config.preferences import Preferences
from daemon.audio.endpointer import Endpointer
from daemon.audio.frames import Source, Utterance
from daemon.engines.protocols import SpeakerEncoder, VoiceDetector
from daemon.errors import CannotDo
from daemon.language.plan import NOTHING
from daemon.listening import endpoint_rules
from daemon.people.voices.enrolment import LEAST_OWN, SENTENCES, Lesson, taught_by
from daemon.turn import Understood, hear

MOST_UNFIT = 3
WHY = {"short": "Ouvi pouco.", "another": "Essa não pareceu a mesma voz, ou havia barulho."}


async def learn_aloud(
    source: Source,
    encoder: SpeakerEncoder,
    detector: VoiceDetector,
    prefs: Preferences,
    show: Callable[[str], None],
) -> Lesson:
    """Return the lesson given there. Raises CannotDo where it did not come to an end; EngineMissing, LinkDown."""
    lesson = Lesson()
    rules = endpoint_rules(prefs)

    async def heard(utterance: Utterance) -> Understood:
        return Understood("", NOTHING, utterance)

    async with aclosing(source.frames()) as frames:
        while not lesson.whole:
            show(f"Frase {len(lesson.vectors) + 1} de {len(SENTENCES)}. Diga: {SENTENCES[len(lesson.vectors)]}")
            detector.reset()
            said = await hear(frames, detector, Endpointer(rules), heard)
            utterance = said.utterance if said is not None else None
            unfit = "short" if utterance is None else lesson.add(
                await taught_by(encoder, utterance), utterance.speech_ms / 1000)  # fmt: skip
            if unfit is None:
                continue
            show(WHY[unfit])
            lesson.unfit += 1
            if lesson.unfit > MOST_UNFIT:
                raise CannotDo("Não consegui ouvir bem as frases. Tente de novo quando estiver mais quieto.")
    if lesson.own < LEAST_OWN:
        raise CannotDo("As frases saíram diferentes demais umas das outras. Tente de novo num momento mais quieto.")
    return lesson
