"""Full-text search over messages: words without accents and plurals, months, and one GIN index.

Two spellings of a word must become one lexeme, whichever of them was stored or is asked for. So both text and question
go through one normal form (`search_form`): letters folded to ASCII; plurals that the server's Portuguese stemmer does
not know turned into singulars (ões, ãos, ais, éis, ns, zes…); and then the accents of those endings put back by which
the stemmer recognises a derived word (-ção, -ência, -ável, -ível). What differs in accents alone is the same text from
there on, for certain. To index the accented stem beside the folded one would not do: "reservacoes" has neither stem in
common with "reservação".

Nothing here needs an extension, a file on the server or a locale: letters beyond ASCII are named one by one.

A message's vector also holds its month (`search_month`). A common word has matches by the hundred thousand, and a GIN
index gives them in no order; asked for a month at a time, the newest first, it gives the newest matches and stops.

The index is kept without `fastupdate`: a search probes it once a month, and each probe would read all pending entries;
and every some hundred turns one would wait for their merging.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ACCENTED = "áàâãäåéèêëíìîïóòôõöúùûüçñýÁÀÂÃÄÅÉÈÊËÍÌÎÏÓÒÔÕÖÚÙÛÜÇÑÝ"
LETTERS = "aaaaaaeeeeiiiiooooouuuucnyaaaaaaeeeeiiiiooooouuuucny"
COMBINING = "".join(map(chr, (0x300, 0x301, 0x302, 0x303, 0x308, 0x327)))
"""Grave, acute, circumflex, tilde, diaeresis and cedilla of decomposed text; translate() drops them."""

SINGULARS = (
    (r"(?<=\w)[oa]es\M|(?<=\w)aos\M", "ao"),  # reuniões, pães, irmãos
    (r"(?<=\w\w[aeou])is\M", "l"),  # animais, papéis, lençóis, azuis
    (r"(?<=\w\w)il\M", "el"),  # fácil, as fáceis has become
    (r"(?<=\w[aeiou])ns\M", "m"),  # viagens
    (r"(?<=\w[rz])es\M|(?<=\w[aeiou]s)es\M", ""),  # flores, luzes, meses
    (r"(?<!\m(me|ga))(?<=\w[aeiou])s\M", ""),  # dias, pés; neither mês nor gás
)
ENDINGS = (
    (r"(?<=\w)cao\M", "ção"),
    (r"(?<=\w)encia\M", "ência"),
    (r"(?<=\w)avel\M", "ável"),
    (r"(?<=\w)ivel\M", "ível"),
    (r"\mmes\M", "mês"),  # whose stem were that of mesa
)
STOP_WORDS = """
a|ao|aos|aquela|aquelas|aquele|aqueles|aquilo|as|ate|com|como|da|das|de|dela|delas|dele|
deles|depois|do|dos|e|ela|elas|ele|eles|em|entre|era|eram|eramos|essa|essas|esse|esses|
esta|estamos|estao|estas|estava|estavam|estavamos|este|esteja|estejam|estejamos|estes|esteve|
estive|estivemos|estiver|estivera|estiveram|estiveramos|estiverem|estivermos|estivesse|estivessem|
estivessemos|estou|eu|foi|fomos|for|fora|foram|foramos|forem|formos|fosse|fossem|fossemos|fui|
ha|haja|hajam|hajamos|hao|havemos|hei|houve|houvemos|houver|houvera|houveram|houveramos|
houverao|houverei|houverem|houveremos|houveria|houveriam|houveriamos|houvermos|houvesse|houvessem|
houvessemos|isso|isto|ja|lhe|lhes|mais|mas|me|mesmo|meu|meus|minha|minhas|muito|na|nao|nas|
nem|no|nos|nossa|nossas|nosso|nossos|num|numa|o|os|ou|para|pela|pelas|pelo|pelos|por|qual|
quando|que|quem|sao|se|seja|sejam|sejamos|sem|sera|serao|serei|seremos|seria|seriam|seriamos|
seu|seus|so|somos|sou|sua|suas|tambem|te|tem|temos|tenha|tenham|tenhamos|tenho|tera|terao|
terei|teremos|teria|teriam|teriamos|teu|teus|teve|tinha|tinham|tinhamos|tive|tivemos|tiver|
tivera|tiveram|tiveramos|tiverem|tivermos|tivesse|tivessem|tivessemos|tu|tua|tuas|um|uma|voce|
voces|vos
"""
"""The server's own `portuguese.stop`, folded: a question without accents has its "nao" and "voce" passed over too."""


def _replaced(inner: str, *pairs: tuple[str, str]) -> str:
    for pattern, replacement in pairs:
        inner = f"regexp_replace({inner}, '{pattern}', '{replacement}', 'g')"
    return inner


# A word that is passed over leaves its place, so that "a consulta do dentista" in quotes is still found.
QUESTION = _replaced(
    "search_folded(left(question, 400))",
    (r"(?<=\w\W*)\mou\M(?=\W*\w)", "or"),
    (rf"\m({''.join(STOP_WORDS.split())})\M", "o"),
)

# Bodies that are parsed at once, so that they mean the same under any search_path, as in pg_restore's.
SQL = "LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE"
FUNCTIONS = (
    f"""
    CREATE FUNCTION search_folded(content text) RETURNS text {SQL}
    RETURN lower(translate(content, '{ACCENTED}{COMBINING}', '{LETTERS}'))""",
    f"""
    CREATE FUNCTION search_form(content text) RETURNS text {SQL}
    RETURN {_replaced("search_folded(content)", *SINGULARS, *ENDINGS)}""",
    f"""
    CREATE FUNCTION search_month(at timestamptz) RETURNS text {SQL}
    RETURN CASE WHEN isfinite(at) THEN
        'month ' || (EXTRACT(year FROM at AT TIME ZONE 'UTC')::integer * 100
                     + EXTRACT(month FROM at AT TIME ZONE 'UTC')::integer)::text
    ELSE 'month never' END""",
    # A vector holds a megabyte at most; a text so long must be stored all the same.
    f"""
    CREATE FUNCTION search_vector(content text, at timestamptz) RETURNS tsvector {SQL}
    RETURN to_tsvector('pg_catalog.portuguese', search_form(left(content, 100000)))
           || array_to_tsvector(ARRAY[search_month(at)])""",
    f"""
    CREATE FUNCTION search_query(question text) RETURNS tsquery {SQL}
    RETURN websearch_to_tsquery('pg_catalog.portuguese', search_form({QUESTION}))""",
)

UP = (
    *FUNCTIONS,
    """
    ALTER TABLE messages ADD COLUMN search TSVECTOR NOT NULL
        GENERATED ALWAYS AS (search_vector(content, timestamp)) STORED""",
    "CREATE INDEX idx_messages_search ON messages USING GIN(search) WITH (fastupdate = off)",
)
DOWN = (
    "DROP INDEX idx_messages_search",
    "ALTER TABLE messages DROP COLUMN search",
    "DROP FUNCTION search_query(text), search_vector(text, timestamptz), search_month(timestamptz)",
    "DROP FUNCTION search_form(text), search_folded(text)",
)


def upgrade() -> None:
    """Run UP."""
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """Run DOWN."""
    for statement in DOWN:
        op.execute(statement)
