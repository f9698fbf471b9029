"""`mordomo devices`: what there is in the house, and how the household calls and arranges it."""

import getpass
import json as json_module
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daemon.commands.ask import AsJson
from daemon.commands.console import environment, fail, out, print_json, run_async
from daemon.commands.devices_tables import as_json, change_as_json, device_table, one_device

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from db.audit import Acting
    from db.database import Database
    from db.devices import EntityRow

devices = typer.Typer(help="Os aparelhos da casa: nomes, cômodos, estado e história.", no_args_is_help=True)

Which = Annotated[str, typer.Argument(metavar="APARELHO", help="Identificador (light.sala), nome ou apelido.")]
HISTORY_SHOWN = 10


@devices.command("list")
@run_async
async def list_devices(
    *,
    area: Annotated[str | None, typer.Option("--area", help="Só os deste cômodo.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Também os escondidos, os de serviço e os que saíram.")] = False,
    json: AsJson = False,
) -> None:
    """Mostra os aparelhos, por cômodo, com o último estado conhecido."""
    from daemon.devices.naming import slug  # noqa: PLC0415
    from db.devices import listed  # noqa: PLC0415

    async with house() as (db, zone):
        rows = await listed(db, removed=every)
    kept = [
        row
        for row in rows
        if (every or not (row.hidden or row.category))
        and (area is None or slug(row.area or row.suggested_area or "") == slug(area))
    ]
    if json:
        print_json([as_json(row, zone) for row in kept])
    elif kept:
        out.print(device_table(kept, zone))
    elif rows:
        out.print("Não há aparelhos nesse recorte. Veja todos com: mordomo devices list --all")
    else:
        out.print(
            "Nenhum aparelho se anunciou ainda. Veja como em `mordomo doctor`, ou declare um: mordomo devices add"
        )


@devices.command("show")
@run_async
async def show_device(which: Which, *, json: AsJson = False) -> None:
    """Mostra tudo o que se sabe de um aparelho, e o que lhe aconteceu por último."""
    from datetime import timedelta  # noqa: PLC0415

    from daemon.clock import SystemClock  # noqa: PLC0415
    from db.entity_states import history  # noqa: PLC0415

    async with house() as (db, zone):
        row = await found(db, which)
        since = SystemClock().now() - timedelta(days=3650)
        changes = await history(db, [row.entity_id], since=since, limit=HISTORY_SHOWN)
    if json:
        print_json(as_json(row, zone) | {"history": [change_as_json(change, zone) for change in changes]})
    else:
        out.print(one_device(row, changes, zone))


@devices.command("add")
@run_async
async def add_device(
    entity_id: Annotated[str, typer.Argument(metavar="IDENTIFICADOR", help="Tipo e nome curto, como light.varanda.")],
    *,
    name: Annotated[str | None, typer.Option("--name", help="Como se chama.")] = None,
    area: Annotated[str | None, typer.Option("--area", help="Em que cômodo fica.")] = None,
    command_topic: Annotated[str | None, typer.Option("--command-topic", help="Onde recebe ordens.")] = None,
    state_topic: Annotated[str | None, typer.Option("--state-topic", help="Onde conta como está.")] = None,
    config: Annotated[str, typer.Option("--config", help='O resto da descoberta em JSON: {"payload_on": "1"}.')] = "{}",
    json: AsJson = False,
) -> None:
    """Declara um aparelho que não se anuncia sozinho: os tópicos e as palavras dele, como na descoberta por MQTT."""
    from db.devices import declare, move  # noqa: PLC0415

    try:
        payload: Any = json_module.loads(config)
    except ValueError as problem:
        fail(f'O --config não é JSON ({problem}). Escreva, por exemplo: --config \'{{"payload_on": "1"}}\'')
    if not isinstance(payload, dict):
        fail("O --config precisa ser um objeto JSON, entre chaves.")
    given = {"name": name, "command_topic": command_topic, "state_topic": state_topic}
    payload = payload | {key: value for key, value in given.items() if value is not None}
    if not any(key.endswith(("_topic", "_t")) for key in payload):
        fail("Falta dizer onde ele recebe ordens ou conta como está: --command-topic, --state-topic, ou em --config.")
    async with house() as (db, _):
        by = acting(db)
        await declare(by, entity_id, payload)
        if area is not None:
            await move(by, entity_id, area)
    tell({"entity_id": entity_id, "declared": payload}, f"{entity_id} foi declarado.", as_json=json)


