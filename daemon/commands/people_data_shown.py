"""A receipt as a person reads it, and as a program does."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from db.erasures import Receipt

CALLED = {
    "users": "ficha", "conversations": "conversas", "messages": "mensagens", "actions": "ações",
    "reminders": "lembretes", "reminder_steps": "passos de lembretes", "memories": "lembranças", "lists": "listas",
    "list_items": "itens de listas", "consents": "consentimentos", "permissions": "permissões",
    "approvals": "pedidos de permissão", "inferences": "respostas do modelo", "audit_log": "linhas da auditoria",
    "system_logs": "linhas do registro", "audio": "gravações", "vectors.memories": "vetores de lembranças",
    "vectors.voices": "impressões de voz", "spool": "registros recusados", "unfinished": "passos por terminar",
}  # fmt: skip
SCOPES = {
    "person": "tudo de uma pessoa",
    "since": "o que foi dito desde um momento",
    "voiceprint": "a impressão da voz",
    "audio": "o som guardado",
    "memory": "as lembranças",
}
BEYOND = (
    "o que já saiu daqui: avisos mandados a outro endereço, e o que programas ouviram no broker",
    "o que o sistema anotou da tela do Mordomo (journald, docker logs)",
    "o que outras pessoas disseram e pediram, que é delas",
    "blocos que o disco já soltou e ainda não usou de novo",
)
"""What an erasure does not reach, whatever it does; said with every receipt."""


def what(counts: Mapping[str, int]) -> str:
    """Return what was counted: `12 mensagens, 1 ficha`."""
    return ", ".join(f"{count} {CALLED.get(table, table)}" for table, count in counts.items())


def as_json(receipt: "Receipt") -> dict[str, Any]:
    """Return a receipt without its digests, which only a check needs."""
    return {key: value for key, value in asdict(receipt).items() if key not in {"digests", "pending"}}


def as_text(receipt: "Receipt", zone: ZoneInfo) -> str:
    """Return the lines of a receipt."""
    lines = [
        f"Recibo {receipt.id}, de {receipt.asked_at.astimezone(zone):%d/%m/%Y às %H:%M}: {SCOPES[receipt.scope]}.",
        f"  Apagado: {what(receipt.counts) or 'nada, não havia o que apagar'}.",
    ]
    if receipt.finished_at is None:
        lines.append("  Falta terminar: o servidor de vetores ou o disco não respondeu. O Mordomo tenta a cada minuto.")
    if receipt.verified_at is not None:
        lines.append(f"  Conferido em {receipt.verified_at.astimezone(zone):%d/%m/%Y às %H:%M}: não sobrou nada.")
    lines += _backups(receipt)
    lines += [f"  Não alcanço: {each}." for each in (*receipt.backups.get("beyond", ()), *BEYOND)]
    lines.append(f"  Confira quando quiser: mordomo people erase --verify {receipt.id.hex[-8:]}")
    return "\n".join(lines)


def _backups(receipt: "Receipt") -> list[str]:
    kept = receipt.backups
    if kept.get("state") == "replaced":
        removed = ", ".join(kept.get("removed", ()))
        return [f"  Cópias de segurança: {kept['by']} tomou o lugar de {removed}."] if removed else [
            "  Cópias de segurança: nenhuma tinha isso."
        ]  # fmt: skip
    if kept.get("state") == "marked":
        names = ", ".join(kept.get("holding", ()))
        return [f"  Cópias de segurança que ainda têm isso, até saírem pela idade: {names}."]
    return ["  Cópias de segurança: as que ainda têm isso esperam por uma nova, que as troca."]
