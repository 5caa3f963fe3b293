"""What indicates a secret: patterns of places and shapes, and names of headers, parameters and fields.

Bounded lengths, possessive quantifiers and few places where a match can begin keep all searches linear.
"""

from __future__ import annotations

import re
from functools import lru_cache

_PERCENT = r"%(?:25){0,4}"
_AT = rf"(?:@|{_PERCENT}40|\\{{1,8}}u0040|&\#0{{0,5}}64;|&\#[xX]0{{0,5}}40;|&commat;)"
AT = re.compile(_AT)
_DOT = rf"(?:\.|{_PERCENT}2[Ee]|\\{{1,8}}u002[Ee]|&\#0{{0,5}}46;|&\#[xX]0{{0,5}}2[Ee];)"
_PERCENT_LETTER = rf"{_PERCENT}(?:2[Dd]|3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|[89A-Fa-f][0-9A-Fa-f])"
_ESCAPED_LETTER = (
    rf"(?:{_PERCENT_LETTER}"
    r"|\\{1,8}u(?!00[2-4])[0-9a-fA-F]{4}|\\{1,8}u00(?:2[Dd]|3[0-9]|4[1-9A-Fa-f]))"
)
MAIL = re.compile(
    rf"(?<!\\)(?<!%)(?<!%[0-9A-Fa-f])"
    rf"(?P<local>(?:[\w.+~-]|%2[BbEe]|%5[Ff]|\\{{1,8}}u(?!0040)[0-9a-fA-F]{{4}}|{_PERCENT_LETTER}){{1,64}}){_AT}"
    rf"(?:(?:[\w-]|{_ESCAPED_LETTER}){{1,63}}{_DOT}){{1,9}}(?:[^\W\d_]|{_ESCAPED_LETTER}){{2,63}}"
)
_BEGINS = r"(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{2}))"
KEY_SHAPE = re.compile(rf"{_BEGINS}(?=[0-9]*[a-z])[a-z0-9]{{40}}(?![A-Za-z0-9])")
# Only the first place in a word where a token may begin is tried: if none begins there, none begins later.
WEB_TOKEN = re.compile(
    rf"(?<![\w-])(?P<before>(?:(?!{_BEGINS}eyJ)[\w-])*+)"
    r"(?P<token>eyJ[\w-]{8,}+\.[\w-]{8,}+\.[\w-]*+)"
)
LONG_WORD = re.compile(r"[^a-z0-9]*+(?:[a-z0-9]{1,39}+[^a-z0-9]++)*+[a-z0-9]{40}")
"""Start of a text that may contain a key of the service; this is quicker to match than `KEY_SHAPE`."""
USERINFO = re.compile(
    rf"(?P<before>(?:\\?/){{2}}|{_PERCENT}3A(?:{_PERCENT}2F){{2}})"
    rf"(?P<user>(?:(?!{_AT}|{_PERCENT}3A{_PERCENT}2F)[^\s\"'<>/?#\\])+)(?={_AT})",
    re.IGNORECASE,
)
_SLASH = rf"(?:\\?/|{_PERCENT}2F|\\{{1,8}}u002F|&\#47;|&\#x2F;)"
DOWNLOAD = re.compile(
    rf"(?P<before>proxy{_SLASH}{{1,3}}list{_SLASH}{{1,3}}download{_SLASH}{{1,3}})(?P<value>(?:(?!{_SLASH})[^\s\"'<>?#&\\])+)",
    re.IGNORECASE,
)
"""A download link of a proxy list, whose path contains a token (the vendor's documentation)."""
_COLON = rf"(?::|{_PERCENT}3A)"
_HOST = r"(?:(?:[0-9]{1,3}\.){3}[0-9]{1,3}|(?:[a-z0-9-]{1,63}\.){1,9}[a-z]{2,20}|\[[0-9a-f:]{2,39}\])"
_CREDENTIAL = rf"(?:(?!{_COLON}|@)[^\s\"'<>,;|\\/])+"
PROXY = re.compile(
    rf"(?<![\w.:-])(?P<before>{_HOST}{_COLON}[0-9]{{1,5}}{_COLON})"
    rf"(?P<user>{_CREDENTIAL})(?P<colon>{_COLON})(?P<password>{_CREDENTIAL})",
    re.IGNORECASE,
)
"""A line of a proxy list, `ip:port:user:password` (the vendor's documentation)."""
PORT = re.compile(rf"(?:\.[0-9a-z]{{1,20}}|\]){_COLON}[0-9]", re.IGNORECASE)
"""A part of every text that `PROXY` or `PROXY_USERINFO` matches; it is quicker to search for."""
PROXY_USERINFO = re.compile(
    rf"(?P<before>(?:^|(?<=[\s\"'<>,;|=])))(?P<user>{_CREDENTIAL})(?P<colon>:)(?P<password>{_CREDENTIAL})"
    rf"(?=@{_HOST}:[0-9]{{1,5}}(?![0-9]))",
    re.IGNORECASE | re.MULTILINE,
)
"""User and password of a proxy, in the form that some clients take: `user:password@ip:port`."""
NAME = re.compile(
    rf"(?:^|[?&#;]\s{{0,9}}|{_PERCENT}(?:3F|26|23)|\\u0026|\\u003f)"
    rf"(?P<name>(?:(?!{_PERCENT}3D)[^\s\"'<>=?&#;/\\:{{}}]){{1,100}})(?P<sign>=|{_PERCENT}3D|\\{{1,8}}u003d)",
    re.IGNORECASE | re.MULTILINE,
)
VALUE = re.compile(r"[^\s\"'<>&#;\\]*")
NESTED_VALUE = re.compile(rf"(?:(?!{_PERCENT}(?:26|23))[^\s\"'<>&#;\\])*", re.IGNORECASE)
"""The value of a parameter in a URL that is percent-encoded in another one."""
FORM_PART = re.compile(
    r"(?P<before>(?:^|(?<=\r))(?:(?!form-data;)[^\r\n])*+form-data;(?:(?!\bname\*?[ \t]{0,9}=)[^\r\n])*+"
    r"name\*?[ \t]{0,9}=[ \t]{0,9}(?:utf-8'[^'\r\n]*+')?\"?(?P<name>[^\"\r\n;]*+)[^\r\n]*+"
    r"(?:\r?\n(?![^\r\n]*form-data;)[^\r\n]++)*+\r?\n\r?\n)"
    r"(?P<value>.*?)(?=\r?\n--|\Z)",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
"""A part of a multipart form. Each line is read once: where one part begins, another one ends."""
LINE_OF_TEXT = re.compile(
    r"(?P<before>(?<![\w-])(?P<name>[\w-]{1,100})[\"']?[ \t]*(?P<sign>[:=])[ \t]*[\"']?"
    r"(?:(?:token|bearer|basic)[ \t]+)?)"
    r"(?P<value>[^\s\"',;&<>(){}\[\]]+)",
    re.IGNORECASE,
)
ELEMENT = re.compile(
    r"<(?P<tag>[A-Za-z_][\w:.-]{0,99}+)"
    r"(?P<attributes>(?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*+(?=>)|[^<>]*+)>"
    r"(?P<open>\s*+(?:<!\[CDATA\[)?+)(?P<value>[^<\]]*+)"
)
"""The start of an element of XML or HTML, and the text after it."""
ATTRIBUTE = re.compile(
    r"(?P<before>(?P<name>[\w:.-]{1,100}+)\s*+=\s*+(?:(?P<quote>[\"'])|))"
    r"(?P<value>(?(quote)(?:(?!(?P=quote)).)*+|[^\s\"'<>=]++))(?(quote)(?P=quote)|)",
    re.DOTALL,
)
PAIR_OF_ELEMENTS = re.compile(
    r"(?P<before><(?P<tag>name|key)>(?P<name>[^<]{1,100}+)</(?P=tag)>\s*+<[A-Za-z][^<>]*+>)(?P<value>[^<]++)",
    re.IGNORECASE,
)
"""A name and a value in elements: `<key>token</key><string>abc</string>`."""
BEFORE_PORT = re.compile(r"[\w\]]:$")
"""The end of a text after which a port may follow."""
WORD = re.compile(
    r"\\(?:u[0-9a-fA-F]{4}|.)|%[0-9A-Fa-f]{2}"
    r"|(?P<word>[^\s\"'<>&=;,:/?#()\[\]{}\\|`%]++)(?P<sign>\"\s{0,9}:|=)?",
    re.DOTALL,
)
"""A word, with the sign after it if it is the name of a field or parameter; or an escape before a word."""
JSON_STRING = re.compile(r"\"(?P<string>[^\"\\]*+(?:\\.[^\"\\]*+)*+)(?:\"|\Z)", re.DOTALL)
JSON = re.compile(r"\ufeff?\s*(?:\{|\"|\[\s*(?:[\[{\"\]]|[\w.+-]+\s*,))")
_DIGITS = "([0-9]{1,18})"  # our pseudonyms do not have more
PSEUDONYM = re.compile(rf"REDACTED(?:-{_DIGITS})?\xff?|redacted-{_DIGITS}@example\.com\xff?", re.IGNORECASE)
NUMBERED = re.compile(rf"redacted-{_DIGITS}(?![0-9])")

LONGEST_CACHED = 200
"""Characters of a name whose result is cached: a recording may contain huge ones."""

# The letters of a name are searched for these parts in any case, so that compounds are found: HTTP/2 writes
# `X-AuthKey` as `x-authkey`. Words are compared whole, because other words contain them: `sid` is in `side`.
_PARTS = (
    "token", "secret", "passw", "passphrase", "passcode", "passkey", "session", "sessid", "credential",
    "cookie", "csrf", "xsrf", "oauth", "authoris", "authoriz", "authn", "authentication", "bearer", "jwt",
    "signature", "mail", "username",
)  # fmt: skip
_WORDS = frozenset({"auth", "creds", "key", "keys", "otp", "totp", "pass", "pin", "pwd", "sid", "sig"})
_ENDINGS = ("auth", "key", "keys", "pass", "pwd")
"""Words that indicate a secret at the end of a compound: `x-authkey`, `userpwd`."""
_HARMLESS_COMPOUNDS = frozenset({"bypass", "compass", "hotkey", "monkey", "trespass", "turkey", "turnkey"})
_DOCUMENTED = frozenset(
    {"authentication_method", "authentication_type"}
    | {f"ip_authorization_{part}" for part in ("asn", "city", "country_codes", "postalcode", "state")}
)
"""Fields of other endpoints of the service that hold no secrets (the models of the vendor's client)."""
_SEGMENT = re.compile(r"[A-Za-z]+")
_CAMEL_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SIGNS = (*_PARTS, *_WORDS, "\\u", '\\"', "&#")  # the last three: a name may be escaped
_SHORTEST_SIGNS = tuple(sign for sign in _SIGNS if not any(each in sign for each in _SIGNS if each != sign))


def is_secret_name(name: str) -> bool:
    """Return whether a header, parameter or field with this name holds a secret."""
    return _is_secret_name(name) if len(name) > LONGEST_CACHED else _cached(name)


def may_contain_secret_name(text: str) -> bool:
    """Return quickly whether a text may contain the name of a secret that is not percent-encoded."""
    lowered = text.lower()
    return any(sign in lowered for sign in _SHORTEST_SIGNS)


def _is_secret_name(name: str) -> bool:
    return name.lower() not in _DOCUMENTED and any(map(_is_secret_compound, _SEGMENT.findall(name)))


def _is_secret_compound(letters: str) -> bool:
    """Return whether letters that no other character divides, such as `sessionID`, indicate a secret."""
    lowered = letters.lower()
    if lowered in _WORDS or any(part in lowered for part in _PARTS):
        return True
    if lowered.endswith(_ENDINGS) and lowered not in _HARMLESS_COMPOUNDS:
        return True
    return any(word.lower() in _WORDS for word in _CAMEL_WORD.findall(letters))


_cached = lru_cache(4096)(_is_secret_name)
