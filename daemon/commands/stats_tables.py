"""The reports of the house as rich's tables, with bars where one looks for what is big."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from rich.bar import Bar
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from daemon.commands.ask import STEPS
from db.search import one_line

MOST_BAR = 30
"""Longest bar, in characters; it is shorter where the terminal is narrow."""
MOST_ROWS = 15
"""How many rows of a report are shown; `--json` has all."""
STEP_NAMES = {**STEPS, "latency": "do fim da fala ao primeiro som"}
OUTCOMES = {
    "failed": "um pedido que falhou",
    "unspoken": "uma resposta que não pôde ser falada",
    "model_failed": "o modelo de linguagem, que falhou",
}
ROUTES = {
    "llm": "conversa, para o modelo de linguagem",
    "skill": "algo que precisei perguntar",
    "none": "nada para mim",
}
TITLES = {
    "turns": "Respostas, nos últimos {}",
    "people": "Quem mais conversou, nos últimos {}",
    "intents": "O que mais se pediu, nos últimos {}",
    "latency": "Quanto demora cada passo, nos últimos {}",
    "latency_by_room": "Quanto demora em cada cômodo, do fim da fala ao primeiro som, nos últimos {}",
    "failures": "O que falhou, nos últimos {}",
    "sizes": "Tamanho das tabelas",
    "indexes": "Índices que nenhuma consulta usou ainda",
}
EMPTY = {
    "turns": "Ainda não respondi a ninguém neste período.",
    "people": "Ninguém conversou comigo neste período.",
    "intents": "Ninguém me pediu nada neste período.",
    "latency": "Ainda não há respostas de que medir a demora.",
    "latency_by_room": "Ainda não há respostas de que medir a demora.",
    "failures": "Nada falhou.",
    "sizes": "Não há tabelas.",
    "indexes": "Todos os índices são usados.",
}


def shown(name: str, rows: Sequence[Any], days: int, zone: ZoneInfo) -> RenderableType:
    """Return a report with its title, or a sentence where there is nothing to report."""
    title = Text(TITLES[name].format("24 horas" if days == 1 else f"{days} dias"), "bold")
    if not rows:
        return Group(title, Text(f"  {EMPTY[name]}", "dim"))
    body = _BODIES[name](rows[:MOST_ROWS] if name != "turns" else rows, zone)
    hidden = len(rows) - MOST_ROWS
    if hidden > 0 and name != "turns":
        return Group(title, Padding(body, (0, 0, 0, 2)), Text(f"  … e mais {hidden}; veja com --json", "dim"))
    return Group(title, Padding(body, (0, 0, 0, 2)))


def _turns(rows: Sequence[Any], _zone: ZoneInfo) -> Table:
    table = _table("dia", "respostas>", "", "falhas>", "demora mediana>")
    most = max(row.turns for row in rows)
    for row in rows:
        failed = Text(str(row.failed), "red") if row.failed else Text("")
        table.add_row(f"{row.day:%d/%m/%y}", str(row.turns), _bar(row.turns, most), failed, milliseconds(row.median_ms))
    return table


def _people(rows: Sequence[Any], zone: ZoneInfo) -> Table:
    table = _table("pessoa", "conversas>", "mensagens>", "", "última vez")
    most = max(row.messages for row in rows)
    for row in rows:
        who = Text(one_line(row.person)) if row.person else Text("não sei quem", "dim")
        counts = (str(row.conversations), str(row.messages), _bar(row.messages, most))
        table.add_row(who, *counts, _moment(row.last_at, zone))
    return table


def _intents(rows: Sequence[Any], zone: ZoneInfo) -> Table:
    table = _table("pedido", "vezes>", "", "certeza>", "última vez")
    most = max(row.times for row in rows)
    for row in rows:
        sure = "" if row.average_confidence is None else f"{row.average_confidence:.0%}"
        name = Text(one_line(ROUTES.get(row.intent, row.intent)))
        table.add_row(name, str(row.times), _bar(row.times, most), sure, _moment(row.last_at, zone))
    return table


def _steps(rows: Sequence[Any], _zone: ZoneInfo) -> Table:
    table = _table("passo", *FIGURES)
    most = max(row.p95_ms for row in rows)
    for row in rows:
        table.add_row(Text(one_line(STEP_NAMES.get(row.step, row.step))), *_figures(row, most))
    return table


def _rooms(rows: Sequence[Any], _zone: ZoneInfo) -> Table:
    table = _table("cômodo", "por onde", *FIGURES)
    most = max(row.p95_ms for row in rows)
    for row in rows:
        room = Text(one_line(row.room)) if row.room else Text("não sei qual", "dim")
        table.add_row(room, Text(one_line(row.source or "")), *_figures(row, most))
    return table


def _failures(rows: Sequence[Any], zone: ZoneInfo) -> Table:
    table = _table("o que falhou", "vezes>", "por quê…", "última vez")
    for row in rows:
        name = OUTCOMES.get(row.name, row.name) if row.kind == "answer" else row.name
        table.add_row(Text(one_line(name)), str(row.times), Text(one_line(row.error or "")), _moment(row.last_at, zone))
    return table


def _sizes(rows: Sequence[Any], _zone: ZoneInfo) -> Table:
    table = _table("tabela", "linhas (≈)>", "dados>", "índices>", "tudo>", "", "partições>")
    most = max(row.total_bytes for row in rows)
    for row in rows:
        sizes = (size(row.table_bytes), size(row.index_bytes), size(row.total_bytes), _bar(row.total_bytes, most))
        rows_of = f"{row.estimated_rows:,}".replace(",", ".")
        table.add_row(Text(row.table_name), rows_of, *sizes, str(row.partitions or ""))
    return table


def _indexes(rows: Sequence[Any], zone: ZoneInfo) -> Group:
    table = _table("tabela", "índice", "tamanho>")
    for row in rows:
        table.add_row(Text(row.table_name), Text(row.index_name), size(row.bytes))
    since = rows[0].counted_since
    counted = f"Conto desde {_moment(since, zone)}." if since else "Conto desde que o banco foi criado."
    advice = "Um índice novo ou de consulta rara aparece aqui também: olhe de novo em alguns meses antes de apagá-lo."
    return Group(table, Text(f"{counted} {advice}", "dim"))


_BODIES: dict[str, Callable[[Sequence[Any], ZoneInfo], RenderableType]] = {
    "turns": _turns,
    "people": _people,
    "intents": _intents,
    "latency": _steps,
    "latency_by_room": _rooms,
    "failures": _failures,
    "sizes": _sizes,
    "indexes": _indexes,
}
FIGURES = ("vezes>", "média>", "mediana>", "p95>", "pior>", "")


def _figures(row: Any, most_ms: float) -> Iterable[RenderableType]:
    """Return the cells of FIGURES; the bar is of the 95th percentile."""
    times = (row.average_ms, row.median_ms, row.p95_ms, row.most_ms)
    return (str(row.turns), *(milliseconds(ms) for ms in times), _bar(row.p95_ms, most_ms))


def _table(*headings: str) -> Table:
    """Return a table without lines. A heading that ends in ">" has figures to the right; "" has bars, "…" long text."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for heading in headings:
        flexible = heading == "" or heading.endswith("…")
        justify: Literal["right", "left"] = "right" if heading.endswith(">") else "left"
        table.add_column(
            heading.rstrip(">…"), justify=justify, no_wrap=not flexible, max_width=MOST_BAR if heading == "" else None
        )
    return table


def _bar(value: float, most: float) -> Bar:
    """Return a bar that fills its column where `value` is `most`."""
    return Bar(size=most or 1, begin=0, end=value, color="cyan")


def milliseconds(ms: float | None) -> str:
    """Return a length of time as people read it best: 0,4 ms, 350 ms, 2,1 s."""
    if ms is None:
        return ""
    if ms >= 1000:
        return f"{ms / 1000:.1f} s".replace(".", ",")
    return f"{ms:.0f} ms" if ms >= 10 else f"{ms:.1f} ms".replace(".", ",")


def size(count: int) -> str:
    """Return a number of bytes in kB, MB or GB."""
    for unit, bytes_of in (("GB", 1 << 30), ("MB", 1 << 20)):
        if count >= bytes_of:
            return f"{count / bytes_of:.1f} {unit}".replace(".", ",")
    return f"{count / 1024:.0f} kB"


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%d/%m/%Y %H:%M}"
