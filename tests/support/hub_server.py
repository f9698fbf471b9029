"""A model hub on 127.0.0.1: Hugging Face's tree and resolve requests over real sockets, and what goes wrong with them.

Large files are redirected (302, with X-Linked-Etag and X-Linked-Size) to a second path, as the real hub sends them to
its CDN; ranges are honoured there.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from support.served import served

LARGE = 1000
"""Files beyond so many bytes are kept in LFS."""
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class HubServer:
    """Files by repository and path, and the faults to commit.

    `cuts`: how many answers break off after `cut_after` bytes. `spoil`: how many bodies have a wrong byte. `busy`: how
    many requests get 503. `deaf`: ranges are ignored. `lying_range`: every range is refused with 416, that many times.
    """

    repos: dict[str, dict[str, bytes]]
    cuts: int = 0
    cut_after: int = 700
    spoil: int = 0
    busy: int = 0
    deaf: bool = False
    refused_ranges: int = 0
    listing: bytes | None = None
    longer: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Path and Range header of every request."""
    served: int = 0
    """Bytes of content sent."""
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                _, target, _ = head.split("\r\n", 1)[0].split(" ", 2)
                ranged = next(
                    (line.split(": ", 1)[1] for line in head.split("\r\n") if line.lower().startswith("range:")), ""
                )
                path = unquote(target.partition("?")[0])
                self.asked.append((path, ranged))
                if not await self._answer(path, ranged, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def large(self) -> list[tuple[str, str]]:
        """Requests that reached the CDN."""
        return [(path, ranged) for path, ranged in self.asked if path.startswith("/cdn/")]

    async def _answer(self, path: str, ranged: str, writer: asyncio.StreamWriter) -> bool:
        if self.busy:
            self.busy -= 1
            return await _send(writer, 503, b"busy")
        for repo, files in self.repos.items():
            if path.startswith(f"/api/models/{repo}/tree/main"):
                return await self._tree(files, path.removeprefix(f"/api/models/{repo}/tree/main").strip("/"), writer)
            resolve = f"/{repo}/resolve/main/"
            if path.startswith(resolve) and (name := path.removeprefix(resolve)) in files:
                return await self._resolve(repo, name, files[name], ranged, writer)
            cdn = f"/cdn/{repo}/"
            if path.startswith(cdn):
                return await self._content(files[path.removeprefix(cdn)], ranged, writer)
        return await _send(writer, 404, b"Entry not found", {"X-Error-Code": "RepoNotFound"})

    async def _tree(self, files: dict[str, bytes], below: str, writer: asyncio.StreamWriter) -> bool:
        prefix = f"{below}/" if below else ""
        here = {name: content for name, content in files.items() if name.startswith(prefix)}
        if not here:
            return await _send(writer, 404, b"{}", {"X-Error-Code": "EntryNotFound"})
        folders = {
            prefix + name.removeprefix(prefix).split("/")[0] for name in here if "/" in name.removeprefix(prefix)
        }
        entries: list[dict[str, Any]] = [
            {"type": "directory", "oid": "f" * 40, "size": 0, "path": name} for name in sorted(folders)
        ]
        entries += [
            _entry(name, content) for name, content in sorted(here.items()) if "/" not in name.removeprefix(prefix)
        ]
        body = json.dumps(entries).encode() if self.listing is None else self.listing
        return await _send(writer, 200, body, {"Content-Type": "application/json; charset=utf-8"})

    async def _resolve(self, repo: str, name: str, content: bytes, ranged: str, writer: asyncio.StreamWriter) -> bool:
        headers = {"X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        if len(content) <= LARGE:
            return await self._content(content, ranged, writer, headers | {"ETag": f'"{_git_sha1(content)}"'})
        linked = {"X-Linked-Size": str(len(content)), "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"'}
        return await _send(
            writer, 302, b"Found", headers | linked | {"Location": f"{self.url}/cdn/{repo}/{name}?X-Amz-Signature=abc"}
        )

    async def _content(
        self, content: bytes, ranged: str, writer: asyncio.StreamWriter, headers: dict[str, str] | None = None
    ) -> bool:
        start = int(ranged.removeprefix("bytes=").split("-")[0]) if ranged and not self.deaf else 0
        if start and (start >= len(content) or self.refused_ranges):
            self.refused_ranges = max(0, self.refused_ranges - 1)
            return await _send(writer, 416, b"", {"Content-Range": f"bytes */{len(content)}"})
        body = content[start:]
        if self.spoil:
            self.spoil -= 1
            body = bytes([body[0] ^ 1]) + body[1:]
        if self.longer:
            body += b"more"
        headers = dict(headers or {}) | {"Accept-Ranges": "bytes"}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        if self.cuts and len(body) > self.cut_after:
            self.cuts -= 1
            self.served += self.cut_after
            await _send(writer, 206 if start else 200, body[: self.cut_after], headers, length=len(body))
            return False
        self.served += len(body)
        return await _send(writer, 206 if start else 200, body, headers)


def _entry(name: str, content: bytes) -> dict[str, Any]:
    if len(content) <= LARGE:
        return {"type": "file", "oid": _git_sha1(content), "size": len(content), "path": name}
    digest = hashlib.sha256(content).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n".encode()
    lfs = {"oid": digest, "size": len(content), "pointerSize": len(pointer)}
    return {"type": "file", "oid": _git_sha1(pointer), "size": len(content), "lfs": lfs, "path": name}


def _git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


async def _send(
    writer: asyncio.StreamWriter,
    status: int,
    body: bytes,
    headers: dict[str, str] | None = None,
    *,
    length: int | None = None,
) -> bool:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    await writer.drain()
    return True


@asynccontextmanager
async def hub_server(repos: dict[str, dict[str, bytes]]) -> AsyncIterator[HubServer]:
    """Run the hub on a free port of 127.0.0.1."""
    hub = HubServer(repos)
    async with served(hub.serve) as hub.url:
        yield hub
