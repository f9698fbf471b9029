"""Tools and connections of the language model's client, over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from support.ollama_server import Behaviour, OllamaServer, ollama_at, ollama_server

from daemon.engines.ollama import MOST_CALLS, OllamaChat
from daemon.engines.protocols import ChatMessage, Piece, Spent, Tool, ToolCall
from daemon.errors import EngineFailed

QUESTION = [ChatMessage("system", "Você é um mordomo."), ChatMessage("user", "Olá?")]
LAMP = Tool(
    "ligar", "Liga.", {"type": "object", "properties": {"nomes": {"type": "array", "items": {"type": "string"}}}}
)
CALL = {"name": "ligar", "arguments": {"nomes": ["luz"]}}


@pytest.fixture
async def server() -> AsyncIterator[OllamaServer]:
    async with ollama_server() as running:
        yield running


async def whole(engine: OllamaChat, *, hang_up: bool = True) -> list[Piece]:
    """Return every piece of an answer; a conversation that is over is hung up."""
    pieces = [piece async for piece in engine.chat(QUESTION, [LAMP])]
    if hang_up:
        await engine.hang_up()
    return pieces


class TestConnections:
    async def test_one_serves_all_rounds_of_a_conversation_and_none_is_left_behind(self, server: OllamaServer) -> None:
        engine = ollama_at(server.url)
        server.script = lambda _: [CALL]
        await whole(engine, hang_up=False)
        await whole(engine, hang_up=False)
        assert (server.connections, server.open) == (1, 1)
        server.script = None
        await whole(engine, hang_up=False)  # an answer in words is the last
        assert server.connections == 1
        await hung_up(server)

    async def test_one_that_the_person_ends_after_a_call_is_hung_up(self, server: OllamaServer) -> None:
        server.script = lambda _: [CALL]
        await whole(ollama_at(server.url))
        await hung_up(server)

    async def test_the_end_of_one_conversation_leaves_another_s_answer_alone(self, server: OllamaServer) -> None:
        engine = ollama_at(server.url)
        async with aclosing(engine.chat(QUESTION)) as other:
            assert await anext(other) == "Olá"
            await whole(engine)
            assert "".join([piece async for piece in other if isinstance(piece, str)]) == "! Tudo bem?"
        await hung_up(server)

    async def test_a_server_that_closes_between_rounds_is_called_again(self, server: OllamaServer) -> None:
        engine = ollama_at(server.url)
        server.script, server.behaviour = lambda _: [CALL], "goes"
        await whole(engine, hang_up=False)
        await hung_up(server)
        assert isinstance((await whole(engine))[0], ToolCall)
        assert server.connections == 2


async def hung_up(server: OllamaServer) -> None:
    """Return when no connection is open."""
    async with asyncio.timeout(5):
        while server.open:
            await asyncio.sleep(0)


class TestTools:
    async def test_tools_go_as_ollama_documents_them(self, server: OllamaServer) -> None:
        async for _ in ollama_at(server.url).chat(QUESTION, [LAMP]):
            pass
        (tool,) = server.asked[0]["tools"]
        assert tool == {
            "type": "function",
            "function": {"name": "ligar", "description": "Liga.", "parameters": LAMP.parameters},
        }

    async def test_calls_come_whole_among_the_text_and_the_cost_at_the_end(self, server: OllamaServer) -> None:
        server.pieces, server.script = [], lambda _: ["Claro. ", CALL]
        pieces = await whole(ollama_at(server.url))
        assert pieces == ["Claro. ", ToolCall("ligar", {"nomes": ["luz"]}), Spent(26, 2, 1.0, 0.5, 0.5)]

    async def test_what_became_of_a_call_goes_back_under_its_name(self, server: OllamaServer) -> None:
        messages = [
            *QUESTION,
            ChatMessage("assistant", "", (ToolCall("ligar", {"nomes": ["luz"]}),)),
            ChatMessage("tool", '{"feito": true}', tool="ligar"),
        ]
        async for _ in ollama_at(server.url).chat(messages, [LAMP]):
            pass
        assert server.asked[0]["messages"][2:] == [
            {"role": "assistant", "tool_calls": [{"function": CALL}]},
            {"role": "tool", "content": '{"feito": true}', "tool_name": "ligar"},
        ]

    async def test_a_list_written_as_text_is_a_list(self, server: OllamaServer) -> None:
        server.script = lambda _: [{"name": "ligar", "arguments": {"nomes": '["luz", "abajur"]', "comodo": "[sala"}}]
        pieces = await whole(ollama_at(server.url))
        assert pieces[0] == ToolCall("ligar", {"nomes": ["luz", "abajur"], "comodo": "[sala"})

    async def test_a_model_that_knows_no_tools_is_asked_without_from_then_on(self, server: OllamaServer) -> None:
        server.behaviour = "no_tools"
        engine = ollama_at(server.url)
        for _ in range(2):
            heard: list[str] = []
            heard += [piece async for piece in engine.chat(QUESTION, [LAMP]) if isinstance(piece, str)]
            assert "".join(heard) == "Olá! Tudo bem?"
        assert ["tools" in asked and bool(asked["tools"]) for asked in server.asked] == [True, False, False]

    async def test_calls_without_end_are_cut(self, server: OllamaServer) -> None:
        server.behaviour = "endless_calls"
        assert len(await whole(ollama_at(server.url))) == MOST_CALLS

    async def test_arguments_that_are_no_object_are_a_broken_answer(self, server: OllamaServer) -> None:
        server.behaviour = "wrong_arguments"
        with pytest.raises(EngineFailed, match="não é do Ollama"):
            await whole(ollama_at(server.url))

    @pytest.mark.parametrize(("behaviour", "kind"), [("no_memory", "full"), ("busy", "full"), ("500", "broken")])
    async def test_no_memory_is_told_from_a_breakdown(
        self, server: OllamaServer, behaviour: Behaviour, kind: str
    ) -> None:
        server.behaviour = behaviour
        with pytest.raises(EngineFailed) as failed:
            await whole(ollama_at(server.url))
        assert failed.value.kind == kind

    async def test_thinking_without_end_is_cut_at_the_bound_for_the_first_word(self, server: OllamaServer) -> None:
        server.behaviour = "endless_thinking"
        with pytest.raises(EngineFailed, match=r"não começou a responder em 0\.2 s") as failed:
            await whole(ollama_at(server.url, first_s=0.2, max_tokens=4000))
        assert failed.value.kind == "slow"

    async def test_warming_loads_the_same_beginning_and_writes_nothing(self, server: OllamaServer) -> None:
        engine = ollama_at(server.url, keep_alive_min=-1)
        await engine.warm(QUESTION[:1], [LAMP])
        await whole(engine)
        warmed, asked = server.asked
        assert warmed["options"]["num_predict"] == 1
        assert warmed["options"]["num_ctx"] == asked["options"]["num_ctx"]
        assert warmed["messages"] == asked["messages"][:1]
        assert (warmed["tools"], warmed["keep_alive"]) == (asked["tools"], -1)
