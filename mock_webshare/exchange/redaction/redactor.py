"""Redaction: the secrets out of an exchange, before it is written anywhere.

A value is a secret because of where it stands: under a name that says so (of a header, a query
parameter, a field of JSON or of a form), before the `@` of a URL, in a cookie. From there on it is
looked for everywhere, also percent-encoded, escaped and in base64. E-mail addresses, keys in the
form of the service's own and JSON web tokens are secrets wherever they stand.

All is done inside the text: what is no secret stays as it was, byte for byte.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus

from mock_webshare.contract.endpoints import MODES, STATUSES, WEBSHARE
from mock_webshare.contract.schemas import SERVICE_SCHEMAS
from mock_webshare.exchange.redaction import body_text, lenient_json
from mock_webshare.exchange.redaction.encodings import Folded, unescaped
from mock_webshare.exchange.redaction.pseudonyms import PSEUDONYM, Pseudonyms
from mock_webshare.exchange.redaction.secret_index import Sought
from mock_webshare.exchange.redaction.secret_names import HINTS, is_telling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mock_webshare.exchange.model import Exchange, Headers

SHORTEST_SOUGHT = 8
"""Characters from which on a secret is looked for elsewhere: a key like `any` would wreck every body."""
LONGEST_ID = 19
"""Digits of the largest id: a secret of no more digits may be an id, and is not looked for elsewhere."""
LONGEST_SOUGHT = 65_536
"""Characters of the longest secret that is looked for elsewhere: no header is longer, and no key."""
MOST_SOUGHT = 10_000
"""Secrets looked for elsewhere; of more, those not met for longest are forgotten."""
DEEPEST_JSON = 8
"""Times that JSON may be in a string of JSON and is still read."""
LONGEST_COUNT = 5
"""Digits of a JSON number that stays even under a telling name: `"keys": 3` opens nothing."""

_SCHEMES = frozenset(
    {"token", "bearer", "basic", "digest", "negotiate", "ntlm", "oauth", "hmac", "apikey", "api-key", "jwt"}
)
_NO_SECRETS = frozenset({"true", "false", "null", "none"})

_AT = r"(?:@|%(?:25){0,3}40|\\{1,8}u0040)"
# Lengths, possessive quantifiers and places where alone a match begins keep all these searches linear.
_MAIL = re.compile(
    rf"(?<!\\)(?P<local>(?:[\w.+~-]|%2[BbDdEe]|%5[Ff]|\\u(?!0040)[0-9a-fA-F]{{4}}){{1,64}}){_AT}"
    r"(?:[\w-]{1,63}\.){1,9}[^\W\d_]{2,}"
)
_BEGINS = r"(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{2}))"
_KEY_SHAPE = re.compile(rf"{_BEGINS}(?=[0-9]*[a-z])[a-z0-9]{{40}}(?![A-Za-z0-9])")
# Of the places in one word where a token may begin only the first is tried: if it is not one, none is.
_WEB_TOKEN = re.compile(
    rf"(?<![\w-])(?P<before>(?:(?!{_BEGINS}eyJ)[\w-])*+)"
    r"(?P<token>eyJ[\w-]{8,}+\.[\w-]{8,}+\.[\w-]*+)"
)
_LONG_WORD = re.compile(r"[^a-z0-9]*+(?:[a-z0-9]{1,39}+[^a-z0-9]++)*+[a-z0-9]{40}")
"""What a text begins with that may have a key in the service's own form: it takes less time to see."""
_USERINFO = re.compile(
    rf"(?P<before>(?:\\?/){{2}}|%3A%2F%2F)(?P<user>(?:(?!{_AT}|%3A%2F%2F)[^\s\"'<>/?#\\])+)(?={_AT})",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"(?:^|[?&#;]\s{0,9}|%3F|%26|%23|\\u0026|\\u003f)"
    r"(?P<name>(?:(?!%3D)[^\s\"'<>=?&#;/\\:{}]){1,100})(?:=|%3D)",
    re.IGNORECASE | re.MULTILINE,
)
_VALUE = re.compile(r"(?:(?!%26|%23)[^\s\"'<>&#;\\])*", re.IGNORECASE)
_FORM_PART = re.compile(
    r"(?P<before>(?:^|(?<=\r))(?:(?!form-data;)[^\r\n])*+form-data;(?:(?!\bname=\")[^\r\n])*+"
    r"name=\"(?P<name>[^\"\r\n]*+)\"[^\r\n]*+(?:\r?\n(?![^\r\n]*form-data;)[^\r\n]++)*+\r?\n\r?\n)"
    r"(?P<value>.*?)(?=\r?\n--|\Z)",
    re.DOTALL | re.MULTILINE,
)
"""A part of a form. Each line is looked at once: where one part begins, another one ends."""
_LINE_OF_TEXT = re.compile(
    r"(?P<before>(?<![\w-])(?P<name>[\w-]{1,100})[\"']?[ \t]*[:=][ \t]*[\"']?"
    r"(?:(?:token|bearer|basic)[ \t]+)?)"
    r"(?P<value>[^\s\"',;&<>(){}\[\]]+)",
    re.IGNORECASE,
)
_JSON = re.compile(r"\ufeff?\s*(?:\{|\"|\[\s*(?:[\[{\"\]]|[\w.+-]+\s*,))")


