"""The control plane: arranging worlds over HTTP, under `/__mock__/`.

A world is addressed by its key, in the header that the service reads too: `Authorization: Token KEY`.
What can be done is a table; each verb reads its input, calls one method of a world, and answers.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from mock_webshare.control.guard import TOKEN_HEADER, Guard
from mock_webshare.control.problems import Problem, problem_of, refused
from mock_webshare.control.routes import ROOT, VERBS, Asked, Verb, document
from mock_webshare.errors import shown
from mock_webshare.exchange.redaction.redactor import Redactor
from mock_webshare.service.data.fields import read_json
from mock_webshare.service.framework.rendering import render
from mock_webshare.service.framework.request import joined, read_credentials, split_target
from mock_webshare.service.settings import Settings
from mock_webshare.service.world.registry import Worlds
from mock_webshare.version import __version__

__all__ = ["ROOT", "TOKEN_HEADER", "VERBS", "Asked", "Control", "Problem", "Verb", "document"]

LARGEST_BODY = 256 * 1024 * 1024
"""Bytes of a request's body: a data set of a million credits has about as many."""
_SMALL_BODY = 65_536
"""Bytes of a body up to which it is read at once; meanwhile nothing else is answered."""

_FILES = {"har": "application/json", "ndjson": "application/x-ndjson"}
"""What an answer is, where it is not plain JSON."""

_HEADERS = {
    "Server": "mock-webshare",
    "Mock-Webshare-Version": __version__,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


class Control:
    """The control plane of some worlds."""

    def __init__(self, worlds: Worlds, settings: Settings) -> None:
        self._worlds = worlds
        self._settings = settings
        self._guard = Guard(settings)

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a request under `ROOT`; every refusal is problem details, without the key and the token."""
        authorization = joined(b"authorization", request.raw_headers) or ""
        key, _ = read_credentials(authorization)
        secrets = [each for each in (key, self._settings.control_token) if each]
        try:
            response = await self._answer(request, key or None, secrets)
        except ConnectionError:  # nobody waits for an answer any more
            raise
        except Exception as error:
            problem = problem_of(error)
            response = refused(problem, Redactor(secrets).url(str(problem)))
        response.headers.update(_HEADERS)
        return response

    async def _answer(self, request: web.Request, key: str | None, secrets: Sequence[str]) -> web.Response:
        if refusal := self._guard.refusal(request):
            raise Problem(403, refusal)
        path, _ = split_target(request.raw_path)
        verb, parts = _find(request.method, path.removeprefix(ROOT))
        body = await _read_body(request, verb) if verb.body else None
        answer = verb.act(Asked(self._worlds, key, parts, body, secrets))
        if callable(answer):
            return await asyncio.to_thread(lambda: _response(verb, answer()))
        return _response(verb, answer)


_PATTERNS = [
    (re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(verb.path))), verb) for verb in VERBS
]


def _find(method: str, path: str) -> tuple[Verb, Mapping[str, str]]:
    """Given a method and a decoded path under `ROOT`, return the verb, and what its path has in braces."""
    found = [(verb, match.groupdict()) for pattern, verb in _PATTERNS if (match := pattern.fullmatch(path))]
    if not found:
        raise Problem(404, f"there is no such verb; GET {ROOT}openapi.json lists them")
    for verb, parts in found:
        if verb.method == ("GET" if method == "HEAD" else method):
            return verb, parts
    methods = [verb.method for verb, _ in found]
    allowed = ", ".join([*methods, "HEAD"] if "GET" in methods else methods)
    raise Problem(405, f"{method} is no method of the verb; allowed: {allowed}", {"Allow": allowed})


async def _read_body(request: web.Request, verb: Verb) -> Any:
    """Return what a verb reads in the body. Only as JSON: a form is what a foreign page can send unasked."""
    if request.content_type != "application/json":
        sent = shown(request.headers.get("Content-Type"))
        raise Problem(415, f"Content-Type {sent} is not allowed; allowed: application/json")
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise Problem(413, f"the body is too large; allowed: {LARGEST_BODY:,} bytes")
    if len(body) <= _SMALL_BODY:
        return verb.read(read_json(bytes(body), source="body"))
    return await asyncio.to_thread(lambda: verb.read(read_json(bytes(body), source="body")))


def _response(verb: Verb, answer: Any) -> web.Response:
    if verb.answer is None:
        return web.Response(status=204)
    content_type = _FILES.get(verb.answer)
    content = answer.encode() if content_type else render(answer)
    return web.Response(status=verb.status, body=content, content_type=content_type or "application/json")
