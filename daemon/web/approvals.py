"""Leave over HTTP: what waits for an answer, and the answer."""

from typing import Any, Protocol
from uuid import UUID

from fastapi import FastAPI
from pydantic import BaseModel, Field

from db.approvals import ApprovalRow


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
    """Add `GET /approvals` and `POST /approvals/{id}`."""

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
