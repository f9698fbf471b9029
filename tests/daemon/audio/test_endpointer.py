"""Where an utterance begins and ends, on probabilities that a test writes down."""

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.audio.endpointer import (
    TAIL_MS,
    Ended,
    Endpoint,
    Endpointer,
    EndpointRules,
    NoSpeech,
    Paused,
    Resumed,
    SpeechStarted,
)
from daemon.audio.frames import FRAME_BYTES, FRAME_MS, RATE, SAMPLE_BYTES, Frame, Utterance

RULES = EndpointRules()
VOICE, HUSH = 0.9, 0.02


def numbered(index: int, size: int = FRAME_BYTES) -> Frame:
    """A frame like no other, so that a cut shows where it was made."""
    return (index + 1).to_bytes(4, "little") * (size // 4)


def run(
    probabilities: Iterable[float], rules: EndpointRules = RULES, preroll: Sequence[Frame] = (), size: int = FRAME_BYTES
) -> list[tuple[int, Endpoint]]:
    """Return (number of the frame, what it brought about) up to the end."""
    endpointer = Endpointer(rules, preroll)
    events = []
    for index, probability in enumerate(probabilities):
        event = endpointer.push(numbered(index, size), probability)
        if event is not None:
            events.append((index, event))
    return events


def names(events: list[tuple[int, Endpoint]]) -> list[str]:
    return [type(event).__name__ for _, event in events]


def sound(first: int, last: int) -> bytes:
    """Frames `first` to `last`, both included."""
    return b"".join(map(numbered, range(first, last + 1)))


def ended(events: list[tuple[int, Endpoint]]) -> Ended:
    event = events[-1][1]
    assert isinstance(event, Ended)
    return event


class TestOneUtterance:
    def test_a_sentence_starts_pauses_and_ends_with_the_same_utterance(self) -> None:
        events = run([HUSH] * 10 + [VOICE] * 30 + [HUSH] * 40)

        assert names(events) == ["SpeechStarted", "Paused", "Ended"]
        assert [index for index, _ in events] == [12, 39 + 6, 39 + 21]
        paused, end = events[1][1], events[2][1]
        assert isinstance(paused, Paused)
        assert isinstance(end, Ended)
        assert end.utterance is paused.utterance
        assert not end.too_long

    def test_the_cut_has_the_preroll_before_and_a_short_tail_after(self) -> None:
        utterance = ended(run([HUSH] * 20 + [VOICE] * 30 + [HUSH] * 40)).utterance

        whole = sound(0, 90)
        begin, end = 20 * FRAME_BYTES - 300 * 32, 50 * FRAME_BYTES + TAIL_MS * 32
        assert utterance.pcm == whole[begin:end]
        assert utterance.speech_ms == pytest.approx(30 * FRAME_MS)

    def test_sound_from_before_the_first_frame_belongs_to_the_preroll(self) -> None:
        before = [numbered(1000 + number) for number in range(30)]
        utterance = ended(run([VOICE] * 10 + [HUSH] * 30, preroll=before)).utterance
        assert utterance.pcm.startswith(b"".join(before)[-300 * 32 :] + numbered(0))

    def test_no_preroll_keeps_none(self) -> None:
        rules = EndpointRules(preroll_ms=0)
        utterance = ended(run([HUSH] * 5 + [VOICE] * 10 + [HUSH] * 30, rules, [numbered(99)])).utterance
        assert utterance.pcm.startswith(numbered(5))

    @pytest.mark.parametrize("speech_frames", [3, 5, 30, 300])
    @pytest.mark.parametrize("before", [0, 1, 40, 150])
    def test_a_clipped_word_ends_as_fast_as_a_long_sentence(self, speech_frames: int, before: int) -> None:
        events = run([HUSH] * before + [VOICE] * speech_frames + [HUSH] * 40)
        assert events[-1][0] == before + speech_frames - 1 + 21

    def test_the_end_is_never_later_than_the_rule(self) -> None:
        for silence_ms in range(200, 3000, 7):
            rules = EndpointRules(silence_ms=silence_ms, provisional_ms=60)
            index, event = run([VOICE] * 10 + [HUSH] * 120, rules)[-1]
            assert isinstance(event, Ended)
            assert silence_ms - FRAME_MS < (index - 9) * FRAME_MS <= silence_ms

    def test_going_on_makes_the_pause_not_count(self) -> None:
        events = run([VOICE] * 10 + [HUSH] * 10 + [VOICE] * 10 + [HUSH] * 30)

        assert names(events) == ["SpeechStarted", "Paused", "Resumed", "Paused", "Ended"]
        utterances = [event.utterance for _, event in events if isinstance(event, Paused | Ended)]
        assert utterances[1] is utterances[2]
        assert utterances[0].pcm == sound(0, 9) + sound(10, 14)
        assert utterances[1].pcm == sound(0, 29) + sound(30, 34)
        assert utterances[1].speech_ms == pytest.approx(20 * FRAME_MS)

    def test_a_click_in_the_pause_is_not_going_on(self) -> None:
        events = run([VOICE] * 10 + [HUSH] * 8 + [VOICE] * 2 + [HUSH] * 30)
        assert names(events) == ["SpeechStarted", "Paused", "Ended"]
        assert events[-1][0] == 9 + 21
        assert ended(events).utterance.pcm == sound(0, 14)

    def test_speech_that_begins_as_the_silence_runs_out_is_waited_for(self) -> None:
        events = run([VOICE] * 10 + [HUSH] * 20 + [VOICE] * 10 + [HUSH] * 30)
        assert names(events) == ["SpeechStarted", "Paused", "Resumed", "Paused", "Ended"]
        assert ended(events).utterance.pcm == sound(0, 44)

    def test_with_no_room_for_a_pause_it_just_ends(self) -> None:
        rules = EndpointRules(silence_ms=300, provisional_ms=300)
        assert names(run([VOICE] * 10 + [HUSH] * 30, rules)) == ["SpeechStarted", "Ended"]

    def test_hysteresis_keeps_faint_syllables(self) -> None:
        assert names(run([VOICE] * 3 + [0.36] * 60)) == ["SpeechStarted"]
        assert names(run([VOICE] * 3 + [0.34] * 60)) == ["SpeechStarted", "Paused", "Ended"]
        assert names(run([0.36] * 100)) == []

    def test_a_low_threshold_still_knows_silence(self) -> None:
        assert names(run([0.2] * 5 + [0.03] * 60, EndpointRules(threshold=0.1))) == ["SpeechStarted", "Paused", "Ended"]


class TestNobodySpeaks:
    def test_silence_is_given_up_within_the_wait(self) -> None:
        events = run([HUSH] * 400)
        assert names(events) == ["NoSpeech"]
        assert 4.9 < (events[0][0] + 1) * FRAME_MS / 1000 <= 5

    def test_clicks_are_not_speech(self) -> None:
        assert names(run(([VOICE] * 2 + [HUSH] * 3) * 80)) == ["NoSpeech"]

    def test_a_word_begun_as_the_wait_runs_out_is_heard(self) -> None:
        assert names(run([HUSH] * 155 + [VOICE] * 10 + [HUSH] * 30)) == ["SpeechStarted", "Paused", "Ended"]

    def test_a_probability_that_is_no_number_is_silence(self) -> None:
        assert names(run([float("nan"), float("inf"), -float("inf")] * 100)) == ["NoSpeech"]

    def test_empty_frames_are_no_time(self) -> None:
        endpointer = Endpointer(RULES)
        assert [endpointer.push(b"", VOICE) for _ in range(1000)] == [None] * 1000


class TestEndless:
    def test_a_television_is_cut_off(self) -> None:
        events = run([0.6, 0.4, 0.4, 0.2] * 400)
        end = ended(events)
        assert end.too_long
        assert 14.9 < (events[-1][0] + 1) * FRAME_MS / 1000 <= 15
        assert end.utterance.duration_ms <= 15_000

    def test_talk_with_pauses_is_cut_off_as_well(self) -> None:
        events = run(([VOICE] * 20 + [HUSH] * 12) * 40)
        assert (events[-1][0] + 1) * FRAME_MS / 1000 <= 15
        assert isinstance(events[-1][1], Ended)

    def test_the_limit_in_a_pause_ends_with_what_was_said(self) -> None:
        events = run([VOICE] * 455 + [HUSH] * 60)
        end = ended(events)
        assert not end.too_long
        assert end.utterance is next(event.utterance for _, event in events if isinstance(event, Paused))

    def test_after_the_end_nothing_happens(self) -> None:
        endpointer = Endpointer(RULES)
        for index in range(60):
            endpointer.push(numbered(index), VOICE if index < 20 else HUSH)
        assert all(endpointer.push(numbered(index), VOICE) is None for index in range(600))


PROBABILITIES = st.lists(
    st.tuples(st.sampled_from([VOICE, 0.5, 0.4, 0.3, HUSH, 0.0, float("nan")]), st.integers(1, 30)), max_size=60
).map(lambda spans: [probability for probability, count in spans for _ in range(count)])
SOME_RULES = st.builds(
    EndpointRules,
    threshold=st.floats(0.1, 0.95),
    min_speech_ms=st.integers(30, 1000),
    silence_ms=st.integers(200, 3000),
    provisional_ms=st.integers(60, 3000),
    max_s=st.integers(3, 20),
    wait_s=st.integers(2, 10),
    preroll_ms=st.integers(0, 2000),
)
SIZES = st.sampled_from([320, 640, FRAME_BYTES, 2560])


@given(PROBABILITIES, SOME_RULES, SIZES)
def test_events_come_in_the_order_that_is_drawn(probabilities: list[float], rules: EndpointRules, size: int) -> None:
    state = "waiting"
    after = {
        ("waiting", "SpeechStarted"): "speaking",
        ("waiting", "NoSpeech"): "over",
        ("speaking", "Paused"): "paused",
        ("speaking", "Ended"): "over",
        ("paused", "Resumed"): "speaking",
        ("paused", "Ended"): "over",
    }
    for _, event in run(probabilities, rules, size=size):
        state = after[state, type(event).__name__]


@given(PROBABILITIES, SOME_RULES, SIZES)
def test_an_utterance_is_a_piece_of_the_sound(probabilities: list[float], rules: EndpointRules, size: int) -> None:
    whole = b"".join(numbered(index, size) for index in range(len(probabilities)))
    for _, event in run(probabilities, rules, size=size):
        if isinstance(event, Paused | Ended):
            assert event.utterance.pcm in whole
            assert rules.min_speech_ms <= event.utterance.speech_ms <= event.utterance.duration_ms + 1


@given(PROBABILITIES, SOME_RULES, SIZES)
def test_the_end_carries_the_last_pause_that_counted(
    probabilities: list[float], rules: EndpointRules, size: int
) -> None:
    last: Utterance | None = None
    for _, event in run(probabilities, rules, size=size):
        match event:
            case Paused(utterance):
                last = utterance
            case Resumed() | SpeechStarted():
                last = None
            case Ended(utterance) if last is not None:
                assert utterance is last
            case Ended() | NoSpeech():
                pass


@given(PROBABILITIES, SOME_RULES, SIZES)
def test_everything_is_bounded(probabilities: list[float], rules: EndpointRules, size: int) -> None:
    """Whatever is heard, it is over within the wait, the longest utterance, and a sound that was not yet speech."""
    endless = probabilities + [HUSH] * 4000
    events = run(endless, rules, size=size)
    frame_s = size / SAMPLE_BYTES / RATE
    over_s = (events[-1][0] + 1) * frame_s
    assert isinstance(events[-1][1], Ended | NoSpeech)
    started = [index for index, event in events if isinstance(event, SpeechStarted)]
    slack_s = rules.min_speech_ms / 1000 + 2 * frame_s
    if started:
        assert (started[0] + 1) * frame_s <= rules.wait_s + 2 * slack_s
        assert over_s <= (started[0] + 1) * frame_s + rules.max_s + slack_s
        end = events[-1][1]
        assert isinstance(end, Ended)
        assert end.utterance.duration_ms <= rules.preroll_ms + rules.max_s * 1000 + slack_s * 1000
    else:
        assert over_s <= rules.wait_s + slack_s
