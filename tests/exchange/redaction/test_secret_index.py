"""Sought: all secrets that are in a text, whatever their form, and no more of them than so many."""

from __future__ import annotations

import random
from urllib.parse import quote

import pytest

from mock_webshare.exchange.redaction import secret_index as module
from mock_webshare.exchange.redaction.secret_index import FEW, LONGEST_SPELT, MOST_ALIKE, MOST_LONG, Sought

LETTERS = "abAB01+/=%-"


def sought(*secrets: str, most: int = 1000) -> Sought:
    found = Sought(most)
    for secret in secrets:
        found.add(secret)
    return found


def found(secrets: Sought, text: str) -> list[str]:
    met: list[str] = []
    secrets.replaced(text, lambda secret: met.append(secret) or "")  # type: ignore[func-returns-value]
    return met


@pytest.mark.parametrize("number", [FEW // 2, 4 * FEW])
def test_those_are_found_that_are_there(number: int) -> None:
    draw = random.Random(number)  # a seed
    secrets = ["".join(draw.choices(LETTERS, k=draw.randint(8, 12))) for _ in range(number)]
    held = sought(*secrets)
    for _ in range(300):
        secret = draw.choice(secrets)
        text = f"<{draw.choice((secret, quote(secret, safe=''), secret.lower()))}>"
        assert held.replaced(text, lambda secret: f"[{secret}]") == f"<[{secret}]>"


def test_the_longest_stands_for_all_that_overlap_and_of_equal_ones_that_met_first() -> None:
    held = sought("abcdefgh", "abcdefghij", "cdefghij", "ijklmnop")
    assert found(held, "abcdefghij") == ["abcdefghij"]
    assert found(held, "abcdefghijklmnop abcdefgh") == ["abcdefghij", "abcdefgh"]
    assert found(sought("abcdefgh", "ghijklmn"), "abcdefghijklmn") == ["abcdefgh"]


@pytest.mark.parametrize("most", [2, 2 * FEW])
def test_those_not_met_for_longest_are_forgotten(most: int) -> None:
    secrets = [f"secret-{number:04}" for number in range(most)]
    held = sought(*secrets, secrets[0], "another-secret", most=most)
    kept = [*secrets[2:], secrets[0], "another-secret"]
    assert found(held, " ".join([*secrets, "another-secret"])) == [secrets[0], *secrets[2:], "another-secret"]
    assert list(held._held) == kept


def test_all_together_have_no_more_than_so_many_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_LETTERS", 30)
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
    secrets = [f"c000000000{number:04}xyz{'0' * 100}" for number in range(500)]
    secrets += [f"{'0' * 100}c000000000{number:04}xyz" for number in range(500)]
    held = sought(*secrets)
    assert max(map(len, held._anchored.values())) < MOST_ALIKE
    assert found(held, " ".join(secrets)) == secrets


def test_of_those_that_are_alike_no_more_than_so_many_are_held() -> None:
    secrets = ["b" * length for length in range(8, 8 + 2 * MOST_ALIKE)]
    held = sought(*secrets)
    assert found(held, f"{secrets[-1]} {secrets[0]}") == [secrets[-1]]
    assert max(map(len, held._anchored.values())) <= MOST_ALIKE


def test_long_ones_are_found_as_they_are_and_no_more_than_so_many() -> None:
    secrets = [f"{number:02}{'x' * LONGEST_SPELT}" for number in range(MOST_LONG + 1)]
    held = sought(*secrets, "secret-one")
    assert held.replaced("".join(secrets), lambda secret: f"<{secret[:2]}>") == secrets[0] + "".join(
        f"<{number:02}>" for number in range(1, MOST_LONG + 1)
    )
    assert found(held, f"secret-one {secrets[1]}") == [secrets[1], "secret-one"]


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("abcd\\efgh", '"abcd\\\\efgh"'),
        ("abcd\nefgh", '"abcd\\nefgh"'),
        ('"abcdefgh"', '"\\"abcdefgh\\""'),
        ("abcd\b\fefgh", '"abcd\\b\\fefgh"'),
        ("abcd%41efgh", '"abcd%2541efgh"'),
        ("abcd%41efgh", '"%61%62%63%64%25%34%31%65%66%67%68"'),
        ("abcd efgh", '"abcd+efgh"'),
        ("abcd efgh", '"abcd%20efgh"'),
        ("abcd😀efgh", '"abcd\\ud83d\\ude00efgh"'),
        ("abcdéfgh", '"abcd%C3%A9fgh"'),
        ("abcd<efgh>", '"abcd&lt;efgh&#x3E;"'),
        ("abcd\udcffefgh", '"abcd%FFefgh"'),
        ("abcd\ud800efgh", '"abcd\\ud800efgh"'),
        ("abcdefgh", '"\\abcdefgh"'),
        ("nabcdefgh", '"\\nabcdefgh"'),
    ],
)
def test_a_spelling_goes_in_whole(secret: str, text: str) -> None:
    assert sought(secret).replaced(text, lambda secret: "X") == '"X"'


@pytest.mark.parametrize("text", ["100%{}", "%25{}%25", "%2525{}", "%2C{}%2C", "\\n{}\\n", "&lt;{}&gt;"])
def test_a_secret_beside_an_escape_is_found(text: str) -> None:
    assert "beef0123" not in sought("deadbeef0123").replaced(text.format("deadbeef0123"), lambda _: "X")


@pytest.mark.parametrize(
    ("secret", "text", "expected"),
    [
        ("\udc80abcdefgh", "<Āabcdefgh>", "<X>"),
        ("%80abcdefgh", "<Āabcdefgh>", "<X>"),
        ("abcdefgh\udcc4", "<abcdefghĀ>", "<X>"),
        ("abcdefgh\udcf0\udc9f", "<abcdefgh😀abcdefgh😀>", "<XX>"),
        ("\udc80abcdefgh\udcc4", "<\\Āabcdefghā\\abcdefghā>", "<X\\abcdefghā>"),
        ("\udc80\udcc4\udc80\udcc4\udc80", "<ĀĀĀĀ>", "<X>"),
    ],
)
def test_a_character_that_is_a_secret_in_part_goes_in_whole(secret: str, text: str, expected: str) -> None:
    assert sought(secret).replaced(text, lambda _: "X") == expected
