"""Whole requests from a grammar: what a client would send, mixed with what nobody should.

The grammar stays within what `wire.py` compares.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from tests.conformance.corpus.cases import (
    BRIEF,
    CHANNELS,
    CODE,
    CONFIG,
    COUPON,
    EARNOUT,
    EARNOUTS,
    FORM,
    INFO,
    JSON,
    LIST,
    MULTIPART,
    ONE,
    with_body,
    with_own_key,
)
from tests.conformance.wire import HOST, KEY, Headers, Request

Text = st.SearchStrategy[str]

# --- Pieces of a target -------------------------------------------------------------------------------

ODD_PIECES = (
    # code points that int(), strip() and JSON treat in a way of their own, and bytes that are no UTF-8
    "%00 %1F %0A %0D%0A %09 %20 %7F %C2%A0 %E3%80%80 %E2%80%A8 %E2%80%A9 %EF%BB%BF %C2%B2 %EF%BC%92 %D9%A3 "
    "%C3%A9 %c3%a9 %F0%9F%98%80 %FF %C3 %E9 %ED%A0%80 "
    # broken and doubled percents, and what has a meaning in a URL
    "% %% %zz %4 %25 %2525 %26 %3D %23 %2F %2f %2B %2D %5C %22 + - _ . , ; : @ / ? = ' ( ) * ! ~ $ "
    '[ ] { } | ^ ` < > \\ " 0 1 2 x'
)
ODD: Text = st.lists(
    st.one_of(
        st.sampled_from(ODD_PIECES.split()),
        st.text(st.characters(codec="utf-8"), max_size=4).map(lambda text: quote(text, safe="")),
        st.binary(max_size=3).map(lambda octets: quote(octets, safe="")),
    ),
    max_size=4,
).map("".join)
BLANKS = st.sampled_from(
    ("", "", "", "", "+", "%20", "%0A", "%09", "%C2%A0", "%E3%80%80", "%1F", "%E2%80%A8")
)
SIGNS = st.sampled_from(("", "", "", "", "", "-", "+", "%2B", "--", "%2B-", "%E2%88%92"))
ZEROS = st.sampled_from((0x30, 0x30, 0x30, 0x0660, 0x0966, 0xFF10, 0x1D7D8))
"""The zeros of several scripts; their other digits follow them."""


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """Draw a number as int() may or may not read it: signs, blanks, underscores, digits of any script."""
    value = draw(st.one_of(st.integers(0, 8), st.integers(0, 140), st.integers(0, 10**22)))
    zero = draw(ZEROS)
    digits = (quote(chr(zero + int(digit))) for digit in str(value))
    number = draw(st.sampled_from(("", "", "", "_"))).join(digits)
    ending = draw(st.sampled_from(("", "", "", "", "", ".0", "e0", "_", "%00", ",1")))
    return draw(BLANKS) + draw(SIGNS) + number + ending + draw(BLANKS)


def _mixed(*values: str) -> Text:
    """Return good values, some of them with an odd piece, and odd ones alone."""
    good = st.sampled_from(values)
    return st.one_of(
        good, good, good, st.tuples(good, ODD).map("".join), st.tuples(ODD, good).map("".join), ODD
    )


FIELDS = ("id", "mode", "amount", "status", "created_at", "updated_at", "reverted_at")
TERMS = st.tuples(
    BLANKS,
    st.sampled_from(("", "", "-", "-", "--", "%2D", "+")),
    st.one_of(
        st.sampled_from(FIELDS), st.sampled_from(FIELDS), _mixed("user_id", "pk", "referral_channel", "")
    ),
    BLANKS,
).map("".join)

VALUES: dict[str, Text] = {
    "page": st.one_of(numbers(), _mixed("", "1", "2", "3", "6", "last", "LAST", "0", "-1")),
    "page_size": st.one_of(numbers(), _mixed("", "1", "3", "25", "100", "101", "0", "-1")),
    "mode": _mixed("", "payout", "credits", "bogus"),
    "status": _mixed("", "pending", "available", "reverted", "bogus"),
    "referral_channel": st.one_of(numbers(), _mixed("", "7", "8", "12", "9001", "x")),
    "ordering": st.lists(TERMS, max_size=4).map(",".join),
    "format": st.sampled_from(("json", "json", "json", "", "xml")),
    "unknown": ODD,
}
"""The parameters and what to say in each."""


@st.composite
def parameters(draw: st.DrawFn) -> str:
    """Draw one parameter: mostly a known one, sometimes with its name spelt in percents, or an odd one."""
    name = draw(st.sampled_from((*VALUES, *VALUES, "")))
    value = draw(VALUES.get(name, ODD))
    if name and draw(st.integers(0, 6)) == 0:
        name = f"%{ord(name[0]):x}{name[1:]}"
    name = name or draw(ODD)
    forms = (*(f"{name}={value}",) * 8, name, f"={value}", "")
    return forms[draw(st.integers(0, len(forms) - 1))]


QUERIES = st.one_of(
    st.lists(parameters(), min_size=1, max_size=3).map("&".join),
    st.lists(parameters(), min_size=1, max_size=7).map("&".join),
    # with few rows a page there are links in most responses
    st.lists(parameters(), max_size=4).map(lambda rest: "&".join(["page_size=2", "page=3", *rest])),
    st.lists(parameters(), max_size=4).map(lambda rest: "&".join([*rest, "page_size=2"])),
)

# --- Targets ------------------------------------------------------------------------------------------

IDS = st.one_of(numbers(), numbers(), _mixed("1", "12", "130", "131", "x"))
SEGMENTS = st.sampled_from(
    ("api", "v2", "referral", "credit", "1", "", ".", "..", "%2F", "%2E", "%0A", "%FF", "x")
)


@st.composite
def mangled_paths(draw: st.DrawFn) -> str:
    """Draw a path that is a route but for something put into it, written in percents, or cut off."""
    path = draw(st.sampled_from((LIST, ONE, LIST[:-1], ONE[:-1])))
    place = draw(st.integers(1, len(path)))
    change = draw(st.sampled_from(("put", "put", "percent", "cut")))
    if change == "put":
        return path[:place] + draw(ODD).replace("?", "") + path[place:]
    if change == "percent" and place < len(path):
        return f"{path[:place]}%{ord(path[place]):02X}{path[place + 1 :]}"
    return path[:place]


PATHS = st.one_of(
    mangled_paths(),
    mangled_paths(),
    st.lists(SEGMENTS, max_size=7).map(lambda segments: "/" + "/".join(segments)),
    st.lists(SEGMENTS, max_size=3).map(lambda segments: LIST + "/".join(segments)),
).filter(lambda path: not path.startswith("//"))

# --- Headers ------------------------------------------------------------------------------------------

HEADER_TEXT = st.text(
    st.characters(
        min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f\x85\xa0", exclude_categories=["Cc"]
    ),
    max_size=6,
)
GAPS = st.sampled_from((" ", " ", " ", "  ", "\t", " \t ", "", ",", "\xa0"))
WORDS = st.one_of(
    st.sampled_from(("conformance", "invalid", "other", "a,b", "k\xc3\xa9y", "k\xe9y", "\xff", "Token")),
    HEADER_TEXT,
)


@st.composite
def authorizations(draw: st.DrawFn) -> str:
    """Draw an `Authorization`: a keyword and none to three words, with gaps of any kind."""
    keyword = draw(st.sampled_from(("Token", "Token", "Token", "token", "TOKEN", "Bearer", "Tokens", "")))
    words = draw(st.one_of(st.lists(WORDS, min_size=1, max_size=1), st.lists(WORDS, max_size=3)))
    return (keyword + "".join(draw(GAPS) + word for word in words)).strip("\xa0")


PLAIN_TYPES = st.sampled_from(
    (
        *(
            "*/*",
            "application/json",
            "application/*",
            "text/html",
            "text/*",
            "*/json",
            "json",
            "*",
            "",
            "a/b/c",
        ),
        *("application/json;q=0.5", "text/html;q=1", "APPLICATION/json", "application/json ", '"*/*"'),
    )
)
PARAMETERS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(("indent", "INDENT", " indent", "indent ")),
            st.sampled_from(("=", " =", "= ")),
            st.one_of(
                st.sampled_from(
                    ("0", "1", "4", "8", "9", "99", "-1", "x", "", '"2"', '"2', "1_0", "+3", "2.0", "\xb2")
                ),
                HEADER_TEXT,
            ),
        ).map("".join),
        st.sampled_from(
            ("q=0.5", "q=x", "charset=utf-8", "indent", "", "a=1", 'a="b;c"', "indent*=utf-8''2")
        ),
    ),
    min_size=1,
    max_size=3,
)


@st.composite
def accepts(draw: st.DrawFn) -> str:
    """Draw an `Accept`: plain media types, or one with parameters beside types that cannot match.

    More than one that matches would let the framework choose by chance.
    """
    if draw(st.booleans()):
        return ",".join(draw(st.lists(PLAIN_TYPES, max_size=5)))
    name = draw(
        st.sampled_from(("application/json", "application/json", "application/*", "*/*", "text/html"))
    )
    # A comma would begin another media type.
    parameters = [each.replace(",", "") for each in draw(PARAMETERS)]
    others = draw(st.lists(st.sampled_from(("text/html", "text/*;q=0.1", "x", "")), max_size=2))
    return ",".join((*others, ";".join((name, *parameters))))


HOSTS = st.one_of(
    st.just(HOST[1]),
    st.text("aB1-.:[]_/@ ,%", max_size=8),
    st.tuples(
        st.sampled_from(
            ("a", "A.b", "localhost", "127.0.0.1", "[::1]", "[2001:DB8::1]", "a.", "xn--a", "a_b")
        ),
        st.sampled_from(("", "", ":80", ":0", ":99999", ":", ":x", ".", ":80:80")),
    ).map("".join),
)
CHARSETS = st.sampled_from(
    ("utf-8", "latin-1", "cp1252", "ascii", "koi8-r", "gbk", "shift_jis", "bogus", '"latin-1"')
)


@st.composite
def headers(draw: st.DrawFn) -> Headers:
    """Draw the headers of a request: at most two of the four kinds are unusual."""
    unusual = draw(st.sets(st.sampled_from(("Host", "Authorization", "Accept", "Content-Type")), max_size=2))
    result = [("Host", draw(HOSTS)) if "Host" in unusual else HOST]
    if "Authorization" in unusual:
        result += [("Authorization", value) for value in draw(st.lists(authorizations(), max_size=2))]
    else:
        result.append(KEY)
    if "Accept" in unusual:
        result.append(("Accept", draw(accepts())))
    if "Content-Type" in unusual:
        result.append(("Content-Type", f"text/plain; charset={draw(CHARSETS)}"))
    return tuple(result)


# --- The family ---------------------------------------------------------------------------------------

INFO_CODES = st.one_of(
    _mixed(CODE, CODE, CODE.upper(), ""), st.tuples(BLANKS, st.just(CODE), BLANKS).map("".join)
)
FAMILY_TARGETS = st.one_of(
    st.sampled_from((CONFIG, CHANNELS, EARNOUTS, EARNOUT, INFO, f"{INFO}?referral_code={CODE}", COUPON)),
    st.tuples(st.sampled_from((CONFIG, CHANNELS, EARNOUTS, EARNOUT, INFO, COUPON)), QUERIES).map("?".join),
    QUERIES.map(lambda query: f"{EARNOUTS}?{query}"),
    INFO_CODES.map(lambda code: f"{INFO}?referral_code={code}"),
    st.one_of(numbers(), _mixed("501", "530", "560", "561")).map(lambda id: f"{EARNOUTS}{id}/"),
    st.sampled_from((CONFIG, CHANNELS, EARNOUTS, EARNOUT, INFO, COUPON)).map(lambda path: path[:-1]),
)

# --- Bodies -------------------------------------------------------------------------------------------

SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.sampled_from(("", " ", "payout", "credits", "x", "a@example.com", "WELCOME", "\x00", "é", "\u2028")),
    st.text(st.characters(codec="utf-8"), max_size=5),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("ab", max_size=2), inner, max_size=2)
    ),
    max_leaves=4,
)
LOCAL_PARTS = st.one_of(
    st.sampled_from(("a", "a.b", "a+b", ".a", "a.", "a..b", "", '"a b"', '"a"', '"a\\""', "é", "a b", "a@b")),
    st.text('aZ0.+-_"\\ @,!é\n\x7f', max_size=6),
)
DOMAINS = st.one_of(
    st.sampled_from(
        ("example.com", "EXAMPLE.co", "b", "localhost", "[127.0.0.1]", "[::1]", "[x]", "xn--a.xn--b")
    ),
    st.lists(st.text("aZ09-_é中", max_size=4), min_size=1, max_size=3).map(".".join),
    st.integers(58, 66).map(lambda size: "a" * size + ".com"),
)
ADDRESSES = st.tuples(st.sampled_from(("", "", "", " ", "\u3000")), LOCAL_PARTS, st.just("@"), DOMAINS).map(
    "".join
)
COUPON_CODES = st.one_of(
    st.sampled_from(
        (
            "WELCOME",
            "welcome",
            " Summer-2022 ",
            "inactive",
            "expired",
            "redeemed",
            "spring",
            "UNUSED",
            "12345",
            "",
        )
    ),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=8),
    st.integers(97, 103).map(lambda size: "x" * size),
)
FIELD_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "mode": st.one_of(st.sampled_from(("payout", "credits")), st.sampled_from(("payout", "credits")), TREES),
    "paypal_payout_email": st.one_of(ADDRESSES, st.just("a@example.com"), TREES),
    "code": st.one_of(COUPON_CODES, TREES),
    "updated_at": SCALARS,
    "unknown": TREES,
}
DOCUMENTS = st.fixed_dictionaries({}, optional=FIELD_VALUES)


@st.composite
def json_bodies(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw a type and a JSON text: mostly an object, sometimes another value, cut off or changed."""
    document = draw(st.one_of(DOCUMENTS, DOCUMENTS, DOCUMENTS, TREES))
    body = json.dumps(document, ensure_ascii=draw(st.booleans())).encode()
    place = draw(st.integers(0, len(body)))
    body = draw(
        st.sampled_from(
            (
                *(body,) * 6,
                body[:place],
                body[:place] + b"\xff" + body[place:],
                body + b"x",
                b"\xef\xbb\xbf" + body,
            )
        )
    )
    charset = draw(st.sampled_from(("",) * 6 + ("utf-8", "latin-1", "cp1252", "bogus", "hex")))
    return f"{JSON}; charset={charset}" if charset else JSON, body


