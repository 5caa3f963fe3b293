"""The control plane: arranging worlds over HTTP, under `/__mock__/`.

A world is addressed by its key, in the header that the service reads too: `Authorization: Token KEY`.
What can be done is a table; each verb reads its input, calls one method of a world, and answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from hmac import compare_digest
from http import HTTPStatus
from io import StringIO
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from aiohttp import web

from mock_webshare import __version__, framework, openapi
from mock_webshare.errors import DataError, MockWebshareError, UnknownRow
from mock_webshare.journal import Journal
from mock_webshare.kinds import BOOLEAN, Kind, read_json, read_object, require_keys
from mock_webshare.rendering import render
from mock_webshare.scenarios import SCENARIOS
from mock_webshare.settings import Settings
from mock_webshare.traffic import archives
from mock_webshare.traffic.redaction import Redactor
from mock_webshare.world import World
from mock_webshare.worlds import Worlds

ROOT = "/__mock__/"
TOKEN_HEADER = "Mock-Webshare-Token"  # noqa: S105  # the name of a header
LARGEST_BODY = 256 * 1024 * 1024
"""Bytes of a request's body: a data set of a million credits has about as many."""

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


class Asked(NamedTuple):
    """What a verb is given: the worlds, the world or journal of the key, and what was sent."""

    worlds: Worlds
    key: str | None
    path: Mapping[str, str]
    body: Any

    @property
    def world(self) -> World:
        """The world of the key."""
        world = None if self.key is None else self.worlds.get(self.key)
        if world is None:
            problem = "no world is named" if self.key is None else "this key is not known"
            raise Problem(401, f"{problem}; name one by its key, with the header Authorization: Token KEY")
        return world

    @property
    def journal(self) -> Journal:
        """The journal of the world; without a key, that of the requests that came without a known one."""
        return self.worlds.keyless if self.key is None else self.world.journal

    @property
    def id(self) -> int:
        """The number in the path."""
        try:
            return int(self.path["id"])
        except ValueError as error:
            raise UnknownRow("id", self.path["id"]) from error


