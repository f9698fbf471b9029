"""`mordomo reminders`: what the house is to be reminded of, by command; a running daemon heeds each change at once."""

import getpass
import sys
from datetime import UTC, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daemon.commands.ask import AsJson
from daemon.commands.console import fail, out, print_json, run_async
from daemon.commands.desk import (
    MOST,
    SAID,
    VISIBLE,
    Desk,
    desk,
    length_of,
    moment_of,
    pending,
    seconds_of,
    the_one,
)
from daemon.commands.reminders_shown import as_json, moment, short, table

if TYPE_CHECKING:
    from db.reminders import Due

reminders = typer.Typer(help="Os lembretes, alarmes, timers e pedidos com hora marcada.", no_args_is_help=True)

One = Annotated[str, typer.Argument(help="O código (o fim dele basta), como em `mordomo reminders list`.")]


@reminders.command("list")
@run_async
async def list_reminders(
    *,
    day: Annotated[str | None, typer.Option("--day", help="Só de um dia: hoje, amanhã, sexta, 20/11.")] = None,
    person: Annotated[str | None, typer.Option("--person", help="Só os desta pessoa.")] = None,
    words: Annotated[str | None, typer.Option("--words", help="Só os que falam disto.")] = None,
    done: Annotated[
        bool, typer.Option("--done/--no-done", help="Também os dos últimos três dias que já foram.")
    ] = True,
    json: AsJson = False,
) -> None:
    """Mostra o que está marcado, e o que já foi nos últimos três dias."""
    from daemon.skills.agenda import Sought, narrowed  # noqa: PLC0415
    from db.reminder_search import of_kind, recent, upcoming  # noqa: PLC0415

    async with desk() as at:
        soon = at.utc - timedelta(days=30), at.utc + timedelta(days=3660)
        found = await upcoming(at.db, *soon, limit=MOST)
        found += [due for due in await of_kind(at.db, "timer") if due.paused_left_s is not None]
        if done:
            there = {due.id for due in found}
            found += [due for due in await recent(at.db, at.utc - VISIBLE, at.utc) if due.id not in there]
    wanted = Sought(kinds=("reminder", "alarm", "timer", "command"), person=person)
    for part in (day, words):
        wanted = wanted.of(part, at.now) if part else wanted
    shown = narrowed(found, wanted, at.zone, at.calendar)
    if json:
        print_json([as_json(due, at.zone) for due in shown])
    elif not shown:
        out.print("Não há nada marcado." if day or person or words else "Não há nenhum lembrete.")
    else:
        out.print(table(shown, at.zone, at.now))


@reminders.command("add")
@run_async
async def add_reminder(
    title: Annotated[str, typer.Argument(help="O que lembrar, como deve ser dito.")],
    when: Annotated[str, typer.Argument(help=f"Quando: {SAID}.")],
    *,
    repeat: Annotated[str | None, typer.Option("--repeat", help="De quanto em quanto, como RRULE ou falado.")] = None,
    person: Annotated[str | None, typer.Option("--for", help="Para quem é.")] = None,
    alarm: Annotated[bool, typer.Option("--alarm", help="Um alarme, que toca até alguém parar.")] = False,
    lead: Annotated[str | None, typer.Option("--before", help="Avisa antes: dez minutos, um dia.")] = None,
    urgent: Annotated[bool, typer.Option("--urgent", help="Fala também no horário de silêncio.")] = False,
    insist: Annotated[str | None, typer.Option("--insist", help="Repete até alguém responder: cinco minutos.")] = None,
    tell: Annotated[str | None, typer.Option("--then", help="A quem avisar, se ninguém responder.")] = None,
    json: AsJson = False,
) -> None:
    """Marca um lembrete ou um alarme."""
    from db import reminders as rows  # noqa: PLC0415

    async with desk() as at:
        about, rule = moment_of(when, at, repeat)
        lead_s = seconds_of(lead) if lead else None
        spoken = about - timedelta(seconds=lead_s or 0)
        if spoken <= at.now:
            fail(f"{moment(spoken)} já passou. Diga um momento que ainda vem.")
        try:
            made = await rows.create(
                at.acting, title, spoken.astimezone(UTC), zone=at.zone, calendar=at.calendar,
                kind="alarm" if alarm else "reminder", rrule=rule, addressee=person, created_by=getpass.getuser(),
                lead_s=lead_s, urgent=urgent, ack="required" if insist or tell else "none",
                ack_every_s=seconds_of(insist) if insist else None, escalate_to=tell,
            )  # fmt: skip
        except ValueError as wrong:
            fail(str(wrong))
    if json:
        print_json({"id": str(made), "scheduled_at": spoken.isoformat(), "rrule": rule})
    else:
        early = f" (aviso antes, {moment(spoken)})" if lead_s else ""
        out.print(f"Anotado: {title}, {moment(about)}{early}.", f"Código: {short(made)}.", markup=False)


