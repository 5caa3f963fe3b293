"""Sought: of many secrets, those that a text may hold, whatever their form, and no more than so many."""

from __future__ import annotations

import random

import pytest

from mock_webshare.exchange.redaction.encodings import Folded, Spellings
from mock_webshare.exchange.redaction.secret_index import FEW, Sought

LETTERS = "abAB01+/=%-"


def sought(*secrets: str, most: int = 1000) -> Sought:
    found = Sought(most)
    for secret in secrets:
        found.add(secret)
    return found


def found(secrets: Sought, text: str) -> list[str]:
    return [each.secret for each in secrets.in_text(text)]


@pytest.mark.parametrize("number", [FEW // 2, 4 * FEW])
def test_those_are_found_that_a_look_for_each_finds(number: int) -> None:
    draw = random.Random(number)  # a seed
    secrets = ["".join(draw.choices(LETTERS, k=draw.randint(2, 12))) for _ in range(number)]
    held = sought(*secrets)
    for _ in range(300):
        text = "".join(draw.choices(LETTERS, k=40)) + draw.choice(secrets)
        folded = Folded(text)
        assert set(found(held, text)) == {each for each in secrets if Spellings(each).may_be_in(folded)}


def test_the_longest_comes_first_and_of_equal_ones_that_met_first() -> None:
    assert found(sought("abcdefgh", "abcdefghij", "cdefghij"), "abcdefghij") == [
        *("abcdefghij", "abcdefgh", "cdefghij"),
    ]


@pytest.mark.parametrize("most", [2, 2 * FEW])
def test_those_not_met_for_longest_are_forgotten(most: int) -> None:
    secrets = [f"secret-{number:04}" for number in range(most)]
    held = sought(*secrets, secrets[0], "another-secret", most=most)
    assert found(held, " ".join([*secrets, "another-secret"])) == ["another-secret", *secrets[2:], secrets[0]]


def test_all_together_have_no_more_than_so_many_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mock_webshare.exchange.redaction.secret_index.MOST_LETTERS", 30)
    held = sought("secret-one", "secret-two", "secret-one", "secret-six", "secret-ten")
    assert found(held, "secret-one secret-two secret-six secret-ten") == [
        *("secret-one", "secret-six", "secret-ten"),
    ]


def test_a_text_that_held_none_is_looked_at_again_for_a_new_one() -> None:
    held = sought("secret-one")
    assert found(held, "secret-two") == []
    held.add("secret-two")
    assert found(held, "secret-two") == ["secret-two"]


def test_what_many_share_is_no_anchor() -> None:
    held = sought(*(f"c000000000{number:04}xyz" for number in range(500)))
    assert len(held._nominees(Folded("c0000000000123xyz"))) < 50
