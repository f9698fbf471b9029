"""Leave over HTTP: what waits for an answer, the answer, and a page for both (`/pedidos`)."""

from pathlib import Path
from typing import Any, Literal, Protocol
from uuid import UUID

from fastapi import FastAPI
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from db.approvals import ApprovalRow

PAGES = Path(__file__).with_name("pages")
PAGE_RULES = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""Nothing from elsewhere runs in the page, nobody frames it."""


class Decision(BaseModel):
    """The body of POST /approvals/{id}. `person` is who decides, by name."""

    granted: bool
    person: str | None = Field(None, min_length=1, max_length=255)


class Requests(Protocol):
    """What these addresses need of the daemon."""

    async def requests(self, limit: int = 50) -> list[ApprovalRow]:
        """Return the newest requests, the newest first. Raises LinkDown."""
        ...

    async def answer_here(self, approval: UUID, name: str | None, *, granted: bool) -> str:
        """Record an answer given at this machine. Raises CannotDo, Refused, LinkDown."""
        ...


def add_approvals(app: FastAPI, people: Requests) -> None:
    """Add `GET /approvals`, `POST /approvals/{id}`, and the page `GET /pedidos`."""

    @app.get("/pedidos")
    async def page() -> FileResponse:
        return FileResponse(PAGES / "pedidos.html", headers=PAGE_RULES)

    @app.get("/pedidos.{kind}")
    async def part(kind: Literal["css", "js"]) -> FileResponse:
        return FileResponse(PAGES / f"pedidos.{kind}", headers=PAGE_RULES)

    @app.get("/approvals")
    async def listed() -> list[dict[str, Any]]:
        return [approval_as_json(row) for row in await people.requests()]

    @app.post("/approvals/{approval}")
    async def decide(approval: UUID, decision: Decision) -> dict[str, str]:
        return {"reply": await people.answer_here(approval, decision.person, granted=decision.granted)}


def approval_as_json(row: ApprovalRow) -> dict[str, Any]:
    """Return a request in plain JSON types; moments are ISO 8601."""
    return {
        "id": str(row.id),
        "asked_by": row.asked_by,
        "role": row.role,
        "area": row.area,
        "words": row.words,
        "doing": row.doing,
        "status": row.status,
        "asked_at": row.asked_at.isoformat(),
        "expires_at": row.expires_at.isoformat(),
        "decided_by": row.decided_by,
        "decided_at": row.decided_at and row.decided_at.isoformat(),
        "outcome": row.outcome,
    }