def redact(exchange: Exchange) -> Exchange:
    """Given an exchange, return it without its secrets; a `Redactor` does so for several."""
    return Redactor().exchange(exchange)


class Redactor:
    """Replaces secrets by pseudonyms: `REDACTED-1`, `redacted-1@example.com`, and for cookies `REDACTED`.

    Equal secrets of one redactor have equal pseudonyms, so the exchanges of one key stay recognisable.
    What it has met as a secret once it finds again anywhere, unless it is short, a word of the contract
    or perhaps an id. `secrets` are known from the start. What is redacted already stays as it is.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._pseudonyms = Pseudonyms()
        self._sought = Sought(MOST_SOUGHT)
        for secret in secrets:
            self._pseudonym(secret)

    def __repr__(self) -> str:
        return f"<Redactor secrets: {len(self._pseudonyms)}>"

    def learn(self, exchange: Exchange) -> None:
        """Meet the secrets of an exchange, to find them in others that are redacted before it."""
        self.heed(exchange)
        self._named_url(exchange.url or "")
        for headers, body in _messages(exchange):
            self._named_headers(headers or ())
            self._learn_body(body, _value(headers, "content-type"))

    def heed(self, exchange: Exchange) -> None:
        """Leave to others the numbers of the pseudonyms that are in an exchange already."""
        for text in _texts(exchange):
            self._pseudonyms.heed(text)

    def exchange(self, exchange: Exchange) -> Exchange:
        """Return an exchange without its secrets; a `Content-Length` that was right for the body stays so."""
        self.learn(exchange)
        request, response = (self._message(*message) for message in _messages(exchange))
        return replace(
            exchange,
            method=None if exchange.method is None else self._elsewhere(exchange.method),
            url=None if exchange.url is None else self.url(exchange.url),
            request_headers=request[0],
            request_body=request[1],
            headers=response[0],
            body=response[1],
        )

    def url(self, url: str) -> str:
        """Return a URL without its secrets."""
        return self._elsewhere(self._named_url(self._known(url)))

    def headers(self, headers: Headers) -> Headers:
        """Return headers without their secrets; `Token` and other schemes before one stay."""
        named = self._named_headers(tuple((name, self._known(value)) for name, value in headers))
        return tuple((self._elsewhere(name), self._elsewhere(value)) for name, value in named)

    def body(self, body: bytes, content_type: str | None) -> bytes:
        """Return a body without its secrets: JSON, a form, or any text, well-formed or not.

        One that is compressed (gzip, deflate) comes back opened if there were secrets in it.
        """
        layers = list(body_text.layers(body))
        written = [self._uncompressed(layer, content_type) for layer in layers]
        changed = [number for number, layer in enumerate(layers) if written[number] != layer]
        return written[changed[-1] if changed else 0]

    def text(self, text: str) -> str:
        """Return any text without its secrets."""
        return self._elsewhere(self._named_text(self._known(text)))

    def _uncompressed(self, body: bytes, content_type: str | None) -> bytes:
        codec = body_text.codec(body, content_type)
        return self.text(body.decode(codec, "surrogateescape")).encode(codec, "surrogateescape")

    def _message(self, headers: Headers | None, body: bytes) -> tuple[Headers | None, bytes]:
        written = self.body(body, _value(headers, "content-type"))
        if headers is None:
            return None, written
        return _with_length(self.headers(headers), len(body), len(written)), written

    # Where a name tells it: each of these replaces what it meets, and remembers it.

    def _named_url(self, url: str) -> str:
        return "".join(self._parameters(self._named_user(url)))

    def _named_user(self, url: str) -> str:
        return _USERINFO.sub(self._userinfo, url) if _may_have_at(url) else url

    def _parameters(self, text: str) -> Iterator[str]:
        """Yield a text in pieces, without the secrets in query parameters, also in those of a URL in one."""
        end = 0
        for match in _NAME.finditer(text):
            if match.end() >= end and is_telling(unquote_plus(match["name"])):
                value = _VALUE.match(text, match.end())
                assert value
                yield text[end : match.end()] + self._replaced(value[0], unquote_plus)
                end = value.end()
        yield text[end:]

    def _userinfo(self, match: re.Match[str]) -> str:
        parts = match["user"].split(":", 1)
        return match["before"] + ":".join(self._replaced(part, unquote) for part in parts)

    def _pair(self, match: re.Match[str]) -> str:
        return (
            match["before"] + self._replaced(match["value"], str) if is_telling(match["name"]) else match[0]
        )

    def _named_headers(self, headers: Headers) -> Headers:
        return tuple((name, self._named_header(name, value)) for name, value in headers)

    def _named_header(self, name: str, value: str) -> str:
        if "cookie" in name.lower():
            # What follows the first part of a `Set-Cookie` are attributes.
            return self._cookies(value.split(";")[: 1 if name.lower().startswith("set") else None])
        return self._credentials(value) if is_telling(name) else self._named_url(value)

    def _cookies(self, cookies: list[str]) -> str:
        for cookie in cookies:
            name, separator, content = cookie.partition("=")
            for secret in _readings((content if separator else name).strip(' "')):
                self._pseudonym(secret)
        return "REDACTED" if any(cookies) else ""

    def _credentials(self, value: str) -> str:
        """Return credentials with their scheme, their blanks and as many words, of which no UTF-8 stays none.

        That is what decides on the answer to wrong ones. `Token a b` is `Token REDACTED-1 REDACTED-2`.
        """
        scheme = re.match(r"\s*([^\s,]+)(?:\s+|$)", value)
        start = scheme.end() if scheme and scheme[1].lower() in _SCHEMES else 0
        for secret in _inside_credentials(value[start:].strip()):
            self._pseudonym(secret)
        return value[:start] + re.sub(r"\S+", self._credential, value[start:])

    def _credential(self, match: re.Match[str]) -> str:
        if PSEUDONYM.fullmatch(match[0]):
            return match[0]
        return self._replaced(match[0], str) + ("" if _as_utf_8(match[0]) else _NO_UTF_8)

    def _named_text(self, text: str) -> str:
        lowered = text.lower()
        if not any(hint in lowered for hint in HINTS):  # the name of a parameter may be percent-encoded
            return self._named_url(text) if "%" in text else self._named_user(text)
        text = self._named_url(text)
        if _JSON.match(text) and '"' in text:
            return self._json(text)
        return _LINE_OF_TEXT.sub(self._pair, _FORM_PART.sub(self._pair, text))

    def _json(self, text: str, depth: int = 0) -> str:
        pieces, end = list[str](), 0
        for value in lenient_json.values(text, is_telling):
            pieces += (text[end : value.start], self._json_value(value, depth))
            end = value.stop
        return "".join(pieces) + text[end:]

    def _json_value(self, value: lenient_json.Value, depth: int) -> str:
        if value.is_string and value.is_named:
            return self._replaced(value.written, lenient_json.meaning)
        if value.is_string:
            return self._json_in_string(value.written, depth + 1)
        if value.is_named and sum(map(str.isdigit, value.written)) > LONGEST_COUNT:
            return f'"{self._replaced(value.written, str)}"'
        return value.written

    def _json_in_string(self, written: str, depth: int) -> str:
        """Given the inside of a JSON string, return it, with JSON that is in it without secrets."""
        inside = lenient_json.meaning(written) if "\\" in written and depth <= DEEPEST_JSON else ""
        redacted = self._json(inside, depth) if _JSON.match(inside) else inside
        return written if redacted == inside else json.dumps(redacted)[1:-1]

    def _learn_body(self, body: bytes, content_type: str | None) -> None:
        for text in _readings_of_body(body, content_type):
            self._named_text(text)

    # The pseudonyms.

    def _replaced(self, written: str, read: Callable[[str], str]) -> str:
        """Given a secret as it is written, and what reads that, return what goes in its place."""
        secret = read(written)
        pseudonym = self._pseudonym(secret)
        at = re.search(_AT, written)
        return written if pseudonym == secret else pseudonym.replace("@", at[0] if at else "@")

    def _pseudonym(self, secret: str) -> str:
        if all(map(_is_harmless, secret.split())):
            self._pseudonyms.heed(secret)
            return secret
        if _is_sought(secret):
            self._sought.add(secret)
        return self._pseudonyms.of(secret, is_mail=_MAIL.fullmatch(secret) is not None)

    # Anywhere: what was met before, and what shows by its form.

    def _elsewhere(self, text: str) -> str:
        text = self._known(text)
        if _LONG_WORD.match(text):
            text = _KEY_SHAPE.sub(lambda match: self._pseudonym(match[0]), text)
        if "eyJ" in text:
            text = _WEB_TOKEN.sub(lambda match: match["before"] + self._pseudonym(match["token"]), text)
        return _MAIL.sub(self._mail, text) if _may_have_at(text) else text

    def _known(self, text: str) -> str:
        """Replace what was met before; this goes first, as a part of it may look like a secret too."""
        return self._sought.replaced(text, lambda secret: self._pseudonyms.of(secret, is_mail=False))

    def _mail(self, match: re.Match[str]) -> str:
        if PSEUDONYM.fullmatch(match["local"]):  # the user of a URL: `https://REDACTED-1@example.com`
            return match[0]
        return self._replaced(match[0], unescaped)


def _may_have_at(text: str) -> bool:
    return "@" in text or "u0040" in text or ("%" in text and "40" in text)


def _is_harmless(word: str) -> bool:
    return PSEUDONYM.fullmatch(word) is not None or word.lower() in _NO_SECRETS


def _is_sought(secret: str) -> bool:
    if len(secret) > LONGEST_SOUGHT or _MAIL.fullmatch(secret):  # an address is found by its form
        return False
    letters = Folded(secret).letters  # which may be fewer, and a word of the contract: `%61vailable`
    if letters.isdigit():
        return len(letters) > LONGEST_ID
    return min(len(secret), len(letters)) >= SHORTEST_SOUGHT and letters not in _vocabulary()


@cache
def _vocabulary() -> bytes:
    """Return what the contract is written in; a secret that is a part of it stays where no name tells it."""
    words = [
        "https://proxy.webshare.io",
        "application/json",
        "text/html; charset=utf-8",
        "example.com",
        "redacted",
    ]
    words += ["password", "authorization", "paypal_payout_email", *MODES, *STATUSES]
    for endpoint in WEBSHARE.endpoints:
        words += [endpoint.path, *endpoint.orderings, *(each.name for each in endpoint.filters)]
        words += SERVICE_SCHEMAS.document(endpoint.schema).get("properties", {})
    return "\n".join(words).encode()


_NO_UTF_8 = "\xff"


def _as_utf_8(text: str) -> str | None:
    """Given text of a header, of which each character is an octet, return it read as UTF-8, if it is."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeEncodeError:  # a file that was written by hand
        return text
    except UnicodeDecodeError:
        return None