TEXTS = {
    "mode": _mixed("payout", "credits", ""),
    "paypal_payout_email": st.one_of(ADDRESSES.map(quote), st.just(""), ODD),
    "code": st.one_of(COUPON_CODES.map(quote), ODD),
    "unknown": ODD,
}


@st.composite
def form_bodies(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw a type and a form of some fields, repeated ones too."""
    names = draw(st.lists(st.sampled_from((*TEXTS,)), max_size=4))
    body = "&".join(f"{name}={draw(TEXTS[name])}" for name in names)
    charset = draw(st.sampled_from(("",) * 6 + ("latin-1", "cp1252", "bogus")))
    return f"{FORM}; charset={charset}" if charset else FORM, body.encode()


@st.composite
def multipart_bodies(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw a type and parts of some fields, whose boundaries, headers or end may be broken."""
    parts = []
    for name in draw(st.lists(st.sampled_from((*TEXTS,)), max_size=3)):
        value = draw(
            st.one_of(st.sampled_from((b"payout", b"credits", b"", b"a@example.com")), st.binary(max_size=6))
        )
        break_ = draw(st.sampled_from((b"\r\n",) * 8 + (b"\n",)))
        head = b'Content-Disposition: form-data; name="%s"' % name.encode()
        parts.append(break_.join((b"--B", head, b"", value, b"")))
    end = draw(st.sampled_from((b"--B--\r\n",) * 5 + (b"--B--", b"", b"--B\r\n", b"x")))
    kind = draw(
        st.sampled_from((MULTIPART,) * 6 + ("multipart/form-data", "multipart/form-data; boundary=b"))
    )
    return kind, b"".join(parts) + end


@st.composite
def changes(draw: st.DrawFn) -> Request:
    """Draw a PATCH of the config or a POST of a coupon code, with a key of its own."""
    target, method = draw(st.sampled_from(((CONFIG, "PATCH"), (COUPON, "POST"))))
    kind, body = draw(st.one_of(json_bodies(), json_bodies(), form_bodies(), multipart_bodies()))
    return with_body(target, method, body, kind)


def _good_change(target: str, method: str, fields: dict[str, str | None]) -> st.SearchStrategy[Request]:
    """Return a change as JSON or as a form, where an empty text stands for null."""
    form = urlencode({name: value or "" for name, value in fields.items()})
    return st.sampled_from(
        (
            with_body(target, method, json.dumps(fields).encode()),
            with_body(target, method, form.encode(), FORM),
        )
    )


GOOD_CHANGES = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={
            "mode": st.sampled_from(("payout", "credits")),
            "paypal_payout_email": st.sampled_from((None, "a@example.com", "b@example.com")),
        },
    ).flatmap(lambda fields: _good_change(CONFIG, "PATCH", fields)),
    st.sampled_from(("welcome", "SUMMER-2022", "12345", "inactive", "spring", "")).flatmap(
        lambda code: _good_change(COUPON, "POST", {"code": code})
    ),
)
CONVERSATIONS = st.lists(
    st.one_of(
        GOOD_CHANGES,
        GOOD_CHANGES,
        changes(),
        st.sampled_from((Request(CONFIG), Request(COUPON), Request(COUPON, "DELETE"))),
    ),
    min_size=1,
    max_size=6,
)
"""Requests that are to be sent in order with one key, of which later ones read what earlier ones change."""

