"""Files from a model hub: listed, fetched with resumption, compared with their checksums.

Source of the protocol: Hugging Face Hub's API, `GET /api/models/{repo}/tree/{revision}/{path}` (files with size, git
object id and, for large ones, the SHA-256 of their content) and `GET /{repo}/resolve/{revision}/{file}` (redirected for
large ones); ranges as in RFC 9110 §14. No account, no key, no telemetry: these are two plain requests.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import structlog

from daemon.clock import Clock
from daemon.engines.parts import (
    HubFile,
    disk_full_said,
    forget,
    length,
    part_name,
    prepare,
    settle,
    sync_folder,
)
from daemon.errors import EngineFailed, EngineMissing, LinkDown

log = structlog.get_logger(__name__)

HUB = "https://huggingface.co"
REVISION = "main"
TRIES = 5
"""Interruptions in a row, without one new byte, after which we give up."""
MOST_TRIES = 50
MOST_SPOILED = 2
CONNECT_S, READ_S = 5.0, 30.0
MOST_LIST_BYTES = 4 << 20

Progress = Callable[[str, int, int | None], None]
"""Called with a file's name, the bytes of it that are here, and its whole size."""


class Hub:
    """A model hub at `endpoint`. Its errors name the hub and say what to do, in Portuguese."""

    def __init__(self, endpoint: str, clock: Clock) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._clock = clock
        self._host = urlsplit(endpoint).hostname or endpoint
        # A proxy from the environment leads outside, never to this machine.
        self._trust_env = self._host not in {"127.0.0.1", "localhost", "::1"}

    async def files(self, repo: str, below: str = "") -> list[HubFile]:
        """Return the files of `repo` in the folder `below`. Raises LinkDown, EngineMissing or EngineFailed."""
        path = f"/{quote(below)}" if below else ""
        async with self._client() as client, self._translated(repo):
            return await self._list(client, repo, f"/api/models/{quote(repo)}/tree/{REVISION}{path}")

    async def fetch(self, repo: str, files: Sequence[HubFile], into: Path, progress: Progress) -> Path:
        """Bring `files` into the folder `into`, going on with what is there; return it. Raises as `files` does."""
        with disk_full_said(into):
            lacking = await asyncio.to_thread(prepare, into, files)
            async with self._client() as client:
                for file in lacking:
                    await self._bring(client, repo, file, into, progress)
            sync_folder(into)
        return into

    async def _list(self, client: httpx.AsyncClient, repo: str, url: str) -> list[HubFile]:
        async with client.stream("GET", url) as response:
            self._check(response, repo)
            try:
                entries = json.loads(await _bounded(response, MOST_LIST_BYTES))
                return [_file(entry) for entry in entries if entry["type"] == "file"]
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as garbage:
                why = f"{self._host} respondeu algo que não é uma lista de arquivos"
                raise EngineFailed("download", why) from garbage

    async def _bring(self, client: httpx.AsyncClient, repo: str, file: HubFile, into: Path, progress: Progress) -> None:
        part = into / part_name(file)
        fruitless = spoiled = 0
        for _ in range(MOST_TRIES):
            had = length(part)
            try:
                async with self._translated(repo):
                    await self._go_on(client, repo, file, part, progress)
            except LinkDown as down:
                fruitless = fruitless + 1 if length(part) <= had else 1
                if fruitless >= TRIES:
                    raise
                log.warning("download_interrupted", file=file.name, bytes=length(part), why=down.why)
                await self._clock.sleep(0.5 * 2**fruitless)
                continue
            if await asyncio.to_thread(settle, part, file):
                return
            spoiled += 1
            if spoiled == MOST_SPOILED:
                raise EngineFailed("download", f"{file.name} chegou corrompido {spoiled} vezes; tente mais tarde")
        raise LinkDown(self._host, f"a conexão caiu {MOST_TRIES} vezes; rode de novo para continuar de onde parou")

    async def _go_on(self, client: httpx.AsyncClient, repo: str, file: HubFile, part: Path, progress: Progress) -> None:
        """Fetch what `part` lacks of `file`; it may be whole already."""
        have = length(part)
        progress(file.name, have, file.size)
        if have == file.size > 0:
            return
        headers = {"Range": f"bytes={have}-"} if have else {}
        url = f"/{quote(repo)}/resolve/{REVISION}/{quote(file.path)}"
        async with client.stream("GET", url, headers=headers) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                forget(part)
                raise LinkDown(self._host, "o arquivo mudou no servidor; recomeçando")
            self._check(response, repo)
            if not _continues(response, have):
                have = 0
            with part.open("ab" if have else "wb") as out:
                async for chunk in response.aiter_bytes():
                    have += len(chunk)
                    if have > file.size:
                        raise EngineFailed("download", f"{file.name} é maior do que o servidor anunciou")
                    await asyncio.to_thread(out.write, chunk)
                    progress(file.name, have, file.size)
        if have < file.size:
            raise LinkDown(self._host, "a conexão caiu no meio")

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self._endpoint,
            follow_redirects=True,
            trust_env=self._trust_env,
            timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
            # What is compressed on the way cannot be resumed by byte.
            headers={"User-Agent": "mordomo", "Accept-Encoding": "identity"},
        )

    def _check(self, response: httpx.Response, repo: str) -> None:
        code = response.status_code
        if code in {httpx.codes.NOT_FOUND, httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise EngineMissing("download", f"{repo} não existe em {self._host}, ou não é público", "confira o nome")
        if code >= 500 or code == httpx.codes.TOO_MANY_REQUESTS:
            raise LinkDown(self._host, f"o servidor está com problemas (código {code}); tente mais tarde")
        if not response.is_success:
            raise EngineFailed("download", f"{self._host} respondeu com o código {code}")

    @asynccontextmanager
    async def _translated(self, repo: str) -> AsyncIterator[None]:
        try:
            yield
        except httpx.ProxyError as proxy:
            raise LinkDown(self._host, f"o proxy não deixou passar ({proxy})") from proxy
        except (httpx.ConnectError, httpx.ConnectTimeout) as away:
            found = "não achei esse endereço" if _is_unresolved(away) else "não consegui conectar"
            raise LinkDown(self._host, f"{found}; confira a internet e rode de novo") from away
        except httpx.TransportError as cut:
            raise LinkDown(self._host, f"a conexão caiu no meio ({type(cut).__name__})") from cut
        except (httpx.InvalidURL, httpx.TooManyRedirects) as wrong:
            raise EngineFailed("download", f"{self._host} mandou para um endereço que não serve: {repo}") from wrong


def _file(entry: dict[str, Any]) -> HubFile:
    path, size, lfs = str(entry["path"]), int(entry["size"]), entry.get("lfs")
    return HubFile(path, size, str(lfs["oid"] if lfs else entry["oid"]).lower(), is_sha256=bool(lfs))


async def _bounded(response: httpx.Response, most: int) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes(65536):
        body += chunk
        if len(body) > most:
            raise ValueError("longer than any list of files")
    return body


def _continues(response: httpx.Response, have: int) -> bool:
    """Tell whether the answer begins where we stopped; a server may ignore the range and send everything."""
    return response.status_code == httpx.codes.PARTIAL_CONTENT and response.headers.get("Content-Range", "").replace(
        "bytes ", ""
    ).partition("-")[0] == str(have)


def _is_unresolved(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
