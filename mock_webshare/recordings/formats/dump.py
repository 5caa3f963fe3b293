"""Text dumps of HTTP messages: `curl -i`, `curl -v 2>&1` and HTTPie (`http --all --print=HhBb`).

A dump may hold several exchanges, with or without the requests, and only Content-Length says where a body
ends. Without `-s`, or if it writes to a file, curl writes the bodies after lines of its own.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import TypeAlias

from mock_webshare.exchange.model import Exchange, Headers
from mock_webshare.exchange.streams import Broken
from mock_webshare.recordings.input import Input, NotARecording
from mock_webshare.recordings.record import (
    Body,
    Found,
    Record,
    exchanges,
    first_value,
    headers_of,
    never_has_body,
    status_of,
    unpacked,
    whole_number,
    with_origin,
)

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}"
_START_LINE = (
    rb"(?:HTTP/[0-9](?:\.[0-9])? (?P<status>[0-9]{3})(?: [^\r\n]{0,200})?"
    rb"|(?P<method>[A-Z]{3,10}) (?P<target>[^\s]{1,16384}) HTTP/[0-9](?:\.[0-9])?)[ \t]?\r?\n"
)
_MESSAGE = re.compile(_START_LINE + rb"(?P<headers>(?:" + _TOKEN + rb":[^\r\n]*+(?:\r?\n|\Z))*+)(?:\r?\n)?")
"""A message up to its body. The blank line at its end is optional, so that no header is matched twice."""
_COLOURS = re.compile(rb"\x1b\[[0-9;]{0,20}m")
_PROGRESS = re.compile(
    rb"\r[ 0-9.:kMG-]{20,200}|^ {2}% Total[^\n]*\n|^ +Dload {2}Upload[^\n]*\n", re.MULTILINE
)
_OF_CURL = re.compile(
    rb"^[*=][ =][^\n]*\n|^[{}] \[[0-9]{1,20} bytes data\]\r?\n"
    rb"|\* (?:Connection #|Closing connection)[^\n]*(?:\n|\Z)",
    re.MULTILINE,
)
_GLUED = re.compile(rb"(?<=[}\]])(?:\* [^\n]*+\n?)++")
"""Lines of curl that follow a body on the same line, because the body does not end in a line feed."""
_MARKS = re.compile(rb"(?:^|(?<=[}\]]))[<>](?: |\r?$)", re.MULTILINE)
"""What `curl -v` puts before each line of a request and a response."""
_VERBOSE = re.compile(rb"^(?:> [A-Z]{3,10} [^\s]{1,16384} HTTP/|< HTTP/[0-9])", re.MULTILINE)
_RESPONSE = re.compile(rb"(?:^|(?<=[}\]]))(?:< )?HTTP/[0-9]", re.MULTILINE)
"""The beginning of a response, with the mark of `curl -v` or without it."""
_BEGINS = re.compile(rb"\s{0,99}(?:[$%] [^\n]{0,2000}\n\s{0,99})?" + _START_LINE)
_BEGINS_VERBOSE = re.compile(rb"\s{0,99}(?:[$%] |[*>] |\* {3}Trying|% Total|curl )")
_TLS = (b"SSL connection", b"ALPN", b" port 443")
_ELAPSED = re.compile(rb"\s{1,9}Elapsed time: [0-9.]{1,20}s\s{0,9}\Z")
_BINARY_NOTE = b"NOTE: binary data not shown in terminal"


_Message: TypeAlias = tuple[re.Match[bytes], bytes]
"""A message up to its body, and the body."""


def begins(head: bytes) -> bool:
    """Whether a text begins with a message, the command that wrote it, or the first lines of `curl -v`."""
    text = _COLOURS.sub(b"", head.removeprefix(BOM_UTF8)[:_LONGEST_BEGINNING])
    is_verbose = _BEGINS_VERBOSE.match(text) and _VERBOSE.search(text)
    return bool(is_verbose or _BEGINS.match(text))


_LONGEST_BEGINNING = 65_536
MOST_MESSAGES = 100_000
"""Messages of a dump at most; a dump of 64 MiB could hold millions of empty messages."""


def read(opened: Input) -> Iterator[Found]:
    """Yield the exchange of each final response; raise `NotARecording` if there is none."""
    sent = _COLOURS.sub(b"", opened.read().removeprefix(BOM_UTF8))
    text, is_verbose = _plain(sent)
    is_tls = any(sign in sent for sign in _TLS)
    scheme = ("https" if is_tls else "http") if is_verbose else None
    responses = _with_bodies(_merged(_responses(text, _lines(sent, text))))
    if not responses:
        raise NotARecording("a text of HTTP requests without responses")

    def convert(record: Record) -> Exchange:
        return _exchange(record.document, scheme, is_exact=opened.is_exact)

    return exchanges(opened.source, (Record(each, line=each.line) for each in responses), convert)


def _plain(text: bytes) -> tuple[bytes, bool]:
    """Return the messages alone, without curl's own lines, and whether curl was verbose."""
    if not _VERBOSE.search(_PROGRESS.sub(b"", text)):
        return text, False
    text = _OF_CURL.sub(b"", _GLUED.sub(b"", _PROGRESS.sub(b"", text)))
    return _MARKS.sub(b"", text), True


