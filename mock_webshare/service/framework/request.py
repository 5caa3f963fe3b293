"""A request as Django and Django REST framework parse and check it."""

from __future__ import annotations

import codecs
import encodings
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from email.message import Message
from email.utils import collapse_rfc2231_value
from encodings.aliases import aliases
from functools import cache, cached_property
from pkgutil import iter_modules
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from mock_webshare.contract import messages
from mock_webshare.contract.model import Contract, Endpoint, Write
from mock_webshare.service.framework import response
from mock_webshare.service.framework.query import Params, read_int
from mock_webshare.service.framework.response import Response
from mock_webshare.service.reasons import Reason


class Headers(NamedTuple):
    """The request headers that affect responses, as Latin-1, repeated ones joined. None: not sent."""

    host: str | None = None
    authorization: str | None = None
    accept: str | None = None
    content_type: str | None = None
    prefer: str | None = None


def joined(name: bytes, sent: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Join the values of a header as WSGI does; None if it was not sent."""
    # aiohttp before 3.12 leaves the blanks around a value.
    values = [value.strip(b" \t") for each, value in sent if each.lower() == name]
    return b",".join(values).decode("latin-1") if values else None


MOST_PARAMETERS = 1000
_HOST = re.compile(r"(?P<domain>[a-z0-9.-]+|\[[a-f0-9]*:[a-f0-9.:]+\])(:[0-9]+)?")
# What Django does not escape when it writes a path or a query into a URL again.
_SAFE_IN_PATH = "/:@&+$,-_.!~*'()"
_SAFE_IN_QUERY = "/#%[]=:;$&()+,!?*@'~"


@dataclass(frozen=True, kw_only=True, eq=False)
class Request:
    """A request, parsed once; nothing in it depends on the key or on any state."""

    method: str
    target: str  # as it was sent, undecodable bytes as surrogates
    path: str  # decoded
    query: str  # as it was sent, as Latin-1
    headers: Headers
    refusal: Response | None = None  # the response that refuses the request. None: the endpoint responds
    endpoint: Endpoint | None = None  # None: no route matches
    id: str | None = None  # as in the path. None: the path has no id
    write: Write | None = None  # what the method writes. None: it only reads
    params: Params = field(default_factory=dict)  # as the endpoint reads them; empty if there is no endpoint
    url: str = ""  # absolute and without the query, for links
    link_query: str = ""  # the query as links repeat it
    indent: int | None = None  # blanks by which JSON is indented. None: compact

    @cached_property
    def sent_params(self) -> Params:
        """The parameters, decoded as UTF-8, even if there is no endpoint; the last of repeated ones."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def refused(self, refusal: Response) -> Request:
        """Return the request with the response that refuses it."""
        return replace(self, refusal=refusal)


class Parser:
    """Parses the requests to the service of a contract.

    Requests are checked in the order of the framework: host, route, number of parameters, `format`,
    `Accept`, credentials.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._routes = [(_pattern(endpoint.path), endpoint) for endpoint in contract.endpoints]

    def find_route(self, path: str) -> tuple[Endpoint, str | None] | None:
        """Return the endpoint and the id of a decoded path; None if no route matches."""
        for pattern, endpoint in self._routes:
            if match := pattern.fullmatch(path):
                return endpoint, match["id"] if endpoint.is_detail else None
        return None

    def parse(self, method: str, target: str, headers: Headers, host: str, origin: str) -> Request:
        """Return the parsed request, with a `refusal` if the framework refuses the request.

        `host` is the `Host` header or a substitute for it; links begin with `origin`, like
        `https://example.com`.
        """
        path, query = split_target(target)
        request = Request(method=method.upper(), target=target, path=path, query=query, headers=headers)
        if not is_valid_host(host):
            return request.refused(response.html_page(400, Reason.BAD_HOST))
        route = self.find_route(path)
        if route is None:
            return request.refused(self._unrouted(request.method, path, query))
        request = replace(request, endpoint=route[0], id=route[1], write=route[0].write(request.method))
        try:
            params = read_params(query, headers.content_type or "")
        except ValueError:
            return request.refused(response.html_page(400, Reason.BAD_QUERY))
        except LookupError:  # `charset` names a codec that is not for text, on which Django fails
            return request.refused(response.html_page(500, Reason.BAD_QUERY))
        request = replace(request, params=params, url=origin + route[0].path, link_query=_written(query))
        return _negotiated(request, route[0])

    def _unrouted(self, method: str, path: str, query: str) -> Response:
        """Return the response of a path without a route: the redirect to a slash, a 501, or Django's 404."""
        if self.find_route(f"{path}/") is None:
            operation = self._contract.operation(method, path)
            if operation:
                return response.not_served(operation)
            return response.html_page(404, Reason.UNKNOWN_PATH)
        location = quote(f"{path}/", safe=_SAFE_IN_PATH)
        return response.redirect(location + (f"?{_written(query)}" if query else ""))


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.escape(path).replace(r"\{id\}", "(?P<id>[^/.]+)"))


def _negotiated(request: Request, endpoint: Endpoint) -> Request:
    """Return the request with the negotiated `indent`, or with a `refusal`."""
    accept = request.headers.accept
    if request.params.get("format", "") not in ("", "json"):
        return request.refused(response.detail(endpoint, 404, messages.NOT_FOUND, Reason.BAD_QUERY))
    accepted = negotiate("*/*" if accept is None else accept)
    if accepted is None:
        refusal = response.detail(endpoint, 406, messages.NOT_ACCEPTABLE, Reason.NOT_ACCEPTABLE)
        return request.refused(refusal)
    authorization = request.headers.authorization or ""
    _, problem = read_credentials(authorization)
    if problem and not endpoint.is_open:
        reason = Reason.MALFORMED_KEY if authorization else Reason.NO_KEY
        return request.refused(response.unauthorized(endpoint, problem, reason, accepted.indent))
    return replace(request, indent=accepted.indent)