@devices.command("remove")
@run_async
async def remove_device(which: Which, *, json: AsJson = False) -> None:
    """Esquece um aparelho e tudo o que se acertou dele; o que ainda se anuncia volta como novo."""
    from db.devices import remove  # noqa: PLC0415

    async with house() as (db, _):
        row = await found(db, which)
        await remove(acting(db), row.entity_id)
    tell({"entity_id": row.entity_id, "removed": True}, f"Esqueci {row.entity_id}.", as_json=json)


@devices.command("rename")
@run_async
async def rename_device(
    which: Which,
    name: Annotated[str | None, typer.Argument(metavar="NOME", help="O nome novo; sem ele, volta o anunciado.")] = None,
    *,
    json: AsJson = False,
) -> None:
    """Dá a um aparelho o nome que a casa usa; ele vale mais que o anunciado, para sempre."""
    from db.devices import listed, one, rename  # noqa: PLC0415

    async with house() as (db, _):
        row = await found(db, which)
        await rename(acting(db), row.entity_id, name)
        now = await one(db, row.entity_id)
        same = [each.entity_id for each in await listed(db) if _same(each.name, now.name)]
    said = f"{row.entity_id} agora se chama “{now.name or row.entity_id}”."
    others = [entity_id for entity_id in same if entity_id != row.entity_id]
    if others:
        said += f" Atenção: {', '.join(others[:5])} tem o mesmo nome, e vou perguntar qual é."
    tell({"entity_id": row.entity_id, "name": now.name, "same_name": others}, said, as_json=json)


@devices.command("move")
@run_async
async def move_device(
    which: Which,
    area: Annotated[
        str | None, typer.Argument(metavar="CÔMODO", help="Para onde; sem ele, volta ao que o aparelho diz.")
    ] = None,
    *,
    whole: Annotated[bool, typer.Option("--device", help="Leva junto tudo o que é do mesmo aparelho.")] = False,
    json: AsJson = False,
) -> None:
    """Muda um aparelho de cômodo; o cômodo se cria, se ainda não há."""
    from db.devices import move  # noqa: PLC0415

    async with house() as (db, _):
        row = await found(db, which)
        where = await move(acting(db), row.entity_id, area, whole_device=whole)
    place = f"fica em “{where}”" if where else "fica onde ele mesmo diz" if row.suggested_area else "não tem cômodo"
    tell({"entity_id": row.entity_id, "area": where}, f"{row.entity_id} agora {place}.", as_json=json)


@devices.command("alias")
@run_async
async def alias_device(
    which: Which,
    name: Annotated[str, typer.Argument(metavar="APELIDO", help="Outro nome por que se chama.")],
    *,
    remove: Annotated[bool, typer.Option("--remove", help="Tira o apelido em vez de pôr.")] = False,
    json: AsJson = False,
) -> None:
    """Põe num aparelho mais um nome pelo qual chamá-lo."""
    from db.devices import alias, one, unalias  # noqa: PLC0415

    async with house() as (db, _):
        row = await found(db, which)
        await (unalias if remove else alias)(acting(db), row.entity_id, name)
        now = await one(db, row.entity_id)
    called = ", ".join(f"“{each}”" for each in now.aliases)
    said = f"{row.entity_id} também se chama {called}." if called else f"{row.entity_id} não tem apelidos."
    tell({"entity_id": row.entity_id, "aliases": now.aliases}, said, as_json=json)


