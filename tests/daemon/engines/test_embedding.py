"""One contract for every engine that embeds; and what an Ollama that embeds may do to us."""

from collections.abc import AsyncIterator

import numpy as np
import pytest
from support.embeddings import OllamaEmbeds, WordEmbedding, ollama_embeds

from daemon.engines.embedding_local import LocalEmbedding
from daemon.engines.embedding_ollama import OllamaEmbedding
from daemon.engines.protocols import Embedding
from daemon.errors import EngineFailed, EngineMissing, LinkDown


@pytest.fixture(scope="module")
def local() -> LocalEmbedding:
    return LocalEmbedding.load()


@pytest.fixture
async def server() -> AsyncIterator[OllamaEmbeds]:
    async with ollama_embeds() as served:
        yield served


@pytest.fixture(params=["local", "ollama", "words"])
def engine(request: pytest.FixtureRequest, local: LocalEmbedding, server: OllamaEmbeds) -> Embedding:
    every: dict[str, Embedding] = {
        "local": local,
        "ollama": OllamaEmbedding(server.url, lambda: "bge-m3"),
        "words": WordEmbedding(),
    }
    return every[request.param]


async def test_each_text_gets_a_unit_vector_of_one_length(engine: Embedding) -> None:
    vectors = await engine.embed(["a luz da sala", "o cachorro come ração", "á" * 5000, "?"])
    assert len(vectors) == 4
    assert len({vector.shape for vector in vectors}) == 1
    for vector in vectors:
        assert vector.dtype == np.float32
        assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)
    assert await engine.embed([]) == []
    await engine.check()
    assert 0 < engine.alike < engine.sure < 1


async def test_the_same_text_is_always_the_same_vector(engine: Embedding) -> None:
    first, again = await engine.embed(["o wifi da visita"] * 2)
    np.testing.assert_allclose(first, again, atol=1e-6)


async def test_the_local_one_knows_what_words_mean(local: LocalEmbedding) -> None:
    asked, right, wrong = await local.embed(
        ["quem conserta o nosso automóvel", "o mecânico do carro é o Zé", "a salada leva tomate"]
    )
    assert asked @ right > asked @ wrong + 0.2


async def test_the_model_is_asked_for_by_name_and_kept_loaded(server: OllamaEmbeds) -> None:
    await OllamaEmbedding(server.url, lambda: "bge-m3").embed(["um", "dois"])
    assert server.asked == [{"model": "bge-m3", "input": ["um", "dois"], "keep_alive": "30m"}]


async def test_a_model_that_is_not_pulled_is_missing_and_says_how_to_mend_it(server: OllamaEmbeds) -> None:
    engine = OllamaEmbedding(server.url, lambda: "nomic-embed-text")
    for call in (engine.embed(["um"]), engine.check()):
        with pytest.raises(EngineMissing) as missing:
            await call
        assert missing.value.mend == "ollama pull nomic-embed-text"


@pytest.mark.parametrize(
    "answer",
    [
        (500, {"error": "out of memory"}),
        (200, {"model": "bge-m3", "embeddings": []}),
        (200, {"model": "bge-m3", "embeddings": [[1.0], [1.0, 2.0]]}),
        (200, {"model": "bge-m3", "embeddings": [[0.0, 0.0], [1.0, 0.0]]}),
        (200, {"model": "bge-m3", "embeddings": "nada"}),
        (200, b"<html>"),
    ],
)
async def test_an_answer_that_makes_no_sense_is_a_failure(server: OllamaEmbeds, answer: tuple[int, object]) -> None:
    server.answer = answer
    with pytest.raises(EngineFailed):
        await OllamaEmbedding(server.url, lambda: "bge-m3").embed(["um", "dois"])


async def test_a_server_that_is_away_is_a_link_that_is_down() -> None:
    engine = OllamaEmbedding("http://127.0.0.1:9", lambda: "bge-m3")
    for call in (engine.embed(["um"]), engine.check()):
        with pytest.raises(LinkDown):
            await call
