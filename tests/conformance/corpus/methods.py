"""Methods and bodies, and the order in which a request is refused."""

from __future__ import annotations

from collections.abc import Iterator

from tests.conformance.corpus.cases import BRIEF, LIST, MANY, ONE, Case, listed_cases
from tests.conformance.wire import HOST, KEY, Request

PLACES = {
    "list": BRIEF,
    "one": ONE,
    "unknown id": LIST + "9001/",
    "wrong filter": LIST + "?mode=bogus",
    "wrong page": LIST + "?page=9",
    "bad id": LIST + "x/?mode=bogus",
}
BODY_METHODS = {"POST": 405, "PUT": 405, "PATCH": 405, "DELETE": 405, "OPTIONS": 200, "GET": 200}
BODIES: tuple[tuple[str, bytes], ...] = (
    ("application/json", b'{"mode":"payout"}'),
    ("application/json; charset=latin-1", b"{"),
    ("application/x-www-form-urlencoded", b"_method=GET&format=json"),
    ("multipart/form-data", b"x"),
    ("text/csv", b"\x00\xff"),
)


METHOD_TARGETS: tuple[tuple[int, str, str], ...] = (
    *((200, "HEAD", target) for target in (LIST, BRIEF, ONE, LIST + "?referral_channel=12")),
    (400, "HEAD", LIST + "?mode=bogus"),
    (400, "HEAD", LIST + "?" + MANY),
    (404, "HEAD", LIST + "?page=9"),
    (404, "HEAD", LIST + "9001/"),
    (404, "HEAD", LIST + "x/"),
    (404, "HEAD", LIST + "?format=xml"),
    (404, "HEAD", "/"),
    *(
        (301, method, LIST[:-1] + "?a=b")
        for method in ("HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE")
    ),
    *((301, method, ONE[:-1]) for method in ("HEAD", "OPTIONS", "POST", "DELETE")),
    *((404, method, "/api/v2/") for method in ("OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE")),
    *((404, method, LIST + "?format=xml") for method in ("OPTIONS", "POST", "DELETE")),
    *((400, method, LIST + "?" + MANY) for method in ("OPTIONS", "POST")),
    *((405, method, LIST + "?format=json") for method in ("POST", "DELETE")),
    (200, "OPTIONS", LIST + "?format=json"),
)

# Each row is wrong in every later way too.
WRONG = "mode=x&page=x"
XML = ("Accept", "application/xml")
NO_KEY = ("X-Nothing", "")
REFUSALS: tuple[tuple[str, int, Request], ...] = (
    ("bad host first", 400, Request("/?" + MANY, "POST", (("Host", "a b"), XML))),
    ("bad host before the slash", 400, Request(LIST[:-1], "POST", (("Host", "a b"), XML))),
    ("bad host before the key", 400, Request(ONE, "GET", (("Host", ""),))),
    ("unknown route", 404, Request(f"/api/v2/?format=xml&{WRONG}{MANY}", "POST", (HOST, XML))),
    ("missing slash", 301, Request(f"{LIST[:-1]}?format=xml&{WRONG}{MANY}", "POST", (HOST, XML))),
    ("too many parameters", 400, Request(f"{LIST}?format=xml&{WRONG}{MANY}", "POST", (HOST, XML))),
    ("unknown format", 404, Request(f"{LIST}?format=xml&{WRONG}", "POST", (HOST, XML))),
    ("unknown format without a key", 404, Request(f"{ONE}?format=xml", "GET", (HOST,))),
    ("unacceptable", 406, Request(f"{LIST}?{WRONG}", "POST", (HOST, XML))),
    ("unacceptable in the known format", 406, Request(f"{LIST}?format=json", "GET", (HOST, KEY, XML))),
    ("unacceptable options", 406, Request(ONE, "OPTIONS", (HOST, KEY, XML))),
    ("no key", 401, Request(f"{LIST}?{WRONG}", "POST", (HOST,))),
    ("no key for options", 401, Request(LIST, "OPTIONS", (HOST,))),
    ("no key for one", 401, Request(LIST + "x/?mode=x", "GET", (HOST,))),
    ("no key for a head", 401, Request(LIST, "HEAD", (HOST,))),
    ("method", 405, Request(f"{LIST}?{WRONG}", "POST")),
    ("method of one", 405, Request(f"{LIST}x/?mode=x", "DELETE")),
    ("options before filters", 200, Request(f"{LIST}?{WRONG}", "OPTIONS")),
    ("filter before page", 400, Request(f"{LIST}?{WRONG}")),
    ("filter before id", 400, Request(f"{LIST}x/?mode=x")),
)

INDENT = ("Accept", "application/json; indent=4")
INDENTED_ERRORS: tuple[tuple[str, int, Request], ...] = (
    ("401", 401, Request(LIST, "GET", (HOST, INDENT))),
    ("405", 405, Request(LIST, "POST", (HOST, KEY, INDENT))),
    ("400", 400, Request(LIST + "?mode=x&status=y", "GET", (HOST, KEY, INDENT))),
    ("404 page", 404, Request(LIST + "?page=9", "GET", (HOST, KEY, INDENT))),
    ("404 id", 404, Request(LIST + "9001/", "GET", (HOST, KEY, INDENT))),
    ("404 no integer", 404, Request(LIST + "x/", "GET", (HOST, KEY, INDENT))),
    ("404 of a head", 404, Request(LIST + "9001/", "HEAD", (HOST, KEY, INDENT))),
    ("404 of a head of no integer", 404, Request(LIST + "x/", "HEAD", (HOST, KEY, INDENT))),
    ("unknown format is not indented", 404, Request(LIST + "?format=xml", "GET", (HOST, KEY, INDENT))),
    ("options", 200, Request(LIST, "OPTIONS", (HOST, KEY, INDENT))),
    ("empty list", 200, Request(LIST + "?referral_channel=12", "GET", (HOST, KEY, INDENT))),
    ("one", 200, Request(ONE, "GET", (HOST, KEY, INDENT))),
)


def _method_cases() -> Iterator[Case]:
    """Yield every method on every kind of place, then each with a body."""
    for place, target in PLACES.items():
        for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"):
            yield Case("other method", f"{method} {place}", 405, Request(target, method))
        yield Case("options", place, 200, Request(target, "OPTIONS"))
    for status, method, target in METHOD_TARGETS:
        yield Case("method", f"{method} {target}", status, Request(target, method))
    for method, status in BODY_METHODS.items():
        for kind, body in BODIES:
            headers = (HOST, KEY, ("Content-Type", kind), ("Content-Length", str(len(body))))
            yield Case("body", f"{method} {kind}", status, Request(BRIEF, method, headers, body))


CASES = (
    *_method_cases(),
    *listed_cases("refused in order", REFUSALS),
    *listed_cases("indented", INDENTED_ERRORS),
)
