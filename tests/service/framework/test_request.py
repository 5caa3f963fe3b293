"""What a request means before any endpoint works; `tests/conformance` holds the same against Django."""

from __future__ import annotations

import pytest

from mock_webshare.contract.endpoints import CREDIT_DETAIL, CREDIT_LIST, WEBSHARE
from mock_webshare.service.framework.request import (
    Headers,
    Parser,
    Request,
    negotiate,
    read_credentials,
    read_params,
    split_target,
)

LIST = CREDIT_LIST.path
GOOD = Headers(authorization="Token key")


PARSER = Parser(WEBSHARE)


def read(target: str, headers: Headers = GOOD, *, method: str = "GET", origin: str | None = None) -> Request:
    host = headers.host or "127.0.0.1:8765"
    return PARSER.parse(method, target, headers, host, origin or f"http://{host}")


def refused(target: str, headers: Headers = GOOD) -> tuple[int, bytes]:
    refusal = read(target, headers).refusal
    assert refusal
    return refusal.status, refusal.body


def accepted(target: str, headers: Headers = GOOD, *, origin: str | None = None) -> Request:
    request = read(target, headers, origin=origin)
    assert request.refusal is None
    return request


def test_a_good_request_is_a_call() -> None:
    call = accepted(f"{LIST}?mode=payout&mode=credits", GOOD._replace(host="Example.com:80"))
    assert (call.endpoint, call.id, call.params) == (CREDIT_LIST, None, {"mode": "credits"})
    assert (call.url, call.link_query) == (f"http://Example.com:80{LIST}", "mode=payout&mode=credits")


def test_without_a_host_links_name_the_address() -> None:
    assert accepted(LIST).url == f"http://127.0.0.1:8765{LIST}"


def test_a_public_url_is_where_links_begin() -> None:
    call = accepted(LIST, GOOD._replace(host="example.com"), origin="https://proxy.example.org")
    assert call.url == f"https://proxy.example.org{LIST}"


@pytest.mark.parametrize(
    ("target", "split"),
    [
        ("/a%20b/?q=%20", ("/a b/", "q=%20")),
        ("/caf%C3%A9/?a?b", ("/café/", "a?b")),
        ("/%FF/", ("/%FF/", "")),
        ("/%e9%C3%A9", ("/%E9é", "")),
        ("http://proxy.webshare.io/api/?x", ("/api/", "x")),
        ("*", ("*", "")),
        ("/?q=\udcc3\udca9", ("/", "q=Ã©")),
    ],
)
def test_targets_are_split_and_paths_decoded(target: str, split: tuple[str, str]) -> None:
    assert split_target(target) == split


@pytest.mark.parametrize(
    ("path", "row_id"), [(f"{LIST}12/", "12"), (f"{LIST} 12 /", " 12 "), (f"{LIST}12\n/", "12\n")]
)
def test_one_segment_without_a_dot_is_an_id(path: str, row_id: str) -> None:
    assert PARSER.find_route(path) == (CREDIT_DETAIL, row_id)


@pytest.mark.parametrize("path", ["/", "", LIST[:-1], f"{LIST}1.5/", f"{LIST}1/2/", f"{LIST}12", f"/{LIST}"])
def test_other_paths_are_no_route(path: str) -> None:
    assert PARSER.find_route(path) is None


REFUSED_IN_ORDER: list[tuple[str, str, Headers, int]] = [
    ("host before route", "/nowhere", Headers(host="a b"), 400),
    ("route before parameters", f"/nowhere/?{'a&' * 1001}", Headers(), 404),
    ("slash before parameters", f"{LIST[:-1]}?{'a&' * 1001}", Headers(), 301),
    ("parameters before format", f"{LIST}?format=xml&{'a&' * 1001}", Headers(), 400),
    ("format before Accept", f"{LIST}?format=xml", Headers(accept="text/html"), 404),
    ("Accept before credentials", LIST, Headers(accept="text/html"), 406),
    ("credentials", LIST, Headers(accept="*/*"), 401),
]


@pytest.mark.parametrize(
    ("target", "headers", "status"), [pytest.param(*case[1:], id=case[0]) for case in REFUSED_IN_ORDER]
)
def test_requests_are_refused_in_the_order_of_the_framework(
    target: str, headers: Headers, status: int
) -> None:
    assert refused(target, headers)[0] == status


@pytest.mark.parametrize("count", [1000, 1001])
def test_a_thousand_parameters_are_taken(count: int) -> None:
    response = read(LIST + "?" + "&".join(["a"] * count))
    assert (response.refusal is None) == (count == 1000)


def test_a_redirect_keeps_the_query_and_any_method() -> None:
    response = read("/api/v2/referral/credi%74?a=%20&b", method="POST").refusal
    assert response
    assert (response.status, response.body) == (301, b"")
    assert ("Location", "/api/v2/referral/credit/?a=%20&b") in response.headers


@pytest.mark.parametrize(
    ("header", "key", "problem"),
    [
        ("Token abc", "abc", ""),
        ("tOKEN\t  abc", "abc", ""),
        ("Token clé".encode().decode("latin-1"), "clé", ""),
        ("", "", "Authentication credentials were not provided."),
        ("Bearer abc", "", "Authentication credentials were not provided."),
        ("Tokens abc", "", "Authentication credentials were not provided."),
        ("Token", "", "Invalid token header. No credentials provided."),
        ("Token a b", "", "Invalid token header. Token string should not contain spaces."),
        ("Token \xff", "", "Invalid token header. Token string should not contain invalid characters."),
    ],
)
def test_credentials(header: str, key: str, problem: str) -> None:
    assert read_credentials(header) == (key, problem)


@pytest.mark.parametrize(
    ("accept", "indent"),
    [
        ("*/*", None),
        ("application/json", None),
        ("APPLICATION/JSON", None),
        ("application/*", None),
        ("text/html, */*;q=0", None),
        ("application/json; indent=4", 4),
        ("*/*; indent=2", 2),
        ("application/json; indent=99", 8),
        ("application/json; indent=0", None),
        ("application/json; indent=-3", None),
        ("application/json; indent=x", None),
        ('application/json; indent="3"', 3),
        ("application/json, application/json; indent=2", 2),
        ("text/html" + ", text/html" * 62 + ", application/json", None),
    ],
)
def test_json_is_accepted(accept: str, indent: int | None) -> None:
    accepted = negotiate(accept)
    assert accepted and accepted.indent == indent


@pytest.mark.parametrize(
    "accept",
    [
        "",
        ",",
        "text/html",
        "application/xml",
        "json",
        "application/json-patch+json",
        "text/html" + ", text/html" * 63 + ", application/json",  # only 64 are looked at
        f"application/json; x={'y' * 256}",  # longer than the framework reads
        "x" * 8192 + ", application/json",
    ],
)
def test_json_is_not_accepted(accept: str) -> None:
    assert negotiate(accept) is None


def test_a_query_is_decoded_by_the_charset_of_the_content_type() -> None:
    assert read_params("q=%E9", "text/plain; charset=latin-1") == {"q": "é"}
    assert read_params("q=%E9", "text/plain; charset=KOI8-R") == {"q": "И"}
    assert read_params("q=%E9", "text/plain; charset=ISO_646.irv:1991") == {"q": "\ufffd"}
    for unknown in ("bogus", "utf.8", "aliases"):
        assert read_params("q=%E9", f"text/plain; charset={unknown}") == {"q": "\ufffd"}


def test_a_charset_that_is_not_for_text_is_an_error_of_the_service() -> None:
    assert refused(f"{LIST}?q=1", GOOD._replace(content_type="text/plain; charset=hex"))[0] == 500