@devices.command("hide")
@run_async
async def hide_device(
    which: Which,
    *,
    show: Annotated[bool, typer.Option("--show", help="Mostra de novo.")] = False,
    json: AsJson = False,
) -> None:
    """Esconde um aparelho: ninguém o chama, e “todas as luzes” não o inclui."""
    from db.devices import hide  # noqa: PLC0415

    async with house() as (db, _):
        row = await found(db, which)
        await hide(acting(db), row.entity_id, hidden=not show)
    said = f"{row.entity_id} voltou." if show else f"{row.entity_id} está escondido. Para voltar: --show"
    tell({"entity_id": row.entity_id, "hidden": not show}, said, as_json=json)


@devices.command("favourite")
@run_async
async def favour_device(
    which: Which,
    *,
    off: Annotated[bool, typer.Option("--off", help="Deixa de ser.")] = False,
    json: AsJson = False,
) -> None:
    """Marca um aparelho como favorito."""
    from db.devices import favourite  # noqa: PLC0415

    async with house() as (db, _):
        row = await found(db, which)
        await favourite(acting(db), row.entity_id, on=not off)
    said = f"{row.entity_id} {'não é mais' if off else 'agora é'} favorito."
    tell({"entity_id": row.entity_id, "favourite": not off}, said, as_json=json)


@devices.command("guard")
@run_async
async def guard_device(
    which: Which,
    *,
    how: Annotated[str, typer.Option("--ask", help="sim: sempre; não: nunca; tipo: conforme o tipo dele.")] = "sim",
    json: AsJson = False,
) -> None:
    """Diz se Mordomo pergunta “tem certeza?” antes de mexer num aparelho."""
    from db.devices import guard  # noqa: PLC0415

    meant = {"sim": True, "não": False, "nao": False, "tipo": None}
    if how not in meant:
        fail("O --ask aceita sim, não ou tipo.")
    async with house() as (db, _):
        row = await found(db, which)
        await guard(acting(db), row.entity_id, guarded=meant[how])
    asks = {True: "sempre pergunto antes", False: "nunca pergunto antes", None: "pergunto conforme o tipo dele"}
    said = f"Para {row.entity_id}, {asks[meant[how]]}."
    tell({"entity_id": row.entity_id, "guarded": meant[how]}, said, as_json=json)


@asynccontextmanager
async def house() -> "AsyncIterator[tuple[Database, ZoneInfo]]":
    """Yield the household's database and the clock that its people read."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    from config.preferences import HOUSE_TIMEZONE  # noqa: PLC0415
    from daemon.servers import household_database  # noqa: PLC0415
    from db.preferences import load  # noqa: PLC0415

    async with household_database(environment()) as db:
        preferences, _ = await load(db)
        yield db, ZoneInfo(preferences[HOUSE_TIMEZONE])


def acting(db: "Database") -> "Acting":
    """Return the database for whoever types this, by name."""
    from db.audit import Acting  # noqa: PLC0415

    return Acting(db, f"linha de comando ({getpass.getuser()})", "cli")


async def found(db: "Database", which: str) -> "EntityRow":
    """Return the entity of this id, name or alias; ends the command where there is none, or several."""
    from db.devices import NoSuchEntity, listed  # noqa: PLC0415

    rows = await listed(db, removed=True)
    meant = [row for row in rows if row.entity_id == which] or [
        row for row in rows if any(_same(name, which) for name in (row.name, *row.aliases))
    ]
    if not meant:
        raise NoSuchEntity(which)
    if len(meant) > 1:
        ids = ", ".join(row.entity_id for row in meant[:5])
        fail(f"Há {len(meant)} aparelhos chamados “{which}”: {ids}. Diga qual deles pelo identificador.")
    return meant[0]


def _same(name: str | None, other: str | None) -> bool:
    from daemon.devices.naming import slug  # noqa: PLC0415

    return bool(name and other) and slug(name or "") == slug(other or "")


def tell(value: dict[str, Any], said: str, *, as_json: bool) -> None:
    """Print what was done: for a program, or in words."""
    if as_json:
        print_json(value)
    else:
        out.print(said, markup=False)
