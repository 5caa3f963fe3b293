"""Redactor, which replaces the secrets of exchanges before they are written anywhere.

A value is a secret because of its place: under a name that says so (of a header, a query parameter, a
field of JSON or of a form), before the `@` of a URL, in a cookie. Once found, it is searched for
everywhere, also percent-encoded, escaped and in base64. E-mail addresses, keys that look like those of
the service and JSON web tokens are secrets in any place.

Text is replaced in place: the rest of an exchange stays unchanged, byte for byte.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus

from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.exchange.redaction import body_text, lenient_json
from mock_webshare.exchange.redaction.encodings import Folded, unescaped
from mock_webshare.exchange.redaction.pseudonyms import PSEUDONYM, Pseudonyms
from mock_webshare.exchange.redaction.secret_index import SecretIndex
from mock_webshare.exchange.redaction.secret_names import is_secret_name, may_contain_secret_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mock_webshare.contract.model import Contract
    from mock_webshare.exchange.model import Exchange, Headers

SHORTEST_INDEXED = 8
"""Characters of the shortest secret that is searched for: a key like `any` would spoil every body."""
LONGEST_ID = 19
"""Digits of the largest id: a secret of no more digits may be an id, and is not searched for."""
LONGEST_INDEXED = 65_536
"""Characters of the longest secret that is searched for: no header and no key is longer."""
MOST_INDEXED = 10_000
"""Secrets that are searched for; beyond, the least recently found are dropped."""
DEEPEST_JSON = 8
"""Times that JSON inside a string of JSON is read."""
LONGEST_COUNT = 5
"""Digits of a JSON number that stays even under the name of a secret: `"keys": 3` is harmless."""

_SCHEMES = frozenset(
    {"token", "bearer", "basic", "digest", "negotiate", "ntlm", "oauth", "hmac", "apikey", "api-key", "jwt"}
)
_NO_SECRETS = frozenset({"true", "false", "null", "none"})
_NOT_UTF_8 = "\xff"
_WORDS = (
    "https://proxy.webshare.io", "application/json", "text/html; charset=utf-8", "example.com", "redacted",
    "password", "authorization", "paypal_payout_email",
)  # fmt: skip
"""What recordings contain beside the words of the contract."""

_AT = r"(?:@|%(?:25){0,3}40|\\{1,8}u0040)"
# Bounded lengths, possessive quantifiers and few places where a match can begin keep all searches linear.
_MAIL = re.compile(
    rf"(?<!\\)(?P<local>(?:[\w.+~-]|%2[BbDdEe]|%5[Ff]|\\u(?!0040)[0-9a-fA-F]{{4}}){{1,64}}){_AT}"
    r"(?:[\w-]{1,63}\.){1,9}[^\W\d_]{2,}"
)
_BEGINS = r"(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{2}))"
_KEY_SHAPE = re.compile(rf"{_BEGINS}(?=[0-9]*[a-z])[a-z0-9]{{40}}(?![A-Za-z0-9])")
# Only the first place in a word where a token may begin is tried: if it fails there, the others do too.
_WEB_TOKEN = re.compile(
    rf"(?<![\w-])(?P<before>(?:(?!{_BEGINS}eyJ)[\w-])*+)"
    r"(?P<token>eyJ[\w-]{8,}+\.[\w-]{8,}+\.[\w-]*+)"
)
_LONG_WORD = re.compile(r"[^a-z0-9]*+(?:[a-z0-9]{1,39}+[^a-z0-9]++)*+[a-z0-9]{40}")
"""Start of a text that may contain a key of the service; this is quicker to match than `_KEY_SHAPE`."""
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
"""A part of a multipart form. Each line is read once: where one part begins, another one ends."""
_LINE_OF_TEXT = re.compile(
    r"(?P<before>(?<![\w-])(?P<name>[\w-]{1,100})[\"']?[ \t]*[:=][ \t]*[\"']?"
    r"(?:(?:token|bearer|basic)[ \t]+)?)"
    r"(?P<value>[^\s\"',;&<>(){}\[\]]+)",
    re.IGNORECASE,
)
_JSON = re.compile(r"\ufeff?\s*(?:\{|\"|\[\s*(?:[\[{\"\]]|[\w.+-]+\s*,))")


def redact(exchange: Exchange) -> Exchange:
    """Return an exchange without its secrets; use one `Redactor` for several."""
    return Redactor().exchange(exchange)


class Redactor:
    """Replaces secrets by pseudonyms: `REDACTED-1`, `redacted-1@example.com`, and for cookies `REDACTED`.

    Equal secrets of one redactor have equal pseudonyms, so the exchanges of one key can be recognised.
    A secret that was found once is replaced everywhere, unless it is short, a word of the contract or
    possibly an id. `secrets` are known from the start. Pseudonyms stay unchanged.
    """

    def __init__(self, secrets: Iterable[str] = (), contract: Contract = WEBSHARE) -> None:
        self._contract = contract
        self._pseudonyms = Pseudonyms()
        self._index = SecretIndex(MOST_INDEXED)
        for secret in secrets:
            self._pseudonym(secret)

    def __repr__(self) -> str:
        return f"<Redactor secrets: {len(self._pseudonyms)}>"

    def collect_secrets(self, exchange: Exchange) -> None:
        """Collect the secrets of an exchange, so that they are found in others that are redacted first."""
        self.reserve_pseudonyms(exchange)
        self._redact_url(exchange.url or "")
        for headers, body in _messages(exchange):
            self._redact_headers(headers or ())
            for text in _texts_of(body, headers):
                self._redact_named(text)

    def reserve_pseudonyms(self, exchange: Exchange) -> None:
        """Do not use the numbers of the pseudonyms that an exchange contains already."""
        self._pseudonyms.reserve(exchange.url or "")
        for headers, body in _messages(exchange):
            for text in (*(text for pair in headers or () for text in pair), *_texts_of(body, headers)):
                self._pseudonyms.reserve(text)

    def exchange(self, exchange: Exchange) -> Exchange:
        """Return an exchange without its secrets; a `Content-Length` that was correct stays so."""
        self.collect_secrets(exchange)
        request, response = (self._message(*message) for message in _messages(exchange))
        return replace(
            exchange,
            method=None if exchange.method is None else self._redact_known(exchange.method),
            url=None if exchange.url is None else self.url(exchange.url),
            request_headers=request[0],
            request_body=request[1],
            headers=response[0],
            body=response[1],
        )

    def url(self, url: str) -> str:
        """Return a URL without its secrets."""
        return self._redact_known(self._redact_url(self._redact_indexed(url)))

    def headers(self, headers: Headers) -> Headers:
        """Return headers without their secrets; schemes of credentials, such as `Token`, stay."""
        named = self._redact_headers(tuple((name, self._redact_indexed(value)) for name, value in headers))
        return tuple((self._redact_known(name), self._redact_known(value)) for name, value in named)

    def body(self, body: bytes, content_type: str | None) -> bytes:
        """Return a body without its secrets: JSON, a form, or any text, well-formed or not.

        A compressed one (gzip, deflate) that contains secrets is returned decompressed.
        """
        redacted = body
        for text, encoding in body_text.texts(body, content_type):
            without = self.text(text)
            if without != text:
                redacted = without.encode(encoding, "surrogateescape")
        return redacted

    def text(self, text: str) -> str:
        """Return any text without its secrets."""
        return self._redact_known(self._redact_named(self._redact_indexed(text)))

    def _message(self, headers: Headers | None, body: bytes) -> tuple[Headers | None, bytes]:
        redacted = self.body(body, _content_type(headers))
        if headers is None:
            return None, redacted
        return _with_length(self.headers(headers), len(body), len(redacted)), redacted

    # Secrets by their places. Each method redacts them, and collects them for other places.

    def _redact_url(self, url: str) -> str:
        return "".join(self._redacted_parameters(self._redact_userinfo(url)))

    def _redact_userinfo(self, url: str) -> str:
        return _USERINFO.sub(self._redacted_userinfo, url) if _may_contain_at(url) else url

    def _redacted_userinfo(self, match: re.Match[str]) -> str:
        parts = match["user"].split(":", 1)
        return match["before"] + ":".join(self._redact(part, unquote) for part in parts)

    def _redacted_parameters(self, text: str) -> Iterator[str]:
        """Yield the pieces of a text with redacted query parameters, those of nested URLs included."""
        end = 0
        for match in _NAME.finditer(text):
            if match.end() >= end and is_secret_name(unquote_plus(match["name"])):
                value = _VALUE.match(text, match.end())
                assert value
                yield text[end : match.end()] + self._redact(value[0], unquote_plus)
                end = value.end()
        yield text[end:]

    def _redact_headers(self, headers: Headers) -> Headers:
        return tuple((name, self._redact_header(name, value)) for name, value in headers)

    def _redact_header(self, name: str, value: str) -> str:
        if "cookie" in name.lower():
            # Only the first part of a `Set-Cookie` is the cookie; attributes follow it.
            return self._redact_cookies(value.split(";")[: 1 if name.lower().startswith("set") else None])
        return self._redact_credentials(value) if is_secret_name(name) else self._redact_url(value)

    def _redact_cookies(self, cookies: list[str]) -> str:
        for cookie in cookies:
            name, separator, content = cookie.partition("=")
            for secret in _decodings((content if separator else name).strip(' "')):
                self._pseudonym(secret)
        return "REDACTED" if any(cookies) else ""

    def _redact_credentials(self, value: str) -> str:
        """Keep the scheme, the blanks, the number of words, and whether each word is UTF-8.

        The response to wrong credentials depends on these. `Token a b` is `Token REDACTED-1 REDACTED-2`.
        """
        scheme = re.match(r"\s*([^\s,]+)(?:\s+|$)", value)
        start = scheme.end() if scheme and scheme[1].lower() in _SCHEMES else 0
        for secret in _decoded_credentials(value[start:].strip()):
            self._pseudonym(secret)
        return value[:start] + re.sub(r"\S+", self._redacted_credential, value[start:])

    def _redacted_credential(self, match: re.Match[str]) -> str:
        if PSEUDONYM.fullmatch(match[0]):
            return match[0]
        return self._redact(match[0], str) + ("" if _as_utf_8(match[0]) else _NOT_UTF_8)

    def _redact_named(self, text: str) -> str:
        if not may_contain_secret_name(text):  # except percent-encoded, as that of a parameter
            return self._redact_url(text) if "%" in text else self._redact_userinfo(text)
        text = self._redact_url(text)
        if _JSON.match(text) and '"' in text:
            return self._redact_json(text)
        return _LINE_OF_TEXT.sub(self._redacted_pair, _FORM_PART.sub(self._redacted_pair, text))

    def _redacted_pair(self, match: re.Match[str]) -> str:
        return (
            match["before"] + self._redact(match["value"], str) if is_secret_name(match["name"]) else match[0]
        )

    def _redact_json(self, text: str, depth: int = 0) -> str:
        pieces, end = list[str](), 0
        for value in lenient_json.values(text, is_secret_name):
            pieces += (text[end : value.start], self._redact_json_value(value, depth))
            end = value.stop
        return "".join(pieces) + text[end:]

    def _redact_json_value(self, value: lenient_json.Value, depth: int) -> str:
        if value.is_string and value.is_named:
            return self._redact(value.written, lenient_json.decoded)
        if value.is_string:
            return self._redact_json_in_string(value.written, depth + 1)
        if value.is_named and sum(map(str.isdigit, value.written)) > LONGEST_COUNT:
            return f'"{self._redact(value.written, str)}"'
        return value.written

    def _redact_json_in_string(self, written: str, depth: int) -> str:
        inside = lenient_json.decoded(written) if "\\" in written and depth <= DEEPEST_JSON else ""
        redacted = self._redact_json(inside, depth) if _JSON.match(inside) else inside
        return written if redacted == inside else json.dumps(redacted)[1:-1]

    # Secrets in any place: those that are indexed, and those that are known by their shape.

    def _redact_known(self, text: str) -> str:
        text = self._redact_indexed(text)
        if _LONG_WORD.match(text):
            text = _KEY_SHAPE.sub(lambda match: self._pseudonym(match[0]), text)
        if "eyJ" in text:
            text = _WEB_TOKEN.sub(lambda match: match["before"] + self._pseudonym(match["token"]), text)
        return _MAIL.sub(self._redacted_mail, text) if _may_contain_at(text) else text

    def _redact_indexed(self, text: str) -> str:
        """Replace the secrets in the index; do so first, because a part of one may look like another."""
        return self._index.replace(text, lambda secret: self._pseudonyms.of(secret, is_mail=False))

    def _redacted_mail(self, match: re.Match[str]) -> str:
        if PSEUDONYM.fullmatch(match["local"]):  # the user of a URL: `https://REDACTED-1@example.com`
            return match[0]
        return self._redact(match[0], unescaped)

    # Pseudonyms.

    def _redact(self, written: str, decode: Callable[[str], str]) -> str:
        """Return what replaces an encoded secret; an encoded `@` stays encoded."""
        secret = decode(written)
        pseudonym = self._pseudonym(secret)
        at = re.search(_AT, written)
        return written if pseudonym == secret else pseudonym.replace("@", at[0] if at else "@")

    def _pseudonym(self, secret: str) -> str:
        """Return the pseudonym of a secret, and index the secret; return harmless values unchanged."""
        if all(map(_is_harmless, secret.split())):
            self._pseudonyms.reserve(secret)
            return secret
        is_mail = _MAIL.fullmatch(secret) is not None
        if not is_mail and _is_indexed(secret, self._contract):  # an e-mail address is known by its shape
            self._index.add(secret)
        return self._pseudonyms.of(secret, is_mail=is_mail)


def _may_contain_at(text: str) -> bool:
    return "@" in text or "u0040" in text or ("%" in text and "40" in text)


def _is_harmless(word: str) -> bool:
    return PSEUDONYM.fullmatch(word) is not None or word.lower() in _NO_SECRETS


def _is_indexed(secret: str, contract: Contract) -> bool:
    if len(secret) > LONGEST_INDEXED:
        return False
    letters = Folded(secret).letters  # a secret may decode to fewer, and to a word: `%61vailable`
    if letters.isdigit():
        return len(letters) > LONGEST_ID
    return min(len(secret), len(letters)) >= SHORTEST_INDEXED and letters not in _vocabulary(contract)


@lru_cache(8)
def _vocabulary(contract: Contract) -> bytes:
    """Return the words of a contract; a secret that is a part of one stays where no name indicates it."""
    words = [*_WORDS, *contract.orderings, *contract.filter_names]
    for fields in contract.fields.values():
        words += [word for field in fields for word in (field.name, *field.choices)]
    for endpoint in contract.endpoints:
        words += [endpoint.path, *contract.schemas.document(endpoint.schema).get("properties", {})]
        words += [choice for each in endpoint.filters for choice in each.choices]
    return "\n".join(words).encode()


def _as_utf_8(text: str) -> str | None:
    """Decode a header, of which each character is an octet, as UTF-8; return None if it is not UTF-8."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeEncodeError:  # a file that was written by hand
        return text
    except UnicodeDecodeError:
        return None


def _decodings(text: str) -> Iterable[str]:
    """Return the texts that a part of a header may stand for in other places."""
    return dict.fromkeys((text, unquote(text), _as_utf_8(text) or text))


def _decoded_credentials(value: str) -> Iterator[str]:
    """Yield credentials without their scheme, and the user and the password in them."""
    yield from _decodings(value)
    try:
        pair = base64.b64decode(value, validate=True).decode()
    except ValueError:
        return
    if ":" in pair:
        yield from pair.split(":", 1)


def _messages(exchange: Exchange) -> Iterator[tuple[Headers | None, bytes]]:
    yield exchange.request_headers, exchange.request_body
    yield exchange.headers, exchange.body


def _texts_of(body: bytes, headers: Headers | None) -> Iterator[str]:
    return (text for text, _ in body_text.texts(body, _content_type(headers)))


def _content_type(headers: Headers | None) -> str | None:
    return next((value for name, value in headers or () if name.lower() == "content-type"), None)


def _with_length(headers: Headers, before: int, after: int) -> Headers:
    return tuple(
        (name, str(after) if name.lower() == "content-length" and value == str(before) else value)
        for name, value in headers
    )
