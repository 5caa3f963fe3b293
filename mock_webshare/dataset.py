"""A data set: the credits and channels of one account, as Python values and as the service's objects."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from mock_webshare.contract import MODES, STATUSES, data_path
from mock_webshare.errors import DataError, UnknownName, UnreadableInput
from mock_webshare.instants import format_instant, parse_instant


class Channel(NamedTuple):
    """A referral channel: a coupon code that brings users."""

    id: int
    code: str


class Credit(NamedTuple):
    """What one purchase of a referred user earned; dates are instants (see `instants`)."""

    id: int
    user_id: int
    mode: str
    amount: float  # USD
    status: str
    referral_channel: int | None  # None: the user came by a referral link
    referral_channel_code: str | None  # None together with referral_channel
    created_at: int
    updated_at: int
    reverted_at: int | None  # None unless status is `reverted`

    def wire(self) -> dict[str, Any]:
        """Return the object that the service answers: its fields, in its order."""
        wire = self._asdict()
        for name in _DATES:
            if wire[name] is not None:
                wire[name] = format_instant(wire[name])
        return wire


_DATES = ("created_at", "updated_at", "reverted_at")


@dataclass(frozen=True, eq=False, slots=True)
class Dataset:
    """Credits and channels, each by ascending id."""

    credits: Sequence[Credit]
    channels: Sequence[Channel]

    def wire(self) -> dict[str, Any]:
        """Return the data set in the form that `load` reads and `write` writes."""
        return {
            "credits": [credit.wire() for credit in self.credits],
            "channels": [channel._asdict() for channel in self.channels],
        }


def write(dataset: Dataset, stream: TextIO) -> None:
    """Write a data set as JSON, one row a line: easy to read, to compare and to edit."""
    stream.write('{\n"credits": [')
    stream.writelines(_lines(credit.wire() for credit in dataset.credits))
    stream.write('\n],\n"channels": [')
    stream.writelines(_lines(channel._asdict() for channel in dataset.channels))
    stream.write("\n]\n}\n")


def _lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    separator = "\n"
    for row in rows:
        yield separator + json.dumps(row, ensure_ascii=False)
        separator = ",\n"


def names() -> list[str]:
    """Return the names of the data sets that come with the package, sorted."""
    return sorted(path.stem for path in data_path("fixtures").glob("*.json"))


def load(name: str) -> Dataset:
    """Given the name of a data set of ours, or the path of a file, return the data set.

    A bare name is ours first: write `./default` for a file of that name. Raise `UnreadableInput`
    if it cannot be read, `DataError` if it is no data set.
    """
    path = data_path("fixtures") / f"{name}.json" if name in names() else Path(name)
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        if path.suffix or len(path.parts) > 1:
            raise UnreadableInput.from_os_error(name, error) from error
        raise UnknownName("data set file or data set", name, names()) from error
    except OSError as error:
        raise UnreadableInput.from_os_error(name, error) from error
    except ValueError as error:  # a path that no file can have: "embedded null byte"
        raise UnreadableInput(f"cannot read {name!r}: {error}") from error
    return parse(content, source=name)


def parse(content: bytes, *, source: str) -> Dataset:
    """Given the JSON of a data set, return it; raise `DataError` for the first thing that is wrong."""
    try:
        document = json.loads(
            content, object_pairs_hook=_unique_keys, parse_constant=_no_constant, parse_int=_whole
        )
    except RecursionError as error:
        raise DataError(source, "", "is nested too deeply; a data set has four levels") from error
    except UnicodeDecodeError as error:
        raise DataError(source, "", f"is not UTF-8 at byte {error.start}") from error
    except ValueError as error:
        raise DataError(source, "", f"is not JSON: {error}") from error
    return _Reader(source).dataset(document)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} occurs twice in one object")
    return result


def _whole(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise ValueError(f"a number with {len(digits)} digits is too long")
    return int(digits)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


class _Kind(NamedTuple):
    """What a field may hold: a test, the words for it, and how to read a value that passes."""

    is_allowed: Callable[[Any], bool]
    allowed: str
    read: Callable[[Any], Any] = lambda value: value


def _is_id(value: Any) -> bool:
    # bool is a subclass of int, and JSON's true is no id.
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63


def _is_amount(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 1e300 and math.isfinite(value)


def _is_code(value: Any) -> bool:
    # JSON can escape half a character ("\\ud800"), which no UTF-8 can be made of.
    return isinstance(value, str) and value != "" and not any("\ud800" <= each <= "\udfff" for each in value)


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and parse_instant(value) >= 0
    except ValueError:
        return False


def _or_null(kind: _Kind) -> _Kind:
    return _Kind(
        lambda value: value is None or kind.is_allowed(value),
        f"null, or {kind.allowed}",
        lambda value: None if value is None else kind.read(value),
    )


def _one_of(values: tuple[str, ...]) -> _Kind:
    return _Kind(lambda value: isinstance(value, str) and value in values, ", ".join(values))


_ID = _Kind(_is_id, "a whole number from 1 to 2^63 - 1")
_CODE = _Kind(_is_code, "a string of Unicode characters that is not empty")
_DATE = _Kind(
    _is_date,
    "a date and time with an offset, from 1970 to 9998, like 2022-06-14T11:58:10.246406-07:00",
    parse_instant,
)

_CHANNEL_FIELDS = {"id": _ID, "code": _CODE}
_CREDIT_FIELDS = {
    "id": _ID,
    "user_id": _ID,
    "mode": _one_of(MODES),
    "amount": _Kind(_is_amount, "a number, up to 1e300 either way", float),
    "status": _one_of(STATUSES),
    "referral_channel": _or_null(_ID),
    "referral_channel_code": _or_null(_CODE),
    "created_at": _DATE,
    "updated_at": _DATE,
    "reverted_at": _or_null(_DATE),
}
_LONGEST_REPR = 80
_LONGEST_NUMBER = 400


class _Reader:
    """One reading of one document: every refusal names the source, the place and the value."""

    def __init__(self, source: str) -> None:
        self.source = source

    def dataset(self, document: Any) -> Dataset:
        """Given the parsed document, return the data set."""
        self._keys("", document, ("credits", "channels"))
        channels = [Channel(**row) for row in self._rows(document, "channels", _CHANNEL_FIELDS)]
        credits = [Credit(**row) for row in self._rows(document, "credits", _CREDIT_FIELDS)]
        codes = dict(channels)
        for index, credit in enumerate(credits):
            self._check_relations(f"/credits/{index}", credit, codes)
        credits.sort(key=lambda credit: credit.id)
        channels.sort(key=lambda channel: channel.id)
        return Dataset(credits=credits, channels=channels)

    def _rows(self, document: Any, key: str, fields: dict[str, _Kind]) -> list[dict[str, Any]]:
        rows = document[key]
        if not isinstance(rows, list):
            raise self._refusal(f"/{key}", rows, "a list")
        result = [self._row(f"/{key}/{index}", row, fields) for index, row in enumerate(rows)]
        seen: set[int] = set()
        for index, row in enumerate(result):
            if row["id"] in seen:
                raise self._refusal(f"/{key}/{index}/id", row["id"], "an id that no other row has")
            seen.add(row["id"])
        return result

    def _row(self, pointer: str, row: Any, fields: dict[str, _Kind]) -> dict[str, Any]:
        self._keys(pointer, row, tuple(fields))
        for name, kind in fields.items():
            if not kind.is_allowed(row[name]):
                raise self._refusal(f"{pointer}/{name}", row[name], kind.allowed)
        return {name: kind.read(row[name]) for name, kind in fields.items()}

    def _keys(self, pointer: str, value: Any, keys: tuple[str, ...]) -> None:
        if not isinstance(value, dict):
            raise self._refusal(pointer, value, f"an object with the keys {', '.join(keys)}")
        if missing := [key for key in keys if key not in value]:
            raise DataError(self.source, pointer, f"lacks {missing[0]!r}; needed: {', '.join(keys)}")
        if unknown := [key for key in value if key not in keys]:
            raise DataError(self.source, pointer, f"unknown key {unknown[0]!r}; allowed: {', '.join(keys)}")

    def _check_relations(self, pointer: str, credit: Credit, codes: dict[int, str]) -> None:
        if (credit.reverted_at is None) == (credit.status == "reverted"):
            value = None if credit.reverted_at is None else format_instant(credit.reverted_at)
            raise self._refusal(
                f"{pointer}/reverted_at",
                value,
                f"null exactly when status is not reverted (it is {credit.status})",
            )
        if credit.referral_channel is not None and credit.referral_channel not in codes:
            raise self._refusal(
                f"{pointer}/referral_channel", credit.referral_channel, "an id of /channels, or null"
            )
        code = None if credit.referral_channel is None else codes[credit.referral_channel]
        if credit.referral_channel_code != code:
            allowed = (
                f"the code of that channel, {json.dumps(code)}" if code else "null, as there is no channel"
            )
            raise self._refusal(f"{pointer}/referral_channel_code", credit.referral_channel_code, allowed)

    def _refusal(self, pointer: str, value: Any, allowed: str) -> DataError:
        shown = json.dumps(value, ensure_ascii=False)
        if len(shown) > _LONGEST_REPR:
            shown = shown[:_LONGEST_REPR] + "…"
        return DataError(self.source, pointer, f"{shown} is not allowed; allowed: {allowed}")
