"""What is for visitors: memories say so; and what visitors say in passing is not remembered.

In a house that knows voices, one that it does not know is a guest's, who allowed nothing. While nobody has taught it a
voice, whoever speaks lives here, and the household's preference decides.
"""

from alembic import op

from db.migrations.versions.r0014_privacy import HOUSEHOLD_WANTS, MAY_REMEMBER, PERSON_ALLOWS

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# What told.py takes for the visitors', for what was told before: folded, as search_folded() writes it.
VISITORS = "(visitas?|visitantes?|convidad[oa]s?|hospedes?)"
THEIRS = (
    rf"(d(a|as|e|o|os)|pra|pras|pro|pros|para|para (a|as|o|os)) {VISITORS}\M(?! (da|do|de|dos|das)\M)",
    r"\m(nao|nunca|sem|menos|esconde\w*|escondid\w+|longe|segredo|surpresa)\M",
)

KNOWN_OR_NO_VOICES = "(person IS NOT NULL OR NOT EXISTS (SELECT FROM users WHERE is_active AND voice_enrolled))"

UP: tuple[str, ...] = (
    "ALTER TABLE memories ADD for_guests BOOLEAN NOT NULL DEFAULT FALSE",
    rf"""
    UPDATE memories SET for_guests = TRUE
    WHERE kind = 'fact' AND user_id IS NULL AND NOT secret
        AND search_folded(text) ~ '\m{THEIRS[0]}' AND search_folded(text) !~ '{THEIRS[1]}'""",  # noqa: S608
    MAY_REMEMBER.format(condition=f"{HOUSEHOLD_WANTS} AND {PERSON_ALLOWS} AND {KNOWN_OR_NO_VOICES}"),
)
DOWN: tuple[str, ...] = (
    MAY_REMEMBER.format(condition=f"{HOUSEHOLD_WANTS} AND {PERSON_ALLOWS}"),
    "ALTER TABLE memories DROP for_guests",
)


def upgrade() -> None:
    """Run UP."""
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """Run DOWN."""
    for statement in DOWN:
        op.execute(statement)