def is_valid_host(host: str) -> bool:
    """Return whether Django accepts a `Host` header (`ALLOWED_HOSTS = ["*"]`)."""
    match = _HOST.fullmatch(host.lower())
    return match is not None and match["domain"] != "."


def split_target(target: str) -> tuple[str, str]:
    """Split a request target into the decoded path, and the query as it was sent.

    `/caf%C3%A9/?q=%C3%A9` is `/café/` and `q=%C3%A9`. Octets of the path that are not UTF-8 stay
    percent-encoded, unencoded octets of the query become Latin-1 (framework: WSGI and Django).
    """
    raw_path, _, raw_query = target.encode("utf-8", "surrogateescape").partition(b"?")
    if raw_path[:1] not in (b"/", b"*"):  # the absolute form, which proxies send: scheme://host/path
        raw_path = b"/" + raw_path.partition(b"://")[2].partition(b"/")[2]
    return unquote_to_bytes(raw_path).decode(errors=_KEEP_PERCENT), raw_query.decode("latin-1")


_KEEP_PERCENT = "mock-webshare-keep-percent"


def _keep_percent(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    octets = error.object[error.start : error.end]
    return "".join(f"%{octet:02X}" for octet in octets), error.end


codecs.register_error(_KEEP_PERCENT, _keep_percent)


def _written(query: str) -> str:
    return quote(query, safe=_SAFE_IN_QUERY)


def read_params(query: str, content_type: str) -> Params:
    """Return the decoded parameters of a query, the last of repeated ones.

    Raise ValueError if there are more than Django accepts. The query is decoded by the charset of the
    request's content type, if Python knows it (framework: `HttpRequest.encoding`).
    """
    if not query:
        return {}
    encoding = charset_of(content_type) or "utf-8"
    octets = query.encode("latin-1")
    try:
        text = octets.decode(encoding)
    except UnicodeDecodeError:
        text = query
    return dict(parse_qsl(text, keep_blank_values=True, encoding=encoding, max_num_fields=MOST_PARAMETERS))


def charset_of(content_type: str) -> str | None:
    """Return Python's name of the charset of a content type; None: Python does not know the charset."""
    charset = media_type(content_type).params.get("charset", "")
    name = encodings.normalize_encoding(charset.lower())
    name = aliases.get(name) or aliases.get(name.replace(".", "_"), name)
    return codecs.lookup(charset).name if name == "utf_8" or name in load_codecs() else None


@cache
def load_codecs() -> frozenset[str]:
    """Load all codecs, so that no request has to import one, and return their names."""
    names = {*aliases.values(), *(module.name for module in iter_modules(encodings.__path__))}
    return frozenset(filter(_is_codec, names))


def _is_codec(name: str) -> bool:
    try:
        return codecs.lookup(name) is not None
    except LookupError:  # only another system has it
        return False


class MediaType(NamedTuple):
    """A media type; its `precedence` is from 0, for `*/*`, to 3, with parameters."""

    name: str
    params: dict[str, str]

    @property
    def precedence(self) -> int:
        main, _, sub = self.name.partition("/")
        if main == "*":
            return 0
        if sub == "*":
            return 1
        return 2 if set(self.params) <= {"q"} else 3

    def is_json(self) -> bool:
        main, _, sub = self.name.partition("/")
        return main in ("application", "*") and sub in ("json", "*")

    @property
    def indent(self) -> int | None:
        """The blanks by which JSON is indented; None: it is compact."""
        number = read_int(self.params.get("indent", ""))
        return None if number is None else max(min(number, 8), 0) or None


def media_type(text: str) -> MediaType:
    """Parse a media type, or any other header with parameters."""
    if ";" not in text:
        return MediaType(text.strip().lower(), {})
    message = Message()
    message["content-type"] = text
    (name, _), *params = message.get_params() or [("", "")]
    return MediaType(name.lower(), {key: collapse_rfc2231_value(value) for key, value in params if key})


_LONGEST_ACCEPT, _MOST_MEDIA_TYPES, _LONGEST_MEDIA_TYPE = 8192, 64, 256


def negotiate(accept: str) -> MediaType | None:
    """Return the media type of JSON that an `Accept` header selects; None: it refuses JSON.

    The most specific media type wins, the first of equal ones; `q` is ignored. These rules and the limits
    are those of the framework's `DefaultContentNegotiation`.
    """
    if len(accept) > _LONGEST_ACCEPT:
        accept = accept[: accept.rfind(",", 0, _LONGEST_ACCEPT) + 1]
    tokens = [token for each in accept.split(",") if 0 < len(token := each.strip()) <= _LONGEST_MEDIA_TYPE]
    media_types = [media_type(token) for token in tokens[:_MOST_MEDIA_TYPES]]
    fitting = [media_type for media_type in media_types if media_type.is_json()]
    if not fitting:
        return None
    return max(fitting, key=lambda media_type: media_type.precedence)


def read_credentials(authorization: str) -> tuple[str, str]:
    """Return the key in an `Authorization` header and "", or "" and the error message."""
    words = authorization.encode("latin-1").split()
    if not words or words[0].lower() != b"token":
        return "", messages.NO_CREDENTIALS
    if len(words) == 1:
        return "", messages.KEYWORD_ALONE
    if len(words) > 2:
        return "", messages.KEY_WITH_SPACES
    try:
        return words[1].decode(), ""
    except UnicodeError:
        return "", messages.UNDECODABLE_KEY
