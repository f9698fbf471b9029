"""One contract for every Chat, and Ollama's own faults over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.ollama_server import Behaviour, OllamaServer, ollama_at, ollama_server
from support.speech_engines import ScriptedChat

from daemon.engines.ollama import OllamaChat, Settings
from daemon.engines.protocols import Chat, ChatMessage, Piece
from daemon.engines.thoughts import Thoughts
from daemon.errors import EngineFailed, EngineMissing, LinkDown

QUESTION = [ChatMessage("system", "Você é um mordomo."), ChatMessage("user", "Olá?")]


@pytest.fixture
async def server() -> AsyncIterator[OllamaServer]:
    async with ollama_server() as running:
        yield running


@pytest.fixture(params=["ollama", "scripted"])
def engine(request: pytest.FixtureRequest, server: OllamaServer) -> Chat:
    if request.param == "ollama":
        return ollama_at(server.url)
    return ScriptedChat(["Olá", "! Tudo", " bem?"])


async def answer(engine: Chat) -> str:
    async with aclosing(engine.chat(QUESTION)) as pieces:
        return "".join([piece async for piece in pieces if isinstance(piece, str)])


async def collect(pieces: AsyncIterator[Piece], heard: list[str]) -> None:
    async for piece in pieces:
        if isinstance(piece, str):
            heard.append(piece)


class TestContract:
    async def test_the_answer_comes_in_pieces(self, engine: Chat) -> None:
        heard: list[str] = []
        await collect(engine.chat(QUESTION), heard)
        assert heard == ["Olá", "! Tudo", " bem?"]

    async def test_it_can_be_asked_again_and_by_several_at_once(self, engine: Chat) -> None:
        assert await answer(engine) == "Olá! Tudo bem?"
        assert await asyncio.gather(*(answer(engine) for _ in range(4))) == ["Olá! Tudo bem?"] * 4

    async def test_an_answer_may_be_left_in_the_middle(self, engine: Chat) -> None:
        async with aclosing(engine.chat(QUESTION)) as pieces:
            assert await anext(pieces) == "Olá"
        assert await answer(engine) == "Olá! Tudo bem?"

    async def test_it_says_that_it_is_there(self, engine: Chat) -> None:
        await engine.check()

    async def test_it_has_a_name_and_closes(self, engine: Chat) -> None:
        assert engine.name
        engine.close()


class TestOllama:
    async def test_it_asks_what_the_household_set(self, server: OllamaServer) -> None:
        await answer(ollama_at(server.url, max_tokens=77))
        (asked,) = server.asked
        assert asked["model"] == "qwen2.5:3b"
        assert asked["stream"] is True
        assert asked["think"] is False
        assert asked["options"] == {"temperature": 0.25, "num_predict": 77, "num_ctx": 8192}
        assert asked["keep_alive"] == "30m"
        assert asked["messages"] == [
            {"role": "system", "content": "Você é um mordomo."},
            {"role": "user", "content": "Olá?"},
        ]

    @pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://nao-existe.invalid:11434"])
    async def test_no_server_is_a_link_down_within_two_seconds(self, url: str) -> None:
        started = asyncio.get_running_loop().time()
        with pytest.raises(LinkDown) as down:
            await answer(ollama_at(url))
        assert down.value.what == "ollama"
        assert asyncio.get_running_loop().time() - started < 2.5

    async def test_a_model_that_is_not_there_says_how_to_get_it(self, server: OllamaServer) -> None:
        with pytest.raises(EngineMissing) as missing:
            await answer(ollama_at(server.url, model="llama3.2"))
        assert missing.value.mend == "ollama pull llama3.2"
        with pytest.raises(EngineMissing):
            await ollama_at(server.url, model="llama3.2").check()

    @pytest.mark.parametrize(
        ("behaviour", "why", "spoken"),
        [
            ("500", "llama runner process has terminated", ""),
            ("garbage", "não é do Ollama", ""),
            ("half_line", "não é do Ollama", "Olá"),
            ("error_line", "an error was encountered", "Olá"),
            ("cut", "cortada no meio", "Olá"),
            ("reset", "cortada no meio", "Olá"),
            ("endless_line", "cortada no meio", ""),
        ],
    )
    async def test_a_broken_answer_fails_and_what_came_before_is_kept(
        self, server: OllamaServer, behaviour: Behaviour, why: str, spoken: str
    ) -> None:
        server.behaviour = behaviour
        heard: list[str] = []
        with pytest.raises(EngineFailed) as failed:
            await collect(ollama_at(server.url).chat(QUESTION), heard)
        assert why in failed.value.why
        assert not isinstance(failed.value, EngineMissing)
        assert "".join(heard) == spoken

    async def test_silence_ends_at_the_bound_for_the_first_token(self, server: OllamaServer) -> None:
        server.behaviour = "hang"
        with pytest.raises(EngineFailed, match=r"não começou a responder em 0\.2 s"):
            await answer(ollama_at(server.url, first_s=0.2))
        await asyncio.wait_for(server.gone.wait(), 5)

    async def test_a_stall_ends_at_the_bound_for_the_whole(self, server: OllamaServer) -> None:
        server.behaviour = "stall"
        with pytest.raises(EngineFailed, match=r"não terminou de responder em 0\.3 s"):
            await answer(ollama_at(server.url, first_s=0.2, whole_s=0.3))
        await asyncio.wait_for(server.gone.wait(), 5)

    async def test_a_slow_listener_does_not_use_up_the_time(self, server: OllamaServer) -> None:
        heard = ""
        async for piece in ollama_at(server.url, first_s=0.3, whole_s=0.3).chat(QUESTION):
            await asyncio.sleep(0.15)
            heard += piece if isinstance(piece, str) else ""
        assert heard == "Olá! Tudo bem?"

    async def test_an_endless_answer_is_cut_at_the_tokens_asked_for(self, server: OllamaServer) -> None:
        server.behaviour = "endless"
        assert await answer(ollama_at(server.url, max_tokens=40)) == "e mais " * 40
        await asyncio.wait_for(server.gone.wait(), 5)

    async def test_barge_in_hangs_up(self, server: OllamaServer) -> None:
        server.behaviour = "stall"
        begun = asyncio.Event()

        async def listen() -> None:
            async with aclosing(ollama_at(server.url).chat(QUESTION)) as pieces:
                async for _ in pieces:
                    begun.set()

        listening = asyncio.create_task(listen())
        await asyncio.wait_for(begun.wait(), 5)
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening
        await asyncio.wait_for(server.gone.wait(), 5)

    async def test_what_the_model_thinks_is_never_spoken(self, server: OllamaServer) -> None:
        server.thinking = "hmm"
        server.pieces = ["<th", "ink>O usuário", " disse olá.</thi", "nk>\n\n", "Olá", "!"]
        assert (await answer(ollama_at(server.url))).strip() == "Olá!"

    @pytest.mark.parametrize("pieces", [[], ["", ""], ["<think>só pensei"], ["<think>x</think>", "\n"]])
    async def test_an_answer_that_says_nothing_is_a_failure(self, server: OllamaServer, pieces: list[str]) -> None:
        server.pieces = pieces
        with pytest.raises(EngineFailed, match="não respondeu nada"):
            await answer(ollama_at(server.url))

    async def test_a_changed_model_counts_from_the_next_answer(self, server: OllamaServer) -> None:
        model = "qwen2.5:3b"
        server.models.append("gemma3")
        engine = OllamaChat(server.url, lambda: Settings(model=model))
        await answer(engine)
        model = "gemma3"
        await answer(engine)
        assert [asked["model"] for asked in server.asked] == ["qwen2.5:3b", "gemma3"]
        assert engine.name == "gemma3"
        await engine.check()


class TestThoughts:
    @settings(deadline=None)
    @given(
        st.lists(st.sampled_from(["<think>", "</think>", "a", "b < c", "<b>", " ", "<", "th"]), max_size=12),
        st.integers(1, 5),
    )
    def test_the_cut_of_the_pieces_does_not_matter(self, words: list[str], size: int) -> None:
        text = "".join(words)
        whole, cut = Thoughts(), Thoughts()
        once = whole.take(text) + whole.rest()
        many = "".join(cut.take(text[i : i + size]) for i in range(0, len(text), size)) + cut.rest()
        assert many == once
        assert "<think>" not in once

    def test_ordinary_text_passes_at_once(self) -> None:
        thoughts = Thoughts()
        assert [thoughts.take(p) for p in ("2 < 3", " e <b>", "sim</b>")] == ["2 < 3", " e <b>", "sim</b>"]
