"""The control plane: arranging worlds over HTTP, under `/__mock__/`.

A world is addressed by its key, in the header that the service reads too: `Authorization: Token KEY`.
What can be done is a table; each verb reads its input, calls one method of a world, and answers.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from hmac import compare_digest
from http import HTTPStatus
from io import StringIO
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from aiohttp import web

from mock_webshare import __version__, framework, openapi
from mock_webshare.errors import DataError, MockWebshareError, UnknownRow, shown
from mock_webshare.journal import Journal, exchanges
from mock_webshare.kinds import Kind, is_text, read_json, read_object, require_keys
from mock_webshare.rendering import render
from mock_webshare.scenarios import SCENARIOS
from mock_webshare.settings import Settings
from mock_webshare.traffic import archives
from mock_webshare.traffic.redaction import Redactor
from mock_webshare.world import CLOCK, World, read_state
from mock_webshare.worlds import Worlds

ROOT = "/__mock__/"
TOKEN_HEADER = "Mock-Webshare-Token"  # noqa: S105  # the name of a header
LARGEST_BODY = 256 * 1024 * 1024
"""Bytes of a request's body: a data set of a million credits has about as many."""
_SMALL_BODY = 65_536
"""Bytes of a body up to which it is read at once; meanwhile nothing else is answered."""

_log = logging.getLogger(__name__)
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


class Asked(NamedTuple):
    """What a verb is given: the worlds, the world or journal of the key, and what was sent."""

    worlds: Worlds
    key: str | None
    path: Mapping[str, str]
    body: Any
    secrets: Sequence[str] = ()
    """What is not to be repeated: the key, and the control token."""

    @property
    def world(self) -> World:
        """The world of the key."""
        world = None if self.key is None else self.worlds.get(self.key)
        if world is None:
            problem = "no world is named" if self.key is None else "this key is not known"
            detail = f"{problem}; name one by its key, with the header Authorization: Token KEY"
            raise Problem(401, detail, {"WWW-Authenticate": "Token"})
        return world

    @property
    def journal(self) -> Journal:
        """The journal of the world; without a key, that of the requests that came without a known one."""
        return self.worlds.keyless if self.key is None else self.world.journal

    @property
    def id(self) -> int:
        """The number in the path."""
        text = self.path["id"]
        if not re.fullmatch("[0-9]{1,19}", text):  # int() takes more spellings
            raise UnknownRow("id", text)
        return int(text)


