"""`mordomo backup`: copies of the household's data, proved, and the ways back to them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape
from rich.table import Table

from config.environment import Environment
from daemon.commands.ask import AsJson
from daemon.commands.console import environment, fail, out, print_json, run_async

if TYPE_CHECKING:
    from config.preferences import Preferences
    from db.backup.folder import Folder, Manifest
    from db.backup.source import Source

backup = typer.Typer(help="As cópias de segurança da casa.", no_args_is_help=True)
Name = Annotated[str | None, typer.Argument(help="O nome da cópia, como em `mordomo backup list`.")]
MOMENTS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M")
TIMES = ("%H:%M:%S", "%H:%M")


@backup.command("now")
@run_async
async def backup_now(json: AsJson = False) -> None:
    """Faz uma cópia agora, e a restaura num banco de prova para conferir tabela por tabela."""
    from daemon.backups import keep_of  # noqa: PLC0415
    from db.backup.folder import Folder  # noqa: PLC0415
    from db.backup.routine import back_up  # noqa: PLC0415

    env = environment()
    async with _household(env) as (source, prefs):
        zone = _zone(prefs)
        made = await back_up(source, Folder(env.backups), keep_of(prefs), zone, datetime.now(UTC))
    if json:
        print_json(_as_json(made))
        return
    out.print(
        f"Cópia {made.name} feita em {env.backups} ({_megabytes(made.size)}), restaurada num banco de prova e "
        f"conferida: {len(made.contents.tables)} tabelas, {made.contents.rows} linhas.",
        markup=False,
    )


@backup.command("list")
@run_async
async def list_backups(json: AsJson = False) -> None:
    """Mostra as cópias que há, e a que momentos se pode voltar."""
    from daemon.servers import own_postgres  # noqa: PLC0415
    from db.backup.base import all_bases  # noqa: PLC0415
    from db.backup.folder import Folder  # noqa: PLC0415
    from db.backup.recovery import replaced_servers  # noqa: PLC0415
    from db.backup.routine import CONTINUOUS  # noqa: PLC0415
    from db.backup.wal import newest  # noqa: PLC0415

    env = environment()
    zone = _zone_noted(Folder(env.backups))
    known = Folder(env.backups).all()
    bases = [each for each in all_bases(env.backups / CONTINUOUS) if each.is_good]
    bases = [each for each in bases if each.own == bases[0].own]
    until = newest(bases[0].own) if bases else None
    replaced = replaced_servers(own_postgres(env))
    if json:
        whole = [{"taken_at": b.taken_at, "since": b.ended_at, "size": b.size, "folder": str(b.folder)} for b in bases]
        print_json(
            {"backups": [_as_json(each) for each in known], "bases": whole, "until": until, "replaced": replaced}
        )
        return
    if not known and not bases:
        out.print(f"Ainda não há cópias em {env.backups}. Faça a primeira com: mordomo backup now", markup=False)
        return
    table = Table("cópia", "de", "tamanho", "estado", box=None, header_style="dim", padding=(0, 2, 0, 0))
    for each in known:
        state = "restaurada e conferida" if each.is_good else f"não conte com ela: {each.problem or 'sem prova'}"
        table.add_row(each.name, _local(each.taken_at, zone), _megabytes(each.size), escape(state))
    out.print(table)
    if bases and until is not None:
        since = _local(bases[-1].ended_at, zone)
        out.print(
            f"A qualquer minuto de {since} a {_local(until, zone)} se volta com: mordomo backup restore --at",
            markup=False,
        )
    for path in replaced:
        out.print(f"O que havia antes de uma restauração: {path} (apague quando não precisar mais)", markup=False)


@backup.command("verify")
@run_async
async def verify_backups(name: Name = None, json: AsJson = False) -> None:
    """Restaura uma cópia (ou todas) num banco de prova e confere tabela por tabela."""
    from db.backup.folder import BackupFailed, Folder  # noqa: PLC0415
    from db.backup.routine import prove  # noqa: PLC0415

    env = environment()
    folder = Folder(env.backups)
    wanted = [folder.find(name)] if name else folder.all()
    if not wanted:
        fail(f"Não há cópias em {env.backups}. Faça a primeira com: mordomo backup now")
    found: list[dict[str, object]] = []
    async with _household(env) as (source, _):
        for each in wanted:
            problem = ""
            try:
                await prove(source, folder, each, datetime.now(UTC))
            except BackupFailed as failed:
                problem = str(failed)
            found.append({"name": each.name, "good": not problem, "problem": problem})
            if not json:
                out.print(f"{each.name}: {problem or 'restaurada e igual em tudo'}", markup=False)
    if json:
        print_json(found)
    if any(each["problem"] for each in found):
        raise typer.Exit(1)


@backup.command("restore")
@run_async
async def restore_backup(
    name: Name = None,
    at: Annotated[
        str | None, typer.Option("--at", help='Volta a este momento, no fuso da casa: "2026-11-20 10:15" ou "10:15".')
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Não pergunta antes.")] = False,
    json: AsJson = False,
) -> None:
    """Volta o banco a uma cópia, ou a um momento. O que há agora fica guardado ao lado."""
    from daemon.data_folder import DataFolder, running  # noqa: PLC0415
    from db.backup.folder import Folder  # noqa: PLC0415

    env = environment()
    if (name is None) == (at is None):
        fail("Diga a que voltar: o nome de uma cópia (mordomo backup list), ou um momento com --at.")
    if running(env.data_dir):
        fail("O Mordomo está rodando. Desligue-o antes de restaurar (Ctrl-C, ou systemctl stop mordomo).")
    # Held to the end: no daemon may start on a database that is being changed for another.
    with DataFolder(env.data_dir):
        folder = Folder(env.backups)
        folder.make()
        told = await (_restore_to(env, folder, at, yes=yes) if at else _restore(env, folder, name or "", yes=yes))
    if json:
        print_json(told)
    else:
        out.print(str(told["said"]), markup=False)


async def _restore(env: Environment, folder: "Folder", name: str, *, yes: bool) -> dict[str, object]:
    from db.backup.restoring import restore  # noqa: PLC0415
    from db.upgrade import upgrade  # noqa: PLC0415

    manifest = folder.find(name)
    when = _local(manifest.taken_at, _zone_noted(folder))
    _confirm(f"O banco volta a ser o de {when}; o de agora fica guardado com outro nome. Continuar?", yes=yes)
    async with _household(env) as (source, _):
        with folder.held():
            done = await restore(source, folder, manifest, datetime.now(UTC))
        await upgrade(source.url)
    said = f"Pronto: o banco é o de {when}. O que havia antes está no banco {done.copy}, no mesmo servidor."
    if done.without:
        said += f" Donos e permissões não voltaram: faltam aqui os usuários {', '.join(done.without)}."
    return {"restored": manifest.name, "copy": done.copy, "without_roles": done.without, "said": said}


async def _restore_to(env: Environment, folder: "Folder", at: str, *, yes: bool) -> dict[str, object]:
    from daemon.servers import own_postgres  # noqa: PLC0415
    from db.backup.recovery import base_for, recover  # noqa: PLC0415
    from db.backup.routine import CONTINUOUS  # noqa: PLC0415

    if env.database_url is not None:
        fail(
            "Voltar a um momento só sei com o PostgreSQL próprio; MORDOMO_DATABASE_URL aponta para outro. Com o do "
            'docker-compose.yml: docker compose run --rm archive restore "2026-11-20 10:15" (veja o resto em '
            "docs/decisions/backups.md). Ou volte a uma cópia: mordomo backup list"
        )
    zone, now = await _zone_of(env), datetime.now(UTC)
    moment = _moment(at, zone, now)
    base_for(env.backups / CONTINUOUS, moment)
    _confirm(f"O banco volta a {_local(moment, zone)}; o de agora fica guardado ao lado. Continuar?", yes=yes)
    with folder.held():
        done = await recover(own_postgres(env), env.backups / CONTINUOUS, moment, datetime.now(UTC))
    last = _local(done.last, zone, "%d/%m/%Y %H:%M:%S") if done.last else "antes da cópia semanal"
    said = f"Pronto: o banco é o de {_local(moment, zone)} (última mudança: {last})."
    if not done.whole:
        said += " O registro de mudanças termina aí: o que veio depois não estava guardado."
    if done.copy is not None:
        said += f" O que havia antes está em {done.copy}; apague essa pasta quando não precisar mais dela."
    return {"restored_to": moment, "last": done.last, "whole": done.whole, "copy": done.copy, "said": said}


@asynccontextmanager
async def _household(env: Environment) -> "AsyncIterator[tuple[Source, Preferences]]":
    """Give the database as it is, not migrated, and the preferences that it holds."""
    from daemon.servers import addresses, source  # noqa: PLC0415
    from db.preferences import load_from  # noqa: PLC0415

    async with addresses(env) as database:
        yield source(env, database), await load_from(database.owner)


async def _zone_of(env: Environment) -> ZoneInfo:
    """Return the household's time zone, or the usual one where the database cannot be asked any more."""
    from daemon.servers import own_postgres  # noqa: PLC0415
    from db.backup.folder import Folder  # noqa: PLC0415
    from db.errors import LinkDown  # noqa: PLC0415
    from db.server_account import CannotStart  # noqa: PLC0415

    if not own_postgres(env).cluster.exists():
        return _zone_noted(Folder(env.backups))
    try:
        async with _household(env) as (_, prefs):
            return _zone(prefs)
    except (CannotStart, LinkDown):
        return _zone_noted(Folder(env.backups))


