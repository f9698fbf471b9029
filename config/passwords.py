"""Make the passwords of the house's servers: `.env` and mosquitto's password file, for docker-compose.yml.

Run as `python -m config.passwords` in the repository's root. Files that exist are left alone.
"""

import base64
import hashlib
import os
import secrets
import shutil
import sys
from pathlib import Path

EXAMPLE = ".env.example"
PASSWORDS = "config/mosquitto.passwords"
ACL = "config/mosquitto.acl"
MQTT_USER = "mordomo"
ITERATIONS = 101
"""As mosquitto_passwd(1) of Mosquitto 2.0; the passwords are random, so that guessing is hopeless anyway."""


def mosquitto_line(user: str, password: str) -> str:
    """Return a line of mosquitto's password file: PBKDF2 with HMAC-SHA512, as `mosquitto_passwd` writes it."""
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"{user}:$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}\n"


def filled(example: str) -> tuple[str, dict[str, str]]:
    """Return the text of `.env` with a new secret in each empty assignment of `example`, and those secrets by name."""
    made: dict[str, str] = {}
    lines = []
    for line in example.splitlines():
        name, equals, value = line.partition("=")
        if equals and not value and not name.startswith("#"):
            made[name] = secrets.token_hex(16)
            lines.append(f"{name}={made[name]}")
        else:
            lines.append(line)
    return "\n".join(lines) + "\n", made


def write_private(path: Path, text: str) -> None:
    """Create `path` with mode 600. Raises FileExistsError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def main(root: Path) -> int:
    """Write the files below `root`; return 1 if any exists already."""
    targets = [root / ".env", root / PASSWORDS]
    if there := [str(path.relative_to(root)) for path in targets if path.exists()]:
        print(f"Já existe: {', '.join(there)}. Para senhas novas, apague e rode de novo.", file=sys.stderr)
        return 1
    text, made = filled((root / EXAMPLE).read_text(encoding="utf-8"))
    write_private(root / ".env", text)
    write_private(root / PASSWORDS, mosquitto_line(MQTT_USER, made["MQTT_PASSWORD"]))
    if not (root / ACL).exists():
        shutil.copy(root / f"{ACL}.example", root / ACL)
    print("Senhas criadas em .env e em config/mosquitto.passwords. Agora: docker compose up -d")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
