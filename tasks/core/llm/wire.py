"""The way to an endpoint: no more bytes than an answer can have, no other host, no odd proxy."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx2

from tasks.core.workspace.network import check_certificates, proxy_for

MOST = 4 << 20  # bytes of a reply: 100,000 tokens, the most of label.max_tokens, take about 1 MiB
CONNECTIONS = httpx2.Limits(max_connections=1_000, max_keepalive_connections=100)


class UnusableReplyError(httpx2.DecodingError):
    """A reply that is not read to its end; its message is the `kind` of a NoAnswerError."""


def client(base_url: str, timeout: float) -> httpx2.AsyncClient:
    """Return an HTTP client for one endpoint; InputError for proxy settings that cannot be used."""
    check_certificates()
    inner = httpx2.AsyncHTTPTransport(limits=CONNECTIONS, proxy=proxy_for(base_url))
    return httpx2.AsyncClient(
        transport=_Bounded(inner),
        timeout=timeout,
        follow_redirects=False,  # texts go to no other host
        trust_env=False,  # proxies are chosen above
    )


class _Bounded(httpx2.AsyncBaseTransport):
    def __init__(self, inner: httpx2.AsyncHTTPTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request that wants no compression; bound what comes back."""
        request.headers["accept-encoding"] = "identity"
        reply = await self._inner.handle_async_request(request)
        coding = reply.headers.pop("content-encoding", "identity").strip().lower()
        stream = _Stream(reply.stream, coding)
        return httpx2.Response(
            reply.status_code, headers=reply.headers, stream=stream, extensions=reply.extensions
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._inner.aclose()


class _Stream(httpx2.AsyncByteStream):
    def __init__(self, inner: Any, coding: str) -> None:
        self._inner, self._coding = inner, coding

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the plain bytes; UnusableReplyError from MOST on, as they came or unpacked."""
        unpack = self._unpacker()
        came, left = 0, MOST
        async for chunk in self._inner:
            came += len(chunk)  # what unpacks to nothing, or follows the end, has no end either
            part = chunk if unpack is None else _unpacked(unpack, chunk, left + 1)
            left -= len(part)
            if left < 0 or came > MOST:
                raise UnusableReplyError(f"reply over {MOST >> 20} MiB")
            yield part

    def _unpacker(self) -> zlib._Decompress | None:
        if self._coding in ("identity", ""):
            return None
        if self._coding not in ("gzip", "x-gzip", "deflate"):
            raise UnusableReplyError("malformed reply: compressed, which was not asked for")
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # either header

    async def aclose(self) -> None:
        """Give the reply's connection back."""
        await self._inner.aclose()


def _unpacked(unpack: zlib._Decompress, chunk: bytes, most: int) -> bytes:
    try:
        return unpack.decompress(chunk, most)
    except zlib.error:
        raise UnusableReplyError("malformed reply: compressed, and damaged") from None
