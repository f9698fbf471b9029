"""What Whisper writes though nobody said it is dropped; what people say is kept."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.engines.invented import Heard, fold, heard_text, is_invented


def believed(
    text: str, *, logprob: float = -0.2, no_speech: float = 0.01, compression: float = 1.0, seconds: float = 3.0
) -> str:
    heard = Heard(text, logprob, no_speech, compression, tokens=8)
    return heard_text(heard, seconds=seconds, min_logprob=-1.0)[0]


class TestInvented:
    @pytest.mark.parametrize(
        "text",
        [
            "Legendas pela comunidade Amara.org",
            " Legendas pela comunidade Amara.org.",
            "LEGENDAS PELA COMUNIDADE AMARA.ORG",
            "Legenda por Sônia Ruberti",
            "Legenda por João da Silva",
            "Legendado por Fulano",
            "Obrigado por assistir!",
            "Obrigado por assistir. Inscreva-se no canal!",
            "Se inscreva no canal e ative o sininho.",
            "Até o próximo vídeo.",
            "Acesse o nosso site www.opusdei.pt para mais informações.",
            "Thanks for watching!",
            "♪♪♪",
            "[Música]",
            "(risos)",
            "*música*",
            "...",
        ],
    )
    def test_what_nobody_says_to_a_house_is_dropped_however_sure(self, text: str) -> None:
        assert believed(text, logprob=-0.01) == ""

    @pytest.mark.parametrize(
        "text",
        [
            "Obrigado.",
            "Tchau, tchau.",
            "Tchau",
            "E aí?",
            "Sim.",
            "Não, não, não.",
            "Legenda por favor.",
            "Legendas por favor, na televisão da sala.",
            "Coloca legenda no filme.",
            "Obrigado por acender a luz.",
            "Música.",
            "Toca música.",
            "Acesse a câmera da porta.",
            "Me lembra de me inscrever no canal do condomínio amanhã às dez.",
            "Aumenta a música um pouco.",
        ],
    )
    def test_what_people_say_is_kept(self, text: str) -> None:
        assert believed(text) == text

    @pytest.mark.parametrize("text", ["Obrigado.", "E aí?", "Tchau, tchau.", "Música", "Amém."])
    def test_small_words_are_dropped_only_when_the_model_hesitates(self, text: str) -> None:
        assert believed(text, logprob=-0.7) == ""
        assert believed(text, no_speech=0.8) == ""
        assert believed(text) == text
        assert believed("Sim.", logprob=-0.7) == "Sim."

    def test_a_credit_after_real_speech_is_cut_off(self) -> None:
        assert believed("Acende a luz da sala. Legendas pela comunidade Amara.org") == "Acende a luz da sala."

    def test_improbable_silent_and_looping_text_is_dropped(self) -> None:
        assert believed("Abre a porta.", logprob=-1.2) == ""
        assert believed("Abre a porta.", logprob=-0.6, no_speech=0.9) == ""
        assert believed("Abre a porta.", logprob=-0.1, no_speech=0.9) == "Abre a porta."
        assert believed("Abre a porta.", compression=2.6) == ""
        assert believed("e, " * 20, seconds=5) == ""
        assert believed("E aí " * 7, seconds=5) == ""
        assert believed("a fita lógica, " * 8, seconds=8) == ""

    def test_a_whole_sentence_cannot_come_from_a_click(self) -> None:
        assert believed("Eu não sei o que está acontecendo aqui agora", seconds=0.5) == ""
        assert believed("Sim", seconds=0.2) == "Sim"

    @settings(deadline=None)
    @given(st.text(max_size=200), st.booleans())
    def test_nothing_is_added_to_what_was_heard(self, text: str, sure: bool) -> None:
        kept = believed(text, logprob=-0.1 if sure else -0.7)
        rest = iter(text)
        assert all(c == " " or c in rest for c in kept)
        assert kept == "" or not is_invented(kept, unsure=False)

    @settings(deadline=None)
    @given(st.text(max_size=200))
    def test_folding_twice_is_folding_once(self, text: str) -> None:
        assert fold(fold(text)) == fold(text)