def _zone(prefs: "Preferences") -> ZoneInfo:
    from config.preferences import HOUSE_TIMEZONE  # noqa: PLC0415

    return ZoneInfo(prefs[HOUSE_TIMEZONE])


def _zone_noted(folder: "Folder") -> ZoneInfo:
    """Return the household's time zone as the last backup noted it: the database need not run for a list."""
    from config.preferences import HOUSE_TIMEZONE  # noqa: PLC0415
    from db.backup.routine import standing  # noqa: PLC0415

    return ZoneInfo(standing(folder).zone or HOUSE_TIMEZONE.default)


def _moment(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """Return what --at means; a time alone is of today, and a text with its own offset is taken by its word."""
    for pattern in MOMENTS:
        try:
            return datetime.strptime(text.strip().replace("T", " "), pattern).replace(tzinfo=zone)
        except ValueError:
            continue
    for pattern in TIMES:
        try:
            read = datetime.strptime(text.strip(), pattern)  # noqa: DTZ007 - the zone is given below
        except ValueError:
            continue
        return datetime.combine(now.astimezone(zone).date(), read.time(), zone)
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        fail(f'Não entendi o momento "{text}". Escreva assim: --at "2026-11-20 10:15", ou --at 10:15 para hoje.')
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _confirm(question: str, *, yes: bool) -> None:
    if not yes:
        typer.confirm(question, abort=True)


def _local(at: datetime, zone: ZoneInfo, shape: str = "%d/%m/%Y %H:%M") -> str:
    return at.astimezone(zone).strftime(shape)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB".replace(".", ",")


def _as_json(manifest: "Manifest") -> dict[str, object]:
    return {
        "name": manifest.name,
        "taken_at": manifest.taken_at,
        "size": manifest.size,
        "good": manifest.is_good,
        "verified_at": manifest.verified_at,
        "problem": manifest.problem,
        "tables": len(manifest.contents.tables),
        "rows": manifest.contents.rows,
    }
