"""How the way in and out of sound is built anew when the household changes its preference."""

from collections.abc import Awaitable, Callable, Mapping

from config.preference import Part
from config.preferences import OUTPUT_DEVICE, Preferences
from daemon.audio.soundcard import SoundCard
from daemon.listening import Listening
from daemon.presence.presence import Presence
from daemon.voice import Voice


def sound_rebuilding(
    listening: Listening, presence: Presence, voice: Voice, prefs: Callable[[], Preferences]
) -> Mapping[Part, Callable[[], Awaitable[None]]]:
    """Return what rebuilds the microphone and the speaker."""

    async def microphone() -> None:
        await listening.restart()
        presence.tell_muted()

    async def speaker() -> None:
        voice.use(SoundCard(prefs()[OUTPUT_DEVICE]))

    return {"microphone": microphone, "speaker": speaker}