# --- Requests -----------------------------------------------------------------------------------------

METHODS = st.sampled_from(("GET",) * 12 + ("HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"))
BRIEF_TARGETS = st.one_of(
    st.sampled_from((BRIEF, ONE, LIST + "9001/", LIST + "x/", LIST[:-1], "/", LIST + "?mode=%E9%80&page=9")),
    QUERIES.map(lambda query: f"{LIST}?page_size=1&{query}"),
)

REQUESTS: dict[str, st.SearchStrategy[Request]] = {
    "list": st.builds(Request, QUERIES.map(lambda query: f"{LIST}?{query}"), METHODS),
    "one credit": st.builds(
        Request,
        st.one_of(
            IDS.map(lambda id: f"{LIST}{id}/"),
            st.tuples(IDS, QUERIES).map(lambda pair: f"{LIST}{pair[0]}/?{pair[1]}"),
        ),
        METHODS,
    ),
    "routes": st.builds(
        Request,
        st.one_of(PATHS, st.tuples(PATHS, ODD).map("?".join), st.tuples(PATHS, QUERIES).map("?".join)),
        METHODS,
    ),
    "headers": st.builds(Request, BRIEF_TARGETS, METHODS, headers()),
    "family": st.builds(Request, FAMILY_TARGETS, METHODS).map(with_own_key),
    "family headers": st.builds(Request, FAMILY_TARGETS, METHODS, headers()).map(with_own_key),
    "changes": changes(),
}
"""The kinds of requests, by what is odd about them."""