class Problem(Exception):
    """Why a request to the control plane is refused (RFC 9457)."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers


class Verb(NamedTuple):
    """One thing that can be done; `body` names the schema of what is sent, None: nothing is."""

    method: str
    path: str
    says: str
    act: Callable[[Asked], Any]
    body: str | None = None
    answer: str | None = None
    """The schema of what is answered. None: nothing is, with 204."""
    status: int = 200


def _requests(asked: Asked) -> dict[str, Any]:
    redactor = Redactor()
    entries = list(asked.journal)
    exchanges = map(redactor.exchange, asked.journal.exchanges())
    requests = [
        {**exchange.wire(), "faults": list(entry.faults)}
        for exchange, entry in zip(exchanges, entries, strict=True)
    ]
    return {"requests": requests, "dropped": asked.journal.dropped}


_WANTED: Mapping[str, Kind] = {
    "method": Kind(lambda value: isinstance(value, str), "a method like GET"),
    "path": Kind(lambda value: isinstance(value, str), "a path, decoded"),
    "query": Kind(lambda value: isinstance(value, dict), "an object of parameters and their values"),
}


def _count(asked: Asked) -> dict[str, int]:
    require_keys("request", "", asked.body, ("method", "path"), tuple(_WANTED))
    wanted = read_object("request", "", asked.body, _WANTED, optional=True)
    return {"count": asked.world.count_requests(**wanted)}


def _archive(write: Callable[..., object]) -> Callable[[Asked], str]:
    """Return what answers the journal as a file, without the keys in it."""

    def written(asked: Asked) -> str:
        stream = StringIO()
        write(map(Redactor().exchange, asked.journal.exchanges()), stream)
        return stream.getvalue()

    return written


_CLOCK: Mapping[str, Kind] = {
    "now": Kind(lambda value: isinstance(value, str), "a date and time with its offset"),
    "advance": Kind(lambda value: isinstance(value, str), "an ISO 8601 duration like P30D"),
    "running": BOOLEAN,
}


def _set_clock(asked: Asked) -> dict[str, Any]:
    return asked.world.set_clock(**read_object("clock", "", asked.body, _CLOCK, optional=True))


def _fields(asked: Asked) -> dict[str, Any]:
    """Return the body, which is an object of which the world checks each field."""
    if not isinstance(asked.body, dict):
        raise DataError.refused("body", "", asked.body, "an object")
    return asked.body


def document() -> dict[str, Any]:
    """Return the OpenAPI document of the control plane, printed from the table of verbs."""
    return openapi.document(ROOT, VERBS)


def _scenarios(asked: Asked) -> dict[str, str]:
    return {f"scenario:{name}": scenario.says for name, scenario in SCENARIOS.items()}


# fmt: off
VERBS: Sequence[Verb] = (
    Verb("GET", "health", "Say that the server is ready.", lambda it: {"status": "ready"}, answer="health"),
    Verb("GET", "version", "Say which version it is.", lambda it: {"version": __version__}, answer="version"),
    Verb("GET", "openapi.json", "Describe all this.", lambda it: document(), answer="openapi"),
    Verb("GET", "scenarios", "List the keys that begin in trouble.", _scenarios, answer="scenarios"),
    Verb("GET", "worlds", "Count the worlds.", lambda it: it.worlds.counted(), answer="worlds"),
    Verb("DELETE", "worlds", "Let all worlds go.", lambda it: it.worlds.forget_all()),
    Verb("POST", "reset", "Be as in the beginning.", lambda it: it.world.reset()),
    Verb("GET", "state", "The whole world as a data set.", lambda it: it.world.state(), answer="data-set"),
    Verb("PUT", "state", "Hold a data set.", lambda it: it.world.put_state(it.body), body="data-set"),
    Verb("GET", "snapshots", "The names of the snapshots.", lambda it: it.world.snapshots(), answer="names"),
    Verb("PUT", "snapshots/{name}", "Save account, clock, settings and faults.",
         lambda it: it.world.take_snapshot(it.path["name"])),
    Verb("POST", "snapshots/{name}/restore", "Be as when the snapshot was taken.",
         lambda it: it.world.restore_snapshot(it.path["name"])),
    Verb("DELETE", "snapshots/{name}", "Forget a snapshot.",
         lambda it: it.world.delete_snapshot(it.path["name"])),
    Verb("GET", "credits", "All credits.", lambda it: it.world.credits(), answer="credits"),
    Verb("POST", "credits", "Add a credit; every field may be left out.",
         lambda it: it.world.create_credit(**_fields(it)), body="credit-fields", answer="credit", status=201),
    Verb("GET", "credits/{id}", "One credit.", lambda it: it.world.credit(it.id), answer="credit"),
    Verb("PATCH", "credits/{id}", "Change fields of a credit.",
         lambda it: it.world.change_credit(it.id, **_fields(it)), body="credit-fields", answer="credit"),
    Verb("DELETE", "credits/{id}", "Remove a credit.", lambda it: it.world.delete_credit(it.id)),
    Verb("POST", "credits/{id}/revert", "Revert a credit.",
         lambda it: it.world.revert_credit(it.id), answer="credit"),
    Verb("GET", "channels", "All channels.", lambda it: it.world.channels(), answer="channels"),
    Verb("POST", "channels", "Add a channel.",
         lambda it: it.world.create_channel(**_fields(it)), body="channel", answer="channel", status=201),
    Verb("DELETE", "channels/{id}", "Remove a channel that no credit names.",
         lambda it: it.world.delete_channel(it.id)),
    Verb("GET", "clock", "What the clock shows.", lambda it: it.world.clock(), answer="clock"),
    Verb("PUT", "clock", "Set the clock, move it on, let it run or stand.", _set_clock,
         body="clock-change", answer="clock"),
    Verb("GET", "faults", "The faults that are set.", lambda it: it.world.faults(), answer="faults"),
    Verb("POST", "faults", "Set a fault.",
         lambda it: it.world.add_fault(**_fields(it)), body="fault", answer="active-fault", status=201),
    Verb("DELETE", "faults", "Remove all faults.", lambda it: it.world.clear_faults()),
    Verb("DELETE", "faults/{id}", "Remove a fault.", lambda it: it.world.remove_fault(it.id)),
    Verb("GET", "requests", "What was asked and answered, without the keys.", _requests, answer="requests"),
    Verb("DELETE", "requests", "Forget what was asked.", lambda it: it.journal.clear()),
    Verb("POST", "requests/count", "Count requests.", _count, body="wanted", answer="count"),
    Verb("GET", "requests.har", "The journal as HAR 1.2.", _archive(archives.write_har), answer="har"),
    Verb("GET", "requests.ndjson", "The journal as exchanges, one a line.",
         _archive(archives.write_ndjson), answer="ndjson"),
    Verb("GET", "settings", "The settings of the world.", lambda it: it.world.settings(), answer="settings"),
    Verb("PUT", "settings", "Change settings of the world.",
         lambda it: it.world.set_settings(**_fields(it)), body="settings-change", answer="settings"),
)
# fmt: on

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
        self._names = {*_LOOPBACK_NAMES, settings.host}
        if settings.public_url:
            self._names.add(urlsplit(settings.public_url).hostname or "")

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a request under `ROOT`; every refusal is problem details."""
        try:
            response = await self._answer(request)
        except Problem as problem:
            response = _problem(problem.status, str(problem), headers=problem.headers)
        except DataError as error:
            response = _problem(400, error.problem, error.pointer)
        except UnknownRow as error:
            response = _problem(404, str(error))
        except MockWebshareError as error:
            response = _problem(400, str(error))
        response.headers.update(_HEADERS)
        return response

    async def _answer(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request):
            raise Problem(403, refusal)
        verb, path = _find(request.method, unquote(urlsplit(request.raw_path).path).removeprefix(ROOT))
        body = await _read_json(request) if verb.body else None
        key, _ = framework.read_credentials(request.headers.get("Authorization", ""))
        return _response(verb, verb.act(Asked(self._worlds, key or None, path, body)))

    def _refusal(self, request: web.Request) -> str | None:
        """Given a request, return why it may not control anything; None if it may.

        Kept away are pages of other sites, names that were rebound to this machine, other machines.
        """
        headers, settings = request.headers, self._settings
        origin, site = headers.get("Origin"), headers.get("Sec-Fetch-Site", "none")
        if origin is not None and origin != f"http://{request.host}":
            return "a page of another origin may not control the mock"
        if site not in ("same-origin", "none"):
            return "a page of another site may not control the mock"
        if settings.control_token is not None:
            return _token_refusal(headers.getall(TOKEN_HEADER, []), settings.control_token)
        if not settings.is_loopback:
            return "beyond loopback the control plane needs a token; start the server with --control-token"
        if _host_name(request.host) not in self._names:
            return "the Host is none of this server's names; use the URL that it printed"
        return None


