"""The other endpoints of the referral API, read: routes, methods, headers and queries."""

from __future__ import annotations

from collections.abc import Iterator

from tests.conformance.corpus.cases import (
    CHANNELS,
    CODE,
    CONFIG,
    COUPON,
    EARNOUT,
    EARNOUTS,
    INFO,
    MANY,
    NINES,
    ONES,
    Case,
    Table,
    listed_cases,
    table_cases,
    with_own_key,
)
from tests.conformance.wire import HOST, KEY, Headers, Request

KNOWN_INFO = f"{INFO}?referral_code={CODE}"
PLACES = {
    "config": CONFIG,
    "channels": CHANNELS,
    "earn-outs": EARNOUTS + "?page_size=1&page=2",
    "one earn-out": EARNOUT,
    "code info": KNOWN_INFO,
    "coupon code": COUPON,
}
METHODS = {
    "config": ("GET", "PATCH"),
    "channels": ("GET",),
    "earn-outs": ("GET",),
    "one earn-out": ("GET",),
    "code info": ("GET",),
    "coupon code": ("GET", "POST", "DELETE"),
}
"""The methods that a place has besides HEAD and OPTIONS."""

TARGETS: Table[str] = {
    "family route exists": (
        200,
        (
            *PLACES.values(),
            EARNOUTS,
            EARNOUTS + "560/",
            CONFIG + "?",
            CHANNELS + "?&",
            COUPON + "?a=b",
            "/api/v2/referral%2Fconfig/",
            "/api/v2/referral/code%2Finfo/?referral_code=" + CODE,
            "/api/v2/referral/code%2finfo%2F?referral_code=" + CODE,
            "/api/v2/referral/coupon%2Dcode/",
            "/api/v2/referral/chann%65l/",
            "/api/v2/referral/earnout%2F501%2F",
        ),
    ),
    "unknown route beside the family": (
        404,
        (
            "/api/v2/referral/configs/",
            "/api/v2/referral/Config/",
            CONFIG + "41/",
            CONFIG + "/",
            CONFIG + "x",
            CHANNELS + "7/",
            CHANNELS + "7",
            CHANNELS + "/",
            "/api/v2/referral/code/",
            "/api/v2/referral/code",
            "/api/v2/referral/info/",
            "/api/v2/referral/code/infos/",
            "/api/v2/referral/code//info/",
            INFO + CODE + "/",
            "/api/v2/referral/coupon_code/",
            "/api/v2/referral/coupon-code/WELCOME/",
            "/api/v2/referral/coupon/",
            "/api/v2/referral/earnouts/",
            EARNOUT + "x/",
            EARNOUT + "/",
            EARNOUTS + "501.0/",
            EARNOUTS + ".json",
            "/api/v2/referral/config.json",
            "/api/v2/referral/config%0A/",
            "/api/v2/referral/config%00/",
            "/api/v2/referral/config%20",
            "/api/v2/referral/config%FF/",
            "/referral/config/",
            "/api/v1/referral/config/",
        ),
    ),
    "family without the final slash": (
        301,
        (
            *(place.replace("/?", "?").removesuffix("/") for place in PLACES.values()),
            CONFIG[:-1] + "?",
            CONFIG[:-1] + "?format=xml",
            CHANNELS[:-1] + "?page=2&a=%2f%FF",
            INFO[:-1],
            INFO[:-1] + "?referral_code=a%20b+c",
            COUPON[:-1] + "?code=x",
            EARNOUTS[:-1] + "?page=2",
            EARNOUTS + "x",
            EARNOUTS + "%20",
            EARNOUTS + "a%FFb%C3%A9",
            "/api/v2/referral/%63onfig",
        ),
    ),
    "family with many parameters": (
        200,
        (CONFIG + "?" + "&" * 999, CHANNELS + "?" + "a&" * 999, COUPON + "?" + "a=1&" * 999),
    ),
    "family with too many parameters": (
        400,
        tuple(f"{target}?{MANY}" for target in (CONFIG, CHANNELS, EARNOUTS, EARNOUT, INFO, COUPON)),
    ),
    "family without effect of the query": (
        200,
        (
            CONFIG + "?mode=bogus&page=9",
            CONFIG + "?referral_code=x",
            CHANNELS + "?page=2",
            CHANNELS + "?page=bogus",
            CHANNELS + "?page_size=1",
            CHANNELS + "?page=last&page_size=0",
            CHANNELS + "?ordering=-id",
            CHANNELS + "?is_active=false&code=x&id=7",
            CHANNELS + "?a=%FF%00",
            COUPON + "?code=inactive",
            EARNOUT + "?page=9&page_size=x&ordering=-id",
            EARNOUT + "?mode=credits&status=bogus",
        ),
    ),
    "format in the family": (
        200,
        (
            *(f"{target}?format={value}" for target in (CONFIG, CHANNELS, COUPON) for value in ("", "json")),
            KNOWN_INFO + "&format=json",
            KNOWN_INFO + "&format=",
            EARNOUTS + "?format=json",
        ),
    ),
    "unknown format in the family": (
        404,
        (
            *(f"{target}?format=xml" for target in (CONFIG, CHANNELS, EARNOUTS, EARNOUT, INFO, COUPON)),
            KNOWN_INFO + "&format=api",
        ),
    ),
}

