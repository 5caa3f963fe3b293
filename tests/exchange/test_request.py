"""The reading of a request by its URL, and what of a URL is shown."""

from __future__ import annotations

import pytest

from mock_webshare.exchange.request import read_url, shown

LIST = "/api/v2/referral/credit/"


@pytest.mark.parametrize(
    "origin", ["https://proxy.webshare.io", "http://127.0.0.1:8765", "http://me:x@[::1]:1"]
)
def test_the_path_decides_whatever_the_host(origin: str) -> None:
    request = read_url(f"{origin}{LIST}?page=2&a=&page=3")
    assert request is not None
    assert (request.id, request.is_slashed, request.params) == (None, True, {"page": "3", "a": ""})


@pytest.mark.parametrize(
    ("target", "row_id", "is_slashed"),
    [
        (f"{LIST}7/", "7", True),
        (f"{LIST}7", "7", False),
        (f"{LIST}%37/", "7", True),
        (LIST[:-1], None, False),
    ],
)
def test_a_path_has_an_id_and_a_slash_or_not(target: str, row_id: str | None, is_slashed: bool) -> None:
    request = read_url(f"https://a{target}")
    assert request is not None
    assert (request.id, request.is_slashed) == (row_id, is_slashed)


@pytest.mark.parametrize(
    "target", ["/", f"{LIST}7/8/", f"{LIST}1.5/", "/api/v2/proxy/list/", f"/x{LIST}", f"{LIST}/"]
)
def test_another_path_is_not_an_endpoint(target: str) -> None:
    assert read_url(f"https://a{target}") is None


def test_a_fragment_and_a_default_port_are_left_out() -> None:
    for url in (f"https://A:443{LIST}?x=1#page=2", f"https://a{LIST}?x=1"):
        request = read_url(url)
        assert request is not None
        assert (request.origin, request.query, request.is_clear) == ("https://a", "x=1", True)
    for url, origin in (
        ("http://a:443", "http://a:443"),
        ("http://a:80", "http://a"),
        ("https://a:80", "https://a:80"),
    ):
        request = read_url(url + LIST)
        assert request is not None
        assert request.origin == origin


def test_an_invalid_url_is_not_an_endpoint() -> None:
    assert read_url("http://[") is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://me:secret@a/b/?page=2#x", "https://a/b/?page=2"),
        ("https://a/?token=secret&mode=payout&x", "https://a/?token=...&mode=payout&x..."),
        ("/a/?key=secret", "/a/?key=..."),
        ("http://[", "(no URL)"),
        (f"/{'k' * 40}/?page=1", "/.../?page=1"),
        (
            f"/?ordering=-created_at,-amount,status&mode={'k' * 40}",
            "/?ordering=-created_at,-amount,status&mode=...",
        ),
        (f"/?{'k' * 40}", "/?......"),
    ],
)
def test_nothing_secret_is_shown(url: str, expected: str) -> None:
    assert shown(url) == expected