def _host_name(authority: str) -> str | None:
    try:
        return urlsplit(f"//{authority}").hostname
    except ValueError:  # half an IPv6 address
        return None


def _token_refusal(tokens: Sequence[str], token: str) -> str | None:
    if len(tokens) == 1 and compare_digest(tokens[0].encode(), token.encode()):
        return None
    return f"the control token is missing or wrong; send it in the header {TOKEN_HEADER}"


_PATTERNS = [
    (re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(verb.path))), verb) for verb in VERBS
]


def _find(method: str, path: str) -> tuple[Verb, Mapping[str, str]]:
    """Given a method and a decoded path under `ROOT`, return the verb, and what its path has in braces."""
    found = [(verb, match.groupdict()) for pattern, verb in _PATTERNS if (match := pattern.fullmatch(path))]
    if not found:
        raise Problem(404, f"there is no such verb; GET {ROOT}openapi.json lists them")
    for verb, parts in found:
        if verb.method == method:
            return verb, parts
    allowed = ", ".join(verb.method for verb, _ in found)
    raise Problem(405, f"this is no method of the verb; allowed: {allowed}", {"Allow": allowed})


async def _read_json(request: web.Request) -> Any:
    """Return the JSON that was sent. Only as JSON: a form is what a foreign page can send unasked."""
    if request.content_type != "application/json":
        raise Problem(415, "send JSON, with the header Content-Type: application/json")
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise Problem(413, f"the body is too large; allowed: {LARGEST_BODY:,} bytes")
    return read_json(bytes(body), source="body")


def _response(verb: Verb, answer: Any) -> web.Response:
    if verb.answer is None:
        return web.Response(status=204)
    content_type = _FILES.get(verb.answer)
    content = answer.encode() if content_type else render(answer)
    return web.Response(status=verb.status, body=content, content_type=content_type or "application/json")


def _problem(
    status: int, detail: str, pointer: str | None = None, headers: Mapping[str, str] | None = None
) -> web.Response:
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if pointer is not None:
        problem["pointer"] = pointer
    content = render(problem)
    return web.Response(status=status, body=content, content_type="application/problem+json", headers=headers)
