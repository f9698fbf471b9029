"""Actions: what a message asked the house to do.

    pending ──▶ executing ──▶ success
       │            └───────▶ failed
       └────────────────────▶ failed   (interrupted: nobody knows whether it was done)

While an action is open its `result` names the owner, `{"owner": INSTANCE, "run": RUN}`: INSTANCE stands for a data
folder, RUN for one process that holds it. Only one process holds a data folder at a time, so an open action of our own
INSTANCE and another RUN was certainly interrupted. Actions of other daemons on the same database are theirs; they
count as abandoned only after ABANDONED. Should their daemon know better after all, its record still corrects the row.
"""

from datetime import datetime, timedelta
from typing import Literal

from db.database import Queries

Outcome = Literal["success", "failed"]

ABANDONED = timedelta(minutes=15)

INTERRUPTED = (
    "Fui interrompido no meio deste pedido e não sei se ele chegou a ser feito. Confira e, se precisar, peça de novo."
)

EXECUTING = """
WITH r AS (SELECT * FROM jsonb_to_record($1::jsonb) AS r(action_ids uuid[], at timestamptz))
UPDATE actions SET status = 'executing', executed_at = r.at
FROM r WHERE actions.id = ANY (r.action_ids) AND status = 'pending'
"""

FINISHED = """
WITH r AS (
    SELECT * FROM jsonb_to_record($1::jsonb) AS r(action_id uuid, status text, result jsonb, error text, at timestamptz)
)
UPDATE actions
SET status = r.status, result = NULLIF(r.result, 'null'), error_message = r.error,
    executed_at = COALESCE(executed_at, r.at)
FROM r WHERE actions.id = r.action_id
AND (actions.status IN ('pending', 'executing')
     OR actions.status = 'failed' AND actions.result->>'outcome' IN ('unknown', 'silent'))
"""

CLOSE_INTERRUPTED = """
UPDATE actions SET status = 'failed', error_message = $4, result = '{"outcome": "unknown"}'
WHERE status IN ('pending', 'executing') AND (
    result @> jsonb_build_object('owner', $1::text) AND NOT result @> jsonb_build_object('run', $2::text)
    OR COALESCE(executed_at, created_at) < $3 AND NOT COALESCE(result @> jsonb_build_object('run', $2::text), FALSE)
)
RETURNING id
"""


async def close_interrupted(db: Queries, now: datetime, owner: str, run: str) -> int:
    """Close the actions that a killed daemon left open, as failed with an unknown outcome; return how many.

    `owner` and `run` are this process's. Nothing is ever repeated: the person is told and asks again. Raises LinkDown.
    """
    return len(await db.fetch(CLOSE_INTERRUPTED, owner, run, now - ABANDONED, INTERRUPTED))
