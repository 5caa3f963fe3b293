"""Pseudonyms: one for each secret, none for two, however many come and go."""

from __future__ import annotations

import pytest

from mock_webshare.exchange.redaction import pseudonyms
from mock_webshare.exchange.redaction.pseudonyms import PSEUDONYM, Pseudonyms


def test_equal_secrets_have_equal_ones() -> None:
    given = Pseudonyms()
    assert [given.of(each, is_mail="@" in each) for each in ("a", "me@a.io", "a")] == [
        *("REDACTED-1", "redacted-2@example.com", "REDACTED-1"),
    ]


def test_of_too_many_those_not_met_for_longest_get_new_ones_and_none_is_given_twice() -> None:
    given = Pseudonyms(most=2)
    assert [given.of(each, is_mail=False)[9:] for each in "abacba"] == ["1", "2", "1", "3", "4", "5"]
    assert len(given) == 2


def test_of_a_long_secret_only_the_digest_is_remembered() -> None:
    given, long = Pseudonyms(), "\ud800" * (pseudonyms.LONGEST_REMEMBERED + 1)
    assert (
        given.of(long, is_mail=False) == given.of(long, is_mail=False) != given.of(long + "x", is_mail=False)
    )
    assert all(len(each) <= pseudonyms.LONGEST_REMEMBERED for each in given._given)


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
def test_the_numbers_that_are_there_already_are_not_given_again(text: str, following: int) -> None:
    given = Pseudonyms()
    given.heed(text)
    assert given.of("secret", is_mail=False) == f"REDACTED-{following}"


def test_a_number_of_no_end_is_no_pseudonym() -> None:
    assert not PSEUDONYM.fullmatch(f"REDACTED-{'9' * 5000}")
