"""`mordomo people add|enroll|list|test|forget`: who lives in the house, and whose voice it knows."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from rich.table import Table
from rich.text import Text

from config.people import ROLES
from daemon.commands.ask import AsJson
from daemon.commands.console import fail, out, print_json, run_async
from daemon.commands.people_desk import Desk, people_desk, person_of

if TYPE_CHECKING:
    from daemon.engines.protocols import SpeakerEncoder
    from daemon.people.voices.enrolment import Lesson
    from daemon.people.voices.recognition import HouseVoices

people = typer.Typer(help="As pessoas da casa, e as vozes que ela conhece.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="O nome da pessoa, como em: Ana.")]
ONLY_PERSONAL = "Isso deixa as coisas do jeito de cada um, mas não é senha: uma gravação pode passar pela pessoa."


@people.command("add")
@run_async
async def add_person(
    name: Name,
    role: Annotated[
        str, typer.Option("--role", help="O papel: administrador, adulto, adolescente, criança, visita.")
    ] = "adult",
    json: AsJson = False,
) -> None:
    """Acrescenta alguém que mora na casa, com um papel; de quem já mora, muda o papel."""
    from daemon.people.words import Words  # noqa: PLC0415
    from db.audit import acting_as  # noqa: PLC0415
    from db.users import named  # noqa: PLC0415

    words = Words.load("pt_br")
    meant = words.role(role)
    if meant is None:
        fail(f"Não há o papel {role}. Os que há: {', '.join(words.told[each] for each in ROLES)}.")
    async with people_desk() as at:
        try:
            user = await named(at.db, name, meant)
        except ValueError as wrong:
            fail(f"O nome não serve: {wrong}.")
        async with acting_as(at.db, "linha de comando", "cli") as connection:
            await connection.execute("UPDATE users SET role = $2, is_active = TRUE WHERE id = $1", user, meant)
        unled = await _unled(at)
    if json:
        print_json({"id": str(user), "name": name, "role": meant})
    else:
        out.print(
            f"{name} mora aqui, com o papel de {words.told[meant]}. Para a casa conhecer a voz: "
            f'mordomo people enroll "{name}"',
            markup=False,
        )
        _tell(unled)


@people.command("list")
@run_async
async def list_people(json: AsJson = False) -> None:
    """Mostra quem mora na casa, o papel de cada um, e de quem a casa conhece a voz."""
    from daemon.people.words import Words  # noqa: PLC0415
    from db.codes import locked as locked_codes  # noqa: PLC0415
    from db.codes import owners  # noqa: PLC0415
    from db.voices import everybody  # noqa: PLC0415

    words = Words.load("pt_br")
    async with people_desk() as at:
        rows = await everybody(at.db)
        unled, zone = await _unled(at), at.zone
        coded, locked = await owners(at.db), dict(await locked_codes(at.db, at.now))
    if json:
        print_json([{key: row[key] for key in row if key != "speaker_embedding_id"} | {"code": row["id"] in coded}
                    for row in rows])  # fmt: skip
        return
    if not rows:
        out.print("A casa ainda não conhece ninguém. Comece com: mordomo people add Ana --role administrador")
        return
    shown = Table(
        "pessoa", "papel", "voz", "código", "falou por último", box=None, header_style="dim", padding=(0, 2, 0, 0)
    )
    for row in rows:
        last = row["last_interaction_at"]
        shown.add_row(
            Text(row["name"]), words.told[row["role"]] if row["is_active"] else "não mora mais", Text(_voice(row)),
            f"bloqueado até {locked[row['name']].astimezone(zone):%H:%M}" if row["name"] in locked
            else "sim" if row["id"] in coded else "não",
            f"{last.astimezone(zone):%d/%m/%Y %H:%M}" if last else "nunca",
        )  # fmt: skip
    out.print(shown)
    _tell(unled)


@people.command("enroll")
@run_async
async def enroll_person(
    name: Name,
    recordings: Annotated[
        list[Path] | None, typer.Argument(help="Gravações só desta pessoa; sem nenhuma, ouço.")
    ] = None,
    *,
    consent: Annotated[bool, typer.Option("--yes", help="A pessoa deixa guardar a impressão da voz.")] = False,
    json: AsJson = False,
) -> None:
    """Aprende a voz de alguém: de gravações, ou pelo microfone, em cinco frases."""
    from daemon.engines import registry  # noqa: PLC0415
    from db import consents  # noqa: PLC0415

    async with people_desk() as at:
        user, spelt = await person_of(at.db, name)
        question = f"{spelt} deixa guardar a impressão da voz, só nesta casa? {ONLY_PERSONAL} Continuar?"
        if not consent:
            typer.confirm(question, abort=True)
        encoder = await asyncio.to_thread(registry.speaker_encoder, lambda: at.prefs)
        try:
            lesson = await _lesson(at, encoder, recordings or [])
            await consents.record(at.db, user, "voiceprint", given=True, how="cli", at=at.now)
            told = await _keep(at, user, lesson, encoder)
            unled = await _unled(at)
        finally:
            encoder.close()
    if json:
        print_json({"name": spelt, **told})
        return
    out.print(
        f"A casa conhece agora a voz de {spelt}: {told['sentences']} frases, {told['seconds']:.0f} s. {ONLY_PERSONAL}"
    )
    for other in told["sounds_like"]:
        out.print(f"A voz de {spelt} e a de {other} são quase iguais: às vezes vou confundir.", style="yellow")
    _tell(unled)


@people.command("test")
@run_async
async def whose_voice(
    recording: Annotated[Path, typer.Argument(help="Uma gravação em que alguém fala.")], json: AsJson = False
) -> None:
    """Diz de quem é a voz de uma gravação, e quanto ela parece com a de cada um."""
    from config.voices import VOICES_TRUST  # noqa: PLC0415
    from daemon.engines import registry  # noqa: PLC0415
    from daemon.people.voices.recordings import vector_of  # noqa: PLC0415
    from daemon.people.voices.voiceprint import needed, whose  # noqa: PLC0415

    async with people_desk() as at:
        encoder = await asyncio.to_thread(registry.speaker_encoder, lambda: at.prefs)
        detector = await asyncio.to_thread(registry.voice_detector)
        try:
            known = (await _voices(at, encoder)).calibrated()
            vector, speech_s = await vector_of(recording, encoder, detector)
        finally:
            encoder.close()
            detector.close()
    heard = whose(known, vector, speech_s)
    scores = [
        {"name": one.person.name, "score": round(one.likeness(vector), 3),
         "needed": round(needed(one.threshold, speech_s), 3),
         "sure": round(needed(one.sure_from, speech_s) + at.prefs[VOICES_TRUST], 3)}
        for one in known
    ]  # fmt: skip
    name = heard.person.name if heard is not None else None
    if json:
        certainty = round(heard.person.certainty, 2) if heard else 0.0
        print_json({"name": name, "certainty": certainty, "speech_s": round(speech_s, 1), "scores": scores})
        return
    out.print(f"É a voz de {name}." if name else "Não é a voz de ninguém que a casa conheça.", markup=False)
    for score in scores:
        enough = f"precisa de {score['needed']}; com {score['sure']}, pode o que é do papel"
        out.print(f"  {score['name']}: {score['score']} ({enough})", markup=False)


@people.command("forget")
@run_async
async def forget_voice(
    name: Name,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Não pergunta antes.")] = False,
    json: AsJson = False,
) -> None:
    """Esquece a voz de alguém. A pessoa e o que é dela ficam; para apagar tudo: mordomo people erase."""
    from db import consents  # noqa: PLC0415
    from db.erasure import Wish  # noqa: PLC0415

    async with people_desk() as at:
        user, spelt = await person_of(at.db, name)
        if not yes:
            typer.confirm(f"Esquecer a voz de {spelt}?", abort=True)
        await consents.record(at.db, user, "voiceprint", given=False, how="cli", at=at.now)
        receipt = await at.erasing.erase(Wish(user, spelt, "voiceprint", "cli", "other"))
    if json:
        print_json({"name": spelt, "receipt": str(receipt.id)})
    else:
        out.print(f"A casa não conhece mais a voz de {spelt}. Recibo: {receipt.id}", markup=False)


async def _unled(at: Desk) -> str | None:
    """Return who could administer a house that nobody does."""
    from db.permissions import next_administrator, residents  # noqa: PLC0415

    return next_administrator(await residents(at.db))


def _tell(unled: str | None) -> None:
    """Say that nobody administers the house, and how somebody does."""
    from db.permissions import make_administrator  # noqa: PLC0415

    if unled is not None:
        out.print(
            "Ninguém administra esta casa ainda, e por voz só quem administra muda quem pode o quê. Para que seja "
            f"{unled}: {make_administrator(unled)}",
            style="yellow", markup=False,
        )  # fmt: skip


async def _lesson(at: Desk, encoder: "SpeakerEncoder", recordings: list[Path]) -> "Lesson":
    """Return the lesson of recordings, or of what is said into the microphone. Raises CannotDo."""
    from daemon.engines import registry  # noqa: PLC0415
    from daemon.people.voices.recordings import learn  # noqa: PLC0415

    detector = await asyncio.to_thread(registry.voice_detector)
    try:
        if recordings:
            return await learn(recordings, encoder, detector)
        from config.preferences import INPUT_DEVICE  # noqa: PLC0415
        from daemon.audio.microphone import Microphone  # noqa: PLC0415
        from daemon.people.voices.spoken import learn_aloud  # noqa: PLC0415

        microphone = Microphone(at.prefs[INPUT_DEVICE])
        return await learn_aloud(microphone, encoder, detector, at.prefs, lambda said: out.print(said, markup=False))
    finally:
        detector.close()


async def _keep(at: Desk, user: UUID, lesson: "Lesson", encoder: "SpeakerEncoder") -> dict[str, Any]:
    from daemon.people.voices.enrolment import keep  # noqa: PLC0415
    from daemon.people.voices.voiceprint import alike  # noqa: PLC0415

    vectors = at.erasing.vectors
    assert vectors is not None  # noqa: S101 - the desk opens a store
    await keep(at.db, vectors, user, lesson, model=encoder.name, now=at.now)
    voices = await _voices(at, encoder)
    pairs = [(a.person, b.person) for a, b in alike(voices.prints)]
    others = [b.name if a.id == user else a.name for a, b in pairs if user in {a.id, b.id}]
    return {"sentences": len(lesson.vectors), "seconds": round(lesson.seconds, 1), "own": round(lesson.own, 2),
            "sounds_like": others}  # fmt: skip


async def _voices(at: Desk, encoder: "SpeakerEncoder") -> "HouseVoices":
    from daemon.clock import SystemClock  # noqa: PLC0415
    from daemon.engines.plug import Plug  # noqa: PLC0415
    from daemon.people.voices.recognition import HouseVoices  # noqa: PLC0415

    vectors = at.erasing.vectors
    assert vectors is not None  # noqa: S101 - the desk opens a store
    voices = HouseVoices(at.db, Plug("voices", lambda: encoder), vectors, lambda: at.prefs, SystemClock())
    await voices.refresh()
    return voices


def _voice(row: Mapping[str, Any]) -> str:
    told = row["voice"] or {}
    if not row["voice_enrolled"]:
        return "não conhece"
    return f"{told.get('sentences', '?')} frases, {str(told.get('at', ''))[:10]}"
