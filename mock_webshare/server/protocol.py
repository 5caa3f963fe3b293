"""HTTP/1 by aiohttp, without the pages, texts and `Server` header of aiohttp."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from yarl import URL

from mock_webshare.server.delivery import OWN_HEADERS

SPOKE_TLS = "TLS, but this server speaks HTTP only: the base URL has to begin with http://"
"""What is logged of a connection that begins with TLS."""
_TLS_HANDSHAKE = b"\x16"
"""The first byte of a TLS connection (RFC 8446, 5.1); no HTTP request begins with it."""


class Runner(web.AppRunner):
    """Runs an application so that requests that aiohttp would refuse reach its handlers.

    Bodies arrive as they were sent: aiohttp would refuse a request whose `Content-Encoding` it cannot decode,
    but the service ignores that header.
    """

    def __init__(self, app: web.Application, **options: Any) -> None:
        super().__init__(app, auto_decompress=False, **options)

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        server.__class__ = _Server
        make_request = server.request_factory
        server.request_factory = lambda message, *rest: make_request(_routable(message), *rest)
        return server


def _routable(message: Any) -> Any:
    """Return the head of a request, with a path if its target has none: the router needs a path."""
    # The handlers read the target itself, so its query may be missing here.
    if message.method == "CONNECT":
        path = message.path.partition("?")[0] if message.path.startswith("/") else "/"
        return message._replace(url=URL.build(path=path, encoded=True))
    if message.url.absolute and message.url.raw_path == "/":  # perhaps without the slash
        return message._replace(url=message.url.with_path("/"))
    return message


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(web.RequestHandler):
    __slots__ = ("_is_tls",)

    def data_received(self, data: bytes) -> None:
        """Note whether the connection begins with TLS, and pass the data on."""
        if data[:1] == _TLS_HANDSHAKE and not self._request_count:
            self._is_tls = True
        super().data_received(data)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Respond to what is not valid HTTP, with aiohttp's status and an empty body."""
        if getattr(self, "_is_tls", False):
            self.logger.warning(SPOKE_TLS)
        else:
            super().handle_error(request, status, exc, message)  # logs it, or raises if a response was begun
        response = web.Response(status=status, headers=OWN_HEADERS)
        response.force_close()
        return response


async def handle_expect(request: web.Request) -> None:
    """Send `100 Continue` to a client that waits for it, and ignore other expectations, like the service."""
    if request.version >= (1, 1) and request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the response has not begun
