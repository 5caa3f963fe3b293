"""Redactor, which replaces the secrets of exchanges before they are written anywhere.

A value is a secret because of its place: under a name that indicates a secret (of a header, a parameter, a
field of JSON, XML or a form), before the `@` of a URL, in a cookie, in a download link of a proxy list.
Once found, a secret is searched for everywhere, also percent-encoded, escaped and in base64; a short secret
only as a whole word and in its own exchange. E-mail addresses, keys that look like those of the service, JSON
web tokens and the lines of a proxy list are secrets in any place.

Text is replaced in place: the rest of an exchange stays unchanged, byte for byte.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote_plus, unquote, unquote_plus

from mock_webshare.contract import messages
from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.exchange.redaction import body_text, lenient_json, patterns
from mock_webshare.exchange.redaction.encodings import Folded, unescaped
from mock_webshare.exchange.redaction.patterns import PSEUDONYM, is_secret_name, may_contain_secret_name
from mock_webshare.exchange.redaction.secret_index import Pseudonyms, SecretIndex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mock_webshare.contract.model import Contract
    from mock_webshare.exchange.model import Exchange, Headers

SHORTEST_INDEXED = 8
"""Characters of the shortest secret that is searched for in any place: a key like `any` is in every body."""
SHORTEST_WORD, SHORTEST_NUMBER = 3, 4
"""Characters of the shortest secrets that are searched for as whole words, in their own exchange."""
LONGEST_ID = 19
"""Digits of the largest id: a secret of no more digits may be an id, so only a whole word is replaced."""
LONGEST_INDEXED = 65_536
"""Characters of the longest secret that is searched for: no header and no key is longer."""
MOST_INDEXED = 10_000
"""Secrets that are searched for; beyond, the least recently found are dropped."""
DEEPEST = 8
"""Times that a text is read inside another one: JSON in a string of JSON or in a parameter."""
LONGEST_COUNT = 3
"""Digits of a JSON number that stays even under the name of a secret: `"keys": 3` is harmless."""

LONGEST_WORD = 16
"""Characters of a word in a sentence such as `Password: required`."""
SHORTEST_PLAIN = 1000
"""Characters of the shortest text that is remembered to search it only once; URLs and headers have fewer."""

_SCHEMES = frozenset(
    {"token", "bearer", "basic", "digest", "negotiate", "ntlm", "oauth", "hmac", "apikey", "api-key", "jwt"}
)
_HARMLESS_HEADERS = frozenset(
    {"age", "allow", "content-encoding", "content-length", "content-type", "date", "expires", "last-modified"}
    | {"retry-after", "transfer-encoding", "vary"}
)
"""Headers of HTTP whose values are words and numbers that a short secret may equal."""
_NO_SECRETS = frozenset({"true", "false", "null", "none"})
_NOT_UTF_8 = "\xff"
_WORDS = (
    "https://proxy.webshare.io", "application/json", "text/html; charset=utf-8", "example.com", "redacted",
    "password", "authorization", "paypal_payout_email",
)  # fmt: skip
"""What recordings contain beside the words of the contract."""

_SIGNS_OF_TEXT = ("\\", "%", "<", "=", ": ")
"""A string of JSON that contains one of these may be a text with secrets of its own."""
_NAMING_ATTRIBUTES = frozenset({"name", "id", "key", "property", "itemprop"})
_VALUE_ATTRIBUTES = frozenset({"value", "content"})


class _Codec(NamedTuple):
    """How a text is encoded inside another one."""

    decode: Callable[[str], str]
    encode: Callable[[str], str]


_QUOTED = _Codec(unquote_plus, partial(quote_plus, errors="surrogatepass"))
_IN_HTML = _Codec(html.unescape, html.escape)
_IN_JSON = _Codec(lenient_json.decoded, lambda text: json.dumps(text)[1:-1])


class Redactor:
    """Replaces secrets by pseudonyms: `REDACTED-1`, `redacted-1@example.com`, and for cookies `REDACTED`.

    Equal secrets of one redactor have equal pseudonyms, so the exchanges of one key can be recognised.
    A secret that was found once is replaced everywhere, unless it is a word of the contract; a secret that
    is short or may be an id is replaced only in its own exchange. `secrets` are replaced from the start.
    Pseudonyms that an exchange already contains stay unchanged.
    """

    def __init__(self, secrets: Iterable[str] = (), contract: Contract = WEBSHARE) -> None:
        self._contract = contract
        self._pseudonyms = Pseudonyms()
        self._index = SecretIndex(MOST_INDEXED)
        self._words: dict[str, str] = {}
        """Short secrets of the current exchange, by their lower case."""
        self._plain = ""
        """The last long text that has no place of a secret: each text is searched twice."""
        for secret in secrets:
            self._pseudonym(secret)

    def __repr__(self) -> str:
        return f"<Redactor secrets: {len(self._pseudonyms)}>"

    def collect_secrets(self, exchange: Exchange) -> None:
        """Collect the secrets of an exchange, so that they are replaced in exchanges redacted before it."""
        self._words.clear()
        self.reserve_pseudonyms(exchange)
        self._redact_named(exchange.url or "")
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
        """Return an exchange without its secrets; a correct `Content-Length` is adapted to the new body."""
        self.collect_secrets(exchange)
        request, response = (self._message(*message) for message in _messages(exchange))
        return replace(
            exchange,
            method=None if exchange.method is None else self._redact_known(exchange.method),
            url=None if exchange.url is None else self.text(exchange.url),
            request_headers=request[0],
            request_body=request[1],
            headers=response[0],
            body=response[1],
        )

    def url(self, url: str) -> str:
        """Return a URL, or a text that this program wrote, without its secrets.

        Unlike `text`, it does not take `name: value` for a secret.
        """
        return self._redact_known(self._redact_url(self._redact_proxies(self._redact_indexed(url)), 0))

    def headers(self, headers: Headers) -> Headers:
        """Return headers without their secrets; schemes of credentials, such as `Token`, stay."""
        # Known secrets first, for one may have several words; under a secret name all words are redacted.
        named = self._redact_headers(
            tuple(
                (name, value if is_secret_name(name) else self._redact_indexed(value))
                for name, value in headers
            )
        )
        return tuple(
            (
                self._redact_known(name),
                value if name.lower() in _HARMLESS_HEADERS else self._redact_known(value),
            )
            for name, value in named
        )

    def body(self, body: bytes, content_type: str | None) -> bytes:
        """Return a body without its secrets: JSON, a form, or any text, well-formed or not.

        A compressed body that contains secrets is returned decompressed.
        """
        redacted = body
        for layer in body_text.layers(body):
            without = body_text.substitute(layer, content_type, self.text)
            if without != layer:
                redacted = without
        return redacted

    def text(self, text: str) -> str:
        """Return any text without its secrets; JSON stays well-formed."""
        redacted = self._redact_known(self._redact_named(self._redact_indexed(text)))
        if redacted == text or not patterns.JSON.match(redacted):
            return redacted
        redacted = _with_values(redacted, lenient_json.values(redacted, lambda _: False), _quoted)
        if not _is_json(redacted) and _is_json(text):  # a secret with quotes may reach beyond a string
            return patterns.JSON_STRING.sub(self._redacted_string, self._redact_named(text))
        return redacted

    def _redacted_string(self, match: re.Match[str]) -> str:
        string = lenient_json.decoded(match["string"])
        redacted = self._redact_known(string)
        return match[0] if redacted == string else json.dumps(redacted)

    def _message(self, headers: Headers | None, body: bytes) -> tuple[Headers | None, bytes]:
        redacted = self.body(body, _content_type(headers))
        if headers is None:
            return None, redacted
        return _with_length(self.headers(headers), len(body), len(redacted)), redacted

    # Secrets by their places. Each method redacts them, and collects them for other places.

    def _redact_named(self, text: str, depth: int = 0) -> str:
        """Redact a text, or at a depth of 1 and more a value that is inside another text."""
        text = self._redact_places(text, depth)
        return self._redact_quoted(text, depth) if depth else text

    def _redact_places(self, text: str, depth: int) -> str:
        if text == self._plain:
            return text
        given, text = text, self._redact_proxies(text)
        if not may_contain_secret_name(text):  # but the name of a parameter may be percent-encoded
            text = self._redact_url(text, depth) if "%" in text else self._redact_userinfo(text)
            if text == given and len(text) > SHORTEST_PLAIN:
                self._plain = text
            return text
        text = self._redact_url(text, depth)
        if patterns.JSON.match(text) and '"' in text:
            return self._redact_json(text, depth)
        if "<" in text:
            text = patterns.PAIR_OF_ELEMENTS.sub(self._redacted_pair, text)
            text = patterns.ELEMENT.sub(self._redacted_element, text)
        text = patterns.FORM_PART.sub(self._redacted_pair, text)
        return patterns.LINE_OF_TEXT.sub(self._redacted_prose if depth else self._redacted_pair, text)

    def _redact_proxies(self, text: str) -> str:
        """Redact the token of a download link, and user and password in the lines of a proxy list."""
        if "download" in text.lower():
            text = patterns.DOWNLOAD.sub(
                lambda match: match["before"] + self._redact(match["value"], unquote), text
            )
        if not patterns.PORT.search(text):
            return text
        text = patterns.PROXY.sub(self._redacted_proxy, text)
        return patterns.PROXY_USERINFO.sub(self._redacted_proxy, text) if "@" in text else text

    def _redacted_proxy(self, match: re.Match[str]) -> str:
        user, password = (self._redact(match[name], unquote) for name in ("user", "password"))
        return f"{match['before']}{user}{match['colon']}{password}"

    def _redact_url(self, url: str, depth: int) -> str:
        url = self._redact_userinfo(url)
        url = _with_parameters(url, is_secret_name, lambda value: self._redact(value, unquote_plus))
        if depth or "%" not in url:  # at a depth, the whole text is decoded
            return url
        return _with_parameters(url, bool, lambda value: self._redact_quoted(value, depth))

    def _redact_userinfo(self, url: str) -> str:
        return patterns.USERINFO.sub(self._redacted_userinfo, url) if _may_contain_at(url) else url

    def _redacted_userinfo(self, match: re.Match[str]) -> str:
        parts = match["user"].split(":", 1)
        return match["before"] + ":".join(self._redact(part, unquote) for part in parts)

    def _redact_quoted(self, value: str, depth: int) -> str:
        is_quoted = "%" in value and unquote_plus(value) != value
        return self._redact_inside(value, _QUOTED, depth) if is_quoted else value

    def _redact_inside(self, written: str, codec: _Codec, depth: int) -> str:
        """Redact a text that is encoded in another text; encode it again only if it had secrets."""
        if depth == DEEPEST:
            return written
        inside = codec.decode(written)
        redacted = self._redact_named(inside, depth + 1)
        return written if redacted == inside else codec.encode(redacted)

    def _redact_headers(self, headers: Headers) -> Headers:
        return tuple((name, self._redact_header(name, value)) for name, value in headers)

    def _redact_header(self, name: str, value: str) -> str:
        if "cookie" in name.lower():
            # Only the first part of a `Set-Cookie` is the cookie; attributes follow it.
            return self._redact_cookies(value.split(";")[: 1 if name.lower().startswith("set") else None])
        return self._redact_credentials(value) if is_secret_name(name) else self._redact_named(value)

    def _redact_cookies(self, cookies: list[str]) -> str:
        for cookie in cookies:
            name, separator, content = cookie.partition("=")
            for secret in _decodings((content if separator else name).strip(' "')):
                self._pseudonym(secret, is_named=is_secret_name(name))
        return "REDACTED" if any(cookies) else ""

    def _redact_credentials(self, value: str) -> str:
        """Redact credentials; keep the scheme, the blanks, the number of words, and whether each is UTF-8.

        The response to wrong credentials depends on these. `Token a b` is `Token REDACTED-1 REDACTED-2`.
        """
        start = _start_of_credentials(value)
        for secret in _decoded_credentials(value[start:].strip()):
            self._pseudonym(secret)
        return value[:start] + re.sub(r"\S+", self._redacted_credential, value[start:])

    def _redacted_credential(self, match: re.Match[str]) -> str:
        if PSEUDONYM.fullmatch(match[0]):
            return match[0]
        return self._redact(match[0], str) + ("" if _as_utf_8(match[0]) else _NOT_UTF_8)

    def _redacted_pair(self, match: re.Match[str]) -> str:
        return (
            match["before"] + self._redact(match["value"], str) if is_secret_name(match["name"]) else match[0]
        )

    def _redacted_prose(self, match: re.Match[str]) -> str:
        """Redact a pair in a text inside another one: `a=b`, `"a": b`, or `a: b` at the start of a line."""
        before, after = match.string[match.start() - 1 : match.start()], match.string[match.end("name")]
        is_pair = match["sign"] == "=" or after in "\"'"
        if before in ("", "\n", "\r", "{", ",") and _is_conspicuous(match["value"]):
            is_pair = True
        return self._redacted_pair(match) if is_pair else match[0]

    def _redacted_element(self, match: re.Match[str]) -> str:
        names = [match["tag"]]
        for each in patterns.ATTRIBUTE.finditer(match["attributes"]):
            if each["name"].lower() in _NAMING_ATTRIBUTES:
                names.append(each["value"])
        if not any(map(is_secret_name, names)) or (match["tag"] == "key" and is_secret_name(match["value"])):
            return self._redacted_markup(match)
        attributes = patterns.ATTRIBUTE.sub(self._redacted_attribute, match["attributes"])
        value = self._redact(match["value"], html.unescape) if match["value"].strip() else match["value"]
        return f"<{match['tag']}{attributes}>{match['open']}{value}"

    def _redacted_markup(self, match: re.Match[str]) -> str:
        """Redact the texts that are escaped in an element, such as JSON in an attribute."""
        if not ("&" in match[0] or "%" in match["attributes"]):
            return match[0]
        attributes = patterns.ATTRIBUTE.sub(self._redacted_escaped, match["attributes"])
        value = self._redact_inside(match["value"], _IN_HTML, 0)
        return f"<{match['tag']}{attributes}>{match['open']}{value}"

    def _redacted_escaped(self, match: re.Match[str]) -> str:
        return f"{match['before']}{self._redact_inside(match['value'], _IN_HTML, 0)}{match['quote'] or ''}"

    def _redacted_attribute(self, match: re.Match[str]) -> str:
        if match["name"].lower() not in _VALUE_ATTRIBUTES:
            return match[0]
        return f"{match['before']}{self._redact(match['value'], html.unescape)}{match['quote'] or ''}"

    def _redact_json(self, text: str, depth: int) -> str:
        values = lenient_json.values(text, is_secret_name)
        return _with_values(text, values, lambda value: self._redact_json_value(value, depth))

    def _redact_json_value(self, value: lenient_json.Value, depth: int) -> str:
        written = value.written
        if value.is_string and value.is_named:
            start = _start_of_credentials(written)
            return written[:start] + self._redact(written[start:], lenient_json.decoded)
        if value.is_string:
            is_text = any(sign in written for sign in _SIGNS_OF_TEXT)
            return self._redact_inside(written, _IN_JSON, depth) if is_text else written
        is_long = value.is_named and sum(map(str.isdigit, written)) > LONGEST_COUNT
        return f'"{self._redact(written, str)}"' if is_long else written

    # Secrets in any place: those that are indexed, and those that are known by their shape.

    def _redact_known(self, text: str) -> str:
        text = self._redact_indexed(text)
        if patterns.LONG_WORD.match(text):
            text = patterns.KEY_SHAPE.sub(lambda match: self._pseudonym(match[0]), text)
        if "eyJ" in text:
            text = patterns.WEB_TOKEN.sub(
                lambda match: match["before"] + self._pseudonym(match["token"]), text
            )
        text = patterns.MAIL.sub(self._redacted_mail, text) if _may_contain_at(text) else text
        return patterns.WORD.sub(self._redacted_word, text) if self._words else text

    def _redacted_word(self, match: re.Match[str]) -> str:
        word = "" if match["sign"] else (match["word"] or "").rstrip(".!?")
        secret = self._words.get(word.lower())
        if secret and secret.isdecimal() and patterns.BEFORE_PORT.search(match.string[: match.start()][-2:]):
            return match[0]
        return match[0].replace(word, self._pseudonyms.of(secret, is_mail=False)) if secret else match[0]

    def _redact_indexed(self, text: str) -> str:
        """Replace the secrets in the index; called before patterns, which may match a part of a secret."""
        return self._index.replace(text, lambda secret: self._pseudonyms.of(secret, is_mail=False))

    def _redacted_mail(self, match: re.Match[str]) -> str:
        before = match.string[max(0, match.start() - len("redacted")) : match.start()]
        # The user of a URL, `https://REDACTED-1@example.com`, or the end of a pseudonym after another one.
        if PSEUDONYM.fullmatch(match["local"]) or PSEUDONYM.fullmatch(before + match["local"]):
            return match[0]
        return self._redact(match[0], unescaped)

    # Pseudonyms.

    def _redact(self, written: str, decode: Callable[[str], str]) -> str:
        """Return what replaces an encoded secret; an encoded `@` stays encoded."""
        secret = _without_quotes(decode(written))
        pseudonym = self._pseudonym(secret)
        at = patterns.AT.search(written)
        return written if pseudonym == secret else pseudonym.replace("@", at[0] if at else "@")

    def _pseudonym(self, secret: str, *, is_named: bool = True) -> str:
        """Return the pseudonym of a secret, and collect the secret; return harmless values unchanged.

        Quotes around a secret are not a part of it.
        """
        secret = _without_quotes(secret)
        if all(map(_is_harmless, secret.split())):
            self._pseudonyms.reserve(secret)
            return secret
        is_mail = patterns.MAIL.fullmatch(secret) is not None
        if not is_mail:  # an e-mail address is known by its shape
            self._collect(secret, is_named)
        return self._pseudonyms.of(secret, is_mail=is_mail)

    def _collect(self, secret: str, is_named: bool) -> None:
        if len(secret) > LONGEST_INDEXED:
            return
        letters = Folded(secret).letters  # fewer if the secret is encoded, maybe a word: `%61vailable`
        if not letters or letters in _vocabulary(self._contract):
            return
        is_long = min(len(secret), len(letters)) >= SHORTEST_INDEXED
        if len(letters) > LONGEST_ID if letters.isdigit() else is_long:
            self._index.add(secret)
        elif is_named and _is_whole_word(secret):
            self._words[secret.lower()] = secret


def _may_contain_at(text: str) -> bool:
    return (
        "@" in text or "u0040" in text or "&#" in text or "&commat;" in text or ("%" in text and "40" in text)
    )


def _is_harmless(word: str) -> bool:
    is_pseudonym = PSEUDONYM.fullmatch(word) or PSEUDONYM.fullmatch(html.unescape(unescaped(word)))
    return is_pseudonym is not None or word.lower() in _NO_SECRETS


def _without_quotes(secret: str) -> str:
    return secret.strip("\"'") or secret


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (RecursionError, ValueError):
        return False
    return True


def _quoted(value: lenient_json.Value) -> str:
    """Return a value of JSON, in quotes if a pseudonym has replaced a number."""
    is_number = not value.is_string and "'" not in value.written and PSEUDONYM.search(value.written)
    return f'"{value.written}"' if is_number else value.written


def _is_conspicuous(value: str) -> bool:
    """Return whether a value after a colon looks like a secret, and not like a word of a sentence."""
    return len(value) >= LONGEST_WORD or any(map(str.isdigit, value))


def _is_whole_word(secret: str) -> bool:
    """Return whether a short secret may be searched for as a word."""
    shortest = SHORTEST_NUMBER if secret.isdecimal() else SHORTEST_WORD
    word = patterns.WORD.fullmatch(secret)
    return len(secret) >= shortest and word is not None and word["word"] is not None


@lru_cache(8)
def _vocabulary(contract: Contract) -> bytes:
    """Return the words of a contract; a secret that is part of one is replaced only under a secret name."""
    words = [*_WORDS, *contract.orderings, *contract.filter_names]
    for fields in contract.fields.values():
        words += [word for field in fields for word in (field.name, *map(str, field.choices))]
    for endpoint in contract.endpoints:
        words.append(endpoint.path)
        words += [choice for each in endpoint.filters for choice in each.choices]
    for name in contract.schemas.names:
        words += contract.schemas.document(name).get("properties", {})
    words += [text for text in vars(messages).values() if isinstance(text, str)]
    return "\n".join(words).lower().encode()


def _with_parameters(text: str, is_wanted: Callable[[str], bool], redact: Callable[[str], str]) -> str:
    """Return a text with the values of query parameters redacted whose names are wanted."""
    pieces, end = list[str](), 0
    for match in patterns.NAME.finditer(text):
        if match.end() >= end and is_wanted(unescaped(match["name"])):
            value = (patterns.VALUE if match["sign"] == "=" else patterns.NESTED_VALUE).match(
                text, match.end()
            )
            assert value
            pieces += (text[end : match.end()], redact(value[0]))
            end = value.end()
    return "".join(pieces) + text[end:]


def _with_values(
    text: str, values: Iterable[lenient_json.Value], redact: Callable[[lenient_json.Value], str]
) -> str:
    """Return a JSON text with its values redacted, and all else unchanged."""
    pieces, end = list[str](), 0
    for value in values:
        pieces += (text[end : value.start], redact(value))
        end = value.stop
    return "".join(pieces) + text[end:]


def _start_of_credentials(value: str) -> int:
    """Return where credentials begin after their scheme: 6 in `Token abc`, 0 in `abc`."""
    scheme = re.match(r"\s*([^\s,]+)(?:\s+|$)", value)
    return scheme.end() if scheme and scheme[1].lower() in _SCHEMES else 0


def _as_utf_8(text: str) -> str | None:
    """Decode a header, whose characters are octets, as UTF-8; return None if it is not UTF-8."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeEncodeError:  # a file that was written by hand
        return text
    except UnicodeDecodeError:
        return None


def _decodings(text: str) -> Iterable[str]:
    """Return a part of a header in all the forms in which other places may contain it."""
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
    return (body_text.text(layer, _content_type(headers)) for layer in body_text.layers(body))


def _content_type(headers: Headers | None) -> str | None:
    return next((value for name, value in headers or () if name.lower() == "content-type"), None)


def _with_length(headers: Headers, before: int, after: int) -> Headers:
    return tuple(
        (name, str(after) if name.lower() == "content-length" and value == str(before) else value)
        for name, value in headers
    )
