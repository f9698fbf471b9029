"""How long finding a message takes among many. Run: `python -m tests.bench.search [--rows 1000000] [--url URL]`.

The messages are made by the server: ten years
of them in the order they were said, words drawn from VOCABULARY and a long tail by Zipf's law (the chance of a word falls
as one over its rank), four people. Questions are drawn from the same words, evenly over the logarithm of rank, so that
words said every day are asked for as often as those said once a year.
"""

import argparse
import asyncio
import random
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg

from db.database import Database, open_database
from db.migrations.versions.r0004_search import STOP_WORDS
from db.search import search

from .figures import Figure, doing, percentile, scratch, show
from .ledger import server

VOCABULARY = """
a o de que e da luz do sala para acende em um apaga uma não quarto é por me com cozinha liga favor desliga os na no hoje
às amanhã lembra hora está ar mais temperatura eu tem quanto você qual ventilador como porta são minha televisão música
remédio minutos cortina meu reunião janela banheiro volume abre fecha escritório bom dia noite tarde obrigado reuniões
quando consulta mercado compra garagem médico lista alarme jardim leite café pão portão aumenta diminui remédios
condicionado graus sábado domingo segunda-feira terça-feira sexta-feira luzes janelas cortinas dentista escola chuva tempo
previsão aniversário criança crianças cachorro gato vacina exame hospital farmácia pagamento conta água gás internet boleto
banco cartão carro oficina viagem aeroporto hotel passagem mala avó avô mãe pai irmã irmão tio tia primo prima filho filha
jantar almoço receita bolo feijão arroz frango carne peixe salada fruta maçã banana laranja limão cebola alho tomate batata
panela forno geladeira fogão micro-ondas máquina roupa lençol toalha travesseiro colchão aspirador faxina lixo reciclagem
encomenda correio vizinho síndico condomínio elevador chave fechadura câmera sensor campainha lâmpada tomada disjuntor
eletricista encanador pintor marceneiro jardineiro piscina churrasco visita festa presente convite padrinho casamento igreja
missa futebol jogo filme série novela notícia rádio podcast livro história piada poema capital distância população receita
calendário agenda compromisso prova trabalho escritura imposto declaração advogado contrato seguro aluguel reserva marcação
""".split()
PEOPLE = ("Ana", "João", "Dona Conceição", "Zé")
TAIL = 30_000
MOST_WORDS = 12
BAR_MS = 20

SENTENCES = """
CREATE FUNCTION pg_temp.sentences(known text[], count integer, most integer) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    words text[] := known;
    many float8 := cardinality(known);
    sentence text;
BEGIN
    FOR i IN 1..count LOOP
        sentence := '';
        FOR j IN 1..3 + (random() * (most - 3))::integer LOOP
            sentence := sentence || words[floor(power(many, random()))::integer] || ' ';
        END LOOP;
        RETURN NEXT sentence;
    END LOOP;
END
$$
"""


async def fill(url: str, rows: int) -> Figure:
    """Fill a fresh database with `rows` messages, four to a conversation, over ten years until now; return its size."""
    doing(f"{rows:,} messages are made: a minute for a million")
    db = await asyncpg.connect(url)
    syllables = [first + vowel for first in "b c d f g l m n p r s t v".split() for vowel in "a e i o u ão".split()]
    draw = random.Random(7)
    tail = ["".join(draw.choices(syllables, k=draw.randint(2, 4))) for _ in range(TAIL)]
    words = VOCABULARY + tail
    await db.execute("SELECT setseed(0.5)")
    await db.execute("INSERT INTO users (name) SELECT unnest($1::text[])", list(PEOPLE))
    await db.execute(
        """
        INSERT INTO conversations (user_id, started_at, message_count)
        SELECT (ARRAY(SELECT id FROM users ORDER BY name))[ceil(random() * 5)],
               now() - make_interval(secs => 315360000 * (1 - i / ($1::integer + 1.0))), 4
        FROM generate_series(1, $1::integer) AS i
        """,
        rows // 4,
        timeout=600,
    )
    await db.execute(SENTENCES)
    await db.execute("ALTER TABLE messages DISABLE TRIGGER ALL; DROP INDEX idx_messages_search")
    await db.execute(
        """
        INSERT INTO messages (conversation_id, role, content, timestamp)
        SELECT c.id, CASE WHEN i % 2 = 0 THEN 'user' ELSE 'assistant' END, said, c.started_at + make_interval(secs => i)
        FROM pg_temp.sentences($1, $2, $3) WITH ORDINALITY AS sentence(said, n)
        JOIN (SELECT id, started_at, row_number() OVER (ORDER BY started_at) - 1 AS n FROM conversations) AS c
          ON c.n = (sentence.n - 1) / 4 CROSS JOIN LATERAL (SELECT (sentence.n - 1) % 4 AS i) AS nth
        ORDER BY sentence.n
        """,
        words,
        rows // 4 * 4,
        MOST_WORDS,
        timeout=1800,
    )
    doing("idx_messages_search is built")
    await db.execute(
        "CREATE INDEX idx_messages_search ON messages USING GIN(search) WITH (fastupdate = off)", timeout=1800
    )
    await db.execute("ALTER TABLE messages ENABLE TRIGGER ALL; ANALYZE", timeout=600)
    sizes = await db.fetchrow(
        "SELECT pg_size_pretty(pg_table_size('messages')), pg_size_pretty(pg_relation_size('idx_messages_search')),"
        " (SELECT pg_size_pretty(avg(pg_column_size(search))::bigint::numeric) FROM (SELECT search FROM messages LIMIT 10000) AS part)"
    )
    await db.close()
    return Figure(f"{rows:,} messages", "{}, the index {}, a vector {} on average".format(*sizes or ()))