def _lines(text: bytes, plain: bytes) -> Mapping[int, int]:
    """Return the line of each response in `text`, counted from 1, by the offset of the response in `plain`.

    Return no lines if a response begins a line in only one of the texts, as after a progress meter.
    """
    places = [found.start() for found in _RESPONSE.finditer(plain)]
    lines, number, last = list[int](), 1, 0
    for found in _RESPONSE.finditer(text):
        number, last = number + text.count(b"\n", last, found.start()), found.start()
        lines.append(number)
    return dict(zip(places, lines, strict=True)) if len(places) == len(lines) else {}


def _responses(text: bytes, lines: Mapping[int, int]) -> Iterator[Exchange]:
    """Yield each response, except interim ones (1xx) and those by which a proxy opens a tunnel."""
    request: _Message | None = None
    messages = list(islice(_MESSAGE.finditer(text), MOST_MESSAGES + 1))
    if len(messages) > MOST_MESSAGES:
        raise Broken(f"it has more than {MOST_MESSAGES} messages")
    ends = [*(each.start() for each in messages[1:]), len(text)]
    for found, end in zip(messages, ends, strict=False):
        body = text[found.end() : end]
        if found["method"]:
            request = (found, body)
        elif not _is_interim(found, request):
            yield _response(found, body, request, lines.get(found.start()))
            request = None


def _is_interim(found: re.Match[bytes], request: _Message | None) -> bool:
    is_tunnel = b"connection established" in found[0][:200].lower() or (
        request is not None and request[0]["method"] == b"CONNECT"
    )
    return is_tunnel or found["status"].startswith(b"1")


def _response(found: re.Match[bytes], body: bytes, request: _Message | None, line: int | None) -> Exchange:
    """Return a response with its request, if there is one; the URL is the target of the request."""
    status, headers = int(found["status"]), _headers(found["headers"])
    response = Exchange(source="", line=line, status=status, headers=headers, body=body)
    if request is None:
        return response
    message, request_body = request
    return replace(
        response,
        method=message["method"].decode("ascii"),
        url=message["target"].decode("utf-8", "replace"),
        request_headers=_headers(message["headers"]),
        request_body=request_body.strip(b"\r\n"),
    )


def _headers(lines: bytes) -> Headers:
    pairs = (line.partition(":") for line in lines.decode("latin-1").splitlines())
    return headers_of((name, value.strip()) for name, _, value in pairs)


def _merged(responses: Iterable[Exchange]) -> list[Exchange]:
    """Return responses with one head each: `curl -iv` writes each head twice."""
    found: list[Exchange] = []
    for each in responses:
        last = found[-1] if found else each
        is_same = (each.status, each.headers) == (last.status, last.headers)
        if is_same and each.url is None and last.url and not last.body.strip():
            found[-1] = replace(last, body=each.body)
        else:
            found.append(each)
    return found


def _with_bodies(responses: list[Exchange]) -> list[Exchange]:
    """Give each response its body where curl wrote all bodies after the last response."""
    lengths = [_length(each) for each in responses]
    first = len(responses) - 1
    while first > 0 and lengths[first - 1] and not responses[first - 1].body.strip():
        first -= 1
    body = responses[-1].body.lstrip(b"\r\n") if responses else b""
    if first == len(responses) - 1 or sum(size or 0 for size in lengths[first:]) != len(body.rstrip()):
        return responses
    found = responses[:first]
    for response, size in zip(responses[first:], lengths[first:], strict=True):
        found.append(replace(response, body=body[: size or 0]))
        body = body[size or 0 :]
    return found


def _length(response: Exchange) -> int | None:
    """Return the length of the body in bytes; None if it is not known, or the body is packed."""
    return None if _is_packed(response) else whole_number(first_value(response.headers, "content-length"))


def _is_packed(response: Exchange) -> bool:
    return first_value(response.headers, "content-encoding") is not None


def _exchange(response: Exchange, scheme: str | None, *, is_exact: bool) -> Exchange:
    """Return the exchange of a response; raise `Malformed` if it is not one."""
    body = _body(response)
    decoded = unpacked(body.content, response.headers)
    return replace(
        response,
        url=_url(response, scheme, decoded),
        status=status_of(response.status),
        body=decoded,
        is_body_known=body.is_known,
        is_body_exact=body.is_exact and is_exact,
    )


def _body(response: Exchange) -> Body:
    length, text = _length(response), response.body
    if length is not None and len(text) > length:
        text = text.lstrip(b"\r\n")  # left where curl's own lines were removed
    if never_has_body(response.method, response.status):
        return Body()
    if length is not None and not text[length:].strip() and len(text) >= length:
        return Body(text[:length])
    text = _ELAPSED.sub(b"", text)
    if _BINARY_NOTE in text:
        return Body(is_known=False, is_exact=False)
    if not _is_packed(response) or text.isascii():
        text = text.strip(b"\r\n")
    is_lost = not text and first_value(response.headers, "content-length") != "0"
    return Body(text, is_known=not is_lost, is_exact=False)


def _url(response: Exchange, scheme: str | None, body: bytes) -> str | None:
    """Return the URL of the request; None if only the response is in the text."""
    target, host = response.url, first_value(response.request_headers, "host")
    if target is None:
        return None
    if scheme and host and target.startswith("/"):
        return f"{scheme}://{host}{target}"
    return with_origin(target, response.headers, body, host)
