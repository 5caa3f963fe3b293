"""Known secrets: found in a text in all encodings, limited in number, each with a pseudonym of its own."""

from __future__ import annotations

import random
from urllib.parse import quote

import pytest

from mock_webshare.exchange.redaction import secret_index as module
from mock_webshare.exchange.redaction.patterns import PSEUDONYM
from mock_webshare.exchange.redaction.secret_index import (
    FEW,
    LONGEST_ENCODED,
    MOST_LONG,
    MOST_PER_ANCHOR,
    Pseudonyms,
    SecretIndex,
)

LETTERS = "abAB01+/=%-"


def index(*secrets: str, most: int = 1000) -> SecretIndex:
    made = SecretIndex(most)
    for secret in secrets:
        made.add(secret)
    return made


def found(secrets: SecretIndex, text: str) -> list[str]:
    replaced: list[str] = []
    secrets.replace(text, lambda secret: replaced.append(secret) or "")  # type: ignore[func-returns-value]
    return replaced


@pytest.mark.parametrize("number", [FEW // 2, 4 * FEW])
def test_secrets_are_found(number: int) -> None:
    draw = random.Random(number)  # a seed
    secrets = ["".join(draw.choices(LETTERS, k=draw.randint(8, 12))) for _ in range(number)]
    secret_index = index(*secrets)
    for _ in range(300):
        secret = draw.choice(secrets)
        text = f"<{draw.choice((secret, quote(secret, safe=''), secret.lower()))}>"
        assert secret_index.replace(text, lambda secret: f"[{secret}]") == f"<[{secret}]>"


def test_overlapping_secrets_are_replaced_by_the_longest_or_else_the_first() -> None:
    secret_index = index("abcdefgh", "abcdefghij", "cdefghij", "ijklmnop")
    assert found(secret_index, "abcdefghij") == ["abcdefghij"]
    assert found(secret_index, "abcdefghijklmnop abcdefgh") == ["abcdefghij", "abcdefgh"]
    assert found(index("abcdefgh", "ghijklmn"), "abcdefghijklmn") == ["abcdefgh"]


@pytest.mark.parametrize("most", [2, 2 * FEW])
def test_the_least_recently_added_are_dropped(most: int) -> None:
    secrets = [f"secret-{number:04}" for number in range(most)]
    secret_index = index(*secrets, secrets[0], "another-secret", most=most)
    kept = [*secrets[2:], secrets[0], "another-secret"]
    assert found(secret_index, " ".join([*secrets, "another-secret"])) == [
        secrets[0],
        *secrets[2:],
        "another-secret",
    ]
    assert list(secret_index._held) == kept


def test_the_characters_of_all_secrets_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CHARACTERS", 30)
    secret_index = index("secret-one", "secret-two", "secret-one", "secret-six", "secret-ten")
    assert found(secret_index, "secret-one secret-two secret-six secret-ten") == [
        *("secret-one", "secret-six", "secret-ten"),
    ]


def test_a_clean_text_is_searched_again_for_a_new_secret() -> None:
    secret_index = index("secret-one")
    assert found(secret_index, "secret-two") == []
    secret_index.add("secret-two")
    assert found(secret_index, "secret-two") == ["secret-two"]


def test_an_anchor_is_shared_by_few() -> None:
    secrets = [f"c000000000{number:04}xyz{'0' * 100}" for number in range(500)]
    secrets += [f"{'0' * 100}c000000000{number:04}xyz" for number in range(500)]
    secret_index = index(*secrets)
    assert max(map(len, secret_index._anchored.values())) < MOST_PER_ANCHOR
    assert found(secret_index, " ".join(secrets)) == secrets


def test_similar_secrets_are_limited() -> None:
    secrets = ["b" * length for length in range(8, 8 + 2 * MOST_PER_ANCHOR)]
    secret_index = index(*secrets)
    assert found(secret_index, f"{secrets[-1]} {secrets[0]}") == [secrets[-1]]
    assert max(map(len, secret_index._anchored.values())) <= MOST_PER_ANCHOR


def test_long_secrets_are_found_unencoded_and_limited() -> None:
    secrets = [f"{number:02}{'x' * LONGEST_ENCODED}" for number in range(MOST_LONG + 1)]
    secret_index = index(*secrets, "secret-one")
    assert secret_index.replace("".join(secrets), lambda secret: f"<{secret[:2]}>") == secrets[0] + "".join(
        f"<{number:02}>" for number in range(1, MOST_LONG + 1)
    )
    assert found(secret_index, f"secret-one {secrets[1]}") == [secrets[1], "secret-one"]


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
def test_an_encoded_secret_is_replaced_whole(secret: str, text: str) -> None:
    assert index(secret).replace(text, lambda secret: "X") == '"X"'


@pytest.mark.parametrize("text", ["100%{}", "%25{}%25", "%2525{}", "%2C{}%2C", "\\n{}\\n", "&lt;{}&gt;"])
def test_a_secret_beside_an_escape_is_found(text: str) -> None:
    assert "beef0123" not in index("deadbeef0123").replace(text.format("deadbeef0123"), lambda _: "X")


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
def test_a_character_that_belongs_to_a_secret_in_part_is_replaced_whole(
    secret: str, text: str, expected: str
) -> None:
    assert index(secret).replace(text, lambda _: "X") == expected


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