class Problem(Exception):
    """Why a request to the control plane is refused (RFC 9457)."""

    def __init__(
        self,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        *,
        pointer: str | None = None,  # where in the body; None: it is not about the body
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers
        self.pointer = pointer


class Verb(NamedTuple):
    """One thing that can be done; `body` names the schema of what is sent, None: nothing is."""

    method: str
    path: str
    says: str
    act: Callable[[Asked], Any]
    """What it does; if it returns a function, that makes the answer, and may take its time."""
    body: str | None = None
    answer: str | None = None
    """The schema of what is answered. None: nothing is, with 204."""
    status: int = 200
    read: Callable[[Any], Any] = lambda body: body
    """What is made of the body before the world is asked; it may take its time."""


def _state(asked: Asked) -> Callable[[], Any]:
    return asked.world.state().wire


def _credits(asked: Asked) -> Callable[[], Any]:
    credits = asked.world.state().credits
    return lambda: [credit.wire() for credit in credits]


def _requests(asked: Asked) -> Callable[[], Any]:
    entries, dropped = list(asked.journal), asked.journal.dropped

    def listed() -> dict[str, Any]:
        found = zip(exchanges(entries, asked.secrets), entries, strict=True)
        requests = [{**exchange.wire(), "faults": list(entry.faults)} for exchange, entry in found]
        return {"requests": requests, "dropped": dropped}

    return listed


def _is_wanted_value(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return value is None or all(is_text(each) or type(each) in (int, float) for each in values)


def _is_wanted_query(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_wanted_value, value.values()))


_WANTED: Mapping[str, Kind] = {
    "method": Kind(is_text, "a method like GET"),
    "path": Kind(is_text, "a path, decoded"),
    "query": Kind(
        _is_wanted_query, "an object of parameters, each with a text, a number, a list of these, or null"
    ),
}


def _count(asked: Asked) -> dict[str, int]:
    require_keys("request", "", asked.body, ("method", "path"), tuple(_WANTED))
    wanted = read_object("request", "", asked.body, _WANTED, optional=True)
    return {"count": asked.world.count_requests(**wanted)}


def _archive(write: Callable[..., object]) -> Callable[[Asked], Callable[[], str]]:
    """Return what answers the journal as a file, without the keys in it."""

    def archive(asked: Asked) -> Callable[[], str]:
        entries = list(asked.journal)

        def written() -> str:
            stream = StringIO()
            write(exchanges(entries, asked.secrets), stream)
            return stream.getvalue()

        return written

    return archive


def _set_clock(asked: Asked) -> dict[str, Any]:
    read_object("clock", "", asked.body, CLOCK, optional=True)
    return asked.world.set_clock(**asked.body)


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
    Verb("GET", "state", "The whole world as a data set.", _state, answer="data-set"),
    Verb("PUT", "state", "Hold a data set.", lambda it: it.world.put_state(it.body),
         body="data-set", read=read_state),
    Verb("GET", "snapshots", "The names of the snapshots.", lambda it: it.world.snapshots(), answer="names"),
    Verb("PUT", "snapshots/{name}", "Save account, clock, settings and faults.",
         lambda it: it.world.take_snapshot(it.path["name"])),
    Verb("POST", "snapshots/{name}/restore", "Be as when the snapshot was taken.",
         lambda it: it.world.restore_snapshot(it.path["name"])),
    Verb("DELETE", "snapshots/{name}", "Forget a snapshot.",
         lambda it: it.world.delete_snapshot(it.path["name"])),
    Verb("GET", "credits", "All credits.", _credits, answer="credits"),
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
        self._origins = set[str]()
        if settings.public_url:
            self._names.add(urlsplit(settings.public_url).hostname or "")
            self._origins.add(settings.public_url.rstrip("/"))

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a request under `ROOT`; every refusal is problem details, without the key and the token."""
        authorization = framework.joined(b"authorization", request.raw_headers) or ""
        key, _ = framework.read_credentials(authorization)
        secrets = [each for each in (key, self._settings.control_token) if each]
        try:
            response = await self._answer(request, key or None, secrets)
        except ConnectionError:  # nobody waits for an answer any more
            raise
        except Exception as error:
            problem = _problem(error)
            response = _refused(problem, Redactor(secrets).url(str(problem)))
        response.headers.update(_HEADERS)
        return response

    async def _answer(self, request: web.Request, key: str | None, secrets: Sequence[str]) -> web.Response:
        if refusal := self._refusal(request):
            raise Problem(403, refusal)
        path, _ = framework.split_target(request.raw_path)
        verb, parts = _find(request.method, path.removeprefix(ROOT))
        body = await _read_body(request, verb) if verb.body else None
        answer = verb.act(Asked(self._worlds, key, parts, body, secrets))
        if callable(answer):
            return await asyncio.to_thread(lambda: _response(verb, answer()))
        return _response(verb, answer)

    def _refusal(self, request: web.Request) -> str | None:
        """Given a request, return why it may not control anything; None if it may.

        Kept away are pages of other sites, names that were rebound to this machine, other machines.
        """
        headers, settings = request.headers, self._settings
        # The name is in the target too if that is a whole URL.
        hosts = [*headers.getall("Host", []), *filter(None, [_authority(request.raw_path)])]
        own = self._origins.union(f"http://{host}" for host in hosts)
        if not own.issuperset(headers.getall("Origin", [])):
            return "a page of another origin may not control the mock"
        if not {"same-origin", "none"}.issuperset(headers.getall("Sec-Fetch-Site", [])):
            return "a page of another site may not control the mock"
        if settings.control_token is not None:
            return _token_refusal(headers.getall(TOKEN_HEADER, []), settings.control_token)
        if not (settings.is_loopback and _is_of_this_machine(request.remote)):
            return "beyond loopback the control plane needs a token; start the server with --control-token"
        if not self._names.issuperset(map(_host_name, hosts)):
            return "the Host is none of this server's names; use the URL that it printed"
        return None


def _authority(target: str) -> str | None:
    """Return the host and port that a target in the absolute form names."""
    return None if target.startswith("/") else urlsplit(target).netloc


def _host_name(authority: str) -> str:
    if not framework.is_valid_host(authority):
        return ""
    return urlsplit(f"//{authority}").hostname or ""


def _is_of_this_machine(address: str | None) -> bool:
    """Return whether a client is on this machine: an application may be bound to more than it was told."""
    if not address:  # a Unix socket
        return True
    ip = ip_address(address.partition("%")[0])
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback


def _token_refusal(tokens: Sequence[str], token: str) -> str | None:
    sent = [each.encode(errors="surrogateescape") for each in tokens]
    if len(sent) == 1 and compare_digest(sent[0], token.encode()):
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


def _problem(error: Exception) -> Problem:
    """Return the problem that an error is, to whoever sent the request."""
    match error:
        case Problem():
            return error
        case DataError():
            return Problem(400, error.problem, pointer=error.pointer)
        case UnknownRow():
            return Problem(404, str(error))
        case MockWebshareError():
            return Problem(400, str(error))
        case web.RequestPayloadError():
            return Problem(400, "the body is not encoded as its Content-Encoding says")
    # The kind alone: the text of an error may hold a key, or a whole row.
    _log.error("a mistake of mock-webshare, please report it: %s", type(error).__name__)
    _log.debug("where it happened:", exc_info=error)
    return Problem(500, f"a mistake of mock-webshare, please report it: {type(error).__name__}")


def _refused(problem: Problem, detail: str) -> web.Response:
    details = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": detail,
    }
    if problem.pointer is not None:
        details["pointer"] = problem.pointer
    return web.Response(
        status=problem.status,
        body=render(details),
        content_type="application/problem+json",
        headers=problem.headers,
    )
