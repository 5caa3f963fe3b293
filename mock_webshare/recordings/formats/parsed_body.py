"""Parsed bodies: JSON that a recorder took apart and stored as values of YAML or JSON.

They are written as JSON again, with the digits of each number unchanged. They do not show how the service
spelled everything else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container
from typing import Any

from mock_webshare.exchange import limits
from mock_webshare.exchange.streams import Malformed

# YAML 1.2, 10.3.2 (the core schema), without what JSON does not have: octal and hexadecimal numbers. PyYAML
# writes the text `1e5` without quotes, but no library writes a number in that form.
_NUMBER = re.compile(r"([-+]?)0*+(\d*+)(?:\.(\d*+))?([eE][-+]\d++)?", re.ASCII)
_DIGITS = tuple("0123456789")
_WORDS = {
    **{form: word for word in ("true", "false") for form in (word, word.title(), word.upper())},
    **{form: "NaN" for form in (".nan", ".NaN", ".NAN")},
    **{sign + form: "Infinity" for sign in ("", "+") for form in (".inf", ".Inf", ".INF")},
    **{"-" + form: "-Infinity" for form in (".inf", ".Inf", ".INF")},
}


_WEIGHT = 64
"""So many characters of a text count as one part."""


class Plain(str):
    """A scalar without quotes: text where a text is expected, elsewhere perhaps a number or truth value."""

    __slots__ = ()


class Number(Plain):
    """A JSON number in its original spelling."""

    __slots__ = ()


def load_json(text: bytes) -> Any:
    """Parse a JSON text, but keep the spelling of its numbers."""
    return json.loads(text, parse_int=Number, parse_float=Number)


def json_of(value: Any, *, texts: Container[str] = ()) -> str:
    """Return a value as compact JSON; the members named in `texts` are strings, quoted or not.

    Raise `Malformed` if the text becomes too large: a few aliases in YAML are enough for that.
    """
    writer = _Writer(texts)
    try:
        writer.write(value)
    except RecursionError as error:
        raise Malformed("its body is nested too deeply") from error
    return "".join(writer.pieces)


class _Writer:
    def __init__(self, texts: Container[str]) -> None:
        self.pieces: list[str] = []
        self._texts = texts
        self._size = 0
        self._seen: set[int] = set()
        self._repeated = 0

    def write(self, value: Any, key: str = "") -> None:
        self._limit(value)
        if isinstance(value, dict):
            self._mapping(value)
        elif isinstance(value, list):
            self._sequence(value, key)
        else:
            self._add(
                _string(str(value)) if isinstance(value, str) and key in self._texts else _scalar(value)
            )

    def _limit(self, value: Any) -> None:
        """Raise `Malformed` if aliases repeat too many parts: a short YAML may mean a huge value."""
        if id(value) in self._seen:
            is_text = isinstance(value, str | bytes)
            self._repeated += len(value) // _WEIGHT if is_text else len(value) + 1
        elif isinstance(value, dict | list) or (isinstance(value, str | bytes) and len(value) >= _WEIGHT):
            self._seen.add(id(value))
        if self._repeated > limits.MOST_REPEATED:
            raise Malformed(f"its aliases repeat more than {limits.MOST_REPEATED} parts of its body")

    def _mapping(self, mapping: dict[str, Any]) -> None:
        self._add("{")
        for number, (key, value) in enumerate(mapping.items()):
            self._add(("," if number else "") + _string(key) + ":")
            self.write(value, key)
        self._add("}")

    def _sequence(self, values: list[Any], key: str) -> None:
        self._add("[")
        for number, value in enumerate(values):
            self._add("," if number else "")
            self.write(value, key)
        self._add("]")

    def _add(self, piece: str) -> None:
        self._size += len(piece)
        if self._size > limits.LARGEST_RECORD:
            raise Malformed(f"its body has more than {limits.LARGEST_RECORD // 1024**2} MiB")
        self.pieces.append(piece)


def _scalar(value: Any) -> str:
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, Plain):
        return _literal(value) or _string(str(value))
    return _string(value.decode(errors="replace")) if isinstance(value, bytes) else _string(value)


def _string(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _literal(text: str) -> str | None:
    """Return a number or truth value of YAML as JSON writes it; None if the text is neither.

    >>> _literal("+01.50"), _literal(".5"), _literal("2026-01-01")
    ('1.50', '0.5', None)
    """
    if word := _WORDS.get(text):
        return word
    found = _NUMBER.fullmatch(text)
    if found is None or text.lstrip("+-.")[:1] not in _DIGITS:
        return None
    sign, whole, fraction, exponent = found.groups(default="")
    return sign.strip("+") + (whole or "0") + (fraction and "." + fraction) + exponent
