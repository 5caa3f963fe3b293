"""Pseudonyms: one for each secret, and none for two, however many secrets are forgotten."""

from __future__ import annotations

import pytest

from mock_webshare.exchange.redaction import pseudonyms as module
from mock_webshare.exchange.redaction.pseudonyms import PSEUDONYM, Pseudonyms


def test_equal_secrets_have_equal_pseudonyms() -> None:
    pseudonyms = Pseudonyms()
    assert [pseudonyms.of(each, is_mail="@" in each) for each in ("a", "me@a.io", "a")] == [
        *("REDACTED-1", "redacted-2@example.com", "REDACTED-1"),
    ]


def test_a_forgotten_secret_gets_a_new_one_and_no_number_is_used_twice() -> None:
    pseudonyms = Pseudonyms(most=2)
    assert [pseudonyms.of(each, is_mail=False)[9:] for each in "abacba"] == ["1", "2", "1", "3", "4", "5"]
    assert len(pseudonyms) == 2


def test_only_the_digest_of_a_long_secret_is_remembered() -> None:
    pseudonyms, long = Pseudonyms(), "\ud800" * (module.LONGEST_REMEMBERED + 1)
    assert (
        pseudonyms.of(long, is_mail=False)
        == pseudonyms.of(long, is_mail=False)
        != pseudonyms.of(long + "x", is_mail=False)
    )
    assert all(len(each) <= module.LONGEST_REMEMBERED for each in pseudonyms._pseudonyms)


@pytest.mark.parametrize(
    ("text", "following"),
    [
        ("Token REDACTED-7 redacted-3", 8),
        ("me is redacted-41%40EXAMPLE.com", 42),
        ('{"a":"redacted-12@example.com"}', 13),
        ("REDACTED", 1),
        ("redacted-", 1),
        (f"REDACTED-{'9' * 5000}", 1),
    ],
)
def test_reserved_numbers_are_not_used(text: str, following: int) -> None:
    pseudonyms = Pseudonyms()
    pseudonyms.reserve(text)
    assert pseudonyms.of("secret", is_mail=False) == f"REDACTED-{following}"


def test_a_number_with_too_many_digits_is_not_a_pseudonym() -> None:
    assert not PSEUDONYM.fullmatch(f"REDACTED-{'9' * 5000}")
