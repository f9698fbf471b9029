"""What the operator sets before the start: environment variables `MORDOMO_…`, or a `.env` file in the working folder.

What the household changes while Mordomo runs is in `preferences.py` instead.
"""

import os
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def default_data_dir() -> Path:
    """Return where data lives unless told: `/var/lib/mordomo` for root, else `~/.local/share/mordomo`.

    Root's data is never below a home: the embedded database server runs as another user, who must reach its files.
    """
    if os.geteuid() == 0:
        return Path("/var/lib/mordomo")
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "mordomo"


class Environment(BaseSettings):
    """The process's environment. Secrets never show in a repr and never reach a log."""

    model_config = SettingsConfigDict(env_prefix="MORDOMO_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Field(
        default_factory=default_data_dir, description="uma pasta: banco, modelos, registros à espera"
    )
    database_url: SecretStr | None = Field(None, description="postgresql://…; sem ela, o PostgreSQL próprio")
    database_direct_url: SecretStr | None = Field(
        None, description="postgresql://…, o mesmo banco sem PgBouncer no caminho; sem ela, MORDOMO_DATABASE_URL"
    )
    database_owner_url: SecretStr | None = Field(
        None, description="postgresql://…, o mesmo banco como dono das tabelas; sem ela, MORDOMO_DATABASE_DIRECT_URL"
    )
    database_pooled: bool = Field(
        default=False, description="true se MORDOMO_DATABASE_URL é de um PgBouncer em modo transaction"
    )
    mqtt_url: SecretStr | None = Field(
        None, description="mqtt[s]://usuario:senha@servidor:porta; sem ela, o broker próprio"
    )
    backup_dir: Path | None = Field(None, description="backups; unset: data_dir/backup. Better on another disk")
    archive_dir: Path | None = Field(
        None, description="a pasta em que o serviço archive do docker-compose.yml anota como vai; sem ela, nenhuma"
    )
    ollama_url: str = Field("http://127.0.0.1:11434", description="o endereço http://… do Ollama da casa")
    qdrant_url: str | None = Field(None, description="o endereço http://… do Qdrant da casa")
    porcupine_access_key: SecretStr | None = Field(
        None, description="a chave da Picovoice, para wake_word.engine=porcupine"
    )
    http_host: str = Field("127.0.0.1", description="o endereço em que o Mordomo atende neste computador")
    http_port: int = Field(8765, ge=0, le=65535, description="um número de porta, de 0 a 65535; 0 é qualquer uma livre")
    log_format: str = Field("console", pattern="^(console|json)$", description="console ou json")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING ou ERROR")

    @property
    def backups(self) -> Path:
        """The folder of the backups."""
        return (self.backup_dir or self.data_dir / "backup").expanduser().absolute()

    @property
    def models_dir(self) -> Path:
        """Where downloaded weights are kept: `whisper/NAME/` and `piper/NAME.onnx` below it."""
        return self.data_dir / "models"
