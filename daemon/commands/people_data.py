"""`mordomo people export|erase|consent`: what is somebody's, in their hands, gone, or allowed to be kept."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from daemon.commands.ask import AsJson
from daemon.commands.console import fail, out, print_json, run_async
from daemon.commands.people_data_shown import as_json, as_text, what
from daemon.commands.people_desk import Desk, people_desk, person_of

if TYPE_CHECKING:
    from db.erasure import Wish
    from db.erasures import Receipt

Name = Annotated[str, typer.Argument(help="O nome da pessoa.")]
KINDS = {"voiceprint": "a impressão da voz", "audio": "o som do que diz", "memory": "o que conta nas conversas"}
ANSWERS = {"yes": True, "sim": True, "no": False, "nao": False, "não": False}


@run_async
async def export_person(
    name: Name,
    *,
    to: Annotated[Path | None, typer.Option("--out", help="O arquivo ZIP; sem ele, NOME.zip aqui.")] = None,
    json: AsJson = False,
) -> None:
    """Grava num ZIP tudo o que a casa guarda de uma pessoa: JSON, e WAV do que ela deixou gravar."""
    from daemon.people.privacy.exporting import Exporting  # noqa: PLC0415

    async with people_desk() as at:
        user, spelt = await person_of(at.db, name)
        file = to or Path(f"{spelt.split()[0].lower()}.zip")
        if file.exists():
            fail(f"Já existe {file}. Diga outro arquivo com --out, ou apague esse.")
        exporting = Exporting(at.db, at.erasing.vectors, at.erasing.clips)
        try:
            done = await exporting.write(user, spelt, file, at.now)
        except OSError as error:
            fail(f"Não consegui gravar em {file}: {error.strerror}.")
    if json:
        print_json({"file": str(file), "rows": done.rows, "clips": done.clips, "vectors": done.vectors})
        return
    rows = sum(done.rows.values())
    out.print(f"Gravado em {file}: {rows} linhas de {len(done.rows)} tabelas, {done.clips} gravações, "
              f"{done.vectors} vetores. Só você pode ler o arquivo; guarde-o bem.", markup=False)  # fmt: skip


@run_async
async def erase_person(
    name: Annotated[str | None, typer.Argument(help="O nome da pessoa.")] = None,
    *,
    since: Annotated[
        str | None, typer.Option("--since", help="Só o que disse desde então: hoje, 2d, 20/11. Sem isso, tudo.")
    ] = None,
    verify: Annotated[
        str | None, typer.Option("--verify", metavar="RECIBO", help="Confere um recibo: procura o que foi apagado.")
    ] = None,
    words: Annotated[
        str | None, typer.Option("--search", help="Com --verify: procura também estas palavras em todas as tabelas.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="Mostra os recibos.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Não pergunta antes.")] = False,
    json: AsJson = False,
) -> None:
    """Apaga tudo o que é de uma pessoa, ou o que ela disse desde um momento, e dá um recibo que se pode conferir."""
    if sum((name is not None, verify is not None, listed)) != 1:
        fail("Diga o nome de quem apagar, ou --verify RECIBO, ou --list.")
    async with people_desk() as at:
        if listed:
            await _list(at, json=json)
        elif verify is not None:
            await _verify(at, verify, words, json=json)
        else:
            wish = await _wish(at, name or "", since)
            await _sure(at, wish, yes=yes)
            await _show(at, await _erase(at, wish), json=json)


@run_async
async def consent_person(
    name: Name,
    kind: Annotated[str | None, typer.Argument(help=f"O quê: {', '.join(KINDS)}. Sem isso, mostra.")] = None,
    answer: Annotated[str | None, typer.Argument(metavar="yes|no", help="Se a pessoa deixa ou não.")] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Não pergunta antes de apagar o que um não apaga.")] = False,
    json: AsJson = False,
) -> None:
    """Mostra ou anota o que uma pessoa deixa guardar. Um não também apaga o que já foi guardado por isso."""
    from db import consents  # noqa: PLC0415
    from db.erasure import Wish  # noqa: PLC0415

    async with people_desk() as at:
        user, spelt = await person_of(at.db, name)
        if kind is not None:
            chosen = next((each for each in consents.KINDS if each == kind), None)
            if chosen is None or answer not in ANSWERS:
                fail(f"Diga o quê ({', '.join(KINDS)}) e yes ou no, como em: mordomo people consent {spelt} audio yes")
            given = ANSWERS[answer]
            if not given and not yes:
                typer.confirm(f"Isto apaga {KINDS[chosen]} de {spelt}, que já foi guardado. Continuar?", abort=True)
            await consents.record(at.db, user, chosen, given=given, how="cli", at=at.now)
            if not given:
                await _show(at, await _erase(at, Wish(user, spelt, chosen, "cli", "other")), json=json)
                return
        standing = await consents.standing(at.db, user)
    if json:
        print_json({each: asdict(one) for each, one in standing.items()})
        return
    for each, meaning in KINDS.items():
        one = next((one for found, one in standing.items() if found == each), None)
        said = "nunca foi perguntado" if one is None else _said(one.given, one.at, at.zone)
        out.print(f"{each:<11} {meaning}: {said}", markup=False)


async def _wish(at: Desk, name: str, since: str | None) -> "Wish":
    from daemon.commands.history import moment  # noqa: PLC0415
    from db.erasure import Wish  # noqa: PLC0415

    user, spelt = await person_of(at.db, name)
    if since is None:
        return Wish(user, spelt, "person", "cli", "other")
    return Wish(user, spelt, "since", "cli", "other", moment(since, at.now))


async def _sure(at: Desk, wish: "Wish", *, yes: bool) -> None:
    counts = await at.erasing.counted(wish)
    if not counts:
        fail(f"Não há nada de {wish.name} a apagar.")
    whole = "tudo o que é" if wish.since is None else f"o que foi dito e guardado desde {_local(wish.since, at.zone)}"
    if not yes:
        typer.confirm(f"Apagar {whole} de {wish.name} ({what(counts)})? Isso não tem volta.", abort=True)


async def _erase(at: Desk, wish: "Wish") -> "Receipt":
    """Erase, have the backups replaced, and check; what cannot be done now the daemon does later."""
    receipt = await at.erasing.erase(wish)
    try:
        await at.upkeep.receipts.reconcile()
    except OSError as broken:
        out.print(f"Não consegui pôr o recibo ao lado das cópias: {broken}", style="yellow", markup=False)
    if why := await at.upkeep.replace_backups():
        out.print(f"As cópias de segurança ainda não foram trocadas: {why}", style="yellow", markup=False)
    return (await at.erasing.verify(receipt.id)).receipt


async def _verify(at: Desk, code: str, words: str | None, *, json: bool) -> None:
    from db.erasures import tables_with  # noqa: PLC0415

    receipt = await _receipt(at, code)
    checked = await at.erasing.verify(receipt.id)
    left = dict(checked.left_over)
    if words:
        left |= {f"{table} ({words})": count for table, count in (await tables_with(at.db, words)).items()}
    holding = [each.name for each in at.upkeep.backups.holding([checked.receipt])]
    if json:
        print_json(as_json(checked.receipt) | {"left_over": left, "holding": holding})
    elif left:
        out.print(f"Ainda há o que devia ter sido apagado: {what(left)}.", style="red", markup=False)
    else:
        out.print(as_text(checked.receipt, at.zone), markup=False)
        out.print("Conferido agora: nada do que foi apagado está no banco, nos vetores ou nos arquivos.", markup=False)
    if holding and not json:
        out.print(f"Ainda têm o que foi apagado as cópias: {', '.join(holding)}.", style="yellow", markup=False)
    if left:
        raise typer.Exit(1)


async def _receipt(at: Desk, code: str) -> "Receipt":
    from db.erasures import receipts  # noqa: PLC0415

    wanted = code.replace("-", "").lower()
    found = [each for each in await receipts(at.db) if wanted and each.id.hex.endswith(wanted)]
    if len(found) != 1:
        several = (
            f"Há {len(found)} recibos que terminam em {code}. Diga mais dele." if found else f"Não há recibo {code}."
        )
        fail(f"{several} Veja os que há com: mordomo people erase --list")
    return found[0]


async def _list(at: Desk, *, json: bool) -> None:
    from db.erasures import receipts  # noqa: PLC0415

    found = await receipts(at.db)
    if json:
        print_json([as_json(each) for each in found])
        return
    for each in found:
        out.print(as_text(each, at.zone), markup=False)
    if not found:
        out.print("Não há recibos: nada foi apagado.")


async def _show(at: Desk, receipt: "Receipt", *, json: bool) -> None:
    if json:
        print_json(as_json(receipt))
    else:
        out.print(as_text(receipt, at.zone), markup=False)


def _said(given: bool, at: datetime, zone: ZoneInfo) -> str:
    return f"{'sim' if given else 'não'}, em {_local(at, zone)}"


def _local(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%d/%m/%Y às %H:%M}"