EARNOUT_QUERIES: Table[str] = {
    "earn-outs page": (
        200,
        (
            "",
            "page=1",
            "page=2",
            "page=3",
            "page=last",
            "page=",
            "page=%20%EF%BC%92%20",
            "page=+2+&page_size=2_0",
            f"page={ONES}",
            "page=9&page=2",
        ),
    ),
    "earn-outs impossible page": (
        404,
        (
            "page=0",
            "page=-1",
            "page=4",
            "page=1.0",
            "page=LAST",
            "page=x",
            "page=%00",
            "page=2%FF",
            f"page={NINES}9",
            "page_size=1&page=61",
            "page_size=60&page=2",
            "page_size=100&page=2",
        ),
    ),
    "earn-outs page size": (
        200,
        (
            "page_size=1",
            "page_size=59",
            "page_size=60",
            "page_size=100",
            "page_size=101",
            "page_size=1&page=60",
            "page_size=1&page=2",
            "page_size=29&page=last",
            "page_size=0",
            "page_size=-1",
            "page_size=x&page=2",
            "page_size=",
        ),
    ),
    "earn-outs links": (
        200,
        tuple(
            "page_size=1&page=2&" + query
            for query in (
                "a=b",
                "z=1&a=2&a=1",
                "a=%20+%2B&b",
                "a=%FF&%C3%A9=%e9",
                "format=json",
                "status=bogus",
                "=",
                "a=%26%3D%23%2F",
            )
        ),
    ),
    "earn-outs have no filters and no ordering": (
        200,
        (
            "mode=bogus",
            "mode=credits",
            "status=failed",
            "status=bogus&mode=x",
            "ordering=-id",
            "ordering=-amount&page_size=5",
            "referral_channel=x",
            "referral_channel=%00",
        ),
    ),
}

EARNOUT_IDS: Table[str] = {
    "earn-out id": (
        200,
        ("501", "502", "503", "560", "0501", "5_01", "+501", "%20501%0A", "%EF%BC%95%30%31"),
    ),
    "unknown earn-out id": (404, ("1", "0", "-501", "500", "561", "9223372036854775808", NINES)),
    "earn-out id that is no integer": (
        404,
        (
            "x",
            "501x",
            "5__01",
            "_501",
            "1e3",
            "0x1f5",
            "%00",
            "501%00",
            "%FF",
            "%20",
            "null",
            "501,502",
            NINES + "9",
        ),
    ),
}

