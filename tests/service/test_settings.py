from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mock_webshare import Settings
from mock_webshare.errors import UsageError
from mock_webshare.service.settings import RateLimit

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"port": -1}, "port -1 is not allowed; allowed: 0 (a free one) to 65535"),
    ({"port": 65536}, "port 65536"),
    ({"credits": 1_000_001}, "allowed: a whole number from 0 to 1000000"),
    ({"credits": -1}, "credits -1"),
    ({"max_page_size": 0}, "allowed: a whole number from 1 to 10000"),
    ({"host": " "}, "host ' '"),
    ({"default_ordering": "amont"}, "allowed: id, mode, amount, status, created_at, updated_at, reverted_at"),
    ({"default_ordering": ""}, "default ordering ''"),
    ({"rate_limit": "240"}, "like 240/min"),
    ({"rate_limit": "0/min"}, "rate limit '0/min'"),
    ({"rate_limit": "240/fortnight"}, "rate limit"),
    ({"public_url": "proxy.example.com"}, "like https://proxy.example.com"),
    ({"public_url": "https://proxy.example.com/api"}, "scheme and host only"),
    ({"public_url": "https://user:word@proxy.example.com"}, "scheme and host only"),
    ({"public_url": "https://proxy.example.com?"}, "scheme and host only"),
    ({"public_url": "https://proxy.example.com#"}, "scheme and host only"),
    ({"public_url": "http://a b"}, "scheme and host only"),
    ({"public_url": 'http://a"b'}, "scheme and host only"),
    ({"public_url": " http://a"}, "scheme and host only"),
    ({"public_url": "http://a\n"}, "scheme and host only"),
    ({"public_url": "https://a:99999"}, "a port up to 65535"),
    ({"host": "a\nb"}, r"host 'a\nb' is not allowed"),
    ({"data": 5}, "data 5 is not allowed"),
    ({"max_page_size": 10_001}, "allowed: a whole number from 1 to 10000"),
    ({"port": "80"}, "port '80'"),
    ({"credits": 1.5}, "credits 1.5"),
    ({"credits": True}, "credits True"),
    ({"seed": None}, "seed None"),
    ({"rate_limit": 5}, "rate limit 5 is not allowed; allowed: off, or"),
    ({"now": "tomorrow"}, "like 2022-06-14T11:58:10.246406-07:00"),
    ({"api_keys": "secret"}, "a tuple of them"),
    ({"scenario": "flakey"}, "scenario 'flakey' is not allowed; allowed: empty, one-page, "),
    ({"scenario": 5}, "scenario 5 is not allowed"),
    ({"faults": '{"status": 503}'}, 'a tuple of faults, like ({"status": 503},)'),
    (
        {"faults": ({"status": 99},)},
        "fault#/status: 99 is not allowed; allowed: a whole number from 400 to 599",
    ),
    ({"faults": ('{"status": 503',)}, 'a fault as JSON, like {"status": 503, "times": 1}'),
    ({"faults": ("[" * 100_000,)}, "a fault as JSON"),
    ({"faults": ("503",)}, "an object with one action"),
    ({"faults": ('[{"status": 503}, {"delay": 5}]',)}, "did you mean fixedDelayMilliseconds?"),
    ({"faults": ({"status": 503},) * 51}, "51 faults are not allowed; allowed: up to 50"),
]


@pytest.mark.parametrize(("values", "message"), REFUSED)
def test_a_value_that_is_not_allowed_is_refused_with_what_is(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as refusal:
        Settings(**values)
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    "faults",
    [
        ({"status": 503, "times": 1}, {"fault": "EMPTY_RESPONSE"}),
        ('{"status":503,"times":1}', {"fault": "EMPTY_RESPONSE"}),
        ('[{"status": 503, "times": 1}, {"fault": "EMPTY_RESPONSE"}]',),
        ["[]", '{"status": 503, "times": 1}', '[{"fault": "EMPTY_RESPONSE"}]'],
    ],
)
def test_faults_can_be_written_in_several_ways(faults: Any) -> None:
    settings = Settings(faults=faults)
    assert settings == Settings(faults=({"status": 503, "times": 1}, {"fault": "EMPTY_RESPONSE"}))
    assert hash(settings) == hash(Settings(faults=settings.faults))


@pytest.mark.parametrize("key", ["", "two words", "clé", "invalid", "tab\t"])
def test_a_key_that_no_request_could_carry_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(UsageError) as refusal:
        Settings(api_keys=("good", key))
    assert "good" not in str(refusal.value)
    assert not key or repr(key) not in str(refusal.value) or key == "invalid"


def test_a_path_is_taken_for_its_text() -> None:
    assert Settings(data=Path("mine.json")) == Settings(data="mine.json")


@pytest.mark.parametrize("url", ["https://a:65535", "http://[::1]:1/", "https://a"])
def test_a_public_url_may_have_a_port(url: str) -> None:
    assert Settings(public_url=url).public_url == url


def test_a_default_ordering_is_read_as_terms() -> None:
    assert Settings(default_ordering="-amount, id").ordering_terms == ("-amount", "id")


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("off", None),
        ("240/min", RateLimit(240, 60)),
        ("5/s", RateLimit(5, 1)),
        ("5/second", RateLimit(5, 1)),
        ("1000/hour", RateLimit(1000, 3600)),
        ("1/d", RateLimit(1, 86400)),
    ],
)
def test_rate_limits(text: str, limit: RateLimit | None) -> None:
    assert RateLimit.parse(text) == limit
