"""`mordomo config` and `mordomo db`: preferences and schema, by command; any SQL client can do the same."""

import getpass
import json as json_module
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from daemon.commands.ask import AsJson
from daemon.commands.console import environment, fail, out, print_json, run_async

config = typer.Typer(help="As preferências da casa.", no_args_is_help=True)
schema = typer.Typer(help="As tabelas do banco de dados.", no_args_is_help=True)


@config.command("list")
@run_async
async def list_preferences(json: AsJson = False) -> None:
    """Mostra as preferências com valor, padrão, regra e descrição."""
    from config.preferences import DECLARED  # noqa: PLC0415
    from daemon.servers import household_database  # noqa: PLC0415
    from db.preferences import rows  # noqa: PLC0415

    async with household_database(environment()) as db:
        stored = {row.key: row for row in await rows(db)}
    known = [
        {
            "key": key,
            "value": stored[key].value if key in stored else preference.default,
            "default": preference.default,
            "rule": preference.rule,
            "description": preference.description,
        }
        for key, preference in DECLARED.items()
    ]
    if json:
        print_json(known)
        return
    table = Table("preferência", "valor", "o que é", "regra", box=None, header_style="dim", padding=(0, 2, 0, 0))
    for row in known:
        shown = json_module.dumps(row["value"], ensure_ascii=False)
        changed = row["value"] != row["default"]
        table.add_row(
            str(row["key"]), f"[bold]{shown}[/]" if changed else shown, str(row["description"]), str(row["rule"])
        )
    out.print(table)


@config.command("get")
@run_async
async def get_preference(key: str, json: AsJson = False) -> None:
    """Mostra o valor de uma preferência."""
    from config.preferences import DECLARED  # noqa: PLC0415
    from daemon.servers import household_database  # noqa: PLC0415
    from db.preferences import load  # noqa: PLC0415

    if key not in DECLARED:
        fail(f"Não existe a preferência {key}. Veja as que existem com `mordomo config list`.")
    async with household_database(environment()) as db:
        prefs, _ = await load(db)
    value = prefs.as_dict()[key]
    if json:
        print_json({"key": key, "value": value})
    else:
        out.print(json_module.dumps(value, ensure_ascii=False), markup=False)


@config.command("set")
@run_async
async def set_preference(
    key: str,
    value: Annotated[str, typer.Argument(help="O valor; texto não precisa de aspas.")],
    json: AsJson = False,
) -> None:
    """Muda uma preferência; o Mordomo que estiver rodando a aplica em seguida."""
    from config.preference import InvalidPreference  # noqa: PLC0415
    from config.preferences import DECLARED  # noqa: PLC0415
    from daemon.servers import household_database  # noqa: PLC0415
    from db.audit import Acting  # noqa: PLC0415
    from db.preferences import set_value  # noqa: PLC0415

    is_text = key in DECLARED and DECLARED[key].kind is str
    try:
        meant: object = value if is_text else json_module.loads(value)
    except ValueError:
        meant = value
    async with household_database(environment()) as db:
        try:
            by = f"linha de comando ({getpass.getuser()})"
            await set_value(Acting(db, by, "cli"), key, meant, by)
        except InvalidPreference as invalid:
            fail(str(invalid))
    if json:
        print_json({"key": key, "value": meant})
    else:
        out.print(f"{key} = {json_module.dumps(meant, ensure_ascii=False)}", markup=False)


@schema.command("upgrade")
@run_async
async def upgrade_schema(
    backup: Annotated[
        bool, typer.Option("--backup/--no-backup", help="Faz antes uma cópia de segurança do que vai mudar.")
    ] = True,
    json: AsJson = False,
) -> None:
    """Traz as tabelas para a versão deste Mordomo."""
    from daemon.migration import migrate  # noqa: PLC0415
    from daemon.servers import addresses, source  # noqa: PLC0415
    from db.backup.folder import Folder  # noqa: PLC0415
    from db.upgrade import current  # noqa: PLC0415

    env = environment()
    async with addresses(env) as database:
        await migrate(source(env, database), Folder(env.backups), backup=backup)
        _tell_version(await current(database.owner), as_json=json)


@schema.command("downgrade")
@run_async
async def downgrade_schema(
    revision: Annotated[str, typer.Argument(help="A versão a que voltar; base apaga todas as tabelas.")],
    yes: Annotated[bool, typer.Option("--yes", help="Não pergunta antes.")] = False,
    json: AsJson = False,
) -> None:
    """Volta as tabelas a uma versão anterior; o que só a mais nova guarda se perde."""
    from daemon.data_folder import running  # noqa: PLC0415
    from daemon.servers import addresses  # noqa: PLC0415
    from db.upgrade import current, downgrade  # noqa: PLC0415

    env = environment()
    if running(env.data_dir):
        fail("O Mordomo está rodando. Desligue-o antes de voltar as tabelas a outra versão.")
    if not yes:
        typer.confirm(f"Voltar as tabelas para {revision} apaga o que só a versão nova guarda. Continuar?", abort=True)
    async with addresses(env) as database:
        try:
            await downgrade(database.owner, revision)
        except ValueError as unknown:
            fail(f"Não dá para voltar: {unknown}")
        _tell_version(await current(database.owner), as_json=json)


def _tell_version(revision: str | None, *, as_json: bool) -> None:
    if as_json:
        print_json({"revision": revision})
    else:
        out.print(f"As tabelas estão na versão {revision or 'base'}.")


@schema.command("sql")
def schema_sql(
    out_file: Annotated[Path | None, typer.Option("--out", help="Grava neste arquivo em vez de mostrar.")] = None,
) -> None:
    """Mostra o SQL de todas as migrações, para quem quiser conferir."""
    from db.upgrade import upgrade_sql  # noqa: PLC0415

    text = upgrade_sql()
    if out_file:
        out_file.write_text(text, encoding="utf-8")
    else:
        out.print(text, markup=False, soft_wrap=True)
