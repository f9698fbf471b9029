"""The HTTP interface by itself: what it takes, what it refuses, and how it says so."""

import base64
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from support.clock import START

from daemon.audio.wav import write_wav
from daemon.checkup import Report, Step
from daemon.errors import CannotDo, EngineMissing, LinkDown, MordomoError, Refused
from daemon.health import Part
from daemon.language.plan import Household, Plan
from daemon.turn import Turn, Understood
from daemon.web.http import LARGEST_BODY, create_app
from db.approvals import ApprovalRow

REQUEST = ApprovalRow(
    UUID(int=7), UUID(int=1), "Ana", "child", "microphone", "sala", "abre o portão", "abrir o portão", [], "pending",
    START, START + timedelta(minutes=2),
)  # fmt: skip


class Requests:
    """One request for leave, of Ana's; notes how it was answered."""

    def __init__(self) -> None:
        self.answered: list[tuple[UUID, str | None, bool]] = []
        self.failure: MordomoError | None = None

    async def requests(self, limit: int = 50) -> list[ApprovalRow]:
        return [REQUEST][:limit]

    async def answer_here(self, approval: UUID, name: str | None, *, granted: bool) -> str:
        if self.failure is not None:
            raise self.failure
        self.answered.append((approval, name, granted))
        return "Certo."


class House:
    """Answers every question with the question; notes what it was asked."""

    def __init__(self) -> None:
        self.people = Requests()
        self.failure: MordomoError | None = None
        self.asked: list[tuple[str, str | None, bool]] = []
        self.received = b""
        self.parts = [Part("database", "banco de dados", "ok", needed=True), Part("brain", "modelo", "away", "fora")]

    def _turn(self, text: str, reply_to: Path | None) -> Turn:
        if self.failure is not None:
            raise self.failure
        if reply_to is not None:
            write_wav(reply_to, b"\1\0" * 100, 16_000)
        turn = Turn(uuid4(), uuid4(), "text", "sala", START, 0.0, Understood(text, Plan("llm", confidence=1.0)))
        turn.reply.append(text)
        return turn

    async def ask(self, text: str, area: str | None, *, speak: bool, reply_to: Path | None) -> Turn:
        self.asked.append((text, area, speak))
        return self._turn(text, reply_to)

    async def listen_to(self, wav: Path, area: str | None, *, reply_to: Path | None) -> Turn | None:
        self.received = wav.read_bytes()
        return None if not self.received else self._turn("ouvi", reply_to)

    async def health(self) -> list[Part]:
        return self.parts

    def household(self) -> Household:
        return Household()

    async def check_device(self, entity_id: str) -> Report:
        if self.failure is not None:
            raise self.failure
        return Report(entity_id, True, "Está tudo certo.", [Step("turn_on", "confirmed", "on", 12.0)])


@pytest.fixture
def house() -> House:
    return House()


def client(house: House) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=create_app(house))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765")


async def test_a_question_is_answered_in_writing(house: House) -> None:
    async with client(house) as http:
        answer = (await http.post("/ask", json={"text": "olá", "area": "cozinha"})).json()
    assert answer["reply"] == ["olá"]
    assert "reply_wav" not in answer
    assert house.asked == [("olá", "cozinha", False)]


async def test_the_answers_sound_comes_along_when_wanted(house: House) -> None:
    async with client(house) as http:
        answer = (await http.post("/ask", json={"text": "olá", "audio": True})).json()
    assert base64.b64decode(answer["reply_wav"]).startswith(b"RIFF")


async def test_a_recording_in_which_nobody_speaks(house: House) -> None:
    async with client(house) as http:
        assert (await http.post("/listen", content=b"")).json()["outcome"] == "silence"


@pytest.mark.parametrize(
    "body", [{}, {"text": ""}, {"text": "a" * 10_001}, {"text": 5}, {"text": "a", "area": "b" * 300}]
)
async def test_a_question_out_of_bounds_is_refused(house: House, body: dict[str, object]) -> None:
    async with client(house) as http:
        assert (await http.post("/ask", json=body)).status_code == 422
    assert house.asked == []


