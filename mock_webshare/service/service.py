"""The mocked service: parses requests, and returns the responses of worlds."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from mock_webshare.contract import messages
from mock_webshare.service import endpoints
from mock_webshare.service.framework import response as responses
from mock_webshare.service.framework.request import Headers, Parser, Request, joined, read_credentials
from mock_webshare.service.framework.response import Response
from mock_webshare.service.settings import Settings
from mock_webshare.service.world.world import World

if TYPE_CHECKING:
    from mock_webshare.service.faults.effects import Outcome

_PARSED, _RESPONSES = 1024, 128  # sizes of the caches of parsed requests and of responses
_DECIDING = (b"host", b"authorization", b"accept", b"content-type", b"prefer")  # the fields of `Headers`
DECIDING = frozenset(_DECIDING)
"""The names of the request headers that affect responses, in lower case."""
_ANY_KEY = "Token any"
RawHeaders = tuple[tuple[bytes, bytes], ...]


class Service:
    """Responds to the requests to one service.

    Clients send the same few requests again and again, so parsed requests and the responses of unchanged
    accounts are cached; only world, rate limit and faults are evaluated each time.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._parser = Parser(settings.contract)
        self._origin = settings.public_url and settings.public_url.rstrip("/")
        self.read = lru_cache(_PARSED)(self._read)
        self._parse = lru_cache(_PARSED)(self._make_request)
        self._cached = lru_cache(_RESPONSES)(endpoints.respond)

    def _read(self, method: str, target: str, sent: RawHeaders, scheme: str) -> tuple[Request, str | None]:
        """Parse a request and its key, None if malformed; `sent` has `DECIDING` headers."""
        headers = Headers(*(joined(name, sent) for name in _DECIDING))
        key, _ = read_credentials(headers.authorization or "")
        if key:  # every key shares the cached request, and the response of an account that is shared
            headers = headers._replace(authorization=_ANY_KEY)
        return self._parse(method, target, headers, scheme), key or None

    def _make_request(self, method: str, target: str, headers: Headers, scheme: str) -> Request:
        host = self._settings.authority if headers.host is None else headers.host
        return self._parser.parse(method, target, headers, host, self._origin or f"{scheme}://{host}")

    def respond(self, world: World | None, request: Request) -> Response:
        """Return the response of a world to a request; None: the key is unknown."""
        if request.refusal is not None:
            return request.refusal
        assert request.endpoint
        if world is None:
            return responses.unauthorized(request.endpoint, messages.UNKNOWN_KEY, request.indent)
        if (wait := world.admit()) is not None:
            return responses.throttled(request.endpoint, wait, request.indent)
        view = world.view
        # A changed account belongs to one world, so its responses would evict those that many share.
        return (self._cached if view.account.is_shared else endpoints.respond)(view, request)

    def outcome(self, world: World, request: Request) -> Outcome:
        """Return the outcome of a request under the faults that strike it."""
        from mock_webshare.service.faults import apply, effects  # most servers never need it

        strikes = apply.strikes(world, request)
        response = apply.response_instead(strikes, request, self._settings.contract)
        if response is None:
            response = self.respond(world, request)
            if request.refusal is None:
                apply.move_pages(world, request, response, strikes)
        return effects.outcome(response, request, strikes, self._settings.contract)
