"""HTTP whose responses end: a line without an end would fill the memory."""

from collections.abc import AsyncIterator
from typing import cast

import httpx

MOST_BYTES = 8 << 20
"""Bytes of one answer from the server; 4,096 tokens are one megabyte of JSON."""


class Bounded(httpx.AsyncHTTPTransport):
    """Ends a response after MOST_BYTES."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response; reading more of it raises httpx.ReadError."""
        response = await super().handle_async_request(request)
        response.stream = _Stream(cast("httpx.AsyncByteStream", response.stream))
        return response


class _Stream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        taken = 0
        async for chunk in self._stream:
            taken += len(chunk)
            if taken > MOST_BYTES:
                raise httpx.ReadError(f"more than {MOST_BYTES} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