async def test_a_recording_that_is_too_large_is_refused_before_it_is_all_there(house: House) -> None:
    async def endless() -> AsyncGenerator[bytes, None]:
        for _ in range(LARGEST_BODY // 65_536 + 2):
            yield bytes(65_536)

    async with client(house) as http:
        answer = await http.post("/listen", content=endless())
    assert answer.status_code == 413
    assert house.received == b""


@pytest.mark.parametrize(
    ("failure", "status", "says"),
    [
        (CannotDo("Esse arquivo não é um som."), 422, "não é um som"),
        (LinkDown("postgres", "caiu"), 503, "fora do ar"),
        (EngineMissing("whisper", "falta o modelo", "mordomo models pull"), 503, "mordomo models pull"),
    ],
)
async def test_what_goes_wrong_is_said_in_portuguese(
    house: House, failure: MordomoError, status: int, says: str
) -> None:
    house.failure = failure
    async with client(house) as http:
        answer = await http.post("/ask", json={"text": "olá"})
    assert answer.status_code == status
    assert says in answer.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://127.0.0.1:8765"}, 200),
        ({"Host": "localhost:8765"}, 200),
        ({"Host": "[::1]:8765"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example:8765", "Origin": "http://evil.example:8765"}, 403),
        ({"Host": ""}, 403),
    ],
)
async def test_only_pages_of_its_own_may_call_it(house: House, headers: dict[str, str], status: int) -> None:
    async with client(house) as http:
        assert (await http.post("/ask", json={"text": "olá"}, headers=headers)).status_code == status


async def test_health_and_readiness(house: House) -> None:
    async with client(house) as http:
        health = (await http.get("/health")).json()
        assert (health["status"], health["ready"]) == ("degraded", True)
        assert health["parts"]["brain"]["condition"] == "away"
        assert (await http.get("/ready")).status_code == 200
        house.parts = [Part("database", "banco de dados", "away", "caiu", needed=True)]
        assert (await http.get("/ready")).status_code == 503
        assert (await http.get("/health")).json()["status"] == "down"


async def test_there_are_no_pages_that_were_not_asked_for(house: House) -> None:
    async with client(house) as http:
        for path in ("/docs", "/openapi.json", "/redoc", "/"):
            assert (await http.get(path)).status_code == 404


async def test_a_device_is_checked(house: House) -> None:
    async with client(house) as http:
        told = (await http.post("/devices/light.sala/test")).json()
        assert (told["entity_id"], told["ok"], told["verdict"]) == ("light.sala", True, "Está tudo certo.")
        assert told["steps"] == [{"verb": "turn_on", "outcome": "confirmed", "state": "on", "ms": 12.0}]
        house.failure = CannotDo("light.nada não está na casa agora.")
        refused = await http.post("/devices/light.nada/test")
        assert (refused.status_code, refused.json()) == (422, {"detail": "light.nada não está na casa agora."})


async def test_leave_is_listed_and_given(house: House) -> None:
    async with client(house) as http:
        (listed,) = (await http.get("/approvals")).json()
        given = await http.post(f"/approvals/{listed['id']}", json={"granted": True, "person": "Marcos"})
        refused = await http.post(f"/approvals/{listed['id']}", json={"granted": False})
    assert (listed["asked_by"], listed["doing"], listed["status"]) == ("Ana", "abrir o portão", "pending")
    assert "intents" not in listed
    assert (given.status_code, given.json(), refused.status_code) == (200, {"reply": "Certo."}, 200)
    assert house.people.answered == [(REQUEST.id, "Marcos", True), (REQUEST.id, None, False)]


@pytest.mark.parametrize(
    ("failure", "status"), [(CannotDo("Não vale mais."), 422), (Refused("Quem pode é Marcos."), 403)]
)
async def test_leave_that_cannot_be_given(house: House, failure: MordomoError, status: int) -> None:
    house.people.failure = failure
    async with client(house) as http:
        answer = await http.post(f"/approvals/{REQUEST.id}", json={"granted": True})
        assert (answer.status_code, answer.json()["detail"]) == (status, str(failure))
        assert (await http.post("/approvals/porta", json={"granted": True})).status_code == 422
        assert (await http.post(f"/approvals/{REQUEST.id}", json={})).status_code == 422


async def test_the_page_of_requests_runs_nothing_from_elsewhere(house: House) -> None:
    async with client(house) as http:
        page, style, script = [await http.get(f"/pedidos{end}") for end in ("", ".css", ".js")]
        assert (await http.get("/pedidos.html")).status_code == 422
    assert [each.status_code for each in (page, style, script)] == [200, 200, 200]
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert 'src="/pedidos.js"' in page.text
    assert "style=" not in page.text
    assert "innerHTML" not in script.text, "what people said is put on the page as text"
