"""`mordomo permissions`: who may do what, as rows of rules; and as what each person lives here."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from rich.table import Table
from rich.text import Text

from daemon.commands.ask import AsJson
from daemon.commands.console import fail, out, print_json, run_async
from daemon.commands.desk import Desk, desk

if TYPE_CHECKING:
    from daemon.people.words import Words
    from db.permissions import PermissionRow, Resident
    from models.words import Effect

permissions = typer.Typer(help="Quem pode o quê nesta casa.", no_args_is_help=True)

Who = Annotated[str, typer.Argument(help="Um papel (criança, visita…) ou o nome de alguém.")]
What = Annotated[str, typer.Argument(help="luz, tv, portão, lembretes, tudo… ou o nome de uma intenção.")]
Area = Annotated[str | None, typer.Option("--area", help="Só neste cômodo; aqui é o cômodo de quem fala.")]
From = Annotated[str | None, typer.Option("--from", help="Desde esta hora, como em 21:00.")]
Until = Annotated[str | None, typer.Option("--until", help="Até esta hora, como em 06:00.")]
Days = Annotated[str | None, typer.Option("--days", help="Só nestes dias, como em seg-sex.")]
Note = Annotated[str | None, typer.Option("--note", help="Para que serve esta regra.")]


@permissions.command("list")
@run_async
async def list_permissions(who: Annotated[str | None, typer.Argument()] = None, json: AsJson = False) -> None:
    """Mostra as regras, as de cada papel e as de cada pessoa."""
    from db.permissions import every, residents  # noqa: PLC0415

    async with desk() as at:
        rows = await every(at.db)
        names = {one.id: one.name for one in await residents(at.db)}
        if who is not None:
            about = await _whose(at, who)
            rows = [row for row in rows if (row.role, row.user_id) == (about.role, about.user_id)]
    if json:
        print_json([_as_json(row, names) for row in rows])
        return
    shown = Table("regra", "quem", "o quê", "onde", "quando", "", "nota", box=None, header_style="dim",
                  padding=(0, 2, 0, 0))  # fmt: skip
    for row in sorted(rows, key=_rank):
        shown.add_row(*(Text(cell, "" if row.enabled else "dim") for cell in _cells(row, names)))
    out.print(shown)


@permissions.command("allow")
@run_async
async def allow(
    who: Who, what: What, *, area: Area = None, begins: From = None, until: Until = None, days: Days = None,
    note: Note = None,
) -> None:  # fmt: skip
    """Deixa alguém fazer algo, como em: mordomo permissions allow Ana portão."""
    await _put("allow", who, what, area=area, begins=begins, until=until, days=days, note=note)


@permissions.command("ask")
@run_async
async def ask(
    who: Who, what: What, *, area: Area = None, begins: From = None, until: Until = None, days: Days = None,
    note: Note = None,
) -> None:  # fmt: skip
    """Deixa alguém fazer algo com a permissão de quem pode."""
    await _put("ask", who, what, area=area, begins=begins, until=until, days=days, note=note)


@permissions.command("deny")
@run_async
async def deny(
    who: Who, what: What, *, area: Area = None, begins: From = None, until: Until = None, days: Days = None,
    note: Note = None,
) -> None:  # fmt: skip
    """Não deixa, como em: mordomo permissions deny criança tv --from 21:00 --until 06:00."""
    await _put("deny", who, what, area=area, begins=begins, until=until, days=days, note=note)


@permissions.command("remove")
@run_async
async def remove(rule: Annotated[str, typer.Argument(help="O fim do identificador da regra.")]) -> None:
    """Apaga uma regra."""
    from db import permissions as rows  # noqa: PLC0415

    async with desk() as at:
        found = await _the_one(at, rule)
        await rows.remove(at.acting, found.id)
    out.print("Regra apagada.")


@permissions.command("switch")
@run_async
async def switch(
    rule: Annotated[str, typer.Argument(help="O fim do identificador da regra.")],
    *,
    on: Annotated[bool, typer.Option("--on/--off", help="Em vigor, ou posta de lado.")] = True,
) -> None:
    """Põe uma regra em vigor, ou de lado."""
    from db import permissions as rows  # noqa: PLC0415

    async with desk() as at:
        found = await _the_one(at, rule)
        await rows.switch(at.acting, found.id, on=on)
    out.print("A regra está em vigor." if on else "A regra está de lado.")


@permissions.command("matrix")
@run_async
async def show_matrix() -> None:
    """Mostra a tabela inteira: o que cada papel pode, intenção por intenção, agora."""
    from config.preferences import Preferences  # noqa: PLC0415
    from daemon.language.plan import NOTHING  # noqa: PLC0415
    from daemon.language.replies import Replies  # noqa: PLC0415
    from daemon.people.living import Living  # noqa: PLC0415
    from daemon.people.matrix import as_text, matrix  # noqa: PLC0415
    from daemon.people.permissions import Permissions  # noqa: PLC0415
    from daemon.people.wanted import TOPICS  # noqa: PLC0415

    async with desk() as at:
        living = Living(at.db, Preferences)
        await living.refresh()
        checked = Permissions(living, Replies.load("pt_br"), lambda *_: NOTHING)
        table = as_text(matrix(checked, list(TOPICS), at.now))
    out.print(table, markup=False, soft_wrap=True, end="")


@run_async
async def roles(
    name: Annotated[str | None, typer.Argument(help="De quem se muda o papel.")] = None,
    role: Annotated[str | None, typer.Argument(help="O papel novo, como em: criança.")] = None,
    json: AsJson = False,
) -> None:
    """Mostra o papel de cada pessoa, ou muda o de uma."""
    from daemon.people.words import Words  # noqa: PLC0415
    from db.permissions import residents, set_role  # noqa: PLC0415

    words = Words.load("pt_br")
    async with desk() as at:
        if name is not None and role is not None:
            meant = words.role(role)
            if meant is None or meant == "device":
                fail(f"Não conheço o papel “{role}”. Há: {', '.join(_told_roles(words))}.")
            await set_role(at.acting, (await _person(at, name)).id, meant)
        people = await residents(at.db)
    if json:
        print_json([{"name": one.name, "role": one.role, "voice": one.has_voice} for one in people])
    for one in () if json else people:
        if name is None or one.name.casefold() == name.casefold():
            out.print(f"{one.name}: {words.told[one.role]}", markup=False)


permissions.command("roles")(roles)


async def _put(effect: "Effect", who: str, what: str, **when: str | None) -> None:
    from daemon.people.words import Words, clock  # noqa: PLC0415
    from db.permissions import put  # noqa: PLC0415

    words, area = Words.load("pt_br"), when["area"]
    begins, until, days = when["begins"], when["until"], when["days"]
    if (begins is None) != (until is None):
        fail("Um horário tem começo e fim: diga --from e --until.")
    async with desk() as at:
        about = await _whose(at, who)
        try:
            intent, domain = words.subject(what)
            rule = replace(
                about, effect=effect, intent=intent, domain=domain, here=area == "aqui",
                area=None if area == "aqui" else area, from_time=clock(begins) if begins else None,
                until_time=clock(until) if until else None, weekdays=words.weekdays(days) if days else None,
                note=when["note"],
            )  # fmt: skip
            if rule.from_time is not None and rule.from_time == rule.until_time:
                raise ValueError("o começo e o fim são a mesma hora")  # noqa: TRY301 - told as the others are
        except ValueError as wrong:
            fail(f"A regra não foi guardada: {wrong}.")
        await put(at.acting, rule, at.by)
    out.print("Regra guardada; já vale.")


async def _whose(at: Desk, who: str) -> "PermissionRow":
    """Return a rule for a role or a person, with nothing else in it."""
    from daemon.people.words import Words  # noqa: PLC0415
    from db.permissions import PermissionRow  # noqa: PLC0415

    role = Words.load("pt_br").role(who)
    return PermissionRow("deny", role) if role else PermissionRow("deny", None, (await _person(at, who)).id)


async def _person(at: Desk, name: str) -> "Resident":
    from db.permissions import NoSuchPerson, person_named  # noqa: PLC0415

    try:
        return await person_named(at.db, name)
    except NoSuchPerson as unknown:
        fail(str(unknown))


async def _the_one(at: Desk, rule: str) -> "PermissionRow":
    from db.permissions import every  # noqa: PLC0415

    wanted = rule.replace("-", "").lower()
    found = [row for row in await every(at.db) if wanted and row.id.hex.endswith(wanted)]
    if len(found) != 1:
        fail(f"Não há uma regra {rule}." if not found else f"Há {len(found)} que terminam em {rule}. Diga mais dela.")
    return found[0]


def _rank(row: "PermissionRow") -> tuple[int, bool, str]:
    from daemon.people.person import ROLES  # noqa: PLC0415

    place = next((number for number, role in enumerate(ROLES) if role == row.role), len(ROLES))
    return place, row.domain is not None, row.domain or row.intent or ""


def _told_roles(words: "Words") -> list[str]:
    from daemon.people.person import ROLES  # noqa: PLC0415

    return [words.told[role] for role in ROLES if role != "device"]


def _cells(row: "PermissionRow", names: dict[UUID, str]) -> tuple[str, ...]:
    from daemon.people.words import Words  # noqa: PLC0415

    words = Words.load("pt_br")
    who = words.told[row.role] if row.role else names.get(row.user_id or UUID(int=0), "alguém que saiu")
    what = row.intent or (words.told.get(row.domain, row.domain) if row.domain else "tudo")
    where = "onde fala" if row.here else row.area or ""
    hours = f"{row.from_time:%H:%M} a {row.until_time:%H:%M}" if row.from_time and row.until_time else ""
    days = ", ".join(name for name, day in words.days.items() if day in (row.weekdays or ()))
    return (row.id.hex[-6:], who, what, where, " ".join(filter(None, (hours, days))), words.effects[row.effect],
            row.note or "")  # fmt: skip


def _as_json(row: "PermissionRow", names: dict[UUID, str]) -> dict[str, Any]:
    return {
        "id": str(row.id), "role": row.role, "person": names.get(row.user_id) if row.user_id else None,
        "intent": row.intent, "domain": row.domain, "area": row.area, "here": row.here,
        "from": row.from_time and f"{row.from_time:%H:%M}", "until": row.until_time and f"{row.until_time:%H:%M}",
        "weekdays": row.weekdays, "effect": row.effect, "enabled": row.enabled, "note": row.note,
    }  # fmt: skip