INFO_QUERIES: Table[str] = {
    "code info": (
        200,
        (
            f"referral_code={CODE}",
            f"referral_code=x&referral_code={CODE}",
            f"referral_code=%20{CODE}%0A",
            f"referral_code=+{CODE}+",
            f"referral_code=%C2%A0{CODE}%E3%80%80",
            f"referral_code=%1F{CODE}%1C",
            f"referral_code=%E2%80%A8{CODE}%C2%85",
            f"referral_%63ode=%7{CODE[0].encode().hex()[1]}{CODE[1:]}",
            f"page=9&referral_code={CODE}&mode=x",
        ),
    ),
    "code info without a code": (
        400,
        (
            "",
            "&",
            "code=x",
            f"Referral_code={CODE}",
            f"referral_code[]={CODE}",
            f"referral_code%20={CODE}",
            f"referral-code={CODE}",
            f"{CODE}",
            f"={CODE}",
        ),
    ),
    "code info with a blank code": (
        400,
        (
            "referral_code=",
            "referral_code",
            "referral_code=+",
            "referral_code=%20%09%0A%C2%A0%E3%80%80",
            "referral_code=%1C%1F",
            f"referral_code={CODE}&referral_code=",
        ),
    ),
    "code info with a NUL": (
        400,
        ("referral_code=%00", f"referral_code={CODE}%00", "referral_code=%00+%00", "referral_code=%20%00%20"),
    ),
    "code info of an unknown code": (
        404,
        (
            "referral_code=x",
            f"referral_code={CODE.upper()}",
            f"referral_code={CODE}x",
            f"referral_code={CODE[:-1]}",
            f"referral_code={CODE}&referral_code=x",
            f"referral_code={CODE[:3]}+{CODE[3:]}",
            "referral_code=SPRING",
            "referral_code=WELCOME",
            "referral_code=None",
            "referral_code=41",
            "referral_code=%FF",
            f"referral_code={CODE}%FF",
            f"referral_code={CODE}%E2%80%8B",
            f"referral_code=%EF%BB%BF{CODE}",
            f"referral_code=%EF%BD%9A{CODE[1:]}",
            "referral_code=%ED%A0%80",
            "referral_code=%F0%9F%98%80",
            "referral_code=%2525",
            "referral_code=%zz",
            "referral_code=" + "x" * 5000,
        ),
    ),
}

# Each row is called with these headers beside `Host`.
XML, INDENT = ("Accept", "application/xml"), ("Accept", "application/json; indent=4")
KEYS: dict[str, Headers] = {
    "without a key": (),
    "unknown key": (("Authorization", "Token invalid"),),
    "key alone": (("Authorization", "Token"),),
    "key with blanks": (("Authorization", "Token a b"),),
    "key not decodable": (("Authorization", "Token \xff"),),
    "other scheme": (("Authorization", "Bearer conformance"),),
}


def _method_cases() -> Iterator[Case]:
    """Yield every method on every place, with and without the final slash, a key, and a known format."""
    for place, target in PLACES.items():
        slashless = target.replace("/?", "?").removesuffix("/")
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"):
            if method not in METHODS[place]:
                yield Case("other method in the family", f"{method} {place}", 405, Request(target, method))
            yield Case("family slash", f"{method} {place}", 301, Request(slashless, method))
        for method in ("HEAD", "OPTIONS"):
            yield Case("family method", f"{method} {place}", 200, Request(target, method))
            yield Case("family slash", f"{method} {place}", 301, Request(slashless, method))
            xml = Request(target, method, (HOST, KEY, XML))
            yield Case("family unacceptable", f"{method} {place}", 406, xml)


def _key_cases() -> Iterator[Case]:
    """Yield every place without a good key: only the code info needs none."""
    for place, target in PLACES.items():
        status = 200 if place == "code info" else 401
        for name, headers in KEYS.items():
            for method in ("HEAD", "OPTIONS", *METHODS[place]):
                request = Request(target, method, (HOST, *headers))
                yield Case(f"family {name}", f"{method} {place}", status, request)
    for method in ("POST", "PATCH", "DELETE"):
        for name, headers in KEYS.items():
            # Where nobody has to authenticate, 405 comes first.
            request = Request(KNOWN_INFO, method, (HOST, *headers))
            yield Case("code info method before the key", f"{method} {name}", 405, request)


