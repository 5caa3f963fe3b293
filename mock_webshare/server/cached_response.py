"""A response as it goes over the wire, made once for all requests that get it."""

from __future__ import annotations

import time
from email.utils import formatdate

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter
from multidict import CIMultiDict

from mock_webshare.service.framework.response import Response
from mock_webshare.version import __version__

_OURS = (("Server", "mock-webshare"), ("Mock-Webshare-Version", __version__))


def wire_headers(response: Response) -> CIMultiDict[str]:
    """Return the headers that go with a response, but for the date."""
    return CIMultiDict([*response.headers, ("Content-Length", str(len(response.body))), *_OURS])


class CachedResponse(web.StreamResponse):
    """A response for those requests that need nothing but its bytes (see `suits`).

    A response of aiohttp is for one request, and makes its head each time; that takes longer than all that
    we decide about a request. This one keeps nothing of the request, so that it can be sent any number of
    times. Only its date changes, once a second.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(status=response.status, headers=wire_headers(response))
        lines = [
            f"HTTP/1.1 {self.status} {self.reason}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        self._head = "\r\n".join([*lines, "Date: "]).encode("latin-1")
        self._dated_head = b""
        self._second = -1
        self._content = response.body

    @property
    def keep_alive(self) -> bool:
        """Whether the connection stays: always, or the response would not suit."""
        return True

    @property
    def body_length(self) -> int:
        """How many bytes are sent, the head among them: that is what aiohttp means."""
        return len(self._dated_head) + len(self._content)

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """Send all of it."""
        if (second := int(time.time())) != self._second:
            self._second = second
            self._dated_head = self._head + formatdate(second, usegmt=True).encode() + b"\r\n\r\n"
        writer = request.writer
        await writer.write_eof(self._dated_head + self._content)
        return writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing more: all is sent."""


def suits(request: web.Request) -> bool:
    """Return whether a request can be given a `CachedResponse`.

    Not one that HEAD asks for, nor a client of HTTP/1.0 or one that closes; nor where an application around
    ours may want to change what is sent.
    """
    return (
        request.version == HttpVersion11
        and request.method != "HEAD"
        and request.keep_alive
        and not any(app.middlewares or app.on_response_prepare for app in request.match_info.apps)
    )
