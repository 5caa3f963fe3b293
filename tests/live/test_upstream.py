"""Origins: read from options, and replaced in links."""

from __future__ import annotations

import pytest

from mock_webshare.errors import UsageError
from mock_webshare.live.upstream import is_loopback, read_origin, rewrite_links, rewrite_location

THERE, HERE = "https://proxy.webshare.io", "http://127.0.0.1:8766"

REWRITTEN = [
    (f'{{"next":"{THERE}/a?b=c","x": 1.50}}', f'{{"next":"{HERE}/a?b=c","x": 1.50}}'),
    (f'{{"previous" :\n "{THERE}"}}', f'{{"previous" :\n "{HERE}"}}'),
    ('{"next":"https:\\/\\/proxy.webshare.io\\/a"}', f'{{"next":"{HERE}\\/a"}}'),
    (f'{{"next":"{THERE.upper()}/a"}}', f'{{"next":"{HERE}/a"}}'),
]
UNCHANGED = [
    f'{{"next":"{THERE}.example.com/a"}}',
    f'{{"next":"{THERE}:8443/a"}}',
    '{"next":"http://proxy.webshare.io/a"}',
    f'{{"detail":"{THERE}/a"}}',
    f'{{"code":"\\"next\\":\\"{THERE}/a"}}',
    '{"next":null}',
    "",
]


@pytest.mark.parametrize(("body", "expected"), REWRITTEN)
def test_a_link_is_rewritten(body: str, expected: str) -> None:
    assert rewrite_links(body.encode(), THERE, HERE).decode() == expected


@pytest.mark.parametrize("body", UNCHANGED)
def test_other_urls_are_unchanged(body: str) -> None:
    assert rewrite_links(body.encode(), THERE, HERE).decode() == body


@pytest.mark.parametrize(
    ("location", "expected"),
    [(f"{THERE}/a", f"{HERE}/a"), (THERE, HERE), (f"{THERE}.com/", f"{THERE}.com/"), ("/a", "/a")],
)
def test_a_location(location: str, expected: str) -> None:
    assert rewrite_location(location, THERE, HERE) == expected


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Proxy.Webshare.io/", THERE),
        ("https://proxy.webshare.io:443", THERE),
        ("http://127.0.0.1:08080", "http://127.0.0.1:8080"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_an_origin(url: str, origin: str) -> None:
    assert read_origin("--upstream", url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "proxy.webshare.io",
        f"{THERE}/api",
        f"{THERE}?a",
        "https://a:secret@b",
        "https://a:0",
        "https://a:99999",
    ],
)
def test_a_refused_origin_is_not_repeated(url: str) -> None:
    with pytest.raises(UsageError, match="the value of --upstream is not allowed") as error:
        read_origin("--upstream", url)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *((host, True) for host in ("127.0.0.1", "127.1.2.3", "localhost", "::1", "[::1]")),
        *((host, False) for host in ("0.0.0.0", "proxy.webshare.io", "127.0.0.1.example.com", "::")),
    ],
)
def test_loopback_hosts(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
