"""Bring the household's schema to this Mordomo's revision, with a proved copy of what is about to change."""

from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

import structlog

from config.preferences import BACKUP_ENABLED, HOUSE_TIMEZONE
from daemon.backups import keep_of
from db.backup.folder import BackupFailed, Folder
from db.backup.routine import back_up
from db.backup.source import Source
from db.preferences import load_from
from db.server_account import CannotStart
from db.upgrade import upgrade

log = structlog.get_logger(__name__)


async def migrate(source: Source, folder: Folder, *, backup: bool = True) -> None:
    """Migrate; before an existing schema changes, back it up, unless the household has backups off.

    Raises LinkDown, SchemaTooNew, SchemaBusy, and BackupFailed: then nothing was changed.
    """
    await upgrade(source.url, before=partial(_keep_a_copy, source, folder) if backup else None)


async def _keep_a_copy(source: Source, folder: Folder) -> None:
    prefs = await load_from(source.url)
    if not prefs[BACKUP_ENABLED]:
        log.warning("schema_upgrade_without_backup", preference=BACKUP_ENABLED.key)
        return
    try:
        made = await back_up(source, folder, keep_of(prefs), ZoneInfo(prefs[HOUSE_TIMEZONE]), datetime.now(UTC))
    except (BackupFailed, CannotStart) as failed:
        raise BackupFailed(
            f"Não mudei as tabelas: antes disso faço uma cópia de segurança, e ela falhou. {failed} "
            "Para atualizar sem cópia: mordomo db upgrade --no-backup"
        ) from failed
    log.info("backup_made", name=made.name, bytes=made.size)
