"""The sound cards of this machine, through PortAudio (the `sounddevice` package).

PortAudio's library may be missing, and so may any sound card: both are states with a name. It lists the cards when it
starts and never looks again, so a card that is plugged in later is found by starting it anew, which can be done only
while no stream is open.
"""

import asyncio
import importlib
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from daemon.errors import EngineMissing, LinkDown

Direction = Literal["input", "output"]
NAMES: dict[Direction, str] = {"input": "microfone", "output": "alto-falante"}
_PREFERENCES: dict[Direction, str] = {"input": "audio.input_device", "output": "audio.output_device"}

_lock = threading.Lock()
_open_streams: list[Any] = []


@dataclass(frozen=True, slots=True)
class Card:
    """A sound card in one direction. `rate` in Hz is its own; `channels` is how many it has."""

    index: int
    name: str
    rate: int
    channels: int


def library(direction: Direction) -> Any:
    """Return the `sounddevice` module. Raises EngineMissing where PortAudio is not installed or does not start."""
    try:
        return importlib.import_module("sounddevice")
    except ImportError as error:
        raise EngineMissing(NAMES[direction], "o pacote sounddevice não está instalado", "make install") from error
    except Exception as error:
        raise EngineMissing(
            NAMES[direction],
            "falta a biblioteca de som PortAudio",
            "sudo apt install libportaudio2 libasound2-plugins",
        ) from error


def card(sounddevice: Any, direction: Direction, wanted: str) -> Card:
    """Return the card whose name contains `wanted`, or the system's own where that is empty. Raises EngineMissing."""
    try:
        found = sounddevice.query_devices(wanted or None, direction)
    except (sounddevice.PortAudioError, ValueError) as error:
        raise _no_card(sounddevice, direction, wanted) from error
    return Card(
        int(found["index"]),
        str(found["name"]),
        int(found["default_samplerate"]),
        int(found[f"max_{direction}_channels"]),
    )


def present(direction: Direction, wanted: str) -> str:
    """Return the name of the card that would be used now. Blocking for some milliseconds. Raises EngineMissing."""
    sounddevice = library(direction)
    with _lock:  # the list of cards is gone for a moment while PortAudio starts anew
        try:
            return card(sounddevice, direction, wanted).name
        except sounddevice.PortAudioError as error:
            raise EngineMissing(
                NAMES[direction], f"o som deste computador não responde: {error}", "confira com: arecord -l; aplay -l"
            ) from error


def _no_card(sounddevice: Any, direction: Direction, wanted: str) -> EngineMissing:
    names = [str(one["name"]) for one in sounddevice.query_devices() if one[f"max_{direction}_channels"] > 0]
    what = NAMES[direction]
    if not names:
        return EngineMissing(
            what, f"não achei nenhum {what} neste computador", f"ligue um {what} e confira com: arecord -l; aplay -l"
        )
    key = _PREFERENCES[direction]
    if not wanted:
        return EngineMissing(what, f"o sistema não tem {what} padrão", f'mordomo config set {key} "{names[0]}"')
    return EngineMissing(
        what,
        f'nenhum {what}, ou mais de um, se chama "{wanted}"; há: {", ".join(names)}',
        f'mordomo config set {key} "" (o padrão do sistema) ou um desses nomes inteiro',
    )


def layouts(found: Card, rate: int) -> list[tuple[int, int]]:
    """Return (rate, channels) in the order in which to try them: what is wanted first, the card's own last."""
    rates = [rate] if found.rate == rate else [rate, found.rate]
    channels = [1] if found.channels < 2 else [1, 2]
    return [(one_rate, count) for count in channels for one_rate in rates]


@asynccontextmanager
async def stream(direction: Direction, build: Callable[[Any], Any]) -> AsyncIterator[Any]:
    """Hold the stream that `build` makes from the `sounddevice` module, not yet started; it is closed at the end.

    Opening takes some tens of milliseconds, in a thread. When it fails, the cards are listed anew and it is tried once
    more. Raises EngineMissing.
    """
    opening = asyncio.get_running_loop().run_in_executor(None, _open, direction, build)
    try:
        opened = await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_unwanted)
        raise
    try:
        yield opened
    finally:
        await asyncio.to_thread(_close, opened)


async def start(direction: Direction, opened: Any) -> None:
    """Let the sound flow. Raises LinkDown when the card has gone since it was opened."""
    try:
        await asyncio.to_thread(opened.start)
    except library(direction).PortAudioError as error:
        raise LinkDown(NAMES[direction], f"não começou: {error}") from error


def _open(direction: Direction, build: Callable[[Any], Any]) -> Any:
    sounddevice = library(direction)
    with _lock:
        try:
            opened = build(sounddevice)
        except (EngineMissing, sounddevice.PortAudioError):
            if _open_streams:
                raise
            opened = _built_again(sounddevice, direction, build)
        _open_streams.append(opened)
    return opened


def _built_again(sounddevice: Any, direction: Direction, build: Callable[[Any], Any]) -> Any:
    try:
        sounddevice._terminate()  # noqa: SLF001 - the only way to have PortAudio list the cards anew
        sounddevice._initialize()  # noqa: SLF001
        return build(sounddevice)
    except sounddevice.PortAudioError as error:
        raise EngineMissing(
            NAMES[direction], f"o som deste computador não responde: {error}", "confira com: arecord -l; aplay -l"
        ) from error


def _close(opened: Any) -> None:
    opened.close(ignore_errors=True)  # what still sounds is cut off
    with _lock:
        _open_streams.remove(opened)


def _close_unwanted(opening: "asyncio.Future[Any]") -> None:
    """Close what nobody waits for any more."""
    if not opening.cancelled() and opening.exception() is None:
        _close(opening.result())


def first_that_opens(sounddevice: Any, direction: Direction, wanted: str, rate: int, make: Callable[..., Any]) -> Any:
    """Return the first stream that the card accepts: `make(device=, samplerate=, channels=)`. Raises EngineMissing."""
    found = card(sounddevice, direction, wanted)
    refusal: Exception | None = None
    for one_rate, channels in layouts(found, rate):
        try:
            return make(device=found.index, samplerate=one_rate, channels=channels)
        except sounddevice.PortAudioError as error:
            refusal = error
    raise EngineMissing(
        NAMES[direction],
        f"{found.name} não abre: {refusal}",
        f"confira se outro programa está usando o {NAMES[direction]}, ou escolha outro em {_PREFERENCES[direction]}",
    ) from refusal