REFUSALS: tuple[tuple[str, int, Request], ...] = (
    *(
        (f"unacceptable {name}", 406, Request(place, "GET", (HOST, KEY, XML)))
        for name, place in PLACES.items()
    ),
    *(
        (f"indented {name}", 200, Request(place, "GET", (HOST, KEY, INDENT)))
        for name, place in PLACES.items()
    ),
    *(
        (f"indented method of {name}", 405, Request(place, "PUT", (HOST, KEY, INDENT)))
        for name, place in PLACES.items()
    ),
    ("indented code info without a code", 400, Request(INFO, "GET", (HOST, INDENT))),
    ("indented unknown code", 404, Request(INFO + "?referral_code=x", "GET", (HOST, INDENT))),
    ("indented unknown earn-out", 404, Request(EARNOUTS + "9/", "GET", (HOST, KEY, INDENT))),
    ("indented head of an unknown earn-out", 404, Request(EARNOUTS + "9/", "HEAD", (HOST, KEY, INDENT))),
    ("head of an unknown earn-out", 404, Request(EARNOUTS + "9/", "HEAD")),
    ("head of no integer", 404, Request(EARNOUTS + "x/", "HEAD")),
    ("head of an impossible page", 404, Request(EARNOUTS + "?page=9", "HEAD")),
    ("head of a missing code", 400, Request(INFO, "HEAD", (HOST,))),
    ("head of an unknown code", 404, Request(INFO + "?referral_code=x", "HEAD", (HOST,))),
    ("options before the code", 200, Request(INFO, "OPTIONS", (HOST,))),
    ("options before the id", 200, Request(EARNOUTS + "9/", "OPTIONS")),
    ("method before the code", 405, Request(INFO, "POST", (HOST,))),
    ("method before the page", 405, Request(EARNOUTS + "?page=9", "POST")),
    ("format before the code", 404, Request(INFO + "?format=xml", "GET", (HOST,))),
    ("accept before the code", 406, Request(INFO, "GET", (HOST, XML))),
    ("bad host before the code", 400, Request(INFO, "GET", (("Host", "a b"),))),
    ("delete", 204, with_own_key(Request(COUPON, "DELETE"))),
    ("delete with a query", 204, with_own_key(Request(COUPON + "?code=x", "DELETE"))),
    ("indented delete", 204, with_own_key(Request(COUPON, "DELETE", (HOST, KEY, INDENT)))),
    ("unacceptable delete", 406, Request(COUPON, "DELETE", (HOST, KEY, XML))),
    ("delete in an unknown format", 404, Request(COUPON + "?format=xml", "DELETE")),
)

CHARSET_QUERIES: Table[tuple[str, str]] = {
    "code in another charset": (
        404,
        (("latin-1", "referral_code=%E9"), ("cp1252", "referral_code=%80"), ("koi8-r", "referral_code=%C1")),
    ),
    "trimmed code in another charset": (
        200,
        (("latin-1", f"referral_code=%A0{CODE}"), ("bogus", f"referral_code=%C2%A0{CODE}")),
    ),
    "blank code in another charset": (400, (("latin-1", "referral_code=%A0%85"),)),
}


def _in_charset(charset_and_query: tuple[str, str]) -> Request:
    """Return a request whose query is to be decoded with a charset."""
    charset, query = charset_and_query
    return Request(f"{INFO}?{query}", headers=(HOST, ("Content-Type", f"text/plain; charset={charset}")))


CASES = (
    *table_cases(TARGETS, Request),
    *table_cases(EARNOUT_QUERIES, lambda query: Request(f"{EARNOUTS}?{query}")),
    *table_cases(EARNOUT_IDS, lambda id: Request(f"{EARNOUTS}{id}/")),
    *table_cases(INFO_QUERIES, lambda query: Request(f"{INFO}?{query}", headers=(HOST,))),
    *table_cases(CHARSET_QUERIES, _in_charset),
    *_method_cases(),
    *_key_cases(),
    *listed_cases("family refused in order", REFUSALS),
)
