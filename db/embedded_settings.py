"""The embedded server's configuration files, written anew at each start.

Sized for a small house server that shares its memory with Whisper and a voice. What an operator adds in
`postgres/data/custom.conf` is read last and so wins.
"""

from collections.abc import Mapping
from pathlib import Path

from db.roles import APP, READER

ACCESS = """\
# Written by Mordomo. Only the users of pg_ident.conf, proved by the kernel, through the unix socket.
local all all peer map=mordomo
local replication all peer map=mordomo
"""

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "50",
    "cluster_name": "mordomo",
    # Memory and processes: a house has a few clients and small tables.
    "shared_buffers": "64MB",
    "effective_cache_size": "512MB",
    "maintenance_work_mem": "32MB",
    "io_method": "sync",
    "max_worker_processes": "2",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "autovacuum_max_workers": "2",
    "autovacuum_worker_slots": "2",
    "jit": "off",
    # What is committed survives a power cut; the log of changes stays small on a memory card.
    "fsync": "on",
    "synchronous_commit": "on",
    "wal_compression": "pglz",
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "max_wal_senders": "2",
    # A forgotten transaction would hold back vacuum, and slow every query on the due reminders.
    "idle_in_transaction_session_timeout": "5min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "default_text_search_config": "pg_catalog.portuguese",
    # A file for each day of the week, overwritten when its day comes again. Neither parameters nor rows are logged:
    # they are what people said at home.
    "logging_collector": "on",
    "log_filename": "server-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_file_mode": "0600",
    "log_min_duration_statement": "1s",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}


def settings(socket_dir: Path, logs: Path, archiving: Mapping[str, str]) -> str:
    """Return the text of `postgresql.conf`; `archiving` says how the log of changes is kept (db/backup/wal.py)."""
    paths = {"unix_socket_directories": f'"{socket_dir}"', "log_directory": str(logs)}
    return conf_text({**SETTINGS, **archiving, **paths}) + CUSTOM


def conf_text(values: Mapping[str, str]) -> str:
    """Return the text of a `postgresql.conf` with these values."""
    lines = [f"{name} = {_quoted(value)}" for name, value in values.items()]
    return "\n".join(["# Written by Mordomo at each start; put your own in custom.conf.", *lines, ""])


CUSTOM = "include_if_exists = 'custom.conf'\n"


def users_map(names: set[str]) -> str:
    """Return the text of `pg_ident.conf`: these users of the operating system may be any of the database's roles."""
    quoted = [name.replace('"', '""') for name in sorted(names)]
    lines = [f'mordomo "{name}" {role}' for name in quoted for role in ("mordomo", APP, READER)]
    return "\n".join(["# Written by Mordomo at each start.", *lines, ""])


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