@reminders.command("edit")
@run_async
async def edit_reminder(
    which: One,
    *,
    title: Annotated[str | None, typer.Option("--title", help="O novo texto.")] = None,
    when: Annotated[str | None, typer.Option("--when", help=f"O novo momento: {SAID}.")] = None,
    repeat: Annotated[str | None, typer.Option("--repeat", help="A nova repetição; nunca a tira.")] = None,
    person: Annotated[str | None, typer.Option("--for", help="Para quem é.")] = None,
    only_this: Annotated[
        bool, typer.Option("--only-this", help="Só desta vez; as seguintes ficam como estão.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Muda um lembrete; dos que se repetem, este e os seguintes, ou só este."""
    from db import reminder_changes as changes  # noqa: PLC0415

    async with desk() as at:
        due = await the_one(at, which)
        more: dict[str, Any] = {"addressee": person} if person else {}
        if when:
            about, rule = moment_of(when, at, repeat)
            more["scheduled_at"] = (about - timedelta(seconds=due.lead_s or 0)).astimezone(UTC)
            if not only_this and (rule or due.rrule):
                from daemon.skills.reminder_changes import moved  # noqa: PLC0415

                more["rrule"] = rule or moved(str(due.rrule), about)
        elif repeat:
            more["rrule"] = None if repeat == "nunca" else moment_of(repeat, at, repeat)[1]
        try:
            async with at.changing() as connection:
                changed = await changes.change(connection, due.id, at.utc, at.zone, only_this=only_this, title=title,
                                               calendar=at.calendar, **more)  # fmt: skip
        except ValueError as wrong:
            fail(str(wrong))
        after = await the_one(at, str(due.id))
    _tell(changed, after, "Mudado", at, json=json)


@reminders.command("cancel")
@run_async
async def cancel_reminders(
    which: Annotated[list[str] | None, typer.Argument(help="Os códigos.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Todos os que estão marcados.")] = False,
    skip: Annotated[str | None, typer.Option("--skip", help="Só pula um dia: amanhã, 20/11.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Não pergunta antes.")] = False,
    json: AsJson = False,
) -> None:
    """Cancela lembretes; com --skip, só deixa um dia de fora."""
    from db import reminder_changes as changes  # noqa: PLC0415

    if bool(which) == everything:
        fail("Diga os códigos do que cancelar, ou --all. Os códigos estão em: mordomo reminders list")
    async with desk() as at:
        dues = await pending(at) if everything else [await the_one(at, each) for each in which or []]
        if everything and not yes:
            typer.confirm(f"Cancelar {len(dues)} lembretes, alarmes, timers e pedidos?", abort=True)
        async with at.changing() as connection:
            if skip:
                day = moment_of(skip, at, None)[0].date()
                count = sum([await changes.skip(connection, due.id, [day], at.utc, at.zone, calendar=at.calendar)
                             for due in dues])  # fmt: skip
            else:
                count = await changes.cancel(connection, [due.id for due in dues])
    if json:
        print_json({"cancelled": 0 if skip else count, "skipped": count if skip else 0})
    else:
        out.print(f"{'Pulados' if skip else 'Cancelados'}: {count}.")


@reminders.command("snooze")
@run_async
async def snooze_reminder(
    which: One,
    wait: Annotated[str, typer.Argument(help="Até quando: dez minutos, amanhã às nove.")] = "dez minutos",
    json: AsJson = False,
) -> None:
    """Adia um lembrete, também um que acabou de ser falado."""
    from db import reminder_changes as changes  # noqa: PLC0415

    async with desk() as at:
        due = await the_one(at, which)
        seconds = length_of(wait)
        until = at.now + timedelta(seconds=seconds) if seconds else moment_of(wait, at, None)[0]
        if until <= at.now:
            fail(f"{moment(until)} já passou. Diga um momento que ainda vem.")
        async with at.changing() as connection:
            changed = await changes.snooze(connection, due.id, until.astimezone(UTC), at.utc)
        after = await the_one(at, str(due.id))
    _tell(changed, after, "Adiado", at, json=json)


@reminders.command("export")
@run_async
async def export_reminders(
    file: Annotated[Path | None, typer.Argument(help="O arquivo .ics; sem ele, na tela.")] = None,
) -> None:
    """Escreve os lembretes e alarmes marcados como calendário (ICS)."""
    from daemon.reminders.calendars import written  # noqa: PLC0415

    async with desk() as at:
        calendar = written(await pending(at, ("reminder", "alarm")), at.zone, at.now)
    if file is None:
        sys.stdout.write(calendar.decode())
        return
    try:
        file.write_bytes(calendar)
    except OSError as error:
        fail(f"Não consegui gravar em {file}: {error.strerror}.")
    out.print(f"Gravado em {file}.", markup=False)


@reminders.command("import")
@run_async
async def import_reminders(
    file: Annotated[Path, typer.Argument(help="Um calendário (ICS), do celular ou de outro programa.")],
    person: Annotated[str | None, typer.Option("--for", help="Para quem são.")] = None,
    json: AsJson = False,
) -> None:
    """Traz de um calendário o que ainda vem; o que já foi trazido não se repete."""
    from daemon.reminders.calendars import read  # noqa: PLC0415
    from daemon.reminders.importing import bring_in  # noqa: PLC0415

    try:
        text = file.read_bytes()
    except OSError as error:
        fail(f"Não consegui ler {file}: {error.strerror}.")
    async with desk() as at:
        try:
            entries, over = read(text, at.zone, at.now)
        except ValueError as wrong:
            fail(str(wrong))
        async with at.changing() as connection:
            brought = await bring_in(
                connection, entries, at.zone, person=person, by=getpass.getuser(), calendar=at.calendar
            )
    told = {"added": brought.added, "already": brought.already, "over": over, "refused": brought.refused}
    if json:
        print_json(told)
        return
    out.print(f"Trazidos: {brought.added}. Já estavam: {brought.already}. Já passaram: {over}.")
    for title, why in brought.refused:
        out.print(f"Não trouxe “{title}”: {why}", markup=False)


def _tell(changed: bool, due: "Due", how: str, at: Desk, *, json: bool) -> None:
    if not changed:
        fail(f"“{due.title}” já não está marcado. Veja o que está com: mordomo reminders list")
    if json:
        print_json(as_json(due, at.zone))
    else:
        out.print(f"{how}: {due.title}, {moment(due.scheduled_at.astimezone(at.zone))}.", markup=False)