def questions(count: int) -> list[str]:
    """Return `count` words that mean something, evenly over the logarithm of their rank in VOCABULARY."""
    draw = random.Random(11)
    passed_over = {*"".join(STOP_WORDS.split()).split("|"), "não", "é", "às", "você", "está", "são"}
    words = [word for word in VOCABULARY if word not in passed_over]
    return [words[int(len(words) ** draw.random()) - 1] for _ in range(count)]


async def measure(db: Database, rounds: int) -> list[Figure]:
    """Ask every kind of question `rounds` times."""
    now = datetime.now(UTC)
    ana: list[UUID] = [row["id"] for row in await db.fetch("SELECT id FROM users WHERE name = 'Ana'")]
    asked_for = questions(2 * rounds)
    one, two = asked_for[::2], asked_for[1::2]
    month = now - timedelta(days=30)
    kinds: dict[str, list[tuple[str, datetime | None, list[UUID] | None]]] = {
        "one word": [(word, None, None) for word in one],
        "two words": [(f"{word} {other}", None, None) for word, other in zip(one, two, strict=True)],
        "either of two": [(f"{word} ou {other}", None, None) for word, other in zip(one, two, strict=True)],
        "in quotes": [(f'"{word} {other}"', None, None) for word, other in zip(one, two, strict=True)],
        "one word, 30 days": [(word, month, None) for word in one],
        "one word, Ana": [(word, None, ana) for word in one],
        "two words, Ana, 30 days": [(f"{word} {other}", month, ana) for word, other in zip(one, two, strict=True)],
        "no such word": [(word + "zzz", None, None) for word in one],
    }
    everything: list[float] = []
    figures = []
    for name, asked in kinds.items():
        doing(f"search, {name}")
        spent, hits = [], 0
        for question, since, people in asked:
            began = time.perf_counter()
            hits += len(await search(db, question, since=since, people=people))
            spent.append((time.perf_counter() - began) * 1000)
        everything += spent
        figures.append(told(f"search, {name} ({hits / len(asked):.0f} found)", spent))
    return [*figures, told("search, all of them", everything)]


def told(name: str, spent: Sequence[float]) -> Figure:
    """Return a row of the table."""
    p95, p99 = percentile(spent, 95), percentile(spent, 99)
    measured = f"p50 {statistics.median(spent):.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms, most {max(spent):.1f} ms"
    return Figure(name, measured, f"p95 {BAR_MS} ms", p95 <= BAR_MS)


async def search_figures(url: str, rows: int, rounds: int) -> list[Figure]:
    """Fill a fresh database and search it."""
    async with open_database(url, size=1) as db:
        filled = await fill(url, rows)
        await db.fetchval("SELECT count(search) FROM messages", timeout=300)
        return [filled, *await measure(db, rounds)]


async def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--url", help="a scratch server; a database is made on it and dropped")
    options.add_argument("--rows", type=int, default=20_000)
    options.add_argument("--rounds", type=int, default=50)
    given = options.parse_args()
    async with server(given.url) as url, scratch(url, "search") as own:
        show(await search_figures(own, given.rows, given.rounds))


if __name__ == "__main__":
    asyncio.run(main())