def _readings(text: str) -> Iterator[str]:
    """Given text of a header, yield what it may stand for elsewhere."""
    yield from dict.fromkeys((text, unquote(text), _as_utf_8(text) or text))


def _inside_credentials(value: str) -> Iterator[str]:
    """Given credentials without their scheme, yield them whole, and the user and password in them."""
    yield from _readings(value)
    try:
        pair = base64.b64decode(value, validate=True).decode()
    except ValueError:
        return
    if ":" in pair:
        yield from pair.split(":", 1)


def _messages(exchange: Exchange) -> Iterator[tuple[Headers | None, bytes]]:
    yield exchange.request_headers, exchange.request_body
    yield exchange.headers, exchange.body


def _texts(exchange: Exchange) -> Iterator[str]:
    """Yield every text of an exchange."""
    yield exchange.url or ""
    for headers, body in _messages(exchange):
        yield from (text for pair in headers or () for text in pair)
        yield from _readings_of_body(body, _value(headers, "content-type"))


def _readings_of_body(body: bytes, content_type: str | None) -> Iterator[str]:
    """Yield the text that a body is, and what is compressed in it."""
    for layer in body_text.layers(body):
        yield layer.decode(body_text.codec(layer, content_type), "surrogateescape")


def _value(headers: Headers | None, wanted: str) -> str | None:
    return next((value for name, value in headers or () if name.lower() == wanted), None)


def _with_length(headers: Headers, before: int, after: int) -> Headers:
    return tuple(
        (name, str(after) if name.lower() == "content-length" and value == str(before) else value)
        for name, value in headers
    )
